package landing_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func Example() {
	emulator := vippstest.New(vippstest.Options{}) // in place of Vipps MobilePay
	defer emulator.Close()
	keys := emulator.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
		System:     vipps.System{Name: "acme-vending", Version: "1.0.0"},
		BaseURL:    emulator.URL(),
		HTTPClient: &http.Client{Transport: emulator.Transport()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	operator, err := vending.NewOperator(vending.Config{
		Client:                 client,
		Machine:                vending.NewMemoryMachine(func(context.Context, string) error { return nil }), // turns the motor of a slot
		Currency:               vipps.NOK,
		TermsAcceptedElsewhere: true, // on the page
		ReturnURL:              "https://acme.example/m/s/{token}",
		Planogram: func(context.Context, string) (vending.Planogram, error) {
			return vending.Planogram{Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}}}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	site, err := landing.New(landing.Config{
		Operator: operator,
		Machine: func(_ context.Context, name string) (landing.Machine, error) {
			if name != "oslo12" {
				return landing.Machine{}, vending.ErrNoMachine
			}
			return landing.Machine{Name: "Central station, platform 3", Door: vending.SiteSelection}, nil
		},
		Path:    "/m",
		Name:    "Acme Vending",
		Contact: landing.Contact{Phone: "+47 12 34 56 78"},
		Terms:   "https://acme.example/terms",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/m/", site)
	server := httptest.NewServer(mux)
	defer server.Close()
	server.Config.RegisterOnShutdown(site.Close)
	for _, machine := range []string{"oslo12", "bergen7"} {
		answer, err := server.Client().Get(server.URL + "/m/" + machine)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = answer.Body.Close()
		fmt.Println(machine, answer.Status)
	}
	// Output:
	// oslo12 200 OK
	// bergen7 404 Not Found
}
