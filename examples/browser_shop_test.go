package examples_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/examples/internal/database"
	app "github.com/vippsvending/vipps/examples/internal/phone"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// The machines, named after their doors.
const (
	selecting = "kiosk1" // the customer chooses on the page
	paying    = "kiosk2" // chooses on the machine, and then pays
	static    = "kiosk3" // approves a maximum, and then chooses on the machine
)

// shop is a site with its machines, an emulator with its customer's phone, and the browsers that come.
type shop struct {
	*testing.T
	vipps   *vippstest.Server
	phone   string // address of the emulator and the phone's pages
	address string // of the site
	machine *vendingtest.Machine
	store   vending.Store
	config  vending.Config
	browser browser.Options // of its customers

	mu       sync.Mutex
	products []vending.Product
	site     http.Handler
	pages    *landing.Site
	operator *vending.Operator
	stop     func() // the worker
}

// openShop starts a shop. Adapt may change the configuration of its operator.
func openShop(t *testing.T, o browser.Options, adapt func(*vending.Config)) *shop {
	t.Helper()
	s := &shop{
		T: t, browser: o, machine: new(vendingtest.Machine), store: vending.NewMemoryStore(),
		products: []vending.Product{
			{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500},
			{Name: "Chips", Slot: "B2", Price: 3200, TaxRate: 1500},
			{Name: "Sandwich", Slot: "C3", Price: 4000, TaxRate: 1500},
		},
	}
	theirs := httptest.NewUnstartedServer(nil)
	s.phone = "http://" + theirs.Listener.Addr().String()
	s.vipps = vippstest.Start(t, vippstest.Options{PublicURL: s.phone, AllowLoopbackHTTP: true})
	theirs.Config.Handler = app.Handler(s.vipps)
	theirs.Start()
	t.Cleanup(theirs.Close)
	ours := httptest.NewServer(s)
	s.address = ours.URL
	t.Cleanup(ours.Close)

	keys := s.vipps.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test, System: vipps.System{Name: "browser-tests", Version: "1"},
		BaseURL: s.vipps.URL(), HTTPClient: &http.Client{Transport: s.vipps.Transport()},
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.config = vending.Config{
		Client: client, Machine: s.machine, Store: s.store, Currency: vipps.NOK, Planogram: s.planogram,
		ReturnURL: s.address + "/m/s/{token}", PageKey: "a key of 32 bytes, and no more ..",
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
	}
	if adapt != nil {
		adapt(&s.config)
	}
	s.start()
	t.Cleanup(func() {
		s.stop()
		s.pages.Close()
	})
	s.listen(client)
	return s
}

// start makes an operator and a site, as a process does when it begins.
func (s *shop) start() {
	s.Helper()
	operator, err := vending.NewOperator(s.config)
	if err != nil {
		s.Fatal(err)
	}
	site, err := landing.New(landing.Config{
		Operator: operator, Machine: s.describe, Path: "/m", Name: "Acme Vending",
		Contact: landing.Contact{Phone: "+47 22 22 22 22"}, Terms: "https://shop.example/terms",
		Limits: landing.Limits{Address: landing.Rate{Burst: 1000}, Machine: landing.Rate{Burst: 1000}},
	})
	if err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operator, s.site, s.pages, s.stop = operator, site, site, database.Run(context.WithoutCancel(s.Context()), operator)
}

// restart is the process dying and another one beginning, on the same store.
func (s *shop) restart() {
	s.Helper()
	s.stop()
	s.pages.Close() // the streams are cut
	s.start()
}

// listen has webhooks delivered to whatever operator there is.
func (s *shop) listen(client *vipps.Client) {
	s.Helper()
	const address = "https://shop.example/hooks"
	hooks, err := webhooks.New(client).Ensure(s.Context(), webhooks.EnsureRequest{URL: address, Events: webhooks.PaymentEvents()})
	if err != nil {
		s.Fatal(err)
	}
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: address, Secrets: hooks.Secrets()})
	if err != nil {
		s.Fatal(err)
	}
	s.vipps.HandleWebhooks(address, &webhooks.Handler{Verifier: verifier, Handle: func(ctx context.Context, event webhooks.Event) error {
		return s.current().HandleEvent(ctx, event)
	}})
}

func (s *shop) current() *vending.Operator {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.operator
}

// ServeHTTP is the site of the process that runs.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	site := s.site
	s.mu.Unlock()
	site.ServeHTTP(w, r)
}

func (s *shop) planogram(_ context.Context, machine string) (vending.Planogram, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch machine {
	case selecting, paying, static:
		return vending.Planogram{Products: append([]vending.Product(nil), s.products...)}, nil
	default:
		return vending.Planogram{}, vending.ErrNoMachine
	}
}

// describe is what the site has to know of a machine.
func (s *shop) describe(_ context.Context, machine string) (landing.Machine, error) {
	door, ok := map[string]vending.Door{selecting: vending.SiteSelection, paying: vending.SitePayment, static: vending.StaticQR}[machine]
	if !ok {
		return landing.Machine{}, vending.ErrNoMachine
	}
	return landing.Machine{Name: "Platform 3", Door: door, Items: 2}, nil
}

// refill changes what the machines sell.
func (s *shop) refill(change func(products []vending.Product)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.products)
}

// visit is a customer with a browser of their own at an address of the site, such as "/m/kiosk1".
func (s *shop) visit(path string) *browser.Page {
	s.Helper()
	o := s.browser
	o.Servers = []string{s.address, s.phone}
	p := browser.New(s.T, o)
	p.Open(s.address + path)
	return p
}

// choose is the customer at the machine's own buttons, before paying.
func (s *shop) choose(machine string, indices ...int) {
	s.Helper()
	s.mu.Lock()
	chosen := make([]vending.Product, len(indices))
	for i, index := range indices {
		chosen[i] = s.products[index]
	}
	s.mu.Unlock()
	if err := s.current().ReportSelection(machine, chosen...); err != nil {
		s.Fatal(err)
	}
}

// press is a button of a machine with a customer who has approved a maximum.
func (s *shop) press(machine, slot string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	session, err := s.current().Seat(ctx, machine)
	if err == nil {
		_, err = s.current().WaitFor(ctx, session.ID, func(s *vending.Session) bool { return s.State == vending.Choosing })
	}
	if err == nil {
		err = s.current().Select(ctx, session.ID, len(session.Items)+1, slot)
	}
	if err != nil {
		s.Fatalf("%s at %s: %v", slot, machine, err)
	}
}

// payment is the only one there is, or the one of that number.
func (s *shop) payment(n int) vippstest.Payment {
	s.Helper()
	payments := s.vipps.Payments()
	if len(payments) != n {
		s.Fatalf("%d payments, want %d: %+v", len(payments), n, payments)
	}
	return payments[n-1]
}

// atRest waits until the last of so many payments is at rest, and compares what became of it.
func (s *shop) atRest(payments int, captured, released int64) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	reference := s.payment(payments).Reference
	session, err := s.current().Wait(ctx, reference)
	if err != nil {
		s.Fatalf("session %s: %v", reference, err)
	}
	p := s.payment(payments)
	if p.State == "TERMINATED" { // all of it was cancelled, and none of it reserved
		p.Cancelled = 0
	}
	if !p.AtRest() || p.Captured != captured || p.Cancelled != released || p.Refunded != 0 || session.Outcome.Captured != captured {
		s.Errorf("payment %s: %s, %d captured, %d released; want %d and %d; session %s", reference, p.State, p.Captured, p.Cancelled,
			captured, released, session.Summary())
	}
}
