package vipps_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func ExampleNewClient() {
	_, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID:             "fb492b5e-7907-4d83-ba20-c7fb60ca35de",
			ClientSecret:         os.Getenv("A_SECRET_THAT_WAS_FORGOTTEN"),
			SubscriptionKey:      "0f14ebcab0ec4b29ae0cb90d91b4a84a",
			MerchantSerialNumber: "123",
		},
		System: vipps.System{Name: "acme-vend", Version: "1.4.0"},
	})
	fmt.Println(err)
	// Output:
	// vipps.NewClient: invalid request: Credentials.ClientSecret: must be set, without blanks or line ends
	// Credentials.MerchantSerialNumber: must be 4 to 10 digits
}

// Calls that no package of this module has a method for.
func ExampleClient_Do() {
	client, emulator := emulated()
	defer emulator.Close()

	create := vipps.Request{
		Op:             "epayment.Create",
		Subject:        "order-0017",
		Method:         http.MethodPost,
		Path:           []string{"epayment", "v1", "payments"},
		IdempotencyKey: "order-0017-create", // stored with the order, before this call
		Body: map[string]any{
			"reference":     "order-0017",
			"amount":        vipps.Amount{Value: 4900, Currency: vipps.NOK},
			"paymentMethod": map[string]string{"type": "WALLET"},
			"userFlow":      "WEB_REDIRECT",
			"returnUrl":     "https://shop.example/orders/17",
		},
	}
	var created struct{ Reference string }
	if err := client.Do(context.Background(), create, &created); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("made", created.Reference)
	// Output: made order-0017
}

// The three endings of a call that changes something, and the code of a refusal.
func ExampleError() {
	client, emulator := emulated()
	defer emulator.Close()

	capture := vipps.Request{
		Op:             "epayment.Capture",
		Subject:        "order-0018",
		Method:         http.MethodPost,
		Path:           []string{"epayment", "v1", "payments", "order-0018", "capture"},
		IdempotencyKey: "order-0018-capture-1",
		Body:           map[string]any{"modificationAmount": vipps.Amount{Value: 4900, Currency: vipps.NOK}},
	}
	err := client.Do(context.Background(), capture, nil)
	switch {
	case err == nil:
		fmt.Println("captured")
	case errors.Is(err, vipps.ErrOutcomeUnknown):
		fmt.Println("perhaps captured: call again with the same key")
	case errors.Is(err, vipps.Code("5090")): // package epayment has names for these
		fmt.Println("not captured: no such payment")
	default:
		fmt.Println("not captured:", err)
	}
	if failed, ok := errors.AsType[*vipps.Error](err); ok {
		fmt.Println(failed.Status, string(failed.Code), failed.Conclusive())
	}
	// Output:
	// not captured: no such payment
	// 404 5090 true
}

func ExampleAmount() {
	soda := vipps.Amount{Value: 4900, Currency: vipps.NOK}
	both, err := soda.Add(vipps.Amount{Value: 1250, Currency: vipps.NOK})
	fmt.Println(both, err)
	_, err = soda.Add(vipps.Amount{Value: 1, Currency: vipps.EUR})
	fmt.Println(err)
	// Output:
	// 61.50 NOK <nil>
	// vipps: amounts in different currencies: NOK and EUR
}

func ExampleSecret() {
	phone := vipps.Secret("4791234567")
	fmt.Printf("%v %q %#v %d digits\n", phone, phone, phone, len(phone))
	// Output: [redacted] [redacted] [redacted] 10 digits
}

// emulated is a client of a Vipps MobilePay in process, so that the examples run without credentials.
func emulated() (*vipps.Client, *vippstest.Server) {
	emulator := vippstest.New(vippstest.Options{})
	keys := emulator.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		BaseURL:     emulator.URL(),
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
		System:     vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient: &http.Client{Transport: emulator.Transport()},
	})
	if err != nil {
		panic(err)
	}
	return client, emulator
}
