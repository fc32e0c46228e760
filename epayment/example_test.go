package epayment_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// connect makes a client of an emulator in place of Vipps MobilePay.
func connect(emulator *vippstest.Server) *vipps.Client {
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials(emulator.Credentials()),
		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient:  &http.Client{Transport: emulator.Transport()},
	})
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// A maximum is reserved, what was taken is captured, and the rest is released.
func Example() {
	emulator := vippstest.New(vippstest.Options{})
	defer emulator.Close()
	payments := epayment.New(connect(emulator))
	ctx := context.Background()

	const reference = "oslo12-7kq2m4xw9c3tf" // random, and stored before anything is sent
	created, err := payments.Create(ctx, epayment.CreateRequest{
		IdempotencyKey:      reference + "-c",
		Reference:           reference,
		Amount:              vipps.Amount{Value: 10_000, Currency: vipps.NOK}, // 100.00 NOK
		PaymentMethod:       epayment.PaymentMethod{Type: epayment.Wallet},
		UserFlow:            epayment.WebRedirect,
		ReturnURL:           "https://vend.example/back",
		CustomerInteraction: epayment.CustomerPresent,
		PaymentDescription:  "Temporary reservation, only what you take is charged",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("send the customer to", created.RedirectURL) // string(created.RedirectURL) is the address

	if err := emulator.Approve(reference); err != nil { // the customer, on the phone
		log.Fatal(err)
	}
	payment, err := payments.Get(ctx, reference) // or WaitFinal, or a webhook
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(payment.State, payment.Aggregate.Authorized)

	captured, err := payments.Capture(ctx, reference, epayment.CaptureRequest{
		IdempotencyKey: reference + "-k1",
		Amount:         vipps.Amount{Value: 2500, Currency: vipps.NOK},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(captured.State, captured.Aggregate.Captured)

	if _, err := payments.Cancel(ctx, reference, epayment.CancelRequest{}); err != nil {
		log.Fatal(err)
	}
	payment, err = payments.Get(ctx, reference)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(payment.State, payment.Aggregate.Cancelled, "released, at rest:", payment.AtRest())
	// Output:
	// send the customer to [redacted]
	// AUTHORIZED 100.00 NOK
	// AUTHORIZED 25.00 NOK
	// AUTHORIZED 75.00 NOK released, at rest: true
}

// An answer is lost after the payment was made. The same call again, even by the next process, does not make another.
func ExampleClient_CreateEncoded() {
	emulator := vippstest.New(vippstest.Options{})
	defer emulator.Close()
	emulator.Inject(vippstest.Fault{Op: "create", Kind: vippstest.HangUpAfter})
	payments := epayment.New(connect(emulator).SingleAttempt()) // without it, the call itself would have tried again
	ctx := context.Background()

	const reference = "oslo12-7kq2m4xw9c3tf"
	body, err := epayment.CreateRequest{
		IdempotencyKey: reference + "-c",
		Reference:      reference,
		Amount:         vipps.Amount{Value: 2500, Currency: vipps.NOK},
		PaymentMethod:  epayment.PaymentMethod{Type: epayment.Wallet},
		UserFlow:       epayment.QR,
	}.Encode()
	if err != nil {
		log.Fatal(err)
	}
	// Here reference, key and body are stored.

	_, err = payments.CreateEncoded(ctx, reference, reference+"-c", body)
	fmt.Println("unknown:", errors.Is(err, vipps.ErrOutcomeUnknown))

	created, err := payments.CreateEncoded(ctx, reference, reference+"-c", body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(created.Reference, "payments:", len(emulator.Payments()))
	// Output:
	// unknown: true
	// oslo12-7kq2m4xw9c3tf payments: 1
}

// The customer is given up on, and turns out to have approved a moment before.
func ExampleClient_CancelIfNotAuthorized() {
	emulator := vippstest.New(vippstest.Options{})
	defer emulator.Close()
	payments := epayment.New(connect(emulator))
	ctx := context.Background()

	const reference = "oslo12-7kq2m4xw9c3tf"
	_, err := payments.Create(ctx, epayment.CreateRequest{
		IdempotencyKey: reference + "-c",
		Reference:      reference,
		Amount:         vipps.Amount{Value: 2500, Currency: vipps.NOK},
		PaymentMethod:  epayment.PaymentMethod{Type: epayment.Wallet},
		UserFlow:       epayment.QR,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := emulator.Approve(reference); err != nil {
		log.Fatal(err)
	}

	_, err = payments.CancelIfNotAuthorized(ctx, reference, epayment.CancelRequest{})
	if errors.Is(err, epayment.CodeAlreadyAuthorized) {
		fmt.Println("too late: sell, or release with Cancel")
	}
	// Output:
	// too late: sell, or release with Cancel
}

func ExampleNewOrderLine() {
	receipt := epayment.Receipt{
		OrderLines: []epayment.OrderLine{
			epayment.NewOrderLine("cola-33", "Cola 0.33 l", 2500, 2500), // 25.00 with 25 % tax in it
			epayment.NewOrderLine("chips", "Chips", 3000, 1500),
		},
		BottomLine: epayment.BottomLine{Currency: vipps.NOK, POSID: "oslo12"},
	}
	fmt.Println(receipt.OrderLines[0].TotalAmountExcludingTax, receipt.OrderLines[0].TotalTaxAmount)
	fmt.Println(receipt.Balance(vipps.Amount{Value: 5500, Currency: vipps.NOK}))
	// Output:
	// 2000 500
	// <nil>
}
