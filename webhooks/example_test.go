package webhooks_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/webhooks"
)

// now is the time at which the deliveries of these examples came.
func now() time.Time { return time.Date(2026, time.November, 19, 10, 0, 1, 0, time.UTC) }

// A machine's server: the check-in of a customer who scanned the code on the machine.
func ExampleHandler() {
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{
		URL:     "https://example.com/hooks/vipps", // as it was registered
		Secrets: []vipps.Secret{"s3cret"},          // of each registration for this URL
		Now:     now,                               // leave it out
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := &webhooks.Handler{
		Verifier: verifier,
		Handle: func(_ context.Context, event webhooks.Event) error {
			switch e := event.(type) {
			case *webhooks.CheckInEvent:
				if age, known := e.Age(); !known || age > time.Minute {
					return nil // the customer has left
				}
				fmt.Println("a customer is at", e.MerchantQRID, "with token", e.CustomerToken)
			case *webhooks.PaymentEvent:
				fmt.Println("look at payment", e.Reference) // store this, return nil, read the payment later
			}
			return nil // what is not known is acknowledged
		},
	}
	delivery := signed("s3cret", "Thu, 19 Nov 2026 10:00:00 GMT",
		`{"customerToken":"dG9rZW4=","merchantQrId":"machine-17","msn":"123456","initiatedAt":"2026-11-19T09:59:58.7654321Z"}`)
	request := httptest.NewRequest(http.MethodPost, "/hooks/vipps", strings.NewReader(delivery.body))
	request.Header = delivery.header()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code)
	// Output:
	// a customer is at machine-17 with token [redacted]
	// 200
}

// Without net/http, such as in a function that gets headers and body: verify, then parse.
func ExampleVerifier() {
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{
		URL:     "https://example.com/hooks/vipps",
		Secrets: []vipps.Secret{"new-secret", "old-secret"}, // while one is changed for the other
		Now:     now,                                        // leave it out
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	delivery := signed("old-secret", "Thu, 19 Nov 2026 10:00:00 GMT",
		`{"msn":"123456","reference":"order-17","pspReference":"p-1","name":"AUTHORIZED","amount":{"currency":"NOK","value":4900},"success":true}`)
	if err := verifier.Verify(delivery.header(), []byte(delivery.body)); err != nil {
		fmt.Println(err)
		return
	}
	event, err := webhooks.Parse([]byte(delivery.body))
	if err != nil {
		fmt.Println(err)
		return
	}
	if payment, ok := event.(*webhooks.PaymentEvent); ok && payment.Success {
		fmt.Println(payment.Reference, payment.Name, payment.Amount)
	}
	fmt.Println(verifier.Verify(delivery.header(), []byte(strings.Replace(delivery.body, "4900", "100", 1))))
	// Output:
	// order-17 AUTHORIZED 49.00 NOK
	// webhooks: the signature does not match
}

// What a program does when it starts. The second time there is nothing to do.
func ExampleClient_Ensure() {
	client := exampleClient()
	hooks := webhooks.New(client)
	table := map[string]webhooks.Registration{} // of your database
	save := func(id, url string, events []webhooks.EventType, secret string) {
		table[id] = webhooks.Registration{ID: id, URL: url, Events: events, Secret: vipps.Secret(secret)}
	}
	for range 2 {
		result, err := hooks.Ensure(context.Background(), webhooks.EnsureRequest{
			URL:    "https://example.com/hooks/vipps",
			Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn),
			Known:  slices.Collect(maps.Values(table)),
		})
		clear(table)
		for _, r := range result.Own { // first of all, whether there is an error or not
			save(r.ID, r.URL, r.Events, string(r.Secret)) // a Secret encodes as [redacted], in JSON too
		}
		switch {
		case errors.Is(err, webhooks.ErrCheckInTaken):
			fmt.Println("ask who else gets the check-ins:", err)
		case err != nil:
			fmt.Println(err)
		}
		fmt.Println(len(result.Found), "found,", len(result.Registered), "registered,", len(result.Secrets()), "secrets")
	}
	// Output:
	// 0 found, 2 registered, 2 secrets
	// 2 found, 0 registered, 2 secrets
}

// exampleClient is a client of an API that keeps registrations in memory.
func exampleClient() *vipps.Client {
	m := newExampleMock()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{ClientID: "id", ClientSecret: "secret", SubscriptionKey: "key", MerchantSerialNumber: "123456"},
		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient:  &http.Client{Transport: m},
	})
	if err != nil {
		panic(err)
	}
	return client
}
