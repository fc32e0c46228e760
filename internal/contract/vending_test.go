package contract_test

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/webhooks"
)

var vendingTour = []part{
	{name: "sale", visit: sale((*stop).approve, vendingtest.Drop, vending.Outcome{Result: vending.Sold, Captured: 6000})},
	{name: "jam", visit: sale((*stop).approve, vendingtest.Jam, vending.Outcome{Result: vending.PartlySold, Captured: 3500, Released: 2500})},
	{name: "abort", visit: sale((*stop).abort, vendingtest.Drop, vending.Outcome{Result: vending.NotSold})},
	{name: "silence", visit: sale(nil, vendingtest.Drop, vending.Outcome{Result: vending.NotSold})},
}

func (s *stop) approve(reference string) { s.done(s.emulator.Approve(reference)) }
func (s *stop) abort(reference string)   { s.done(s.emulator.Abort(reference)) }

// sale runs the door from the choice to rest, with a customer who takes a while.
func sale(customer func(*stop, string), first vendingtest.Behaviour, want vending.Outcome) func(*stop) {
	return func(s *stop) {
		machine := new(vendingtest.Machine)
		machine.Script(first)
		operator, err := vending.NewOperator(vending.Config{
			Client: s.client, Machine: machine, Currency: vipps.NOK, ReturnURL: "https://shop.example/thanks", MinimumUserAge: 18,
			LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		registration, err := s.webhooks.Register(s.t.Context(), webhooks.RegisterRequest{URL: hook, Events: webhooks.PaymentEvents()})
		if err != nil {
			s.t.Fatal(err)
		}
		verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: hook, Secrets: []vipps.Secret{registration.Secret}})
		if err != nil {
			s.t.Fatal(err)
		}
		s.listen(hook, &webhooks.Handler{Verifier: verifier, Handle: operator.HandleEvent})
		session, err := operator.SellDynamicQR(s.t.Context(), vending.DynamicQROrder{
			Machine: "oslo12",
			Products: []vending.Product{
				{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500},
				{Name: "Chips", Slot: "B2", Price: 3500, TaxRate: 1500},
			},
		}, func(code vending.Code) {
			if customer != nil {
				time.AfterFunc(12*time.Second, func() { customer(s, code.Session) })
			}
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if diff := cmp.Diff(want, session.Outcome); diff != "" {
			s.t.Errorf("-want +got\n%s", diff)
		}
		s.emulator.Settle()
	}
}
