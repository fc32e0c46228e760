package vending_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestDynamicQR(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		order  vending.DynamicQROrder
		script []vendingtest.Behaviour
		// approve, abort: when; 0 is never.
		approve, abort, withdraw time.Duration
		policy                   vending.UnknownPolicy
		want                     vending.Outcome
		reason                   vending.Reason
		drops                    int
		held                     bool
	}{
		{name: "sold", order: cola(), approve: 12 * time.Second, want: vending.Outcome{Result: vending.Sold, Captured: 2500}, drops: 1},
		{name: "jam", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Jam}, want: vending.Outcome{Result: vending.NotSold, Released: 2500}},
		{name: "basket", order: basket(), approve: 3 * time.Second, want: vending.Outcome{Result: vending.Sold, Captured: 6000}, drops: 2},
		{
			name: "half a basket", order: basket(), approve: 3 * time.Second,
			script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam},
			want:   vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 3500}, drops: 1,
		},
		{
			name: "the other half", order: basket(), approve: 3 * time.Second,
			script: []vendingtest.Behaviour{vendingtest.Jam},
			want:   vending.Outcome{Result: vending.PartlySold, Captured: 3500, Released: 2500}, drops: 1,
		},
		{name: "abort", order: cola(), abort: 4 * time.Second, want: vending.Outcome{Result: vending.NotSold}, reason: vending.ReasonAborted},
		{name: "nobody comes", order: cola(), want: vending.Outcome{Result: vending.NotSold}, reason: vending.ReasonClock},
		{name: "return button", order: cola(), withdraw: 5 * time.Second, want: vending.Outcome{Result: vending.NotSold}, reason: vending.ReasonReturned},
		{
			name: "approved as the clock runs out", order: cola(), approve: 90*time.Second - time.Millisecond,
			want: vending.Outcome{Result: vending.Sold, Captured: 2500}, reason: "?", drops: 1,
		},
		{
			name: "the answer is lost", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.LostAnswer},
			want: vending.Outcome{Result: vending.Sold, Captured: 2500}, drops: 1,
		},
		{
			name: "the command is lost", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.LostOrder},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500},
		},
		{
			name: "slow", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Slow(40 * time.Second)},
			want: vending.Outcome{Result: vending.Sold, Captured: 2500}, drops: 1,
		},
		{
			name: "silent, dropped", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Silent},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}, drops: 1,
		},
		{
			name: "silent, not dropped", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.SilentEmpty},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500},
		},
		{
			name: "forgetful", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Forgetful},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}, drops: 1,
		},
		{
			name: "silent in the middle of a basket", order: basket(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Silent},
			want: vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 3500, Unknown: 3500}, drops: 2,
		},
		{
			name: "forgetful, held", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Forgetful},
			policy: vending.HoldUnknown, held: true, drops: 1,
		},
	} {
		for _, hooked := range []bool{false, true} {
			name := test.name
			if hooked {
				name += ", with webhooks"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.UnknownVerdict = test.policy })
					if hooked {
						s.hook(t)
					}
					s.machine.Script(test.script...)
					session, err := s.operator.SellDynamicQR(t.Context(), test.order, func(code vending.Code) {
						if test.approve > 0 {
							s.approveAfter(t, test.approve)(code)
						}
						if test.abort > 0 {
							time.AfterFunc(test.abort, func() { _ = s.vipps.Abort(code.Session) })
						}
						if test.withdraw > 0 {
							time.AfterFunc(test.withdraw, func() { _ = s.operator.Withdraw(context.Background(), code.Session) })
						}
					})
					if err != nil {
						t.Fatal(err)
					}
					if test.held != (session.State == vending.Held) {
						t.Errorf("state %s", session.State)
					}
					if !test.held {
						s.settled(t, session)
						if diff := cmp.Diff(test.want, session.Outcome); diff != "" {
							t.Errorf("outcome (-want +got)\n%s\n%v", diff, session.History)
						}
						if session.Reason != test.reason && test.reason != "?" { // whichever comes first, poll or clock
							t.Errorf("reason %q, want %q", session.Reason, test.reason)
						}
					}
					told := map[string]bool{}
					for _, command := range s.machine.Commands() {
						if told[command.ID] {
							t.Errorf("the machine was told twice: %s", command.ID)
						}
						told[command.ID] = true
					}
					attention := 0
					for range s.operator.Attention(t.Context(), time.Time{}) {
						attention++
					}
					if want := test.held || test.want.NeedsPerson(); (attention == 1) != want {
						t.Errorf("%d sessions need a person, want one: %t", attention, want)
					}
					if got := s.machine.Dropped("A1") + s.machine.Dropped("B2"); got != test.drops {
						t.Errorf("%d products left the machine, want %d", got, test.drops)
					}
				})
			})
		}
	}
}

func TestSellLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var id string
		session, err := s.operator.SellDynamicQR(ctx, cola(), func(code vending.Code) { id = code.Session })
		if session == nil || session.ID != id || session.State != vending.Closed {
			t.Errorf("the session that was left is %v", session)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		if payment, _ := s.vipps.Payment(id); payment.State != "TERMINATED" {
			t.Errorf("payment is %s, want TERMINATED", payment.State)
		}
	})
}

// TestSellLeavesWhileVending ends the program's patience while the motor turns.
func TestSellLeavesWhileVending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Slow(30 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := s.operator.SellDynamicQR(ctx, cola(), s.approveAfter(t, 3*time.Second))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		s.audit(t)
		if payment := s.vipps.Payments()[0]; payment.Captured != 2500 {
			t.Errorf("captured %d, want what dropped", payment.Captured)
		}
	})
}
