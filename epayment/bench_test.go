package epayment_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

func BenchmarkCreate(b *testing.B) {
	server := always(apitest.Testdata(b, "created.json"))
	client, byHand := newClient(b, server, vipps.Test), &http.Client{Transport: server}
	r := benchRequest()
	type method struct {
		Type string `json:"type"`
	}
	type links struct {
		TermsOfSaleURL   string `json:"termsOfSaleUrl"`
		PrivacyPolicyURL string `json:"privacyPolicyUrl"`
	}
	type body struct {
		Reference           string            `json:"reference"`
		Amount              vipps.Amount      `json:"amount"`
		PaymentMethod       method            `json:"paymentMethod"`
		UserFlow            string            `json:"userFlow"`
		CustomerInteraction string            `json:"customerInteraction"`
		ReturnURL           string            `json:"returnUrl"`
		PaymentDescription  string            `json:"paymentDescription"`
		Metadata            map[string]string `json:"metadata"`
		MerchantLegalLinks  links             `json:"merchantLegalLinks"`
	}
	apitest.Versus(b, func() error {
		_, err := client.Create(b.Context(), r)
		return err
	}, func() error {
		var created epayment.Created
		return apitest.ByHand(b.Context(), byHand, apitest.Authorization, http.MethodPost, payments, r.IdempotencyKey, body{
			Reference: r.Reference, Amount: r.Amount, PaymentMethod: method{string(r.PaymentMethod.Type)},
			UserFlow: string(r.UserFlow), CustomerInteraction: string(r.CustomerInteraction), ReturnURL: string(r.ReturnURL),
			PaymentDescription: r.PaymentDescription, Metadata: r.Metadata, MerchantLegalLinks: links(r.MerchantLegalLinks),
		}, &created)
	})
}

func BenchmarkEncode(b *testing.B) {
	request := benchRequest()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := request.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	server := always(compact(b, "payment.json"))
	client, byHand := newClient(b, server, vipps.Test), &http.Client{Transport: server}
	apitest.Versus(b, func() error {
		_, err := client.Get(b.Context(), reference)
		return err
	}, func() error {
		return apitest.ByHand(b.Context(), byHand, apitest.Authorization, http.MethodGet, payment, "", nil, new(epayment.Payment))
	})
}

func BenchmarkCapture(b *testing.B) {
	server := always(compact(b, "captured.json"))
	client, byHand := newClient(b, server, vipps.Test), &http.Client{Transport: server}
	request := epayment.CaptureRequest{IdempotencyKey: reference + "-capture-1", Amount: vipps.Amount{Value: 250, Currency: vipps.NOK}}
	type body struct {
		ModificationAmount vipps.Amount `json:"modificationAmount"`
	}
	apitest.Versus(b, func() error {
		_, err := client.Capture(b.Context(), reference, request)
		return err
	}, func() error {
		return apitest.ByHand(b.Context(), byHand, apitest.Authorization, http.MethodPost, payment+"/capture", request.IdempotencyKey,
			body{request.Amount}, new(epayment.Modification))
	})
}

// BenchmarkPoll reads a payment that waits for its customer as the vending engine does, over a kept connection to a server on
// loopback.
func BenchmarkPoll(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{"aggregate":{"authorizedAmount":{"currency":"NOK","value":0},"cancelledAmount":{"currency":"NOK","value":0},` +
			`"capturedAmount":{"currency":"NOK","value":0},"refundedAmount":{"currency":"NOK","value":0}},` +
			`"amount":{"currency":"NOK","value":4900},"state":"CREATED","paymentMethod":{"type":"WALLET"},"profile":{},` +
			`"pspReference":"37c34d8c-2649-448e-864b-060d5d93e4c4","reference":"` + reference + `","metadata":{"vending-nonce":"n"}}`
		if strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
			body = `{"access_token":"` + apitest.Token + `","expires_in":"3600"}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	own := config(nil, vipps.Test) // with connections of its own
	own.BaseURL = server.URL
	shared, err := vipps.NewClient(own)
	if err != nil {
		b.Fatal(err)
	}
	client, byHand := epayment.New(shared.SingleAttempt()), &http.Client{Transport: &http.Transport{}}
	b.Cleanup(byHand.CloseIdleConnections)
	apitest.Versus(b, func() error {
		_, err := client.Get(b.Context(), reference)
		return err
	}, func() error {
		return apitest.ByHand(b.Context(), byHand, apitest.Authorization, http.MethodGet, server.URL+"/epayment/v1/payments/"+reference, "", nil, new(epayment.Payment))
	})
}

// compact is an answer without the blanks that a server does not send.
func compact(b *testing.B, name string) string {
	b.Helper()
	var answer bytes.Buffer
	if err := json.Compact(&answer, []byte(apitest.Testdata(b, name))); err != nil {
		b.Fatal(err)
	}
	return answer.String()
}

// benchRequest is what a vending machine sends.
func benchRequest() epayment.CreateRequest {
	r := minimal()
	r.CustomerInteraction = epayment.CustomerPresent
	r.PaymentDescription = strings.Repeat("Snacks ", 5)
	r.Metadata = map[string]string{"vending-machine": "oslo12", "vending-nonce": "7kq2m4xw9c3tf"}
	r.MerchantLegalLinks = epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"}
	return r
}
