package examples_test

import (
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

// The machine does not know, and the operator leaves it to a person, who has looked.
func TestBrowserHeld(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, d door, o browser.Options) {
		s := openShop(t, o, func(c *vending.Config) {
			c.UnknownVerdict = vending.HoldUnknown
			c.Timeouts.Start, c.Timeouts.Verdict = time.Second, time.Second
		})
		s.machine.Script(vendingtest.Forgetful)
		p := s.visit("/m/" + d.machine)
		d.begin(s, p, cola)
		s.pay(p)
		p.Click("button", approve)
		if d.machine == static {
			s.press(static, "A1")
		}
		s.see(p, "We are checking the machine", "You pay only if it came out.", "Reserved "+money(d.reserved), nothing, "Contact us and give the reference")
		s.accessible(p, "held")
		session, err := s.current().Session(t.Context(), s.payment(1).Reference)
		if err == nil {
			err = s.current().Resolve(t.Context(), session.Items[0].VendID, vending.Dropped)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.see(p, thanks, "Charged 25.00 NOK", "Cola Came out")
		s.atRest(1, 2500, d.reserved-2500)
	})
}

// Ends that take a person, a bank or another customer are told as they are.
func TestBrowserEndings(t *testing.T) {
	t.Parallel()
	item := func(v vending.Verdict) []vending.Item {
		return []vending.Item{{Name: "Cola", Slot: "A1", Price: 2500, VendID: "v", Verdict: v, Concluded: true}}
	}
	endings := map[string]struct {
		items   []vending.Item
		reason  vending.Reason
		outcome vending.Outcome
		says    []string
	}{
		"over":             {item(vending.NotDropped), "", vending.Outcome{Result: vending.OverCaptured, Captured: 2500, Over: 2500}, []string{"Too much was charged", "Charged 25.00 NOK", "Contact us"}},
		"delivered-unpaid": {item(vending.Dropped), "", vending.Outcome{Result: vending.DeliveredUnpaid, Released: 2500, Lost: 2500}, []string{"Something has not been paid for", "Released 25.00 NOK", nothing}},
		"not-released":     {item(vending.Dropped), "", vending.Outcome{Result: vending.NotReleased, Captured: 2500}, []string{"Something is still reserved", "Charged 25.00 NOK", "Contact us"}},
		"not-refunded":     {item(vending.Dropped), "", vending.Outcome{Result: vending.Sold, Captured: 2500, NotRefunded: 2500}, []string{"The refund did not go through", "25.00 NOK could not be refunded", "Contact us"}},
		"replaced":         {nil, vending.ReasonReplaced, vending.Outcome{Result: vending.NotSold}, []string{"Time ran out", "the machine went on to the next customer", nothing}},
		"refunding":        {item(vending.Dropped), "", vending.Outcome{Result: vending.Sold, Captured: 2500, Refunding: 2500, Lost: 2500, Returned: 2500}, []string{"Refund under way", "Being refunded 25.00 NOK"}},
	}
	scripts(t, func(t *testing.T, o browser.Options) {
		s := openShop(t, o, nil)
		p := s.visit("/m/" + selecting)
		for name, ending := range endings {
			now := time.Now()
			session := vending.Session{
				ID: selecting + "-" + name, Schema: 1, Machine: selecting, Environment: vipps.Test, Door: vending.SiteSelection, Currency: vipps.NOK,
				Now: now, Opened: now, Since: now, Ended: now, State: vending.Closed, Reason: ending.reason, Items: ending.items, Outcome: ending.outcome,
			}
			if err := s.store.Create(t.Context(), session); err != nil {
				t.Fatal(err)
			}
			p.Open(s.address + "/m/s/" + string(s.current().PageToken(session.ID)))
			p.WaitText(append(ending.says, "Reference "+session.ID)...)
			s.accessible(p, name)
		}
	})
}
