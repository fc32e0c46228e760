package vendingtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// Side says what happens to a process at one of its effects.
type Side string

// The sides.
const (
	Before Side = "before" // it dies, and the effect never happens
	After  Side = "after"  // it dies, and the effect has happened: the answer reaches nobody
	Late   Side = "late"   // it dies, and the effect happens when the next process is at work
	Paused Side = "paused" // it stands still while the next process works, and then goes on
)

// Point is a place at which a process came to grief.
type Point struct {
	// State is that of the session just before; empty if there was no session yet.
	State vending.State
	// Effect is what the process was about to do: "create session", "save" and the state that was to be stored, "vend",
	// "conclude", or a request to Vipps MobilePay by its name in [vippstest.Fault], but "give up" for a cancel that spares an
	// approved payment. With "answer to" before it, the process had done it and the answer had come.
	Effect string
	Side   Side
}

// String is the point in words: "Vending: vend, after".
func (p Point) String() string {
	return fmt.Sprintf("%s: %s, %s", cmp.Or(string(p.State), "no session"), p.Effect, p.Side)
}

// Counted is a machine whose products can be counted: the audit needs to know what has truly left it, whatever it says.
// In a test that is a counter in the simulated motor, at a rig a light barrier. [Machine] is one.
type Counted interface {
	vending.Machine
	// Dropped is how many products have left a slot since the machine was made.
	Dropped(slot string) int
}

// Scenario is a visit to a machine that [CrashEverywhere] runs again and again. Visit is required.
type Scenario struct {
	// Visit is what the customer does, and whoever serves them: it opens a session, approves, chooses, comes back for a
	// refund. It runs once in each run, beside the processes. An error that it returns fails the test if nothing crashed;
	// after a crash things go another way than planned, and it is ignored.
	Visit func(t *testing.T, v *Visit) error
	// Machine makes the machine of one run. It outlives the processes, as the box in the shop does, and must keep the
	// promise of [vending.Machine] for both that reach it. Defaults to a [Machine] that drops everything.
	Machine func(tb testing.TB) Counted
	// Store makes the place where the sessions of one run are kept, as for [TestStore]: each process makes a connection of its
	// own, and so does the audit. Defaults to one [vending.NewMemoryStore] for all of them.
	Store func(tb testing.TB) StorePlace
	// Operator makes the operator of one process of what it is given, which has everything that is required: add what your
	// doors need, and leave Client, Machine and Store as they are. Defaults to [vending.NewOperator].
	Operator func(vending.Config) (*vending.Operator, error)
	// Vipps says what kind of Vipps MobilePay answers. Faults are for Visit to inject.
	Vipps vippstest.Options
	// NoWebhooks leaves the processes to polling, as behind NAT. By default events and check-ins reach whichever process is
	// at work.
	NoWebhooks bool
	// Losses allows the outcome to say that something was lost or captured beyond what dropped. Set it if Visit acts in the
	// portal or has calls refused; otherwise there is no excuse.
	Losses bool
	// Every strikes only every so many points, for machines or stores that are slow. Defaults to 1, all of them.
	Every int
}

// CrashEverywhere proves that nothing is stranded, whatever line a process dies on, with your own machine, store and
// settings if you like. It runs the scenario once to number the effects of its process: each write to the store, each
// request to Vipps MobilePay and its answer, each command to the machine, each question what became of it, and the verdicts.
// Then it runs it again for each effect and [Side], with a second process that takes over from the first.
//
// After every run it compares the emulator's books, the sessions and the machine's counters: every payment is at rest; what
// was captured less what was refunded is the price of what the machine said it let go, and the rest is said to be lost or
// unknown; no product left without a command of its own, a fresh read and a reservation that covered it; receipts and refunds
// were made once and for the right sum; no session is open and no seat taken. It sends each command to the machine again and
// asks it again: nothing may move, and its word must stay. The first runs that break a promise fail the test, each with the
// point, the history and what both processes did.
//
//	vendingtest.CrashEverywhere(t, vendingtest.Scenario{
//		Machine: func(tb testing.TB) vendingtest.Counted { return newBoard(tb) },
//		Store:   newPlace, // as for TestStore
//		Visit: func(t *testing.T, v *vendingtest.Visit) error {
//			err := v.Ask(func(ctx context.Context, o *vending.Operator) error {
//				_, err := o.OpenDynamicQR(ctx, order)
//				return err
//			})
//			if payment := v.Payment(); payment != "" {
//				time.Sleep(3 * time.Second) // virtual
//				err = errors.Join(err, v.Vipps.Approve(payment))
//			}
//			return err
//		},
//	})
//
// It returns the points at which a process came to grief, each once. A sale has about fifty, which take less than a second; of
// effects that repeat, such as polls, the first two and the last are struck.
//
// Time is virtual: each run is a testing/synctest bubble of its own, so that waiting for days costs nothing and t must not be
// in one. A store has to take its time from time.Now, as that of package sqlstore does on a file of SQLite with Options.Clock
// set. What has a clock of its own or talks over a network, such as a database server, cannot be tried this way, and there is
// no way to do it in real time: a store like that has [TestStore].
func CrashEverywhere(t *testing.T, s Scenario) []Point {
	t.Helper()
	return s.everywhere(t, t)
}

// reporter is the part of testing.TB that promises are checked with, so that a test can see them broken.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// enough runs that break a promise are reported.
const enough = 3

func (s Scenario) everywhere(t *testing.T, report reporter) []Point {
	t.Helper()
	report.Helper()
	dry := s.run(t, plan{})
	if len(dry.broken) > 0 {
		report.Errorf("without a crash: %s", dry)
		return nil
	}
	var points []Point
	runs, broken := 0, 0
	for _, plan := range s.plans(dry.effects) {
		got := s.run(t, plan)
		runs++
		if got.struck != nil && !slices.Contains(points, *got.struck) {
			points = append(points, *got.struck)
		}
		if len(got.broken) > 0 {
			report.Errorf("%s: %s", Point{State: plan.at.state, Effect: plan.at.name, Side: plan.side}, got)
			if broken++; broken == enough {
				return points
			}
		}
	}
	report.Logf("%d effects, %d crashes, %d points", len(dry.effects), runs, len(points))
	return points
}

// plan says where a process comes to grief. The zero plan is nowhere.
type plan struct {
	at   effect
	side Side
	// release is how many effects of the next process go before what is late or paused; 0 is none, after a while.
	release int
}

// plans lists what can happen to a process that has these effects. To lose an answer is what After is for, so that only a
// pause is left to happen to one. Of more than three alike, such as polls, the first two and the last are enough.
func (s Scenario) plans(effects []effect) []plan {
	alike := map[effect]int{}
	for _, e := range effects {
		alike[e.kind()]++
	}
	var list []plan
	for _, e := range effects {
		if e.nth > 1 && e.nth < alike[e.kind()]-1 {
			continue
		}
		sides := []Side{Before, After, Late, Paused}
		if e.answer {
			sides = []Side{Paused}
		}
		for _, side := range sides {
			list = append(list, plan{at: e, side: side, release: len(list) % 6})
		}
	}
	every := max(1, s.Every)
	kept := list[:0]
	for i, plan := range list {
		if i%every == 0 {
			kept = append(kept, plan)
		}
	}
	return kept
}

// result is what came of one run.
type result struct {
	effects []effect // of the first process
	struck  *Point
	broken  []string // promises
	trace   []string
}

func (r result) String() string {
	return strings.Join(r.broken, "\n") + "\nWhat happened:\n" + strings.Join(r.trace, "\n")
}

func (s Scenario) run(t *testing.T, plan plan) result {
	t.Helper()
	var got result
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s, plan)
		w.live()
		got = w.result()
	})
	return got
}
