package vipps_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
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
		body, status = `{"access_token":"`+strings.Repeat("t", 1000)+`","expires_in":"86398"}`, http.StatusOK
	} else if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {"Sat, 21 Nov 2026 00:00:00 GMT"}},
	}, nil
})

// BenchmarkDo is a create call. Compare with BenchmarkDoFloor: the aim is at most 1.6 times as long.
func BenchmarkDo(b *testing.B) {
	client, err := vipps.NewClient(config(memory))
	if err != nil {
		b.Fatal(err)
	}
	p := newPayment()
	b.ReportAllocs()
	for b.Loop() {
		var got created
		err := client.Do(b.Context(), vipps.Request{
			Op: "epayment.Create", Subject: p.Reference, Method: http.MethodPost, Path: []string{"epayment", "v1", "payments"},
			IdempotencyKey: "order-0017-c", Body: p,
		}, &got)
		if err != nil || got.Reference != p.Reference {
			b.Fatal(err)
		}
	}
}

// BenchmarkDoFloor is the same request written by hand, with a token that is there.
func BenchmarkDoFloor(b *testing.B) {
	client := &http.Client{Transport: memory}
	p := newPayment()
	authorization := "Bearer " + strings.Repeat("t", 1000)
	b.ReportAllocs()
	for b.Loop() {
		if got, err := byHand(b.Context(), client, authorization, p); err != nil || got.Reference != p.Reference {
			b.Fatal(err)
		}
	}
}

func byHand(ctx context.Context, client *http.Client, authorization string, p payment) (got created, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body, err := json.Marshal(p)
	if err != nil {
		return got, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, host+"/epayment/v1/payments", bytes.NewReader(body))
	if err != nil {
		return got, err
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Ocp-Apim-Subscription-Key", "subscription-key")
	r.Header.Set("Merchant-Serial-Number", "123456")
	r.Header.Set("Idempotency-Key", "order-0017-c")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "by-hand/1.0")
	r.Header.Set("Vipps-System-Name", "acme-vend")
	r.Header.Set("Vipps-System-Version", "1.4.0")
	r.Header.Set("Vipps-System-Plugin-Name", "acme-vend")
	r.Header.Set("Vipps-System-Plugin-Version", "1.4.0")
	response, err := client.Do(r)
	if err != nil {
		return got, err
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return got, err
	}
	return got, json.Unmarshal(content, &got)
}

// BenchmarkToken is many callers at one cached token: what they share is a lock.
func BenchmarkToken(b *testing.B) {
	client, err := vipps.NewClient(config(memory))
	if err != nil {
		b.Fatal(err)
	}
	request := vipps.Request{Op: "bench", Method: http.MethodPost, Path: []string{"x"}, Body: []byte("{}")}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := client.Do(context.Background(), request, nil); err != nil {
				b.Error(err)
			}
		}
	})
}
