package qr_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/qr"
)

// exampleClient talks to an API in memory.
func exampleClient(transport http.RoundTripper) *qr.Client {
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{ClientID: "id", ClientSecret: "secret", SubscriptionKey: "key", MerchantSerialNumber: "654321"},
		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient:  &http.Client{Transport: transport},
	})
	if err != nil {
		panic(err)
	}
	return qr.New(client)
}

// The codes of a fleet, at every start of a program.
func ExampleClient_EnsureCallbacks() {
	ctx := context.Background()
	codes := exampleClient(newShelf())
	stickers := []qr.CallbackSticker{
		{ID: "machine-17", LocationDescription: "Platform 3", Category: qr.Vending},
		{ID: "machine-18", LocationDescription: "The main hall, on the left of the second stairs", Category: qr.Vending},
		{ID: "machine-19", LocationDescription: "Canteen", Category: qr.Vending},
	}
	for range 2 {
		ensured, err := codes.EnsureCallbacks(ctx, stickers, qr.ImageOptions{Format: qr.PNG, Size: 1000})
		if failed, ok := errors.AsType[*qr.BatchError](err); ok {
			for _, row := range failed.Rows {
				fmt.Println(row)
			}
		}
		for _, sticker := range ensured {
			if sticker.Outcome != "" {
				fmt.Println(sticker.Code.ID, sticker.Outcome)
			}
		}
	}
	// Output:
	// stickers[1] "machine-18": qr.EnsureCallback: invalid request: LocationDescription: must be 1 to 36 characters
	// machine-17 created
	// machine-19 created
	// stickers[1] "machine-18": qr.EnsureCallback: invalid request: LocationDescription: must be 1 to 36 characters
	// machine-17 unchanged
	// machine-19 unchanged
}

// A code that opens a page is moved to another page; what is printed stays good.
func ExampleClient_EnsureRedirect() {
	ctx := context.Background()
	codes := exampleClient(newShelf())
	for _, page := range []string{"https://vend.example/machine/17", "https://vend.example/machine/17", "https://vend.example/closed"} {
		ensured, err := codes.EnsureRedirect(ctx, qr.RedirectSticker{ID: "machine-17", RedirectURL: page}, qr.ImageOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ensured.Outcome, ensured.Code.RedirectURL)
	}
	// Output:
	// created https://vend.example/machine/17
	// unchanged https://vend.example/machine/17
	// updated https://vend.example/closed
}

// An id that is taken is a conflict, of which the API says nothing but the id.
func ExampleClient_CreateRedirect() {
	ctx := context.Background()
	codes := exampleClient(newShelf())
	request := qr.CreateRedirectRequest{ID: "billboard_1", RedirectURL: "https://vend.example/offer"}
	for range 2 {
		_, err := codes.CreateRedirect(ctx, request)
		fmt.Println(errors.Is(err, vipps.ErrConflict), err)
	}
	// Output:
	// false <nil>
	// true qr.CreateRedirect billboard_1: 409 id is taken; id: billboard_1
}

// Numbers do not print.
func ExampleClient_ExchangePersonalQR() {
	codes := exampleClient(saver{new(`{"msisdn":"4798765432","version":"2.0","timestamp":1634025600}`)})
	customer, err := codes.ExchangePersonalQR(context.Background(), "https://qr.vipps.no/p/qwjhewqhueheuqwhuqwhe")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(customer.MSISDN, customer.GeneratedAt.Format("15:04"), len(string(customer.MSISDN)))
	// Output: [redacted] 08:00 10
}
