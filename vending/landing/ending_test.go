package landing_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

// TestHeld is a customer whose product the machine said nothing about: they find their purchase, and may buy another.
func TestHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{operator: func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown }})
		defer s.run()()
		s.machine.Script(vendingtest.Silent)
		b := s.browser()
		status := s.buy(t, b)
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(3 * time.Minute)
		held := b.get(t, status)
		held.wants(t, 200, "checking the machine", "New purchase")
		s.machine.SetReady(errors.New("jam"))
		if got := b.get(t, "/m/oslo12").to(t); got != status {
			t.Errorf("the machine's page leads to %s, want the purchase that is not over", got)
		}
		s.browser().get(t, "/m/oslo12").without(t, "Nothing was")
		s.machine.SetReady(nil)
		another := b.get(t, "/m/oslo12?again=1")
		another.wants(t, 200, "Cola")
		b.post(t, "/m/oslo12", choose(another.form(), "2500", map[string]string{"A1": "1"})).to(t)
		if s.payments() != 2 {
			t.Errorf("%d payments, want 2", s.payments())
		}
	})
}

// TestHeldWhileBusy has the same customer press when somebody else has the machine: that is not their purchase.
func TestHeldWhileBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{operator: func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown }})
		defer s.run()()
		s.machine.Script(vendingtest.Silent)
		b := s.browser()
		s.buy(t, b)
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(3 * time.Minute)
		form := choose(b.get(t, "/m/oslo12?again=1").form(), "2500", map[string]string{"A1": "1"})
		s.from("192.0.2.9:1").press(t, "oslo12").to(t)
		b.post(t, "/m/oslo12", form).wants(t, 409, "in use", "This attempt did not")
	})
}

// TestUnreached is a customer who approves while nobody reaches the machine.
func TestUnreached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		b := s.browser()
		status := s.buy(t, b)
		s.machine.SetReady(vending.ErrElsewhere)
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(30 * time.Second)
		b.get(t, status).wants(t, 200, "After you have approved, it takes a moment")
		later(5 * time.Minute)
		over := b.get(t, status)
		over.wants(t, 200, "the machine could not be reached in time", "Released 25.00 NOK")
		over.without(t, "not approved")
	})
}

// TestTimeToChoose reads how long there is to choose, on the page and on one that is kept up to date.
func TestTimeToChoose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		b := s.browser()
		b.post(t, "/m/max1", b.get(t, "/m/max1").form()).to(t)
		status := s.status(t)
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(3 * time.Second)
		events, _, leave := s.follow(t, status+"/live")
		defer leave()
		b.get(t, status).wants(t, 200, "You have about 60 seconds to choose")
		later(35 * time.Second)
		p := b.get(t, status)
		p.wants(t, 200, "You have about 30 seconds to choose")
		if got := events.versions(); len(got) != 4 || !strings.Contains(p.body, `data-version="`+got[3]+`"`) {
			t.Errorf("versions %v, want one every ten seconds, and the last to be the page's", got)
		}
		later(time.Minute)
		b.get(t, status).wants(t, 200, "Nothing was chosen in time")
	})
}

// lame is a store that does not wake anybody.
type lame struct {
	vending.Store
	now bool
}

func (l *lame) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	if l.now {
		return errors.New("store is away")
	}
	return l.Store.Wake(ctx, in, ids...)
}

// TestUnheard presses a button while the store fails: it may have been heard, and nothing else is said.
func TestUnheard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &lame{Store: vending.NewMemoryStore()}
		s := newShop(t, change{operator: func(c *vending.Config) { c.Store = store }})
		defer s.run()()
		b := s.browser()
		status := s.buy(t, b)
		later(time.Second)
		store.now = true
		p := b.post(t, status+"/cancel", nil)
		p.wants(t, 503, "We do not know whether that worked", "Try again")
		p.without(t, "not affected")
		if !strings.Contains(p.body, `href="`+status+`"`) {
			t.Error("nothing leads back to the purchase")
		}
		store.now = false
		if got := b.get(t, status+"/cancel?lang=da").to(t); got != status+"?lang=da" { // a link of that page
			t.Errorf("another language leads to %s", got)
		}
		b.get(t, status+"?lang=da").wants(t, 200, "Købet")
		later(time.Minute)
		b.get(t, status).wants(t, 200, "Købet er afbrudt")
	})
}
