package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/story"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
)

// mount is where the site is.
const mount = "/m"

// fleet are the machines, one for each door that has a page.
var fleet = []struct {
	name, what string
	page       landing.Machine
}{
	{"oslo1", "choose on the page", landing.Machine{Name: "Oslo S, platform 3", Door: vending.SiteSelection}},
	{"oslo2", "choose on the machine, then pay", landing.Machine{Name: "Oslo S, platform 7", Door: vending.SitePayment}},
	{"oslo3", "approve a maximum, then choose on the machine", landing.Machine{Name: "Oslo S, platform 11", Door: vending.StaticQR, Items: 2}},
}

// What each of them sells.
var products = []vending.Product{
	{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500},
	{Name: "Chips", Slot: "B2", Price: 3200, TaxRate: 1500},
	{Name: "Sandwich", Slot: "C3", Price: 4000, TaxRate: 1500},
	{Name: "Energy drink", Slot: "D4", Price: 3800, TaxRate: 1500, MinimumAge: 16},
	{Name: "Ice cream", Slot: "E5", Price: 4500, TaxRate: 1500, SoldOut: true},
}

// shop is an operator and the site in front of it.
type shop struct {
	operator *vending.Operator
	site     *landing.Site
}

func newShop(server *setup.Setup, kept *database.Database, public, db string, pace time.Duration, proxied bool) (*shop, error) {
	motor := func(ctx context.Context, _ string) error { // where the machine's own protocol goes; nil is dropped
		select {
		case <-time.After(pace):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	machine, err := kept.Machine(fleet[0].name, motor)
	if err != nil {
		return nil, err
	}
	key, err := pageKey(db)
	if err != nil {
		return nil, err
	}
	const terms, privacy = "https://shop.example/terms", "https://shop.example/privacy"
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	operator, err := vending.NewOperator(vending.Config{
		Client:   server.Client,
		Machine:  machine,
		Store:    kept.Store,
		Currency: vipps.NOK,
		Planogram: func(_ context.Context, name string) (vending.Planogram, error) {
			_, err := page(name)
			return vending.Planogram{Products: products}, err
		},
		ReturnURL:  public + mount + "/s/{token}",
		PageKey:    key,
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: terms, PrivacyPolicyURL: privacy},
		Observe:    story.Narrate,
		Logger:     logger,
	})
	if err != nil {
		return nil, err
	}
	site, err := landing.New(landing.Config{
		Operator: operator,
		Machine:  func(_ context.Context, name string) (landing.Machine, error) { return page(name) },
		Path:     mount,
		Name:     "Acme Vending",
		Contact:  landing.Contact{Phone: "+47 22 22 22 22", Email: "help@shop.example"},
		Terms:    terms,
		Privacy:  privacy,
		Logger:   logger,

		ClientAddress: clientAddress(proxied),
	})
	return &shop{operator, site}, err
}

// page is what the site has to know of a machine. Its name comes from an address, which anybody can make up.
func page(name string) (landing.Machine, error) {
	for _, m := range fleet {
		if m.name == name {
			return m.page, nil
		}
	}
	return landing.Machine{}, vending.ErrNoMachine
}

// pageKey is what the addresses of status pages are made with. A file beside the sessions keeps it, for as long as there are
// customers who come back to such an address; that is enough for an example, and all processes of a shop have the same.
func pageKey(db string) (vipps.Secret, error) {
	if db == "" {
		return vipps.Secret(database.NewKey()), nil
	}
	path := db + ".pages"
	content, err := os.ReadFile(path) //nolint:gosec // who runs the example says where
	if errors.Is(err, fs.ErrNotExist) {
		content = []byte(database.NewKey())
		err = os.WriteFile(path, content, 0o600)
	}
	return vipps.Secret(strings.TrimSpace(string(content))), err
}
