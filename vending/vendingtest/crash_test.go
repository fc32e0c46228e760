package vendingtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// sale is a customer who buys a cola.
func sale(t *testing.T, v *Visit) error {
	t.Helper()
	err := v.Ask(func(ctx context.Context, o *vending.Operator) error {
		_, err := o.OpenDynamicQR(ctx, vending.DynamicQROrder{
			Machine: "oslo12", Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}},
		})
		return err
	})
	if payment := v.Payment(); payment != "" {
		sleep(t.Context(), 2300*time.Millisecond)
		err = errors.Join(err, v.Vipps.Approve(payment))
	}
	return err
}

// recorder is a test that may fail.
type recorder struct {
	mu     sync.Mutex
	errors []string
}

func (*recorder) Helper()             {}
func (*recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// amnesiac is a machine that remembers nothing.
type amnesiac struct{ *Machine }

func (m amnesiac) Vend(_ context.Context, c vending.Command) (vending.Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remember(c.ID, &try{behaviour: Drop})
	m.drops[c.Slot]++
	return vending.Dropped, nil
}

func (amnesiac) Conclude(context.Context, string) (vending.Verdict, error) {
	return vending.NotDropped, nil
}

// unfenced is a machine that remembers what it did, and not what it was asked.
type unfenced struct{ *Machine }

func (m unfenced) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	m.mu.Lock()
	_, heard := m.tries[id]
	m.mu.Unlock()
	if !heard {
		return vending.NotDropped, nil
	}
	return m.Machine.Conclude(ctx, id)
}

// liar is a machine that says that everything dropped, and lets nothing out.
type liar struct{ *Machine }

func (liar) Dropped(string) int { return 0 }

// losing is a store that acknowledges the saves of a state, and loses them.
type losing struct {
	vending.Store
	state vending.State
}

func (s losing) Save(ctx context.Context, session vending.Session) error {
	if session.State == s.state {
		return nil
	}
	return s.Store.Save(ctx, session)
}

// blind is a store that does not compare versions: the last one wins.
type blind struct{ vending.Store }

func (s blind) Save(ctx context.Context, session vending.Session) error {
	for {
		old, err := s.Store.Load(ctx, session.ID)
		if err != nil {
			return err
		}
		session.Version = old.Version
		if err := s.Store.Save(ctx, session); !errors.Is(err, vending.ErrStale) {
			return err
		}
	}
}

// on is a place whose store breaks its promise.
func on(breaks func(vending.Store) vending.Store) func(testing.TB) StorePlace {
	return func(testing.TB) StorePlace {
		store := breaks(vending.NewMemoryStore())
		return StorePlace{Connect: func(testing.TB) vending.Store { return store }}
	}
}

// TestCrashFinds has machines, stores and a visit that break their promises, and expects to be told which.
func TestCrashFinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		scenario Scenario
		want     string
	}{
		{"a machine that forgets", Scenario{Machine: func(testing.TB) Counted { return amnesiac{new(Machine)} }}, "was sent again, and another product left it"},
		{"a machine that does not fence", Scenario{Machine: func(testing.TB) Counted { return unfenced{new(Machine)} }}, "and now says dropped"},
		{"a machine that lies", Scenario{Machine: func(testing.TB) Counted { return liar{new(Machine)} }}, "0 products left slot A1, and the outcomes say 1 to 1"},
		{"a store that loses a save", Scenario{Store: on(func(s vending.Store) vending.Store { return losing{s, vending.Settling} })}, "nothing comes to rest"},
		{"a store that does not compare", Scenario{Store: on(func(s vending.Store) vending.Store { return blind{s} })}, "Result:OverCaptured"},
		{"a store that nobody shares", Scenario{Store: func(testing.TB) StorePlace {
			return StorePlace{Connect: func(testing.TB) vending.Store { return vending.NewMemoryStore() }}
		}}, "is of no session that is closed"},
		{"a visit that fails", Scenario{Visit: func(*testing.T, *Visit) error { return errors.New("closed today") }}, "the visit: closed today"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.scenario.Visit == nil {
				test.scenario.Visit = sale
			}
			var seen recorder
			test.scenario.everywhere(t, &seen)
			if all := strings.Join(seen.errors, "\n"); !strings.Contains(all, test.want) {
				t.Errorf("%q is not reported, but\n%s", test.want, all)
			}
		})
	}
}

// TestCrashEverywhere strikes a sale by everything that a program has of its own.
func TestCrashEverywhere(t *testing.T) {
	t.Parallel()
	points := CrashEverywhere(t, Scenario{Visit: sale, Machine: newBox})
	for _, want := range []Point{
		{"", "create session", Before},
		{vending.Opening, "create", Late},
		{vending.Waiting, "answer to get", Paused},
		{vending.Waiting, "save Vending", Paused},
		{vending.Vending, "vend", Late},
		{vending.Vending, "verdict", Paused},
		{vending.Settling, "capture", After},
	} {
		if !slices.Contains(points, want) {
			t.Errorf("never struck: %s", want)
		}
	}
	if all := len(points); all < 40 {
		t.Errorf("%d points, want 40: %v", all, points)
	}
	some := CrashEverywhere(t, Scenario{Visit: sale, Every: 5})
	if len(some) < 8 || len(some) > 10 {
		t.Errorf("%d points, want every fifth: %v", len(some), some)
	}
}

// box is a machine made of a driver, which counts what it lets out.
type box struct {
	*vending.JournaledMachine
	left *atomic.Int64
}

func (b box) Dropped(string) int { return int(b.left.Load()) }

func newBox(tb testing.TB) Counted {
	tb.Helper()
	var left atomic.Int64
	machine, err := vending.Journaled(tb.TempDir(), func(context.Context, string) error {
		left.Add(1)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = machine.Close() })
	return box{machine, &left}
}
