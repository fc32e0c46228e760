package examples_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/vending"
)

// Pay is pressed twice before the page can answer: one payment.
func TestBrowserDoubleClick(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		p.ClickTwice("button", pay)
		p.WaitFor("button", approve)
		p.Click("button", approve)
		d.take(s, p, cola)
		s.see(p, thanks)
		s.atRest(1, 2500, d.reserved-2500)
	})
}

// The app opens the page in another browser, which knows nothing of the first one.
func TestBrowserOther(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		first := s.visit("/m/" + selecting)
		doors["selection"].begin(s, first, cola)
		s.pay(first)
		u, err := url.Parse(s.payment(1).ReturnURL)
		if err != nil {
			t.Fatal(err)
		}
		other := s.visit(u.Path)
		other.WaitText("Approve in Vipps", "25.00 NOK")
		first.Click("button", approve)
		s.see(other, thanks, "Charged 25.00 NOK")
		s.see(first, thanks, "Charged 25.00 NOK")
		s.atRest(1, 2500, 0)
	})
}

// Two customers come to one machine.
func TestBrowserBusy(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, nil)
		first := s.visit("/m/" + d.machine)
		d.begin(s, first, cola)
		s.pay(first)
		second := s.visit("/m/" + d.machine)
		d.begin(s, second, cola)
		second.Allow("answered 409")
		second.Click("button", pay)
		second.WaitText("The machine is in use", untaken)
		s.accessible(second, "busy")
		first.Click("button", approve)
		d.take(s, first, cola)
		s.see(first, thanks)
		s.atRest(1, 2500, d.reserved-2500)
		second.Click("link", "Try again")
		d.begin(s, second, cola)
		s.pay(second)
		second.Click("button", abort)
		s.see(second, nothing)
		s.atRest(2, 0, 0)
	})
}

// The process that runs the sale is another one when the customer has approved.
func TestBrowserRestart(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		doors["selection"].begin(s, p, cola)
		s.pay(p)
		p.Back()
		p.Open(s.address + "/m/" + selecting)
		p.WaitText("Approve in Vipps")
		s.restart()
		p.Allow("net::ERR_") // what the page was connected to is gone
		if err := s.vipps.Approve(s.payment(1).Reference); err != nil {
			t.Fatal(err)
		}
		s.see(p, thanks, "Charged 25.00 NOK")
		s.atRest(1, 2500, 0)
	})
}

// A page that hears nothing asks.
func TestBrowserNotLive(t *testing.T) {
	t.Parallel()
	s := openShop(t, browser.Options{}, nil)
	s.mu.Lock()
	site := s.site
	s.site = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/live") {
			http.Error(w, "no streams through this proxy", http.StatusBadGateway)
			return
		}
		site.ServeHTTP(w, r)
	})
	s.mu.Unlock()
	p := s.visit("/m/" + paying)
	p.Allow("/live answered 502", "/live/"+paying+" answered 502")
	s.choose(paying, cola)
	p.WaitText("Cola")
	s.pay(p)
	p.Back()
	p.WaitText("Approve in Vipps")
	if err := s.vipps.Approve(s.payment(1).Reference); err != nil {
		t.Fatal(err)
	}
	p.WaitText(thanks)
	s.atRest(1, 2500, 0)
}

// Without scripts pages come anew by themselves, too.
func TestBrowserRefresh(t *testing.T) {
	t.Parallel()
	s := openShop(t, browser.Options{NoScript: true}, nil)
	p := s.visit("/m/" + paying)
	s.choose(paying, cola)
	p.WaitText("Cola")
	s.pay(p)
	p.Back()
	p.WaitText("Approve in Vipps")
	if err := s.vipps.Approve(s.payment(1).Reference); err != nil {
		t.Fatal(err)
	}
	p.WaitText(thanks)
	s.atRest(1, 2500, 0)
}

// gate is a machine whose motor turns until the test lets it come to an end.
type gate struct {
	vending.Machine
	open <-chan struct{}
}

func (g gate) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	select {
	case <-g.open:
		return g.Machine.Vend(ctx, c)
	case <-ctx.Done():
		return vending.Unknown, ctx.Err()
	}
}

// A page that is loaded again in the middle says where the purchase is.
func TestBrowserReload(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		turning := make(chan struct{})
		s := openShop(t, o, func(c *vending.Config) { c.Machine = gate{c.Machine, turning} })
		p := s.visit("/m/" + static)
		s.pay(p)
		p.Click("button", approve)
		s.see(p, "Choose on the machine", "up to 2 products for at most 80.00 NOK in all")
		p.Reload()
		p.WaitText("Choose on the machine")
		s.accessible(p, "choosing")
		s.press(static, "A1")
		s.see(p, "Your product is coming")
		p.Reload()
		p.WaitText("Your product is coming")
		s.accessible(p, "vending")
		close(turning)
		s.see(p, "You can take one product")
		p.Click("button", done)
		s.see(p, thanks)
		s.atRest(1, 2500, 5500)
	})
}

// A customer who cannot point buys with Tab and Enter.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		p.TabTo("button", "One more: Cola")
		p.Press(kb.Enter)
		p.WaitText("Total 25.00 NOK")
		p.TabTo("button", pay)
		p.Press(kb.Enter)
		p.TabTo("button", approve)
		p.Press(kb.Enter)
		p.WaitAddress("/m/s/")
		s.see(p, thanks)
		s.atRest(1, 2500, 0)
		p.TabTo("link", "New purchase")
		p.Press(kb.Enter)
		p.WaitText("Choose what you want")
	})
}

// Without a script nobody pays a sum that they have not seen.
func TestBrowserReview(t *testing.T) {
	t.Parallel()
	s := openShop(t, browser.Options{NoScript: true}, nil)
	p := s.visit("/m/" + selecting)
	p.Fill("spinbutton", "Quantity: Cola", "2")
	p.Fill("spinbutton", "Quantity: Chips", "1")
	p.Click("button", "See the total")
	p.WaitText("Check your order", "Total 82.00 NOK", "2 ×")
	p.Accessible("review")
	p.Click("button", "Change")
	p.WaitText("Choose what you want", "Total 82.00 NOK")
	p.Click("button", "One less: Chips")
	p.WaitText("Total 50.00 NOK")
	s.pay(p)
	p.WaitText("50.00 NOK")
	p.Click("button", approve)
	s.see(p, thanks, "Charged 50.00 NOK")
	s.atRest(1, 5000, 0)
	if out := s.machine.Dropped("A1"); out != 2 {
		t.Errorf("%d of Cola came out", out)
	}
}
