package epayment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

func BenchmarkCreate(b *testing.B) {
	client := newClient(b, always(testdata(b, "created.json")), vipps.Test)
	request := benchRequest()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Create(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCreateFloor is the same request written by hand, without checks, repetition, secrets or a token that expires.
func BenchmarkCreateFloor(b *testing.B) {
	client := &http.Client{Transport: always(testdata(b, "created.json"))}
	r := benchRequest()
	type amount struct {
		Value    int64  `json:"value"`
		Currency string `json:"currency"`
	}
	type method struct {
		Type string `json:"type"`
	}
	type links struct {
		TermsOfSaleURL   string `json:"termsOfSaleUrl"`
		PrivacyPolicyURL string `json:"privacyPolicyUrl"`
	}
	type payment struct {
		Reference           string            `json:"reference"`
		Amount              amount            `json:"amount"`
		PaymentMethod       method            `json:"paymentMethod"`
		UserFlow            string            `json:"userFlow"`
		CustomerInteraction string            `json:"customerInteraction"`
		ReturnURL           string            `json:"returnUrl"`
		PaymentDescription  string            `json:"paymentDescription"`
		Metadata            map[string]string `json:"metadata"`
		MerchantLegalLinks  links             `json:"merchantLegalLinks"`
	}
	floor := func() error {
		body, err := json.Marshal(payment{
			Reference: r.Reference, Amount: amount{r.Amount.Value, string(r.Amount.Currency)}, PaymentMethod: method{string(r.PaymentMethod.Type)},
			UserFlow: string(r.UserFlow), CustomerInteraction: string(r.CustomerInteraction), ReturnURL: string(r.ReturnURL),
			PaymentDescription: r.PaymentDescription, Metadata: r.Metadata, MerchantLegalLinks: links(r.MerchantLegalLinks),
		})
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, payments, bytes.NewReader(body))
		if err != nil {
			return err
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer the-token", "Ocp-Apim-Subscription-Key": "the-subscription-key", "Merchant-Serial-Number": "654321",
			"Vipps-System-Name": "acme-vend", "Vipps-System-Version": "1.4.0", "Vipps-System-Plugin-Name": "acme-vend",
			"Vipps-System-Plugin-Version": "1.4.0", "User-Agent": "bench", "Content-Type": "application/json", "Idempotency-Key": r.IdempotencyKey,
		} {
			request.Header.Set(name, value)
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		var created struct {
			Reference   string `json:"reference"`
			RedirectURL string `json:"redirectUrl"`
		}
		if err := json.Unmarshal(content, &created); err != nil || created.Reference != r.Reference {
			return errors.New("bad answer")
		}
		return nil
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := floor(); err != nil {
			b.Fatal(err)
		}
	}
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
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(testdata(b, "payment.json"))); err != nil {
		b.Fatal(err)
	}
	client := newClient(b, always(compact.String()), vipps.Test)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Get(b.Context(), reference); err != nil {
			b.Fatal(err)
		}
	}
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
