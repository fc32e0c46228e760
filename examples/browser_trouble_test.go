package examples_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// What the customer chose is gone, or has another price, when they press pay.
func TestBrowserPriceList(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(products []vending.Product)
		says   string
	}{
		"sold out": {func(p []vending.Product) { p[cola].SoldOut = true }, "Something you chose has just sold out. " + untaken},
		"repriced": {func(p []vending.Product) { p[cola].Price = 2700 }, "A price has changed. " + untaken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scripts(t, func(t *testing.T, o browser.Options) {
				s := openShop(t, o, nil)
				p := s.visit("/m/" + selecting)
				doors["selection"].begin(s, p, cola)
				s.refill(test.change)
				p.Allow("answered 409")
				p.Click("button", pay)
				p.WaitText(test.says)
				if p.Status() != http.StatusConflict || len(s.vipps.Payments()) != 0 {
					t.Errorf("status %d, payments %v", p.Status(), s.vipps.Payments())
				}
				s.accessible(p, name)
				if name == "repriced" {
					p.WaitText("Total 27.00 NOK")
					s.pay(p)
					p.Click("button", approve)
					s.see(p, thanks, "Charged 27.00 NOK")
					s.atRest(1, 2700, 0)
				}
			})
		})
	}
}

// The maximum, and what was chosen on the machine, may change as well.
func TestBrowserAmountChanged(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + static)
		p.WaitText("80.00 NOK")
		s.refill(func(p []vending.Product) { p[sandwich].Price = 5000 })
		p.Allow("answered 409")
		p.Click("button", pay)
		p.WaitText("The choice or the amount has changed. "+untaken, "100.00 NOK")
		s.accessible(p, "another maximum")
		s.pay(p)
		p.WaitText("100.00 NOK")
		p.Click("button", abort)
		s.see(p, nothing)
		s.atRest(1, 0, 0)
	})
}

// The customer at the machine chooses something else while the page is open: with a script it follows, and in no case is
// anything paid that was not seen.
func TestBrowserChosenAnew(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + paying)
		p.WaitText("Choose on the machine")
		p.Accessible("nothing chosen")
		s.choose(paying, cola)
		s.see(p, "Cola", "Total 25.00 NOK")
		s.choose(paying, chips)
		if o.NoScript {
			p.Allow("answered 409")
			p.Click("button", pay)
			p.WaitText("The choice or the amount has changed. "+untaken, "Chips")
		}
		p.WaitText("Total 32.00 NOK")
		s.pay(p)
		p.WaitText("32.00 NOK")
		p.Click("button", approve)
		s.see(p, thanks, "Chips Came out")
		s.atRest(1, 3200, 0)
	})
}

// Nothing is chosen: there is nothing to press, or nothing happens.
func TestBrowserNothing(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		if o.NoScript {
			p.Allow("answered 400")
			p.Click("button", "See the total")
			p.WaitText("Choose at least one product.")
			p.Accessible("nothing chosen")
		} else {
			p.Click("button", pay)
			p.WaitText("Total 0.00 NOK")
		}
		if p.Open(s.address + "/m/" + paying); p.Has("button", pay) {
			t.Error("there is a button to pay for nothing")
		}
		if payments := s.vipps.Payments(); len(payments) != 0 {
			t.Errorf("payments: %v", payments)
		}
	})
}

// What there is not is said in words, with the right status, and takes nobody's money.
func TestBrowserNotFound(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		p.Allow("answered 404")
		for _, missing := range []struct{ path, says string }{
			{"/m/%3Cb%3E", "No such machine"},
			{"/m/kiosk9", "No such machine"},
			{"/m/s/kiosk1-3sniusdstuzsk.%00", "No such purchase"},
			{"/m/s/none", "No such purchase"},
			{"/m/s/kiosk1-3sniusdstuzsk.abcdefghijklmnop", "No such purchase"},
		} {
			p.Open(s.address + missing.path)
			p.WaitText(missing.says)
			if p.Status() != http.StatusNotFound {
				t.Errorf("%s: status %d", missing.path, p.Status())
			}
		}
		s.accessible(p, "no such purchase")
	})
}

func TestBrowserOutOfService(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		doors["selection"].begin(s, p, cola)
		s.machine.SetReady(errors.New("the door is open"))
		p.Allow("answered 503")
		p.Click("button", pay)
		p.WaitText("The machine is out of service", untaken)
		p.Open(s.address + "/m/" + static)
		p.WaitText("The machine is out of service")
		s.accessible(p, "out of service")
		s.machine.SetReady(nil)
		p.Click("link", "Try again")
		p.WaitText("Approve first, then choose")
		if payments := s.vipps.Payments(); len(payments) != 0 {
			t.Errorf("payments: %v", payments)
		}
	})
}

// Vipps MobilePay does not make the payment.
func TestBrowserRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault vippstest.Fault
		says  string
	}{
		"refused":    {vippstest.Fault{Op: "create", Kind: vippstest.Refuse, Status: 400, Code: "7010"}, "Not possible with Vipps"},
		"unanswered": {vippstest.Fault{Op: "create", Kind: vippstest.ErrorBefore, Count: -1}, "Vipps does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, browser.Options{}, func(c *vending.Config) { c.Timeouts.Open = 2 * time.Second })
			s.vipps.Inject(test.fault)
			p := s.visit("/m/" + selecting)
			doors["selection"].begin(s, p, cola)
			p.Allow("answered 4", "answered 5")
			p.Click("button", pay)
			p.WaitText(test.says)
			s.accessible(p, name)
		})
	}
}
