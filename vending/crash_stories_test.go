package vending_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// broken is a machine out of order, before the customer approves.
func broken(v *vendingtest.Visit, id string) error {
	later(2300 * time.Millisecond)
	setReady(v, errors.New("door open"))
	return v.Vipps.Approve(id)
}

func setReady(v *vendingtest.Visit, err error) {
	if m, ok := v.Machine.(*vendingtest.Machine); ok {
		m.SetReady(err)
	}
}

// approving is a customer who begins to approve, which keeps their payment from being taken back, and is done with it after
// a while. What happens in between comes in a second.
func approving(takes time.Duration, between func(v *vendingtest.Visit, id string) error) func(*vendingtest.Visit, string) error {
	return func(v *vendingtest.Visit, id string) error {
		later(3 * time.Second)
		if err := v.Vipps.BeginApproval(id); err != nil {
			return err
		}
		later(takes - time.Second)
		if between != nil {
			if err := between(v, id); err != nil {
				return err
			}
		}
		later(time.Second)
		return v.Vipps.Approve(id)
	}
}

// withdrawOpening presses the return button before there is a payment.
func withdrawOpening(v *vendingtest.Visit) error {
	later(1500 * time.Millisecond)
	return v.Insist(func(ctx context.Context, o *vending.Operator) error {
		s, err := o.Seat(ctx, "oslo12")
		if err != nil {
			return err
		}
		return o.Withdraw(ctx, s.ID)
	})
}

// report is telemetry that brings the word on the first item, and inspect a person who has looked.
func report(ctx context.Context, o *vending.Operator, vend string) error {
	return o.Report(ctx, vend, vending.Dropped)
}

func inspect(ctx context.Context, o *vending.Operator, vend string) error {
	return o.Resolve(ctx, vend, vending.Dropped)
}

// word brings a word on the first item when the session has come to a state.
func word(state vending.State, say func(ctx context.Context, o *vending.Operator, vend string) error) func(*testing.T, *vendingtest.Visit, string) error {
	return inState(state, func(ctx context.Context, v *vendingtest.Visit, o *vending.Operator, id string) error {
		if v.Machine.Dropped("A1") == 0 {
			return errors.New("nothing came out")
		}
		later(100 * time.Millisecond)
		return say(ctx, o, id+"-v1")
	})
}

// mistaken is a machine that says of the first slot that nothing came out, until it corrects itself.
type mistaken struct {
	*vendingtest.Machine
	corrected atomic.Bool
}

func (m *mistaken) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	verdict, err := m.Machine.Vend(ctx, c)
	return m.say(c.ID, verdict), err
}

func (m *mistaken) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	verdict, err := m.Machine.Conclude(ctx, id)
	return m.say(id, verdict), err
}

func (m *mistaken) say(id string, verdict vending.Verdict) vending.Verdict {
	if verdict == vending.Dropped && id[len(id)-1] == '1' && !m.corrected.Load() {
		return vending.NotDropped
	}
	return verdict
}

// correct brings the true word on the first item, while the second is let out if nothing has crashed.
func correct(t *testing.T, v *vendingtest.Visit, id string) error {
	t.Helper()
	for v.Machine.Dropped("A1") == 0 {
		if s := v.Until(id, vending.Vending, vending.Closed); s == nil || s.State != vending.Vending {
			break
		}
		later(time.Second)
	}
	later(2 * time.Second)
	if m, ok := v.Machine.(*mistaken); ok && m.Dropped("A1") > 0 {
		m.corrected.Store(true)
		return v.Insist(func(ctx context.Context, o *vending.Operator) error { return o.Report(ctx, id+"-v1", vending.Dropped) })
	}
	return nil
}

// atPortal has somebody act in the merchant portal while a product is let out.
func atPortal(act func(v *vendingtest.Visit, id string) error) func(*testing.T, *vendingtest.Visit, string) error {
	return func(t *testing.T, v *vendingtest.Visit, id string) error {
		t.Helper()
		if s := v.Until(id, vending.Vending); s == nil || s.State != vending.Vending {
			return fmt.Errorf("%v is not vending", s)
		}
		later(time.Second)
		return act(v, id)
	}
}

// inState does something when the session has come to a state.
func inState(state vending.State, do func(ctx context.Context, v *vendingtest.Visit, o *vending.Operator, id string) error) func(*testing.T, *vendingtest.Visit, string) error {
	return func(t *testing.T, v *vendingtest.Visit, id string) error {
		t.Helper()
		if s := v.Until(id, state); s == nil || s.State != state {
			return fmt.Errorf("%v is not %s", s, state)
		}
		return v.Insist(func(ctx context.Context, o *vending.Operator) error { return do(ctx, v, o, id) })
	}
}

// selectInVain chooses what can no longer be had.
func selectInVain(ctx context.Context, o *vending.Operator, id string) error {
	if err := o.Select(ctx, id, 1, "A1"); !errors.Is(err, vending.ErrTooLate) {
		return fmt.Errorf("selected: %w", err)
	}
	return nil
}

// replace is another customer who comes while the first has not paid.
func replace(v *vendingtest.Visit, _ string) error {
	later(21 * time.Second)
	return v.Ask(func(ctx context.Context, o *vending.Operator) error {
		code, err := o.OpenDynamicQR(ctx, cola())
		if err != nil {
			return err
		}
		later(2300 * time.Millisecond)
		return v.Vipps.Approve(code.Session)
	})
}

// crashStories reach the rows of the state table that no ending of an ordinary visit does. Those of a door are at the static
// QR, where the customer chooses after the approval.
func crashStories() []crashEnding {
	type script = []vendingtest.Behaviour
	half := script{vendingtest.Drop, vendingtest.Jam}
	chooses := func(d door) bool { return d.maximum }
	hold := func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown }
	fault := func(f ...vippstest.Fault) []vippstest.Fault { return f }
	late := func(kind vippstest.FaultKind) []vippstest.Fault {
		return fault(vippstest.Fault{Op: "create", Kind: kind, Delay: 5 * time.Minute}, vippstest.Fault{Op: "create", Kind: vippstest.HangUpBefore, Count: -1})
	}
	list := []crashEnding{
		{name: "create refused", products: 1, unopened: true, faults: fault(vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: "5080", Count: -1})},
		{name: "create never answered", products: 1, unopened: true, faults: fault(vippstest.Fault{Op: "create", Kind: vippstest.HangUpBefore, Count: -1})},
		{name: "create arrives late", products: 1, unopened: true, faults: late(vippstest.Late), phone: leave, want: nothing},
		{name: "create arrives late, approved", products: 1, unopened: true, noWebhooks: true, faults: late(vippstest.Late), want: notSold},
		{
			name: "withdrawn while opening", products: 1, unopened: true, beside: withdrawOpening, phone: leave, want: nothing,
			faults: fault(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 2500 * time.Millisecond}, vippstest.Fault{Op: "get", Kind: vippstest.Unreachable}),
		},
		{name: "machine out of order", products: 1, phone: broken, want: notSold},
		{name: "approved while given up", products: 1, change: brief, phone: approving(8*time.Second, nil), want: sold(colaPrice)},
		{name: "approved while given up, a maximum", products: 1, doors: chooses, change: brief, phone: approving(8*time.Second, nil), want: sold(colaPrice)},
		{name: "approved while given up, out of order", products: 1, change: brief, want: notSold, phone: approving(8*time.Second, func(v *vendingtest.Visit, _ string) error {
			setReady(v, errors.New("door open"))
			return nil
		})},
		{name: "returned while given up", products: 1, change: brief, want: notSold, phone: approving(8*time.Second, pressReturn)},
		{name: "approved after giving up", products: 1, change: brief, want: notSold, phone: approving(30*time.Second, nil)},
		{
			name: "the portal cancels at once", products: 1, noWebhooks: true, losses: true, want: notSold,
			phone: func(v *vendingtest.Visit, id string) error {
				return errors.Join(approve(v, id), v.Vipps.PortalCancel(id))
			},
		},
		{
			name: "the portal cancels", products: 1, nothing: true, script: script{vendingSlow}, losses: true, want: lost,
			then: atPortal(func(v *vendingtest.Visit, id string) error { return v.Vipps.PortalCancel(id) }),
		},
		{
			name: "the portal takes the rest", products: 2, nothing: true, script: script{vendingtest.Slow(20 * time.Second)}, losses: true,
			then: atPortal(func(v *vendingtest.Visit, id string) error { return v.Vipps.PortalCapture(id, 3000) }),
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.OverCaptured, Captured: 3000, Released: reserved - 3000, Over: 3000 - colaPrice}
			},
		},
		{
			name: "the portal cancels before the choice", products: 1, doors: chooses, nothing: true, losses: true, want: notSold,
			then: inState(vending.Choosing, func(ctx context.Context, v *vendingtest.Visit, o *vending.Operator, id string) error {
				_ = v.Vipps.PortalCancel(id)
				later(16 * time.Second)
				return selectInVain(ctx, o, id)
			}),
		},
		{
			name: "out of order at the choice", products: 1, doors: chooses, nothing: true, want: notSold,
			then: inState(vending.Choosing, func(ctx context.Context, v *vendingtest.Visit, o *vending.Operator, id string) error {
				setReady(v, errors.New("door open"))
				return selectInVain(ctx, o, id)
			}),
		},
		{
			name: "returned instead of a choice", products: 1, doors: chooses, nothing: true, want: notSold,
			then: inState(vending.Choosing, func(ctx context.Context, _ *vendingtest.Visit, o *vending.Operator, id string) error {
				return o.Withdraw(ctx, id)
			}),
		},
		{
			name: "completed while vending", products: 2, doors: chooses, nothing: true, want: sold(colaPrice), script: script{vendingSlow},
			then: inState(vending.Choosing, func(ctx context.Context, _ *vendingtest.Visit, o *vending.Operator, id string) error {
				if err := o.Select(ctx, id, 1, "A1"); err != nil {
					return err
				}
				later(2 * time.Second)
				return o.Complete(ctx, id)
			}),
		},
		{name: "memory lost", products: 1, script: script{vendingtest.Forgetful}, want: func(reserved int64) vending.Outcome {
			return vending.Outcome{Result: vending.NotSold, Released: reserved, Unknown: colaPrice}
		}},
		{name: "held, and the machine is heard of", products: 1, script: script{vendingtest.Silent}, change: hold, then: word(vending.Held, report), want: sold(colaPrice)},
		{name: "held for nobody", products: 1, script: script{vendingtest.Silent}, change: hold, want: func(reserved int64) vending.Outcome {
			return vending.Outcome{Result: vending.NotSold, Released: reserved, Unknown: colaPrice}
		}},
		{
			name: "the machine corrects itself", products: 2, nothing: true, losses: true, then: correct, want: sold(colaPrice + chipsPrice),
			machine: func() vendingtest.Counted {
				m := &mistaken{Machine: new(vendingtest.Machine)}
				m.Script(vendingtest.Drop, vendingSlow)
				return m
			},
		},
		{
			name: "the portal captures all", products: 1, doors: chooses, nothing: true, losses: true, script: script{vendingSlow},
			then: inState(vending.Choosing, func(ctx context.Context, v *vendingtest.Visit, o *vending.Operator, id string) error {
				if err := o.Select(ctx, id, 1, "A1"); err != nil {
					return err
				}
				later(2 * time.Second)
				return v.Vipps.PortalCapture(id, chipsPrice)
			}),
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.OverCaptured, Captured: reserved, Over: reserved - colaPrice}
			},
		},
		{name: "capture refused once", products: 1, want: sold(colaPrice), faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6100"})},
		{name: "not funded twice", products: 1, want: sold(colaPrice), faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6260", Count: 2})},
		{
			name: "capture refused for good", products: 1, losses: true, want: lost,
			faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6100", Count: -1}),
		},
		{name: "capture never heard", products: 1, want: sold(colaPrice), faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.HangUpBefore, Count: 14})},
		{name: "capture never answered", products: 1, want: sold(colaPrice), faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.HangUpAfter, Count: 14})},
		{name: "capture arrives late", products: 1, want: sold(colaPrice), faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.Late, Delay: 110 * time.Second, Count: 14})},
		{name: "cancel refused", products: 2, script: half, losses: true, want: partly, faults: fault(vippstest.Fault{Op: "cancel", Kind: vippstest.RefuseSticky, Code: "6190", Count: 3})},
		{
			name: "acknowledged", products: 1, nothing: true, losses: true, want: lost,
			faults: fault(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6140"}),
			then: inState(vending.Closed, func(ctx context.Context, _ *vendingtest.Visit, o *vending.Operator, id string) error {
				return o.Acknowledge(ctx, id, "a loss")
			}),
		},
		{
			name: "refund refused", products: 1, losses: true, then: giveBack(1),
			faults: fault(vippstest.Fault{Op: "refund", Kind: vippstest.RefuseSticky, Code: "6170", Count: -1}),
			want: func(int64) vending.Outcome {
				return vending.Outcome{Result: vending.Sold, Captured: colaPrice, NotRefunded: colaPrice}
			},
		},
		{name: "refund never heard", products: 1, every: 1, then: giveBack(2), want: givenBack, faults: fault(vippstest.Fault{Op: "refund", Kind: vippstest.HangUpBefore, Count: 7})},
		{name: "refund never answered", products: 1, then: giveBack(2), want: givenBack, faults: fault(vippstest.Fault{Op: "refund", Kind: vippstest.HangUpAfter, Count: 7})},
		{name: "refund arrives late", products: 1, then: giveBack(1), want: givenBack, every: 2, faults: fault(vippstest.Fault{Op: "refund", Kind: vippstest.Late, Delay: 110 * time.Second, Count: 25})},
		{
			name: "refunded at the portal before", products: 2, losses: true,
			then: inState(vending.Closed, func(ctx context.Context, v *vendingtest.Visit, o *vending.Operator, id string) error {
				later(time.Minute)
				_ = v.Vipps.PortalRefund(id, 1000)
				return o.Refund(ctx, vending.RefundRequest{Session: id, Items: []string{id + "-v1"}, Reason: "it was stale"})
			}),
			want: func(int64) vending.Outcome {
				const all, back = colaPrice + chipsPrice, 1000 + colaPrice
				return vending.Outcome{Result: vending.Uncollected, Captured: all, Refunded: back, Lost: back, Returned: colaPrice}
			},
		},
		{
			name: "refunded at the portal meanwhile", products: 2, losses: true, faults: fault(vippstest.Fault{Op: "refund", Kind: vippstest.HangUpBefore, Count: 2}),
			then: func(t *testing.T, v *vendingtest.Visit, id string) error {
				t.Helper()
				if err := refundFirst(t, v, id, 1); err != nil {
					return err
				}
				later(time.Second)
				return v.Vipps.PortalRefund(id, 1000)
			},
			want: func(int64) vending.Outcome {
				const all, back = colaPrice + chipsPrice, 1000
				return vending.Outcome{Result: vending.Uncollected, Captured: all, Refunded: back, Lost: back, NotRefunded: colaPrice}
			},
		},
		{name: "receipt never answered", products: 2, every: 1, want: sold(colaPrice + chipsPrice), faults: fault(vippstest.Fault{Op: "receipt", Kind: vippstest.HangUpAfter})},
		{name: "replaced", products: 1, phone: replace, want: nothing, change: func(c *vending.Config) { c.Busy = vending.ReplaceUnpaid }},
		{name: "by polling", products: 1, noWebhooks: true, want: sold(colaPrice)},
	}
	for name, say := range map[string]func(context.Context, *vending.Operator, string) error{"the machine is heard of": report, "somebody has looked": inspect} {
		late := func(reserved int64) vending.Outcome {
			return vending.Outcome{Result: vending.DeliveredUnpaid, Released: reserved, Lost: colaPrice}
		}
		silent := script{vendingtest.Silent}
		list = append(
			list,
			crashEnding{
				name: "settling, and " + name, products: 1, nothing: true, script: silent, losses: true, then: word(vending.Settling, say), want: late,
				faults: fault(vippstest.Fault{Op: "cancel", Kind: vippstest.Unreachable, Count: 3}),
			},
			crashEnding{name: "closed, and " + name, products: 1, nothing: true, script: silent, losses: true, then: word(vending.Closed, say), want: late},
		)
	}
	for name, reading := range switches {
		if name != "plain" {
			list = append(list, crashEnding{name: "part of a basket, " + name, products: 2, script: half, want: partly, vipps: vippstest.Options{Switches: reading}, every: 3})
		}
	}
	return list
}

func givenBack(int64) vending.Outcome {
	return vending.Outcome{Result: vending.Sold, Captured: colaPrice, Refunded: colaPrice, Lost: colaPrice, Returned: colaPrice}
}
