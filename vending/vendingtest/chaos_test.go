package vendingtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// tale is a random customer at a random machine in front of a Vipps MobilePay that misbehaves, served by a process that may
// come to grief and another that takes over.
type tale struct {
	Door     string
	Products int
	Script   []Behaviour
	// Approve is how long the customer takes; 0 is for ever. Abort says that they refuse instead.
	Approve time.Duration
	Abort   bool
	// Return is when the return button is pressed; 0 is never.
	Return  time.Duration
	Refund  bool
	Held    bool
	InFull  bool
	Faults  []vippstest.Fault
	Reading vippstest.Switches
	// Crash is the effect at which the first process comes to grief, counted over all that it would have; negative is none.
	Crash int
	Side  Side
	// Release is how many effects of the second process go before what is late or paused.
	Release int
}

var (
	chaosDoors = []string{"dynamic QR", "site", "static QR", "till"}
	chaosSides = []Side{Before, After, Late, Paused}
	chaosGoods = []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}, {Name: "Chips", Slot: "B2", Price: 3500, TaxRate: 1500}}
	// Machines that say the truth, or nothing. What is lost when they say nothing is Unknown.
	chaosMoods = []Behaviour{Drop, Jam, LostAnswer, LostOrder, Silent, SilentEmpty, Forgetful, Slow(8 * time.Second), {Drops: true, Hears: true, Answers: true, Travels: 15 * time.Second}}
	// Refusals that pass, of each operation.
	chaosCodes = map[string][]string{"create": {"", "6160"}, "get": {""}, "capture": {"", "6160", "6280", "6260"}, "cancel": {"", "6250"}, "refund": {""}, "receipt": {""}, "events": {""}}
)

func drawFault(rt *rapid.T) vippstest.Fault {
	f := vippstest.Fault{
		Op: rapid.SampledFrom([]string{"create", "get", "capture", "cancel", "refund", "receipt", "events"}).Draw(rt, "op"),
		Kind: rapid.SampledFrom([]vippstest.FaultKind{
			vippstest.ErrorBefore, vippstest.ErrorAfter, vippstest.HangUpBefore, vippstest.HangUpAfter, vippstest.HalfBody,
			vippstest.Unreachable, vippstest.Slow, vippstest.Late, vippstest.Hang, vippstest.Refuse,
		}).Draw(rt, "kind"),
		Skip: rapid.IntRange(0, 3).Draw(rt, "skip"), Count: rapid.IntRange(1, 3).Draw(rt, "count"),
	}
	switch f.Kind { //nolint:exhaustive // the others need nothing more
	case vippstest.Slow, vippstest.Late:
		f.Delay = time.Duration(rapid.IntRange(1, 110).Draw(rt, "delay")) * time.Second
	case vippstest.Refuse:
		if f.Code = rapid.SampledFrom(chaosCodes[f.Op]).Draw(rt, "code"); f.Code == "" {
			f.Status = rapid.SampledFrom([]int{401, 403, 423, 429, 502}).Draw(rt, "status")
		}
	}
	return f
}

func drawTale(rt *rapid.T) tale {
	some := func(name string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 1, 3, 12, 40, 88, 91, 100, 120}).Draw(rt, name)) * time.Second
	}
	return tale{
		Door: rapid.SampledFrom(chaosDoors).Draw(rt, "door"), Products: rapid.IntRange(1, 2).Draw(rt, "products"),
		Script:  rapid.SliceOfN(rapid.SampledFrom(chaosMoods), 0, 2).Draw(rt, "script"),
		Approve: some("approve"), Abort: rapid.Bool().Draw(rt, "abort"), Return: some("return"), Refund: rapid.Bool().Draw(rt, "refund"),
		Held: rapid.Bool().Draw(rt, "held"), InFull: rapid.Bool().Draw(rt, "in full"),
		Faults: rapid.SliceOfN(rapid.Custom(drawFault), 0, 3).Draw(rt, "faults"),
		Reading: vippstest.Switches{
			RefusalsNotSticky: rapid.Bool().Draw(rt, "not sticky"), GetLags: rapid.Bool().Draw(rt, "lags"),
			RemainderReleased: rapid.SampledFrom([]vippstest.RemainderRelease{0, 1, 2}).Draw(rt, "remainder"),
		},
		Crash: rapid.IntRange(-1, 40).Draw(rt, "crash"), Side: rapid.SampledFrom(chaosSides).Draw(rt, "side"), Release: rapid.IntRange(0, 5).Draw(rt, "release"),
	}
}

func (a tale) scenario() Scenario {
	return Scenario{
		Losses: true, // a code that passes may pass too late
		Vipps:  vippstest.Options{Switches: a.Reading, NoPartialCapture: a.InFull},
		Machine: func(testing.TB) Counted {
			m := new(Machine)
			m.Script(a.Script...)
			return m
		},
		Operator: func(c vending.Config) (*vending.Operator, error) {
			c.Planogram = func(context.Context, string) (vending.Planogram, error) {
				return vending.Planogram{Products: chaosGoods}, nil
			}
			c.ReturnURL = "https://shop.example/machines"
			c.InFull = vending.CaptureAndRefund
			if a.Held {
				c.UnknownVerdict = vending.HoldUnknown
			}
			return vending.NewOperator(c)
		},
		Visit: func(_ *testing.T, v *Visit) error {
			a.visit(v)
			return nil
		},
	}
}

// visit is what the customer does. Whatever goes wrong on the way is a part of the tale.
func (a tale) visit(v *Visit) {
	v.Vipps.Inject(a.Faults...)
	_ = v.Ask(a.open)
	id := v.Payment()
	if id == "" {
		return
	}
	if a.Return > 0 {
		time.AfterFunc(a.Return, func() {
			_ = v.Ask(func(ctx context.Context, o *vending.Operator) error { return o.Withdraw(ctx, id) })
		})
	}
	if a.Approve > 0 {
		time.Sleep(a.Approve) //nolint:forbidigo // virtual time
		if a.Abort {
			_ = v.Vipps.Abort(id)
		} else {
			_ = v.Vipps.Approve(id)
		}
	}
	for n := range a.Products {
		if s := v.Until(id, vending.Choosing, vending.Held, vending.Settling, vending.Closed); s == nil || s.State != vending.Choosing || !s.Maximum {
			break
		}
		_ = v.Insist(func(ctx context.Context, o *vending.Operator) error {
			return o.Select(ctx, id, n+1, chaosGoods[n].Slot)
		})
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
	}
	if !a.Refund {
		return
	}
	if s := v.Until(id, vending.Closed); s != nil && s.State == vending.Closed && s.Outcome.Captured > s.Outcome.Refunded {
		_ = v.Insist(func(ctx context.Context, o *vending.Operator) error {
			return o.Refund(ctx, vending.RefundRequest{Session: id, Reason: "stale"})
		})
	}
}

func (a tale) open(ctx context.Context, o *vending.Operator) error {
	goods := chaosGoods[:a.Products]
	var err error
	switch a.Door {
	case "dynamic QR":
		_, err = o.OpenDynamicQR(ctx, vending.DynamicQROrder{Machine: "oslo12", Products: goods})
	case "till":
		_, err = o.OpenTill(ctx, vending.TillOrder{Machine: "oslo12", Products: goods, PhoneNumber: vipps.Secret("4791234567")})
	case "static QR":
		_, err = o.OpenStaticQR(ctx, vending.StaticQROrder{Machine: "oslo12", Items: a.Products})
	case "site":
		order := vending.SiteOrder{Machine: "oslo12"}
		for _, product := range goods {
			order.Products = append(order.Products, vending.Shown{Slot: product.Slot, Price: product.Price})
		}
		_, err = o.OpenSiteSelection(ctx, order)
	default:
		err = errors.New("no such door")
	}
	return err
}

// run tells the tale once without a crash, to know the effects, and once with it.
func (a tale) run(t *testing.T) []string {
	t.Helper()
	s := a.scenario()
	got := s.run(t, plan{})
	if len(got.broken) > 0 || a.Crash < 0 || len(got.effects) == 0 {
		return append(got.broken, trimmed(got)...)
	}
	at := got.effects[a.Crash%len(got.effects)]
	side := a.Side
	if at.answer {
		side = Paused
	}
	got = s.run(t, plan{at: at, side: side, release: a.Release})
	return append(got.broken, trimmed(got)...)
}

// trimmed is what happened, if something is to be said about it.
func trimmed(r result) []string {
	if len(r.broken) == 0 {
		return nil
	}
	return r.trace
}

// TestChaos tells random tales, and shrinks one that breaks a promise to the shortest.
// -rapid.checks tells more of them: 20,000 take some minutes.
func TestChaos(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("400"); err != nil {
			t.Fatal(err)
		}
	}
	tales, crashes := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		a := drawTale(rt)
		tales++
		if a.Crash >= 0 {
			crashes++
		}
		if broken := a.run(t); len(broken) > 0 {
			rt.Fatalf("%+v:\n%s", a, fmt.Sprintln(broken))
		}
	})
	t.Logf("%d tales, %d with a crash", tales, crashes)
}
