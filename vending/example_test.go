package vending_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// The whole of a first sale, with an emulator in the place of Vipps MobilePay and of the customer.
func ExampleOperator_SellDynamicQR() {
	world := vippstest.New(vippstest.Options{}) // a Vipps MobilePay in process: no credentials, no network
	defer world.Close()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials(world.Credentials()),
		System:      vipps.System{Name: "acme-vend", Version: "1.0.0"},
		BaseURL:     world.URL(),
		HTTPClient:  &http.Client{Transport: world.Transport()},
	})
	if err != nil {
		log.Fatal(err)
	}
	operator, err := vending.NewOperator(vending.Config{
		Client:   client,
		Currency: vipps.NOK,
		Machine: vending.NewMemoryMachine(func(_ context.Context, slot string) error {
			fmt.Println("motor", slot, "turns")
			return nil // dropped
		}),
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://acme.example/terms", PrivacyPolicyURL: "https://acme.example/privacy"},
	})
	if err != nil {
		log.Fatal(err)
	}
	session, err := operator.SellDynamicQR(context.Background(), vending.DynamicQROrder{
		Machine:  "oslo12",
		Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}}, // 25.00 NOK, 15 % tax
	}, func(code vending.Code) {
		fmt.Println("scan to pay", code.Amount) // string(code.Content) is what the QR code says
		if err := world.Approve(code.Session); err != nil {
			log.Fatal(err)
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Summary())
	// Output:
	// scan to pay 25.00 NOK
	// motor A1 turns
	// Sold, captured 25.00 NOK
}
