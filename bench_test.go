package vipps_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
)

// payment is the body of a create call, as package epayment would send it.
type payment struct {
	Reference     string       `json:"reference"`
	Amount        vipps.Amount `json:"amount"`
	PaymentMethod struct {
		Type string `json:"type"`
	} `json:"paymentMethod"`
	UserFlow    string            `json:"userFlow"`
	ReturnURL   string            `json:"returnUrl"`
	Description string            `json:"paymentDescription"`
	Metadata    map[string]string `json:"metadata"`
}

type created struct {
	Reference   string `json:"reference"`
	RedirectURL string `json:"redirectUrl"`
}

func newPayment() payment {
	p := payment{
		Reference: "order-0017", Amount: vipps.Amount{Value: 4900, Currency: vipps.NOK}, UserFlow: "WEB_REDIRECT",
		ReturnURL: "https://shop.example/orders/17", Description: "One soda", Metadata: map[string]string{"vending-machine": "m1", "vending-nonce": "n1"},
	}
	p.PaymentMethod.Type = "WALLET"
	return p
}

// memory answers at once, without a connection.
var memory = roundTrip(func(r *http.Request) (*http.Response, error) {
	body, status := `{"reference":"order-0017","redirectUrl":"https://landing.vipps.no/dwo-api-application/v1/deeplink/vippsgateway?v=2&token=abc"}`, http.StatusCreated
	if r.URL.Path == "/accesstoken/get" {
		body, status = `{"access_token":"`+apitest.Token+`","expires_in":"86398"}`, http.StatusOK
	} else if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {"Sat, 21 Nov 2026 00:00:00 GMT"}},
	}, nil
})

// BenchmarkDo is a create call by way of Do: what all clients have in common.
func BenchmarkDo(b *testing.B) {
	client, err := vipps.NewClient(config(memory))
	if err != nil {
		b.Fatal(err)
	}
	p := newPayment()
	request := vipps.Request{
		Op: "epayment.Create", Subject: p.Reference, Method: http.MethodPost, Path: []string{"epayment", "v1", "payments"},
		IdempotencyKey: "order-0017-c", Body: p,
	}
	byHand := &http.Client{Transport: memory}
	apitest.Versus(b, func() error {
		var got created
		return client.Do(b.Context(), request, &got)
	}, func() error {
		var got created
		return apitest.ByHand(b.Context(), byHand, apitest.Authorization, request.Method, host+"/epayment/v1/payments", request.IdempotencyKey, p, &got)
	})
}
