package vending_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// crashEnding is how a visit goes that processes crash in.
type crashEnding struct {
	name     string
	main     bool // struck at more points at the doors that are like others
	products int
	doors    func(door) bool // nil is all
	script   []vendingtest.Behaviour
	vipps    vippstest.Options
	change   func(*vending.Config)
	losses   bool
	// phone is what the customer does with the app; nil is to approve after a while.
	phone func(v *vendingtest.Visit, id string) error
	// nothing and complete say what the customer chooses: nothing at all, or to end before the machine does.
	nothing, complete bool
	// then follows when the customer has chosen.
	then func(t *testing.T, v *vendingtest.Visit, id string) error
	want func(reserved int64) vending.Outcome

	// What only stories need: faults, what happens while the session is opened, that it is not opened, and another machine.
	faults     []vippstest.Fault
	beside     func(v *vendingtest.Visit) error
	unopened   bool
	machine    func() vendingtest.Counted
	noWebhooks bool
	every      int
}

func leave(*vendingtest.Visit, string) error { return nil }

func abort(v *vendingtest.Visit, id string) error {
	later(3 * time.Second)
	return v.Vipps.Abort(id)
}

// pressReturn is the return button.
func pressReturn(v *vendingtest.Visit, id string) error {
	later(2300 * time.Millisecond)
	return v.Insist(func(ctx context.Context, o *vending.Operator) error { return o.Withdraw(ctx, id) })
}

// brief is a customer's time that makes few polls.
func brief(c *vending.Config) { c.Timeouts.Approve = 4 * time.Second }

// resolve is a person at the desk who has looked into the machine.
func resolve(t *testing.T, v *vendingtest.Visit, id string) error {
	t.Helper()
	s := v.Until(id, vending.Held)
	if s == nil || s.State != vending.Held {
		return fmt.Errorf("%v is not held", s)
	}
	later(time.Minute)
	return v.Insist(func(ctx context.Context, o *vending.Operator) error {
		return o.Resolve(ctx, s.Items[0].VendID, vending.Dropped)
	})
}

// giveBack is a person who refunds the first item, and presses the button so many times.
func giveBack(presses int) func(*testing.T, *vendingtest.Visit, string) error {
	return func(t *testing.T, v *vendingtest.Visit, id string) error {
		t.Helper()
		return refundFirst(t, v, id, presses)
	}
}

func refundFirst(t *testing.T, v *vendingtest.Visit, id string, presses int) error {
	t.Helper()
	s := v.Until(id, vending.Closed)
	if s == nil || len(s.Items) == 0 || s.Items[0].Verdict != vending.Dropped {
		return fmt.Errorf("%v has nothing to refund", s)
	}
	for range presses {
		later(time.Minute)
		if err := v.Insist(func(ctx context.Context, o *vending.Operator) error {
			return o.Refund(ctx, vending.RefundRequest{Session: id, Items: []string{s.Items[0].VendID}, Reason: "it was stale"})
		}); err != nil {
			return err
		}
	}
	return nil
}

func partly(reserved int64) vending.Outcome {
	return vending.Outcome{Result: vending.PartlySold, Captured: colaPrice, Released: reserved - colaPrice}
}

func crashEndings() []crashEnding {
	half := []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam}
	inPart := vippstest.Options{NoPartialCapture: true}
	chooses := func(d door) bool { return d.maximum }
	hold := func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown }
	unknown := func(reserved int64) vending.Outcome {
		return vending.Outcome{Result: vending.NotSold, Released: reserved, Unknown: colaPrice}
	}
	return []crashEnding{
		{name: "sold", main: true, products: 1, want: sold(colaPrice)},
		{name: "basket, and its receipt", main: true, products: 2, want: sold(colaPrice + chipsPrice)},
		{name: "jam", main: true, products: 1, script: []vendingtest.Behaviour{vendingtest.Jam}, want: notSold},
		{name: "part of a basket", products: 2, script: half, want: partly},
		{name: "abort", products: 1, phone: abort, want: nothing},
		{name: "nobody approves", main: true, products: 1, phone: leave, change: brief, want: nothing},
		{name: "return button", main: true, products: 1, phone: pressReturn, want: nothing},
		{name: "approved and returned", products: 1, want: notSold, nothing: true, phone: func(v *vendingtest.Visit, id string) error {
			later(2300 * time.Millisecond)
			if err := v.Vipps.BeginApproval(id); err != nil {
				return err
			}
			if err := pressReturn(v, id); err != nil {
				return err
			}
			later(time.Second)
			return v.Vipps.Approve(id)
		}},
		{name: "lost answer", products: 1, script: []vendingtest.Behaviour{vendingtest.LostAnswer}, want: sold(colaPrice)},
		{name: "silent", products: 1, script: []vendingtest.Behaviour{vendingtest.Silent}, want: unknown},
		{name: "held and resolved", products: 1, script: []vendingtest.Behaviour{vendingtest.Forgetful}, change: hold, then: resolve, want: sold(colaPrice)},
		{name: "completed early", products: 1, doors: chooses, complete: true, want: sold(colaPrice), change: func(c *vending.Config) {
			if c.CheckIns != nil {
				c.CheckIns.Items = 2
			}
		}},
		{name: "nothing selected", products: 1, doors: chooses, nothing: true, want: notSold},
		{name: "6140, released", products: 2, script: half, vipps: inPart, losses: true, want: lost},
		{
			name: "6140, captured and refunded", products: 2, script: half, vipps: inPart,
			change: func(c *vending.Config) { c.InFull = vending.CaptureAndRefund },
			want: func(reserved int64) vending.Outcome {
				return vending.Outcome{Result: vending.PartlySold, Captured: reserved, Refunded: reserved - colaPrice}
			},
		},
		{name: "refund of an item", products: 2, then: giveBack(2), want: func(reserved int64) vending.Outcome {
			o := sold(colaPrice + chipsPrice)(reserved)
			o.Refunded, o.Lost, o.Returned = colaPrice, colaPrice, colaPrice
			return o
		}},
	}
}

// scenario is an ending at a door.
func (e crashEnding) scenario(d door, seen *coverage) vendingtest.Scenario {
	items := e.products
	if e.complete {
		items++
	}
	return vendingtest.Scenario{
		Vipps: e.vipps, Losses: e.losses, NoWebhooks: e.noWebhooks, Every: e.sample(),
		Machine: func(testing.TB) vendingtest.Counted {
			if e.machine != nil {
				return e.machine()
			}
			m := new(vendingtest.Machine)
			m.Script(e.script...)
			return m
		},
		Operator: func(c vending.Config) (*vending.Operator, error) {
			c.ReturnURL = "https://shop.example/machines/{token}"
			c.Planogram = newShelf().get
			if d.configure != nil {
				d.configure(&c, items)
			}
			if e.change != nil {
				e.change(&c)
			}
			o, err := vending.NewOperator(c)
			if err == nil {
				o.OnRow(seen.row)
			}
			return o, err
		},
		Visit: func(t *testing.T, v *vendingtest.Visit) error {
			return e.visit(t, v, func(o *vending.Operator) (string, error) {
				return d.open(t, &shop{vipps: v.Vipps, operator: o, shelf: newShelf()}, items)
			})
		},
	}
}

func (e crashEnding) visit(t *testing.T, v *vendingtest.Visit, open func(*vending.Operator) (string, error)) error {
	t.Helper()
	v.Vipps.Inject(e.faults...)
	var beside errgroup.Group
	if e.beside != nil {
		beside.Go(func() error { return e.beside(v) })
	}
	opening := v.Ask(func(_ context.Context, o *vending.Operator) error {
		_, err := open(o)
		return err
	})
	if err := beside.Wait(); err != nil {
		return err
	}
	if e.unopened {
		if opening == nil {
			return errors.New("the session was opened")
		}
		opening = nil
	}
	id := v.Payment()
	if id == "" {
		return opening
	}
	phone := e.phone
	if phone == nil {
		phone = approve
	}
	if err := phone(v, id); err != nil {
		return err
	}
	if !e.nothing {
		if err := e.choose(t, v, id); err != nil {
			return err
		}
	}
	if e.then != nil {
		if err := e.then(t, v, id); err != nil {
			return err
		}
	}
	s := v.Until(id) // the end
	if s == nil || s.Outcome != e.want(s.Reserved) {
		return fmt.Errorf("ended as %+v, not %+v", s.Outcome, e.want(s.Reserved))
	}
	return opening
}

func approve(v *vendingtest.Visit, id string) error {
	later(2300 * time.Millisecond)
	return v.Vipps.Approve(id)
}

// choose is a customer who chooses one product after the other, if the session lets them.
func (e crashEnding) choose(t *testing.T, v *vendingtest.Visit, id string) error {
	t.Helper()
	for n := 0; ; n++ {
		s := v.Until(id, vending.Choosing, vending.Settling, vending.Held, vending.Closed)
		if s == nil || !s.Maximum || s.State != vending.Choosing {
			return nil
		}
		later(2 * time.Second)
		err := v.Insist(func(ctx context.Context, o *vending.Operator) error {
			if n >= e.products {
				return o.Complete(ctx, id)
			}
			return o.Select(ctx, id, n+1, wanted[n])
		})
		if err != nil || n >= e.products {
			return err
		}
	}
}

// coverage collects what crashes have struck, and the rows of the state table that took a fact in a run that was to crash.
type coverage struct {
	all    int // scenarios that there are
	mu     sync.Mutex
	rows   map[int]int
	points map[string][]vendingtest.Point // by door and ending
}

func (c *coverage) row(number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows[number]++
}

func (c *coverage) add(door string, e crashEnding, points []vendingtest.Point) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.points[fmt.Sprintf("%s: %s (every %d)", door, e.name, e.sample())] = points
}

// sample is how many points there are for one that is struck: the race detector is slow, and all of them take a minute.
func (e crashEnding) sample() int {
	every := cmp.Or(e.every, 1)
	switch {
	case vending.RaceEnabled:
		every *= 11
	case !*vending.Whole && !e.main:
		every *= 3
	}
	return every
}

// TestCrash lets a process crash, be late and pause at every effect, for every ending at every door, and in the stories that
// reach the rest of the state table.
func TestCrash(t *testing.T) {
	t.Parallel()
	seen := &coverage{rows: map[int]int{}, points: map[string][]vendingtest.Point{}}
	t.Cleanup(func() { seen.report(t) }) // when the last of them has ended
	for _, d := range doors() {
		for _, e := range crashEndings() {
			if e.doors != nil && !e.doors(d) {
				continue
			}
			if d.name != "dynamic QR" && d.name != "static QR" { // behind the approval the other doors are as these two
				e.every = 6
				if e.main {
					e.every = 2
				}
			}
			seen.all++
			t.Run(d.name+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				seen.add(d.name, e, vendingtest.CrashEverywhere(t, e.scenario(d, seen)))
			})
		}
	}
	for _, e := range crashStories() {
		d := doorNamed(t, "dynamic QR")
		if e.doors != nil {
			d = doorNamed(t, "static QR")
		}
		e.every = cmp.Or(e.every, 2)
		seen.all++
		t.Run("story/"+e.name, func(t *testing.T) {
			t.Parallel()
			seen.add("story", e, vendingtest.CrashEverywhere(t, e.scenario(d, seen)))
		})
	}
}

// crashEffects are all that a process does.
var crashEffects = []string{
	"create session", "save Opening", "save Waiting", "save Withdrawing", "save Choosing", "save Vending", "save Held", "save Settling", "save Closed",
	"create", "get", "give up", "capture", "cancel", "refund", "events", "receipt", "order",
	"vend", "conclude",
}

// report prints what was struck, and fails if it is not everything, unless only some of the scenarios were to run.
func (c *coverage) report(t *testing.T) {
	t.Helper()
	sum := 0
	struck := map[string]int{}
	distinct := map[vendingtest.Point]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.points)) {
		points := c.points[name]
		t.Logf("%5d points  %s", len(points), name)
		sum += len(points)
		for _, p := range points {
			struck[p.Effect]++
			distinct[p] = true
		}
	}
	t.Logf("%5d points of state, effect and side in all, %d of them different; by effect %v", sum, len(distinct), struck)
	if t.Failed() || len(c.points) < c.all {
		return
	}
	if sum < 300 {
		t.Errorf("%d points, want 300", sum)
	}
	if vending.RaceEnabled {
		t.Log("under the race detector too few points are struck to reach every row and effect; without it they are held to that")
		return
	}
	for i, row := range vending.Rows() {
		if c.rows[i] == 0 {
			t.Errorf("no crash run reaches the row %s", row)
		}
	}
	if !*vending.Whole {
		t.Log("too few points are struck to strike each effect on both sides; -whole is held to that")
		return
	}
	for _, effect := range crashEffects {
		answer := "answer to " + effect
		if effect == "vend" {
			answer = "verdict"
		}
		if struck[effect] == 0 || struck[answer] == 0 {
			t.Errorf("never struck: %s %d times, %s %d times", effect, struck[effect], answer, struck[answer])
		}
	}
}
