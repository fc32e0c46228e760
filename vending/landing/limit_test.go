package landing_test

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

// from is a browser with an address of its own.
func (s *shop) from(address string) *browser {
	b := s.browser()
	b.address = address
	return b
}

// press chooses a cola and presses pay.
func (b *browser) press(t *testing.T, machine string) page {
	t.Helper()
	return b.post(t, "/m/"+machine, choose(b.get(t, "/m/"+machine).form(), "2500", map[string]string{"A1": "1"}))
}

func TestTooOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{site: func(c *landing.Config) { c.Limits.Address = landing.Rate{Burst: 3, Every: 20 * time.Second} }})
		s.from("[2001:db8::1]:1").press(t, "oslo12").to(t)
		for i := range 2 {
			s.from("[2001:db8::"+strconv.Itoa(i+2)+"]:1").press(t, "oslo12").wants(t, 409) // one customer has all of them
		}
		limited := s.from("[2001:db8::9]:1").press(t, "s")
		limited.wants(t, 429, "Too many attempts", "This attempt did not reserve or charge anything")
		if got := limited.header.Get("Retry-After"); got != "20" {
			t.Errorf("Retry-After %s, want 20", got)
		}
		s.from("192.0.2.8:1").press(t, "oslo12").wants(t, 409)
		later(20 * time.Second)
		s.from("[2001:db8::9]:1").press(t, "s").to(t)
		s.from("[2001:db8::9]:1").press(t, "s").wants(t, 429)
	})
}

// TestNetworks presses from more networks than a customer has, which are all of one.
func TestNetworks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		refused := 0
		for i := range 200 {
			if s.from(fmt.Sprintf("[2001:db8:0:%x::1]:1", i+1)).post(t, "/m/oslo12", url.Values{"visit": {"v"}, "slot": {"A1"}, "price": {"1"}, "quantity": {"1"}, "total": {"1"}}).status == 429 {
				refused++
			}
		}
		if refused != 120 {
			t.Errorf("%d of 200 are refused, want those above ten times the tries of one", refused)
		}
		if got := s.from("[2001:db8:1:1::1]:1").press(t, "oslo12"); got.status != 303 {
			t.Errorf("another network's customer: %d", got.status)
		}
	})
}

// TestOthersPress has many addresses press at a machine without buying, as often as each may: they do not use up the tries of
// its customers.
func TestOthersPress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{operator: func(c *vending.Config) { c.Busy = vending.ReplaceUnpaid }})
		defer s.run()()
		old := url.Values{"visit": {"v"}, "planogram": {"old"}, "slot": {"A1"}, "price": {"2500"}, "quantity": {"1"}, "total": {"2500"}}
		for i := range 30 {
			for range 4 {
				for other := range 8 {
					s.from(fmt.Sprintf("198.51.100.%d:1", other+1)).post(t, "/m/oslo12", old)
				}
				later(15 * time.Second)
			}
			s.from(fmt.Sprintf("192.0.2.%d:1", i+1)).press(t, "oslo12").to(t)
			payments := s.vipps.Payments()
			if err := s.operator.Withdraw(t.Context(), payments[len(payments)-1].Reference); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestUnpaid has one address open one purchase after another that it does not pay.
func TestUnpaid(t *testing.T) {
	t.Parallel()
	for _, busy := range []vending.BusyPolicy{vending.RefuseBusy, vending.ReplaceUnpaid} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, change{operator: func(c *vending.Config) { c.Busy = busy }})
			defer s.run()()
			taken, opened := 0, 0
			for range 90 {
				if _, err := s.operator.Seat(t.Context(), "oslo12"); err == nil {
					taken++
				} else if s.from("198.51.100.1:1").press(t, "oslo12").status == 303 {
					opened++
				}
				later(20 * time.Second) // within what an address may
			}
			if opened > 3+6 || taken > 90*45/100 {
				t.Errorf("one address opened %d purchases in half an hour and had the machine for %d minutes of it", opened, taken/3)
			}
		})
	}
}

// TestPaid has a place with one address buy as often as it likes: also what did not come out was paid for.
func TestPaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		s.machine.Script(vendingtest.Drop, vendingtest.Jam)
		buy := func() page {
			answer := s.browser().press(t, "oslo12")
			if payments := s.vipps.Payments(); answer.status == 303 {
				if err := s.vipps.Approve(payments[len(payments)-1].Reference); err != nil {
					t.Fatal(err)
				}
			}
			later(30 * time.Second)
			return answer
		}
		for range 8 {
			buy().to(t)
		}
		form := choose(s.browser().get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
		s.machine.SetReady(vending.ErrTooLate)
		for range 4 { // none is opened
			s.browser().post(t, "/m/oslo12", form).wants(t, 503)
			later(30 * time.Second)
		}
		s.machine.SetReady(nil)
		for range 3 {
			s.browser().press(t, "oslo12").to(t)
			payments := s.vipps.Payments()
			if err := s.operator.Withdraw(t.Context(), payments[len(payments)-1].Reference); err != nil {
				t.Fatal(err)
			}
			later(30 * time.Second)
		}
		refused := s.browser().press(t, "oslo12")
		refused.wants(t, 429, "Too many unpaid purchases", "Wait a few minutes")
		if wait, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || wait < 1 || wait > 300 {
			t.Errorf("Retry-After %d, %v", wait, err)
		}
		s.browser().press(t, "s").to(t)
		s.from("192.0.2.2:1").press(t, "oslo12").to(t)
	})
}

// TestOutOfTries presses pay again for a purchase that is under way, when there is no try left.
func TestOutOfTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{site: func(c *landing.Config) { c.Limits.Machine = landing.Rate{Burst: 1, Every: time.Hour} }})
		b := s.browser()
		form := choose(b.get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
		b.post(t, "/m/oslo12", form).to(t)
		if got := b.post(t, "/m/oslo12", form).to(t); got != s.status(t) {
			t.Errorf("sent to %s, want the purchase that is under way", got)
		}
	})
}

// TestLimitsForget has more addresses press than can be counted: those who have used up their tries do not get them back.
func TestLimitsForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := landing.NewLimiter[int](landing.Rate{Burst: 2, Every: time.Minute})
		for range 2 {
			l.Take(-1)
		}
		for i := range 3 * landing.MaxKept {
			if _, ok := l.Take(i); !ok {
				t.Fatalf("try %d is refused", i)
			}
			if l.Kept() > landing.MaxKept {
				t.Fatalf("%d are kept", l.Kept())
			}
		}
		if wait, ok := l.Take(-1); ok || wait != time.Minute {
			t.Errorf("a third try is allowed, or after %v", wait)
		}
		later(2 * time.Minute)
		if _, ok := l.Take(-1); !ok {
			t.Error("no try after two minutes")
		}
	})
}
