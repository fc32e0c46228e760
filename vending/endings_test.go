package vending_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// ending is how a visit goes.
type ending struct {
	name          string
	products      int
	script        []vendingtest.Behaviour
	approve       time.Duration // 0 is never
	abort         time.Duration
	options       vippstest.Options
	change        func(*vending.Config)
	faults        []vippstest.Fault
	dearest, idle bool // what the visitor chooses first, and whether they choose at all
	// doors says whether an ending is one of a door; nil is all.
	doors func(door) bool
	// during is run when the session is open.
	during func(t *testing.T, s *shop, id string)
	// refused is how opening is refused; nothing more happens then.
	refused error
	// want is the outcome, from what was reserved.
	want func(reserved int64) vending.Outcome
	// state is the payment's at the end, if it matters.
	state string
	// unpaid says that captured is not the price of what the machine said: only the outcome's sum is.
	unpaid bool
	drops  int
}

// sold is the outcome of a sale of so much.
func sold(price int64) func(int64) vending.Outcome {
	return func(reserved int64) vending.Outcome {
		return vending.Outcome{Result: vending.Sold, Captured: price, Released: reserved - price}
	}
}

func notSold(reserved int64) vending.Outcome {
	return vending.Outcome{Result: vending.NotSold, Released: reserved}
}

func nothing(int64) vending.Outcome { return vending.Outcome{Result: vending.NotSold} }

func lost(reserved int64) vending.Outcome {
	return vending.Outcome{Result: vending.Uncollected, Released: reserved, Lost: colaPrice}
}

// slow is long enough for somebody to act at the portal.
const slow = 8 * time.Second

// whileVending runs once the machine has been told.
func whileVending(do func(s *shop, id string) error) func(*testing.T, *shop, string) {
	return func(t *testing.T, s *shop, id string) {
		t.Helper()
		for range 100 {
			if len(s.machine.Commands()) > 0 {
				later(time.Second)
				if err := do(s, id); err != nil {
					t.Error(err)
				}
				return
			}
			later(time.Second)
		}
		t.Error("the machine was never told")
	}
}

func endings() []ending {
	site := func(d door) bool { return d.name == "site, product selection" }
	chooses := func(d door) bool { return d.maximum }
	exact := func(d door) bool { return !d.maximum }
	return []ending{
		{name: "sold", products: 1, approve: 12 * time.Second, want: sold(colaPrice), drops: 1},
		{name: "two sold", products: 2, approve: 3 * time.Second, want: sold(colaPrice + chipsPrice), drops: 2},
		{name: "jam", products: 1, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Jam}, want: notSold},
		{
			name: "part of a basket", products: 2, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam},
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.PartlySold, Captured: colaPrice, Released: reserved - colaPrice}
			}, drops: 1,
		},
		{name: "abort", products: 1, abort: 4 * time.Second, want: nothing, state: "ABORTED"},
		{name: "nobody approves", products: 1, want: nothing, state: "TERMINATED"},
		{name: "expired", products: 1, change: func(c *vending.Config) { c.Timeouts.Approve = 9 * time.Minute }, faults: []vippstest.Fault{{Op: "cancel", Kind: vippstest.ErrorBefore, Count: -1}}, want: nothing, state: "EXPIRED"},
		{
			name: "approval after giving up", products: 1, want: notSold,
			during: func(t *testing.T, s *shop, id string) {
				t.Helper()
				later(80 * time.Second)
				if err := s.vipps.BeginApproval(id); err != nil { // cancelling is refused from here on
					t.Error(err)
				}
				later(40 * time.Second)
				if err := s.vipps.Approve(id); err != nil {
					t.Error(err)
				}
			},
		},
		{
			name: "approval while being given up", products: 1, want: sold(colaPrice), drops: 1,
			during: func(t *testing.T, s *shop, id string) {
				t.Helper()
				later(80 * time.Second)
				if err := s.vipps.BeginApproval(id); err != nil {
					t.Error(err)
				}
				later(15 * time.Second)
				if err := s.vipps.Approve(id); err != nil {
					t.Error(err)
				}
			},
		},
		{name: "nothing selected", doors: chooses, products: 1, approve: 3 * time.Second, idle: true, want: notSold},
		{name: "nothing ordered", doors: func(d door) bool { return exact(d) && !d.checkIn && d.name != "static QR, chosen before" }, refused: vipps.ErrInvalidRequest},
		{
			name: "silent, dropped", products: 1, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Silent},
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.NotSold, Released: reserved, Unknown: colaPrice}
			}, drops: 1,
		},
		{
			name: "silent, not dropped", products: 1, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.SilentEmpty},
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.NotSold, Released: reserved, Unknown: colaPrice}
			},
		},
		{
			name: "held and resolved", products: 1, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Forgetful},
			change: func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown }, want: sold(colaPrice), drops: 1,
			during: func(t *testing.T, s *shop, id string) {
				t.Helper()
				session, err := s.operator.Wait(t.Context(), id)
				if err != nil || session.State != vending.Held {
					t.Errorf("%v, %v: not held", session, err)
					return
				}
				if err := s.operator.Resolve(t.Context(), session.Items[0].VendID, vending.Dropped); err != nil {
					t.Error(err)
				}
			},
		},
		{name: "busy", products: 1, approve: 12 * time.Second, want: sold(colaPrice), drops: 1, during: nextCustomer},
		{
			name: "price above the reservation", doors: chooses, products: 1, approve: 3 * time.Second, dearest: true,
			want: sold(colaPrice), drops: 1,
		},
		{
			name: "price above what the page showed", doors: site, products: 1, refused: vending.ErrRepriced,
			change: func(c *vending.Config) {
				planogram := c.Planogram
				c.Planogram = func(ctx context.Context, machine string) (vending.Planogram, error) {
					p, err := planogram(ctx, machine)
					for i := range p.Products {
						p.Products[i].Price += 100
					}
					return p, err
				}
			},
		},
		{
			name: "the portal cancels", products: 1, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Slow(slow)},
			during: whileVending(func(s *shop, id string) error { return s.vipps.PortalCancel(id) }),
			want:   lost, unpaid: true, drops: 1,
		},
		{
			name: "the portal captures", products: 1, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Slow(slow)},
			during: whileVending(func(s *shop, id string) error {
				payment, _ := s.vipps.Payment(id)
				return s.vipps.PortalCapture(id, payment.Authorized)
			}),
			want: func(reserved int64) vending.Outcome {
				if reserved == colaPrice {
					return vending.Outcome{Result: vending.Sold, Captured: colaPrice}
				}
				return vending.Outcome{Result: vending.OverCaptured, Captured: reserved, Over: reserved - colaPrice}
			}, unpaid: true, drops: 1,
		},
		{
			name: "capture refused for good", products: 1, approve: 3 * time.Second, unpaid: true, want: lost, drops: 1,
			faults: []vippstest.Fault{{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6100", Count: -1}},
		},
		{
			name: "6140, released", products: 2, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam},
			options: vippstest.Options{NoPartialCapture: true}, want: lost, unpaid: true, drops: 1,
		},
		{
			name: "6140, and all of it refused", products: 2, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam},
			options: vippstest.Options{NoPartialCapture: true}, change: func(c *vending.Config) { c.InFull = vending.CaptureAndRefund },
			faults: []vippstest.Fault{{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6100", Skip: 1, Count: -1}}, want: lost, unpaid: true, drops: 1,
		},
		{
			name: "6140, captured and refunded", products: 2, approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam},
			options: vippstest.Options{NoPartialCapture: true}, change: func(c *vending.Config) { c.InFull = vending.CaptureAndRefund },
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.PartlySold, Captured: reserved, Refunded: reserved - colaPrice}
			}, unpaid: true, drops: 1,
		},
	}
}

// nextCustomer comes while another has the machine, and gets no payment.
func nextCustomer(t *testing.T, s *shop, _ string) {
	t.Helper()
	before := len(s.vipps.Payments())
	_, err := s.operator.OpenDynamicQR(t.Context(), cola())
	if busy, ok := errors.AsType[*vending.BusyError](err); !ok || busy.Machine != "oslo12" || busy.Session == "" {
		t.Errorf("the second customer: %v, want busy", err)
	}
	if len(s.vipps.Payments()) != before {
		t.Error("the second customer got a payment")
	}
}

// TestDoors holds every door against every ending, under every switch of the emulator.
func TestDoors(t *testing.T) {
	t.Parallel()
	for _, d := range doors() {
		for _, e := range endings() {
			if e.doors != nil && !e.doors(d) {
				continue
			}
			t.Run(d.name+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				for reading, chosen := range switches {
					if vending.RaceEnabled && reading != "plain" && reading != "reads lag" {
						continue // the race detector is slow, and the others differ in answers only
					}
					synctest.Test(t, func(t *testing.T) {
						e.options.Switches = chosen
						d.end(t, e, reading)
						if t.Failed() {
							t.Fatalf("under switch %q", reading)
						}
					})
				}
			})
		}
	}
}

// end runs one ending at one door.
func (d door) end(t *testing.T, e ending, reading string) {
	t.Helper()
	v := &visitor{products: e.products, nothing: e.idle, dearest: e.dearest}
	s := visit(t, d, e.products, e.options, v, e.change)
	if d.checkIn || reading == "plain" {
		s.hook(t)
	}
	s.machine.Script(e.script...)
	s.vipps.Inject(e.faults...)
	defer run(s.operator)()
	id, err := d.open(t, s, e.products)
	if e.refused != nil {
		if !errors.Is(err, e.refused) {
			t.Errorf("opening: %v, want %v", err, e.refused)
		}
		if n := len(s.vipps.Payments()); n > 0 {
			t.Errorf("%d payments were made", n)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if e.approve > 0 {
		time.AfterFunc(e.approve, func() {
			if err := s.vipps.Approve(id); err != nil {
				t.Errorf("approve: %v", err)
			}
		})
	}
	if e.abort > 0 {
		time.AfterFunc(e.abort, func() { _ = s.vipps.Abort(id) })
	}
	if e.during != nil {
		e.during(t, s, id)
	}
	s.finish(t)
	s.audit(t)
	d.check(t, e, s, s.session(t, id), v)
}

func (d door) check(t *testing.T, e ending, s *shop, session *vending.Session, v *visitor) {
	t.Helper()
	if session.Maximum != d.maximum {
		t.Errorf("maximum: %t", session.Maximum)
	}
	payment, ok := s.vipps.Payment(session.ID)
	if !ok || payment.CustomerInteraction != "CUSTOMER_PRESENT" {
		t.Errorf("customer interaction %q", payment.CustomerInteraction)
	}
	if e.state != "" && payment.State != e.state {
		t.Errorf("the payment is %s, want %s", payment.State, e.state)
	}
	if diff := cmp.Diff(e.want(session.Reserved), session.Outcome); diff != "" {
		t.Errorf("outcome (-want +got)\n%s\n%v", diff, session.History)
	}
	var said int64
	for _, item := range session.Items {
		if item.Concluded && item.Verdict == vending.Dropped {
			said += item.Price
		}
	}
	if !e.unpaid && payment.Captured != said {
		t.Errorf("captured %d, the machine said it let go of %d", payment.Captured, said)
	}
	if s.drops() != e.drops {
		t.Errorf("%d products left the machine, want %d", s.drops(), e.drops)
	}
	told := map[string]bool{}
	for _, command := range s.machine.Commands() {
		if told[command.ID] {
			t.Errorf("the machine was told twice: %s", command.ID)
		}
		told[command.ID] = true
	}
	if v.dearest && !errors.Is(v.refused, vending.ErrAboveReservation) {
		t.Errorf("a product above the reservation: %v", v.refused)
	}
	posted := s.vipps.Count("receipt", session.ID)
	if _, sent := s.vipps.Receipt(session.ID); session.Outcome.Result == vending.Sold && !sent {
		t.Errorf("no receipt: %v", session.History)
	}
	if charged := session.Outcome.Captured - session.Outcome.Refunded; posted > 0 && charged != said {
		t.Errorf("the receipt says %d, the customer pays %d", said, charged)
	}
}
