package examples_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/vending"
)

// What has an age limit says so as soon as it is chosen, and no longer than that.
func TestBrowserAge(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		const limit = "There is an age limit. Vipps checks your age."
		s := openShop(t, o, nil)
		s.refill(func(p []vending.Product) { p[chips].MinimumAge = 18 })
		p := s.visit("/m/" + selecting)
		p.Click("button", "One more: Cola")
		p.WaitText("Total 25.00 NOK")
		if p.Has("StaticText", limit) {
			t.Error("Cola has an age limit")
		}
		p.Click("button", "One more: Chips")
		p.WaitText("Total 57.00 NOK", limit)
		p.Accessible("with an age limit")
		p.Click("button", "One less: Chips")
		p.WaitText("Total 25.00 NOK")
		p.Until("no age limit", func() bool { return !p.Has("StaticText", limit) })
	})
}

// Without a script each press is a page of its own. It shows the product that was pressed, and not the top.
func TestBrowserStaysThere(t *testing.T) {
	t.Parallel()
	s := openShop(t, browser.Options{NoScript: true}, func(c *vending.Config) {
		c.Planogram = func(context.Context, string) (vending.Planogram, error) {
			var list vending.Planogram
			for i := range 30 {
				list.Products = append(list.Products, vending.Product{Name: fmt.Sprintf("Product %d", i), Slot: fmt.Sprintf("A %d", i), Price: 2500, TaxRate: 1500})
			}
			return list, nil
		}
	})
	p := s.visit("/m/" + selecting)
	p.Click("button", "One more: Product 25")
	p.WaitText("Total 25.00 NOK")
	p.Until("the product in sight", func() bool {
		return browser.Eval[bool](p, `(() => { const b = document.querySelector("#line-25").getBoundingClientRect(); return b.top > 0 && b.bottom < innerHeight })()`)
	})
	p.Click("button", "One more: Product 25")
	p.WaitText("Total 50.00 NOK")
}

// Text of twice the size does not make anybody scroll sideways.
func TestBrowserLargeText(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"nb", "fi", "en"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, browser.Options{Language: language}, nil)
			s.refill(func(p []vending.Product) { p[sandwich].Price = 12000 })
			s.choose(paying, cola, sandwich)
			p := s.visit("/m/" + selecting)
			for _, machine := range []string{selecting, paying, static} {
				p.Open(s.address + "/m/" + machine)
				sticksOut := browser.Eval[string](p, `(() => {
					document.documentElement.style.fontSize = "200%";
					const width = document.documentElement.clientWidth;
					if (document.documentElement.scrollWidth <= width) return "";
					return [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 120)).join(" ");
				})()`)
				if sticksOut != "" {
					t.Errorf("%s: sticks out: %s", machine, sticksOut)
				}
			}
		})
	}
}

// The customer's money is given back while they look at the page of a purchase that is over.
func TestBrowserRefunded(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		doors["selection"].begin(s, p, cola)
		s.pay(p)
		p.Click("button", approve)
		s.see(p, thanks, "Charged 25.00 NOK")
		s.atRest(1, 2500, 0)
		if err := s.current().Refund(t.Context(), vending.RefundRequest{Session: s.payment(1).Reference, Reason: "the customer complained"}); err != nil {
			t.Fatal(err)
		}
		if !o.NoScript { // the customer comes back to the page: else it asks twice a minute
			browser.Eval[bool](p, `document.dispatchEvent(new Event("visibilitychange"))`)
		}
		s.see(p, "All that was charged has been refunded.", "Refunded 25.00 NOK")
		s.accessible(p, "refunded")
	})
}
