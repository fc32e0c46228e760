package vending_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// goneMachine lets products out for a process that does not live to hear of it.
type goneMachine struct {
	*vendingtest.Machine
	end chan struct{}
}

func (g goneMachine) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	_, _ = g.Machine.Vend(ctx, c) // nobody hears it
	return g.Conclude(ctx, c.ID)
}

func (g goneMachine) Conclude(context.Context, string) (vending.Verdict, error) {
	<-g.end
	return vending.Unknown, errors.New("gone")
}

// lateLine is a machine whose line comes up a while after the program.
type lateLine struct {
	*vendingtest.Machine
	up time.Time
}

func (l lateLine) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	if time.Now().Before(l.up) {
		return vending.Unknown, errors.New("the line is not up yet")
	}
	return l.Machine.Conclude(ctx, id)
}

// TestLineUpLate cuts the power while a product drops, for longer than its verdict may take. The first question after the restart
// comes before the machine can answer.
func TestLineUpLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		end := make(chan struct{})
		first := s.operate(t, s.client, s.store, goneMachine{s.machine, end}, nil)
		stop := run(first)
		defer stop()
		defer close(end)
		ids := crowd(t, s, 1, 0)
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		later(10 * time.Minute)
		if s.drops() != 1 {
			t.Fatalf("%d products out", s.drops())
		}
		defer run(s.operate(t, s.client, s.store, lateLine{s.machine, time.Now().Add(15 * time.Second)}, nil))()
		later(2 * time.Minute)
		if x := s.session(t, ids[0]); x.Outcome.Result != vending.Sold {
			t.Errorf("%s: %v", x.Summary(), x.History)
		}
	})
}

// TestSilentMachine has a machine say nothing for ever: its customer gets the money back.
func TestSilentMachine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operate(t, s.client, s.store, lateLine{s.machine, time.Now().Add(time.Hour)}, nil))()
		s.machine.Script(vendingtest.LostOrder)
		ids := crowd(t, s, 1, 0)
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		if took := soldIn(t, s, ids[0]); took < time.Minute || took > 100*time.Second {
			t.Errorf("closed after %s", took)
		}
		if x := s.session(t, ids[0]); x.Outcome.Unknown != 2500 || x.Outcome.Released != 2500 {
			t.Errorf("%s", x.Summary())
		}
	})
}

// TestSilentMachineOfRestarts has the machine silent, and a process that is started again all the time: that does not keep the
// customer's money.
func TestSilentMachineOfRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.LostOrder)
		ids := crowd(t, s, 1, 0)
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		for s.session(t, ids[0]).State != vending.Closed && time.Since(from) < time.Hour {
			stop := run(s.operate(t, s.client, s.store, lateLine{s.machine, from.Add(time.Hour)}, nil))
			later(12 * time.Second)
			stop()
		}
		if took := time.Since(from); took > 150*time.Second {
			t.Errorf("closed after %s", took)
		}
	})
}

// lostWord is a machine whose answers to commands are lost.
type lostWord struct{ *vendingtest.Machine }

func (l lostWord) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	_, _ = l.Machine.Vend(ctx, c) // as is said
	<-ctx.Done()
	return vending.Unknown, ctx.Err()
}

// unreachedMachine is reached by another worker, whatever is asked.
type unreachedMachine struct{ awayMachine }

func (unreachedMachine) Conclude(context.Context, string) (vending.Verdict, error) {
	return vending.Unknown, vending.ErrElsewhere
}

// TestConcludedElsewhere has many workers that do not reach the machines, and one that does: what dropped is charged.
func TestConcludedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		for range 9 {
			defer run(s.operate(t, s.client, s.store, unreachedMachine{awayMachine{s.machine}}, nil))()
		}
		defer run(s.operate(t, s.client, s.store, lostWord{s.machine}, nil))()
		ids := crowd(t, s, 20, 0)
		for _, id := range ids {
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
		}
		later(4 * time.Minute)
		for _, id := range ids {
			if x := s.session(t, id); x.Outcome.Result != vending.Sold {
				t.Errorf("%s", x.Summary())
			}
		}
		if s.drops() != len(ids) {
			t.Errorf("%d products out", s.drops())
		}
	})
}

// TestNobodyConcludes has the only worker that reaches the machine die with the command under way.
func TestNobodyConcludes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		end := make(chan struct{})
		near := s.operate(t, s.client, s.store, goneMachine{s.machine, end}, nil)
		stop := run(near)
		defer stop()
		defer close(end)
		ids := crowd(t, s, 1, 0)
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		later(5 * time.Second)
		defer run(s.operate(t, s.client, s.store, unreachedMachine{awayMachine{s.machine}}, nil))()
		from := time.Now()
		for s.session(t, ids[0]).State != vending.Closed && time.Since(from) < 10*time.Minute {
			later(time.Second)
		}
		// The worker whose machine hangs claims the session as well, now and then, for as long as a claim lasts.
		if took := time.Since(from); took < 170*time.Second || took > 8*time.Minute {
			t.Errorf("closed after %s", took)
		}
		if x := s.session(t, ids[0]); x.Outcome.Unknown != 2500 || x.Outcome.Released != 2500 {
			t.Errorf("%s", x.Summary())
		}
	})
}

// deadLines are the lines of all machines but one: a command gets no answer.
type deadLines struct {
	*vendingtest.Machine
	but string
}

func (d deadLines) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	if c.Machine != d.but {
		<-ctx.Done()
		return vending.Unknown, ctx.Err()
	}
	return d.Machine.Vend(ctx, c)
}

func (d deadLines) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	if vending.MachineOf(id) != d.but {
		<-ctx.Done()
		return vending.Unknown, ctx.Err()
	}
	return d.Machine.Conclude(ctx, id)
}

// TestHungLines has more lines hang than there are workers, where a product may take hours: the other machines sell.
func TestHungLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, func(c *vending.Config) { c.Timeouts.Verdict = 6 * time.Hour })
		worker := s.operate(t, s.client, s.store, deadLines{s.machine, "m39"}, nil)
		ids := crowd(t, s, 40, 0)
		defer run(worker)()
		for _, id := range ids[:39] {
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
		}
		later(10 * time.Second)
		if err := s.vipps.Approve(ids[39]); err != nil {
			t.Fatal(err)
		}
		if took := soldIn(t, s, ids[39]); took > 10*time.Second {
			t.Errorf("closed after %s", took)
		}
		if x := s.session(t, ids[39]); x.Outcome.Result != vending.Sold {
			t.Errorf("%s", x.Summary())
		}
	})
}

// slowArming takes its time to say that the save which arms is done, and something happens meanwhile.
type slowArming struct {
	vending.Store
	meanwhile func()
}

func (a *slowArming) Save(ctx context.Context, s vending.Session) error {
	err := a.Store.Save(ctx, s)
	if do := a.meanwhile; s.State == vending.Vending && do != nil {
		a.meanwhile = nil
		later(16 * time.Second)
		do()
	}
	return err
}

// TestSlowArming has the reservation released in the portal while the machine is about to be told: what covers it was seen too
// long ago by then.
func TestSlowArming(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		store := &slowArming{Store: s.store}
		worker := s.operate(t, s.client, store, s.machine, nil)
		ids := crowd(t, s, 1, 0)
		store.meanwhile = func() {
			if err := s.vipps.PortalCancel(ids[0]); err != nil {
				t.Error(err)
			}
		}
		defer run(worker)()
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		later(2 * time.Minute)
		if x := s.session(t, ids[0]); s.drops() != 0 || x.State != vending.Closed || x.Outcome.Lost != 0 {
			t.Errorf("%d products out: %s", s.drops(), x.Summary())
		}
	})
}
