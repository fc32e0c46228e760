package vendingtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// StorePlace is a place where sessions are kept, and a way to it.
type StorePlace struct {
	// Connect gives a store of the place's sessions. Each call makes another connection, as another process would have it;
	// of a store that cannot be shared it gives the same one again. It closes what it opens in tb.Cleanup.
	Connect func(tb testing.TB) vending.Store
	// Durable says that the sessions are still there when all connections have been closed and another is made.
	Durable bool
}

// TestStore checks that a store keeps what [vending.Store] promises. empty makes a new place without sessions; each check
// has one of its own, and they run in parallel.
//
//	func TestMyStore(t *testing.T) {
//		vendingtest.TestStore(t, func(tb testing.TB) vendingtest.StorePlace {
//			path := filepath.Join(tb.TempDir(), "sessions")
//			return vendingtest.StorePlace{
//				Connect: func(tb testing.TB) vending.Store { return openMyStore(tb, path) },
//				Durable: true,
//			}
//		})
//	}
//
// It needs a store whose clock runs by itself: it waits for some milliseconds to pass.
func TestStore(t *testing.T, empty func(tb testing.TB) StorePlace) { //nolint:tparallel // whoever calls it decides
	t.Helper()
	for _, check := range storeChecks() {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			check.on(t, empty(t), 20*time.Second)
		})
	}
}

// storeCheck is one promise of a store.
type storeCheck struct {
	name string
	run  func(p *probe)
}

func storeChecks() []storeCheck {
	var all []storeCheck
	for _, part := range [][]storeCheck{createChecks(), saveChecks(), fieldChecks(), dueChecks(), wakeChecks(), restChecks(), listChecks(), streamChecks()} {
		all = append(all, part...)
	}
	return all
}

// on runs the check on a place, with two connections to it. patience is how long a call may take before it counts as stuck.
func (c storeCheck) on(tb testing.TB, place StorePlace, patience time.Duration) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	p := &probe{TB: tb, ctx: ctx, place: place, patience: patience}
	p.Store, p.other = place.Connect(tb), place.Connect(tb)
	c.run(p)
}

// probe is a check at work: a store, a second connection to its sessions, and somebody to tell what it did wrong.
type probe struct {
	testing.TB
	vending.Store
	other    vending.Store
	ctx      context.Context
	place    StorePlace
	patience time.Duration
}

// stores are the two connections, one after the other.
func (p *probe) stores(i int) vending.Store {
	if i%2 == 0 {
		return p.Store
	}
	return p.other
}

// session is a new one, as whoever opens it would make it: it is not due for an hour.
func session(id string) vending.Session {
	now := time.Now()
	return vending.Session{
		ID: id, Schema: 1, Machine: "machine-of-" + id, State: vending.Opening, Currency: "NOK", Due: -1,
		Now: now, Opened: now, Since: now, OpenUntil: now.Add(30 * time.Second), WakeAt: now.Add(time.Hour),
		Items:   []vending.Item{{Name: "Cola", Slot: "A1", Price: 2500}},
		History: []vending.Step{{At: now, Fact: "opened", To: vending.Opening}},
	}
}

// seated is a new session that holds a machine.
func seated(id, machine string) vending.Session {
	s := session(id)
	s.Machine, s.Seat = machine, machine
	return s
}

// create stores a new session and gives it as the store has it.
func (p *probe) create(s vending.Session) vending.Session {
	p.Helper()
	if err := p.Create(p.ctx, s); err != nil {
		p.Fatalf("Create of a new session %s on a free machine: %v", s.ID, err)
	}
	return p.load(s.ID)
}

func (p *probe) load(id string) vending.Session {
	p.Helper()
	s, err := p.Load(p.ctx, id)
	if err != nil {
		p.Fatalf("Load of session %s, which is stored: %v", id, err)
	}
	if s.ID != id {
		p.Fatalf("Load of session %s gave session %q", id, s.ID)
	}
	return s
}

// change saves a stored session with changes, and gives it as the store has it then.
func (p *probe) change(id string, change func(*vending.Session)) vending.Session {
	p.Helper()
	s := p.load(id)
	change(&s)
	if err := p.Save(p.ctx, s); err != nil {
		p.Fatalf("Save of session %s with the version that Load gave: %v", id, err)
	}
	return p.load(id)
}

// due makes a stored session one that has waited for so long.
func (p *probe) due(id string, waited time.Duration) vending.Session {
	p.Helper()
	return p.change(id, func(s *vending.Session) { s.WakeAt = s.Now.Add(-waited) })
}

// closed makes a stored session one that ended at a moment, with so many tasks left.
func (p *probe) closed(id string, at time.Time, tasks int) vending.Session {
	p.Helper()
	return p.change(id, func(s *vending.Session) { end(s, at, tasks) })
}

func end(s *vending.Session, at time.Time, tasks int) {
	s.State, s.Seat, s.Ended, s.WakeAt = vending.Closed, "", at, time.Time{}
	for range tasks {
		s.Tasks = append(s.Tasks, vending.Task{Kind: vending.TaskLook, At: at})
	}
}

// all gives what an iterator gives, which must not fail.
func (p *probe) all(name string, sessions iter.Seq2[vending.Session, error]) []vending.Session {
	p.Helper()
	var all []vending.Session
	for s, err := range sessions {
		if err != nil {
			p.Fatalf("%s gave an error after %d sessions: %v", name, len(all), err)
		}
		all = append(all, s)
	}
	return all
}

func ids(sessions []vending.Session) []string {
	names := []string{} // so that none is the same as an empty list
	for _, s := range sessions {
		names = append(names, s.ID)
	}
	return names
}

// together calls do n times at once and gives what each call returned.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var working sync.WaitGroup
	for i := range n {
		working.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	working.Wait()
	return errs
}

// each calls do for every number below n, some at a time, and ends the check at the first error.
func (p *probe) each(n int, do func(i int) error) {
	p.Helper()
	next := make(chan int)
	failed := make(chan error, 1)
	var working sync.WaitGroup
	for range 16 {
		working.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					select {
					case failed <- fmt.Errorf("number %d: %w", i, err):
					default:
					}
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	working.Wait()
	select {
	case err := <-failed:
		p.Fatalf("of %d calls, some at a time: %v", n, err)
	default:
	}
}

// returns says whether a call comes back. One that does not is reported as stuck for the reason given.
func (p *probe) returns(what, reason string, call func(ctx context.Context) error) bool {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	timer := time.NewTimer(p.patience + p.patience/4)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil {
			p.Errorf("%s: %v (%s?)", what, err, reason)
		}
		return err == nil
	case <-timer.C:
		p.Errorf("%s does not return: %s", what, reason)
		return false
	}
}

// until calls do again and again until it says that it is satisfied.
func (p *probe) until(what string, do func() bool) {
	p.Helper()
	deadline := time.Now().Add(p.patience)
	for !do() {
		if time.Now().After(deadline) {
			p.Fatalf("%s did not happen within %s", what, p.patience)
		}
	}
}

// tally counts what calls returned: how many succeeded, and how many failed as is wanted. Anything else is an error of the
// store.
func (p *probe) tally(what string, errs []error, wanted func(error) bool) (done, refused int) {
	p.Helper()
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case wanted(err):
			refused++
		default:
			p.Errorf("%s: unexpected error: %v", what, err)
		}
	}
	return done, refused
}

func isBusy(err error) bool {
	_, ok := errors.AsType[*vending.BusyError](err)
	return ok
}
