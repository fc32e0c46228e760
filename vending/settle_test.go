package vending_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// TestRefusedForGood has captures refused under every key, by code.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code string
		keys int // captures with keys of their own
		want vending.Outcome
	}{
		{"6140", 1, vending.Outcome{Result: vending.Uncollected, Released: 2500, Lost: 2500}},
		{"6100", 2, vending.Outcome{Result: vending.Uncollected, Released: 2500, Lost: 2500}},
		{"6200", 2, vending.Outcome{Result: vending.Uncollected, Released: 2500, Lost: 2500}},
		// After 1, 10 and 60 minutes and then daily, for the week that the capture is guaranteed.
		{"6260", 10, vending.Outcome{Result: vending.Uncollected, Released: 2500, Lost: 2500}},
	} {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, nil)
				s.vipps.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: test.code, Count: -1})
				stop := run(s.operator)
				id := s.sell(t, cola())
				later(2 * time.Hour)
				for range 9 { // a quarter of an hour a day is enough to make what is due, and cheaper than all of it
					stop()
					later(24*time.Hour - 15*time.Minute)
					stop = run(s.operator)
					later(15 * time.Minute)
				}
				defer stop()
				s.audit(t)
				if diff := cmp.Diff(test.want, s.session(t, id).Outcome); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				used := map[string]bool{}
				for _, r := range s.vipps.Requests() {
					if r.Op == "capture" {
						used[r.Header.Get("Idempotency-Key")] = true
					}
				}
				if len(used) != test.keys {
					t.Errorf("%d keys were used, want %d: %v", len(used), test.keys, s.session(t, id).History)
				}
				if action := s.session(t, id).Outcome.Action(); action == "" {
					t.Error("nobody is told what to do about the loss")
				}
			})
		})
	}
}

// TestNeverAnswered has Vipps MobilePay answer captures with a gateway's refusal until after the guarantee has ended.
func TestNeverAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.vipps.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.Refuse, Status: 403, Count: -1})
		stop := run(s.operator)
		id := s.sell(t, cola())
		later(2 * time.Hour)
		waiting := 0
		for session := range s.operator.Attention(t.Context(), time.Now()) {
			if session.ID == id {
				waiting++
			}
		}
		if waiting != 1 {
			t.Error("a capture that does not succeed for two hours is in front of nobody")
		}
		stop()
		later(9 * 24 * time.Hour)
		defer run(s.operator)()
		s.finish(t)
		s.audit(t)
		if got := s.session(t, id).Outcome; got.Result != vending.Uncollected || got.Lost != 2500 {
			t.Errorf("outcome %+v", got)
		}
	})
}

// TestNotReleased has the rest of a basket refused to be released: the outcome says what is known meanwhile.
func TestNotReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Drop, vendingtest.Jam)
		s.vipps.Inject(vippstest.Fault{Op: "cancel", Kind: vippstest.RefuseSticky, Code: "6190", Count: 3})
		defer run(s.operator)()
		id := s.sell(t, basket())
		later(30 * time.Second)
		if got := s.session(t, id); got.Outcome.Result != vending.NotReleased || got.Outcome.Captured != 2500 || !got.Outcome.NeedsPerson() {
			t.Errorf("%s: outcome %+v", got.State, got.Outcome)
		}
		later(3 * time.Hour)
		s.audit(t)
		if got := s.session(t, id).Outcome; got.Result != vending.PartlySold || got.Released != 3500 {
			t.Errorf("outcome %+v", got)
		}
	})
}

// TestPortalTakesTheRest captures so much in the portal between two items that the second is not covered any more.
func TestPortalTakesTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Slow(20 * time.Second))
		defer run(s.operator)()
		id := s.sell(t, basket())
		later(5 * time.Second)
		if err := s.vipps.PortalCapture(id, 3000); err != nil {
			t.Fatal(err)
		}
		s.finish(t)
		s.audit(t)
		if s.machine.Dropped("B2") != 0 {
			t.Errorf("the second item came out, covered by what was reserved for the first: %v", s.session(t, id).History)
		}
	})
}

// TestElsewhere has another worker hold the machine's line for a while: the session waits for it and is not settled.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := s.sell(t, cola())
		s.machine.SetReady(vending.ErrElsewhere)
		later(20 * time.Second)
		if got := s.session(t, id); got.State != vending.Waiting {
			t.Errorf("the session is %s: %v", got.State, got.History)
		}
		s.machine.SetReady(nil)
		s.finish(t)
		s.audit(t)
		if got := s.session(t, id).Outcome.Result; got != vending.Sold {
			t.Errorf("%s", got)
		}
	})
}

// TestNotReady has the machine fail between the payment and the vend.
func TestNotReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := s.sell(t, cola())
		s.machine.SetReady(errors.New("door open"))
		s.finish(t)
		s.audit(t)
		if got := s.session(t, id); got.Reason != vending.ReasonMachine || got.Outcome.Released != 2500 || s.drops() != 0 {
			t.Errorf("%s, reason %s, %d products out", got.Summary(), got.Reason, s.drops())
		}
		if _, err := s.operator.OpenDynamicQR(t.Context(), cola()); err == nil {
			t.Error("a payment was made for a machine that cannot sell")
		}
	})
}

// TestGatewayNotFound has a gateway that finds nothing, for longer than a request to make a payment can be under way: that
// is not the API saying that there is no payment.
func TestGatewayNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := s.sell(t, cola())
		s.vipps.Inject(vippstest.Fault{
			Op: "get", Kind: vippstest.Refuse, Status: 404, Count: -1, Body: `{"statusCode":404,"message":"Resource not found"}`,
		})
		later(10 * time.Minute)
		if got := s.session(t, id).State; got == vending.Closed {
			t.Error("closed on the word of a gateway")
		}
		s.vipps.ClearFaults()
		s.finish(t)
		s.audit(t)
	})
}

// TestRetryAfter is asked to wait twenty seconds.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 429, RetryAfter: 20 * time.Second})
		id := s.sell(t, cola())
		s.finish(t)
		s.audit(t)
		var reads []time.Time
		for _, r := range s.vipps.Requests() {
			if r.Op == "get" && r.Reference == id {
				reads = append(reads, r.At)
			}
		}
		if len(reads) < 2 || reads[1].Sub(reads[0]) < 20*time.Second {
			t.Errorf("read again at %v", reads)
		}
	})
}

// TestHoldEnds holds a session for no longer than the reservation can be captured.
func TestHoldEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) {
			c.UnknownVerdict = vending.HoldUnknown
			c.Timeouts.Hold = 30 * 24 * time.Hour
		})
		s.machine.Script(vendingtest.Forgetful)
		stop := run(s.operator)
		id := s.sell(t, cola())
		later(time.Minute)
		stop()
		later(7*24*time.Hour - 12*time.Hour)
		defer run(s.operator)()
		later(time.Hour)
		if got := s.session(t, id); got.State != vending.Closed {
			t.Errorf("still %s eleven hours before the guarantee ends", got.State)
		}
		s.audit(t)
	})
}
