package examples_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

// What the machines sell, by number.
const (
	cola = iota
	chips
	sandwich
)

// Words of the pages.
const (
	pay     = "Pay with Vipps"
	approve = "Approve"
	abort   = "Abort"
	giveUp  = "Cancel the purchase"
	done    = "I am done"
	thanks  = "Thank you!"
	nothing = "Nothing was charged."
	untaken = "This attempt did not reserve or charge anything"
)

// door is how a customer gets from the sticker to the product.
type door struct {
	machine  string
	reserved int64 // for a Cola
	// begin is up to the button that pays; with several products each is taken once.
	begin func(s *shop, p *browser.Page, products ...int)
	// take is after the approval.
	take func(s *shop, p *browser.Page, products ...int)
}

var doors = map[string]door{
	"selection": {selecting, 2500, func(s *shop, p *browser.Page, products ...int) {
		for _, i := range products {
			p.Click("button", "One more: "+s.products[i].Name)
		}
	}, func(*shop, *browser.Page, ...int) {}},
	"payment": {paying, 2500, func(s *shop, p *browser.Page, products ...int) {
		s.choose(paying, products...)
		s.see(p, s.products[products[0]].Name)
	}, func(*shop, *browser.Page, ...int) {}},
	"static": {static, 8000, func(_ *shop, p *browser.Page, _ ...int) {
		p.WaitText("To be reserved, at most 80.00 NOK")
	}, func(s *shop, p *browser.Page, products ...int) {
		for _, i := range products {
			s.press(static, s.products[i].Slot)
		}
		if len(products) == 1 { // the reservation is for two
			s.see(p, "You can take one product")
			p.Click("button", done)
		}
	}},
}

// pay presses the button and goes to the app.
func (s *shop) pay(p *browser.Page) {
	s.Helper()
	p.Click("button", pay)
	p.WaitAddress("/landing?token=")
	p.WaitFor("button", approve)
}

// see waits until a page says all of this. A customer without scripts is in a hurry and loads it again.
func (s *shop) see(p *browser.Page, parts ...string) {
	s.Helper()
	if s.browser.NoScript {
		p.Until(parts[0], func() bool {
			if strings.Contains(p.Text(), parts[0]) {
				return true
			}
			p.Reload()
			return false
		})
	}
	p.WaitText(parts...)
}

// accessible checks the page of a customer who has scripts: without them the parts are the same.
func (s *shop) accessible(p *browser.Page, what string) {
	s.Helper()
	if !s.browser.NoScript {
		p.Accessible(what)
	}
}

// scripts runs a test with JavaScript and without: customers who have none are customers.
func scripts(t *testing.T, test func(t *testing.T, o browser.Options)) {
	t.Helper()
	for name, o := range map[string]browser.Options{"scripts": {}, "plain": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, o)
		})
	}
}

// everywhere runs a test at each door, with JavaScript and without.
func everywhere(t *testing.T, test func(t *testing.T, d door, o browser.Options)) {
	t.Helper()
	for name, d := range doors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scripts(t, func(t *testing.T, o browser.Options) { test(t, d, o) })
		})
	}
}

func TestBrowserSold(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + d.machine)
		p.Accessible("the machine's page")
		d.begin(s, p, cola)
		p.Accessible("chosen")
		s.pay(p)
		p.Accessible("the app", "meta-refresh") // nobody's site
		p.Click("button", approve)
		d.take(s, p, cola)
		s.see(p, thanks, "Charged 25.00 NOK", "Cola Came out")
		s.accessible(p, "sold")
		s.atRest(1, 2500, d.reserved-2500)
		if out := s.machine.Dropped("A1"); out != 1 {
			t.Errorf("%d of Cola came out", out)
		}
	})
}

// Two are paid for, and one comes out.
func TestBrowserPartlySold(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		s.machine.Script(vendingtest.Drop, vendingtest.Jam)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola, chips)
		s.pay(p)
		p.Click("button", approve)
		d.take(s, p, cola, chips)
		released := int64(3200)
		if d.machine == static { // of the second there may be another
			released = 5500
			s.see(p, "You can take one product", "Chips Did not come out")
			s.accessible(p, "after a jam")
			p.Click("button", done)
		}
		s.see(p, "Not everything came out", "Charged 25.00 NOK", "Cola Came out", "Chips Did not come out")
		s.accessible(p, "partly sold")
		s.atRest(1, 2500, released)
	})
}

func TestBrowserJammed(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		s.machine.Script(vendingtest.Jam)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		s.pay(p)
		p.Click("button", approve)
		if d.machine == static {
			s.press(static, "A1")
			s.see(p, "Cola Did not come out")
			p.Click("button", done)
		}
		s.see(p, "Nothing came out", "Cola Did not come out", nothing)
		s.accessible(p, "jammed")
		s.atRest(1, 0, d.reserved)
	})
}

// The machine does not know what it has let out: nothing is charged, and a person is needed.
func TestBrowserUnknown(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, func(c *vending.Config) { c.Timeouts.Start, c.Timeouts.Verdict = time.Second, time.Second })
		s.machine.Script(vendingtest.Forgetful)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		s.pay(p)
		p.Click("button", approve)
		if d.machine == static {
			s.press(static, "A1")
		}
		s.see(p, "We do not know whether the product came out", "What may or may not have come out was not charged.", nothing,
			"Contact us and give the reference")
		s.accessible(p, "unknown")
		s.atRest(1, 0, d.reserved)
	})
}

func TestBrowserAborted(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		s.pay(p)
		p.Click("button", abort)
		s.see(p, "The purchase was cancelled", "The payment was cancelled in the app.", nothing)
		s.accessible(p, "aborted")
		s.atRest(1, 0, 0)
	})
}

// The customer comes back without deciding: the page finds their own purchase, with which they can go on or not.
func TestBrowserBack(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		s.pay(p)
		p.Allow("net::ERR_CACHE_MISS") // without a script the page is the answer to a form, which is not kept
		p.Back()
		p.Open(s.address + "/m/" + d.machine) // and scans once more
		p.WaitText("Approve in Vipps", money(d.reserved))
		s.accessible(p, "waiting")
		p.Click("button", "Continue in Vipps")
		p.WaitFor("button", approve)
		p.Back()
		p.WaitText("Approve in Vipps")
		p.Click("button", giveUp)
		s.see(p, "The purchase was cancelled", "You get no product and pay nothing.", nothing)
		s.accessible(p, "given up")
		s.atRest(1, 0, 0)
	})
}

// The customer takes too long, and then approves.
func TestBrowserLate(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, func(c *vending.Config) { c.Timeouts.Approve = time.Second })
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		s.pay(p)
		p.Until("the end of the payment", func() bool { return s.payment(1).State != "CREATED" })
		p.Allow("answered 409") // by the app
		p.Click("button", approve)
		p.Click("link", "Back to the merchant")
		s.see(p, "Time ran out", "The payment was not approved in time.", nothing)
		s.accessible(p, "late")
		s.atRest(1, 0, 0)
	})
}

func money(value int64) string { return fmt.Sprintf("%d.%02d NOK", value/100, value%100) }
