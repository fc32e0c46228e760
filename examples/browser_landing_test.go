package examples_test

import (
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
)

// Words of the pages.
const (
	pay     = "Pay with Vipps"
	thanks  = "Thank you!"
	free    = "Nothing was charged"
	approve = "Approve"
	abort   = "Abort"
)

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

// order chooses on the page, and presses pay until the app is there: without a script the sum is shown first.
func order(p *browser.Page, products ...string) {
	for _, product := range products {
		p.Click("button", "One more: "+product)
	}
	settle(p)
}

func settle(p *browser.Page) {
	p.Click("button", pay)
	p.WaitAddress("/landing?token=")
	p.WaitFor("button", approve)
}

func TestBrowserSelection(t *testing.T) {
	t.Parallel()
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, nil)
		p := s.visit(o, selecting)
		p.Accessible("products")
		p.Click("button", "One more: Cola")
		p.WaitText("Total 25.00 NOK")
		p.Accessible("chosen")
		settle(p)
		p.Accessible("the app", "meta-refresh") // it is nobody's site
		p.Click("button", approve)
		p.WaitText(thanks, "Charged 25.00 NOK")
		p.Accessible("sold")
		s.atRest(1, 2500, 0)
		if s.machine.Dropped("A1") != 1 {
			t.Error("no Cola came out")
		}
	})
}
