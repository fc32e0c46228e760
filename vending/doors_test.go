package vending_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

const (
	colaPrice  = 2500
	chipsPrice = 3500
	cakePrice  = 9000
)

// shelf is a machine's planogram, which a test may change.
type shelf struct {
	mu        sync.Mutex
	planogram vending.Planogram
}

func newShelf() *shelf {
	return &shelf{planogram: vending.Planogram{Version: "week 47", Products: []vending.Product{
		{Name: "Cola", Slot: "A1", Price: colaPrice, TaxRate: 1500},
		{Name: "Chips", Slot: "B2", Price: chipsPrice, TaxRate: 1500},
		{Name: "Wine", Slot: "C3", Price: 15000, TaxRate: 2500, MinimumAge: 18},
		{Name: "Cake", Slot: "D4", Price: cakePrice, TaxRate: 1500, SoldOut: true},
	}}}
}

func (s *shelf) get(context.Context, string) (vending.Planogram, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.planogram
	p.Products = append([]vending.Product(nil), p.Products...)
	return p, nil
}

func (s *shelf) change(slot string, change func(*vending.Product)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.planogram.Products {
		if s.planogram.Products[i].Slot == slot {
			change(&s.planogram.Products[i])
		}
	}
}

// products are the first n that a customer wants.
func products(n int) []vending.Product { return basket().Products[:n] }

// wanted are their slots, in the order of choice.
var wanted = []string{"A1", "B2"}

func shown(n int) []vending.Shown {
	var list []vending.Shown
	for _, product := range products(n) {
		list = append(list, vending.Shown{Slot: product.Slot, Price: product.Price})
	}
	return list
}

// door is one way to come to a machine.
type door struct {
	name string
	// maximum doors have the customer choose after the approval.
	maximum bool
	// configure is what the door needs for n products.
	configure func(c *vending.Config, n int)
	// open starts the session for n products.
	open func(t *testing.T, s *shop, n int) (id string, err error)
	// before says that the products of a sticker are chosen on the machine before it is scanned.
	before bool
	// checkIn says that the session is opened by a webhook.
	checkIn bool
}

func doors() []door {
	checkIns := func(flow epayment.UserFlow) func(*vending.Config, int) {
		return func(c *vending.Config, n int) { c.CheckIns = &vending.CheckIns{UserFlow: flow, Items: n} }
	}
	report := func(s *shop, n int) error { return s.operator.ReportSelection("oslo12", products(n)...) }
	scan := func(t *testing.T, s *shop, _ int) (string, error) {
		t.Helper()
		return s.scan(t, "oslo12")
	}
	static := func(t *testing.T, s *shop, n int) (string, error) {
		t.Helper()
		return opened(s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12", Items: n}))
	}
	return []door{
		{name: "dynamic QR", open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			code, err := s.operator.OpenDynamicQR(t.Context(), vending.DynamicQROrder{Machine: "oslo12", Products: products(n)})
			if err != nil {
				return "", err
			}
			return code.Session, nil
		}},
		{name: "site, product selection", open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			return opened(s.operator.OpenSiteSelection(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(n), Planogram: "week 47"}))
		}},
		{name: "site, payment only", before: true, open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			if n > 0 {
				if err := report(s, n); err != nil {
					return "", err
				}
			}
			return opened(s.operator.OpenSitePayment(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(n)}))
		}},
		{name: "static QR", maximum: true, open: static},
		{name: "static QR, chosen before", before: true, open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			if err := report(s, n); err != nil {
				return "", err
			}
			return static(t, s, n)
		}},
		{name: "check-in", maximum: true, checkIn: true, configure: checkIns(""), open: scan},
		{name: "check-in, push", maximum: true, checkIn: true, configure: checkIns(epayment.PushMessage), open: scan},
		{name: "check-in, chosen before", before: true, checkIn: true, configure: checkIns(""), open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			if err := report(s, n); err != nil {
				return "", err
			}
			return scan(t, s, n)
		}},
		{name: "till, personal QR", open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			return s.till(t, vending.TillOrder{Machine: "oslo12", Products: products(n), PersonalQR: vipps.Secret(s.vipps.PersonalQR("4791234567"))})
		}},
		{name: "till, phone number", open: func(t *testing.T, s *shop, n int) (string, error) {
			t.Helper()
			return s.till(t, vending.TillOrder{Machine: "oslo12", Products: products(n), PhoneNumber: "4791234567"})
		}},
	}
}

func opened(redirect *vending.Redirect, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return redirect.Session, nil
}

func (s *shop) till(t *testing.T, order vending.TillOrder) (string, error) {
	t.Helper()
	session, err := s.operator.OpenTill(t.Context(), order)
	if err != nil {
		return "", err
	}
	return session.ID, nil
}

var errNotServed = errors.New("the check-in was not served")

// scan is a customer whose phone reads a machine's callback code. It returns when the payment waits for them.
func (s *shop) scan(t *testing.T, code string) (string, error) {
	t.Helper()
	before := len(s.vipps.Payments())
	s.vipps.CheckIn("", code)
	for range 50 {
		later(100 * time.Millisecond)
		if payments := s.vipps.Payments(); len(payments) > before {
			id := payments[len(payments)-1].Reference
			if session, err := s.operator.Session(t.Context(), id); err == nil && session.State == vending.Waiting {
				return id, nil
			}
		}
	}
	return "", errNotServed
}

// visitor is what the customer of a session does when the machine says: choose.
type visitor struct {
	products int // how many they take
	dearest  bool
	nothing  bool
	refused  error // what the first choice was answered, if it was refused
	mu       sync.Mutex
}

// watch has the customer choose, two seconds after they may.
func (v *visitor) watch(t *testing.T, s *shop, transition vending.Transition) {
	session := transition.Session
	if session.State != vending.Choosing || transition.Step.From == vending.Choosing || !session.Maximum || v.nothing {
		return
	}
	time.AfterFunc(2*time.Second, func() {
		n := len(session.Items)
		ctx := context.Background()
		if n >= v.products {
			if err := s.operator.Complete(ctx, session.ID); err != nil {
				t.Errorf("complete: %v", err)
			}
			return
		}
		if v.dearest {
			s.shelf.change("D4", func(p *vending.Product) { p.SoldOut = false })
			err := s.operator.Select(ctx, session.ID, n+1, "D4")
			v.mu.Lock()
			v.refused = err
			v.mu.Unlock()
		}
		for range 2 { // the second press is the same choice
			if err := s.operator.Select(ctx, session.ID, n+1, wanted[n]); err != nil && !errors.Is(err, vending.ErrTooLate) {
				t.Errorf("select: %v", err)
			}
		}
	})
}

// visit is a customer at a door, in a shop of their own.
func visit(t *testing.T, d door, n int, options vippstest.Options, v *visitor, change func(*vending.Config)) *shop {
	t.Helper()
	var s *shop
	s = newShop(t, options, func(c *vending.Config) {
		c.ReturnURL, c.PageKey = "https://shop.example/machines/{token}", vipps.Secret(rand.Text()+rand.Text())
		c.Observe = func(transition vending.Transition) { v.watch(t, s, transition) }
		c.Planogram = func(ctx context.Context, machine string) (vending.Planogram, error) { return s.shelf.get(ctx, machine) }
		if d.configure != nil {
			d.configure(c, n)
		}
		if change != nil {
			change(c)
		}
	})
	return s
}
