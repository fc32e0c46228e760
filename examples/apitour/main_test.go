package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// In the test environment there is no Order Management, and no person with a phone.
func Example_testEnvironment() {
	emulator := vippstest.New(vippstest.Options{NoOrderManagement: true}) // in the place of the test environment
	defer emulator.Close()
	requests := new(recorder)
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials(emulator.Credentials()),
		System:      vipps.System{Name: "example-apitour", Version: vipps.Version},
		HTTPClient:  &http.Client{Transport: requests.around(emulator.Transport())},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &setup.Setup{Client: client, Where: "the test environment of Vipps MobilePay"}
	if err := run(context.Background(), server, requests, choices{phone: "4712345678", currency: "NOK"}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// using the test environment of Vipps MobilePay
	// ok    POST   /accesstoken/get                          200  a token, used by every other call
	// ok    POST   /webhooks/v1/webhooks                     201  a webhook; its secret is told once, here, and to be stored
	// ok    GET    /webhooks/v1/webhooks                     200  webhooks: 1, the new one among them
	// ok    DELETE /webhooks/v1/webhooks/{id}                204  the webhook is gone
	// ok    POST   /epayment/v1/payments                     201  a payment of 25.00 NOK that the customer can approve
	// ok    GET    /epayment/v1/payments/{id}                200  CREATED: nobody has approved it yet
	// ok    POST   /epayment/v1/test/payments/{id}/approve   200  approved on behalf of a test user
	// ok    GET    /epayment/v1/payments/{id}                200  AUTHORIZED, 25.00 NOK reserved
	// ok    POST   /epayment/v1/payments/{id}/capture        200  10.00 NOK captured, 0.00 NOK cancelled, 0.00 NOK refunded
	// ok    POST   /epayment/v1/payments/{id}/cancel         200  10.00 NOK captured, 15.00 NOK cancelled, 0.00 NOK refunded
	// ok    POST   /epayment/v1/payments/{id}/refund         200  10.00 NOK captured, 15.00 NOK cancelled, 10.00 NOK refunded
	// ok    GET    /epayment/v1/payments/{id}/events         200  CREATED, AUTHORIZED, CAPTURED, CANCELLED, REFUNDED
	// ok    POST   /epayment/v1/payments                     201  a payment of 25.00 NOK that the customer can approve
	// ok    POST   /epayment/v1/payments/{id}/cancel         200  TERMINATED, since nobody had approved it
	// ok    POST   /qr/v1/merchant-redirect                  200  a code that opens a page
	// ok    GET    /qr/v1/merchant-redirect/{id}             200  the same code, as PNG
	// ok    GET    /qr/v1/merchant-redirect                  200  redirect codes: 1, the new one among them
	// ok    PUT    /qr/v1/merchant-redirect/{id}             200  it opens another page; what is printed stays good
	// ok    DELETE /qr/v1/merchant-redirect/{id}             200  the code is gone
	// ok    PUT    /qr/v1/merchant-callback/{id}             200  a code that checks customers in at a machine
	// ok    GET    /qr/v1/merchant-callback/{id}             200  its location, text and the address of its image
	// ok    GET    /qr/v1/merchant-callback                  200  callback codes: 1, the new one among them
	// ok    DELETE /qr/v1/merchant-callback/{id}             200  the code is gone
	// skip  MobilePay beacons: give the id of one of your own with -beacon; it cannot be given up again
	// skip  one-time codes: they are of payments of the eCom and Recurring APIs; ePayment has UserFlow QR
	// skip  the phone numbers of customers: they need a person who shows or scans a code with the app
	// skip  Order Management: the test environment does not have it; an emulator does, and so does production
	// all 22 calls were answered as they should be
}
