package vending_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

func authorized(id string) *webhooks.PaymentEvent {
	return &webhooks.PaymentEvent{Reference: id, Name: webhooks.NameAuthorized}
}

// soldIn says how long it takes until a session is closed.
func soldIn(t *testing.T, s *shop, id string) time.Duration {
	t.Helper()
	from := time.Now()
	for range 300 {
		if s.session(t, id).State == vending.Closed {
			break
		}
		later(time.Second)
	}
	return time.Since(from)
}

// awayMachine is reached by another worker.
type awayMachine struct{ vending.Machine }

func (awayMachine) Ready(context.Context, string) error { return vending.ErrElsewhere }

// TestWokenBesideTheBudget has a webhook come in many ways to a fleet whose polls are used up, or that has none: the customer
// does not wait for the budget.
func TestWokenBesideTheBudget(t *testing.T) {
	t.Parallel()
	type fleet struct {
		*shop
		ids    []string
		polls  func(*vending.Config)
		worker *vending.Operator
		stop   func()
	}
	for name, come := range map[string]func(*testing.T, *fleet){
		"to a process that runs no loop": func(t *testing.T, f *fleet) {
			t.Helper()
			if err := f.operator.HandleEvent(t.Context(), authorized(f.ids[0])); err != nil {
				t.Error(err)
			}
		},
		"to a worker that does not reach the machine": func(t *testing.T, f *fleet) {
			t.Helper()
			far := f.operate(t, f.client, f.store, awayMachine{f.machine}, f.polls)
			stop := run(far)
			t.Cleanup(stop)
			synctest.Wait()
			if err := far.HandleEvent(t.Context(), authorized(f.ids[0])); err != nil {
				t.Error(err)
			}
		},
		"before a read that fails": func(t *testing.T, f *fleet) {
			t.Helper()
			f.vipps.Inject(vippstest.Fault{Op: "get", Reference: f.ids[0], Kind: vippstest.Refuse, Status: 500, Count: 1})
			if err := f.worker.HandleEvent(t.Context(), authorized(f.ids[0])); err != nil {
				t.Error(err)
			}
		},
		"in a process that then ends": func(t *testing.T, f *fleet) {
			t.Helper()
			f.stop()
			one := f.operate(t, f.client, f.store, f.machine, func(c *vending.Config) { f.polls(c); c.Workers = 1 })
			stop := run(one)
			f.vipps.Inject(vippstest.Fault{Op: "get", Reference: f.ids[1], Kind: vippstest.Slow, Delay: 2 * time.Second})
			for _, id := range []string{f.ids[1], f.ids[0]} {
				if err := one.HandleEvent(t.Context(), authorized(id)); err != nil {
					t.Error(err)
				}
				later(10 * time.Millisecond)
			}
			stop()
			next := f.operate(t, f.client, f.store, f.machine, f.polls)
			t.Cleanup(run(next))
		},
	} {
		for budget, polls := range map[string]int{"no polls": -1, "few polls": 3} {
			t.Run(name+"/"+budget, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := &fleet{shop: newShop(t, vippstest.Options{NoRateLimits: true}, nil), polls: func(c *vending.Config) { c.Polls = polls }}
					f.worker = f.operate(t, f.client, f.store, f.machine, f.polls)
					f.ids = crowd(t, f.shop, 60, 0)
					f.stop = run(f.worker)
					t.Cleanup(func() { f.stop() })
					later(10 * time.Second)
					if err := f.vipps.Approve(f.ids[0]); err != nil {
						t.Fatal(err)
					}
					come(t, f)
					if took := soldIn(t, f.shop, f.ids[0]); took > 5*time.Second {
						t.Errorf("sold %s after the webhook", took)
					}
				})
			})
		}
	}
}

// TestWokenIsNotForgotten has a webhook come to a process that runs no loop, and something happen to whoever looks at what it
// says: the customer does not wait for the end of the time to approve.
func TestWokenIsNotForgotten(t *testing.T) {
	t.Parallel()
	type fleet struct {
		*shop
		polls func(*vending.Config)
		id    string
	}
	refuse := func(fault vippstest.Fault) func(*testing.T, *fleet) func() {
		return func(t *testing.T, f *fleet) func() {
			t.Helper()
			fault.Op, fault.Reference = "get", f.id
			f.vipps.Inject(fault)
			return func() {}
		}
	}
	for name, test := range map[string]struct {
		happens func(*testing.T, *fleet) (after func())
		within  time.Duration
	}{
		"nothing":        {func(*testing.T, *fleet) func() { return func() {} }, 2 * time.Second},
		"a read hangs":   {refuse(vippstest.Fault{Kind: vippstest.Hang, Count: 1}), 35 * time.Second},
		"too many reads": {refuse(vippstest.Fault{Kind: vippstest.Refuse, Status: 429, RetryAfter: 20 * time.Second, Count: 1}), 25 * time.Second},
		"reads fail":     {refuse(vippstest.Fault{Kind: vippstest.Refuse, Status: 500, Count: 3}), 10 * time.Second},
		"the worker is ended": {func(t *testing.T, f *fleet) func() {
			t.Helper()
			worker := f.operate(t, f.client, f.store, f.machine, f.polls)
			stop := run(worker)
			f.vipps.Inject(vippstest.Fault{Op: "get", Reference: f.id, Kind: vippstest.Slow, Delay: 2 * time.Second, Count: 1})
			return func() {
				later(time.Second)
				stop()
			}
		}, 5 * time.Second},
		"the worker is killed": {func(_ *testing.T, f *fleet) func() {
			return func() {
				for range f.store.Due(context.Background(), 1, 15*time.Second) { // and then nothing
				}
			}
		}, 20 * time.Second},
		"a worker of another sales unit is there": {func(t *testing.T, f *fleet) func() {
			t.Helper()
			t.Cleanup(run(f.operate(t, f.client.ForMerchant("999999"), f.store, f.machine, f.polls)))
			return func() { later(time.Second) }
		}, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fleet{
					shop:  newShop(t, vippstest.Options{NoRateLimits: true}, func(c *vending.Config) { c.Timeouts.Approve = 9 * time.Minute }),
					polls: func(c *vending.Config) { c.Polls = -1 },
				}
				f.id = crowd(t, f.shop, 1, 0)[0]
				later(10 * time.Second)
				after := test.happens(t, f)
				if err := f.vipps.Approve(f.id); err != nil {
					t.Fatal(err)
				}
				if err := f.operator.HandleEvent(t.Context(), authorized(f.id)); err != nil {
					t.Fatal(err)
				}
				after()
				t.Cleanup(run(f.operate(t, f.client, f.store, f.machine, f.polls)))
				if took := soldIn(t, f.shop, f.id); took > test.within {
					t.Errorf("sold %s after the webhook", took)
				}
			})
		})
	}
}

// TestLeftToTheOther has every webhook come to a worker that reaches no machine, while the one that does is the less eager of
// the two: it gets each sale at its next look at the store.
func TestLeftToTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		far := s.operate(t, s.client, s.store, awayMachine{s.machine}, nil)
		ids := crowd(t, s, 40, 0)
		defer run(s.operator)()
		defer run(far)()
		later(5 * time.Second)
		for _, id := range ids {
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
			from := time.Now()
			if err := far.HandleEvent(t.Context(), authorized(id)); err != nil {
				t.Fatal(err)
			}
			later(time.Second)
			if x := s.session(t, id); x.State != vending.Closed {
				t.Errorf("after a second: %s", x.Summary())
			}
			if all, of := polls(s, from); of[id] > 3 {
				t.Errorf("%d reads of it, %d in all", of[id], all)
			}
		}
	})
}

// TestBehindThoseThatAreLeft has many sales wait for a worker that is dead: those that this one can serve do not wait behind them.
func TestBehindThoseThatAreLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		worker := s.operate(t, s.client, s.store, reaches{s.machine, "m100"}, func(c *vending.Config) { c.Workers = 4 })
		ids := crowd(t, s, 101, 0)
		defer run(worker)()
		for _, id := range ids[:100] {
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
		}
		later(20 * time.Second)
		if err := s.vipps.Approve(ids[100]); err != nil {
			t.Fatal(err)
		}
		if err := s.operator.HandleEvent(t.Context(), authorized(ids[100])); err != nil { // which runs no loop
			t.Fatal(err)
		}
		if took := soldIn(t, s, ids[100]); took > time.Second {
			t.Errorf("sold %s after the webhook", took)
		}
	})
}

// reaches is a worker that reaches one machine.
type reaches struct {
	vending.Machine
	one string
}

func (r reaches) Ready(ctx context.Context, machine string) error {
	if machine != r.one {
		return vending.ErrElsewhere
	}
	return r.Machine.Ready(ctx, machine)
}

// TestFleetThatReachesNothing counts what many workers read and write for customers whose machines none of them reaches.
func TestFleetThatReachesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		ids := crowd(t, s, 10, 0)
		for _, id := range ids {
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
		}
		counting := &countedWakes{Store: s.store}
		for range 10 {
			defer run(s.operate(t, s.client, counting, awayMachine{s.machine}, nil))()
		}
		from := time.Now()
		later(time.Minute)
		if _, of := polls(s, from); of[ids[0]] > 60 {
			t.Errorf("%d reads of one payment in a minute", of[ids[0]])
		}
		if wakes := counting.wakes.Load(); wakes > 10*60*10 {
			t.Errorf("%d sessions were handed back in a minute", wakes)
		}
	})
}

type countedWakes struct {
	vending.Store
	wakes atomic.Int64
}

func (c *countedWakes) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	c.wakes.Add(int64(len(ids)))
	return c.Store.Wake(ctx, in, ids...)
}

// TestWokenWhileReadsFail has reads fail for those of whom webhooks have spoken: they are tried again, but not all the time.
func TestWokenWhileReadsFail(t *testing.T) {
	t.Parallel()
	for _, count := range []int{-1, 3} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{NoRateLimits: true}, func(c *vending.Config) { c.Polls, c.Timeouts.Approve = count, 9*time.Minute })
			ids := crowd(t, s, 20, 0)
			s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 500, Count: -1})
			for range 3 {
				defer run(s.operate(t, s.client, s.store, s.machine, func(c *vending.Config) { c.Polls = count }))()
			}
			for _, id := range ids {
				if err := s.operator.HandleEvent(t.Context(), authorized(id)); err != nil {
					t.Fatal(err)
				}
			}
			later(2 * time.Minute)
			from := time.Now()
			later(time.Minute)
			if all, _ := polls(s, from); all < 20 || all > 22*len(ids) {
				t.Errorf("polls %d: %d reads in a minute of %d payments", count, all, len(ids))
			}
		})
	}
}

// TestPollFailsOnce has one poll fail, of a customer whom no webhook speaks of: the next one comes as soon as any.
func TestPollFailsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		id := crowd(t, s, 1, 0)[0]
		defer run(s.operator)()
		later(40 * time.Second)
		s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 500, Count: 1})
		later(1500 * time.Millisecond)
		if err := s.vipps.Approve(id); err != nil {
			t.Fatal(err)
		}
		if took := soldIn(t, s, id); took > 4*time.Second {
			t.Errorf("sold %s after the approval", took)
		}
	})
}

// TestLeftAtTheEnd has a worker that does not reach the machine end while it hands sessions back.
func TestLeftAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		id := crowd(t, s, 1, 0)[0]
		if err := s.vipps.Approve(id); err != nil {
			t.Fatal(err)
		}
		for end := range 60 {
			stop := run(s.operate(t, s.client, slowWake{s.store}, awayMachine{s.machine}, nil))
			later(time.Second + time.Duration(end)*5*time.Millisecond)
			stop()
			if x := s.session(t, id); x.WakeAt.Sub(x.Now) > 2*time.Second {
				t.Fatalf("after end %d it is due in %s", end, x.WakeAt.Sub(x.Now))
			}
		}
	})
}

// slowWake takes its time, and gives up with its context, as a database does.
type slowWake struct{ vending.Store }

func (s slowWake) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	later(5 * time.Millisecond)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.Store.Wake(ctx, in, ids...)
}

// TestNobodyReachesIt has a customer approve while no worker reaches the machine: the payment is not read all the time.
func TestNobodyReachesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		far := s.operate(t, s.client, s.store, awayMachine{s.machine}, nil)
		ids := crowd(t, s, 1, 0)
		defer run(far)()
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		later(time.Minute)
		if all, _ := polls(s, from); all < 3 || all > 10 {
			t.Errorf("%d reads in a minute", all)
		}
		s.finish(t)
		s.audit(t)
		if x := s.session(t, ids[0]); x.Outcome.Released != 2500 || s.drops() != 0 {
			t.Errorf("%s", x.Summary())
		}
	})
}

// TestLagBehindWebhook reads a payment as it was before the webhook, where nothing is polled, by one worker or by many.
func TestLagBehindWebhook(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 10} {
		synctest.Test(t, func(t *testing.T) {
			few := func(c *vending.Config) { c.Polls, c.Timeouts.Approve = -1, 9*time.Minute }
			s := newShop(t, vippstest.Options{Switches: vippstest.Switches{GetLags: true}, NoRateLimits: true}, few)
			s.hook(t)
			ids := crowd(t, s, 20, 0)
			defer run(s.operator)()
			for range workers - 1 {
				defer run(s.operate(t, s.client, s.store, s.machine, few))()
			}
			later(5 * time.Second)
			for _, id := range ids {
				if err := s.vipps.Approve(id); err != nil {
					t.Fatal(err)
				}
			}
			later(10 * time.Second)
			for _, id := range ids {
				if x := s.session(t, id); x.State != vending.Closed {
					t.Errorf("%d workers: %s, due in %s", workers, x.Summary(), x.WakeAt.Sub(x.Now))
				}
			}
		})
	}
}

// TestForeignLeftAlone has a worker of another sales unit, without polls to spare, on the same store.
func TestForeignLeftAlone(t *testing.T) {
	t.Parallel()
	for name, polls := range map[string]int{"no polls": -1, "few polls": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, nil)
				foreign := s.operate(t, s.client.ForMerchant("999999"), s.store, s.machine, func(c *vending.Config) { c.Polls = polls })
				ids := crowd(t, s, 20, 0)
				defer run(foreign)()
				later(50 * time.Millisecond)
				defer run(s.operator)()
				later(5 * time.Second)
				for _, id := range ids {
					if err := s.vipps.Approve(id); err != nil {
						t.Fatal(err)
					}
				}
				later(20 * time.Second)
				for _, id := range ids {
					if x := s.session(t, id); x.State != vending.Closed {
						t.Errorf("%s, due in %s", x.Summary(), x.WakeAt.Sub(x.Now))
					}
				}
			})
		})
	}
}

// TestPollsAfterRefusals has the budget whole again a minute after the last 429, for those too that were put off meanwhile.
func TestPollsAfterRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, func(c *vending.Config) {
			c.Polls = 40
			c.Timeouts.Approve = 9 * time.Minute
		})
		ids := crowd(t, s, 200, 0)
		defer run(s.operator)()
		later(2 * time.Second)
		for stop := time.Now().Add(8 * time.Second); time.Now().Before(stop); later(100 * time.Millisecond) {
			s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 429, Count: 1})
		}
		later(5 * time.Second)
		for _, id := range ids {
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
		}
		later(75 * time.Second)
		waiting := 0
		for _, id := range ids {
			if s.session(t, id).State != vending.Closed {
				waiting++
			}
		}
		if waiting > 0 {
			t.Errorf("%d customers still wait", waiting)
		}
	})
}

// hungStore does not answer one Rest.
type hungStore struct {
	vending.Store
	hang atomic.Bool
}

func (h *hungStore) Rest(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
	if len(sessions) > 1 && h.hang.CompareAndSwap(true, false) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(15 * time.Minute):
			return errors.New("timed out")
		}
	}
	return h.Store.Rest(ctx, in, sessions...)
}

func TestHungRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, nil)
		store := &hungStore{Store: s.store}
		worker := s.operate(t, s.client, store, s.machine, func(c *vending.Config) { c.Polls = 2 })
		ids := crowd(t, s, 60, 0)
		store.hang.Store(true)
		defer run(worker)()
		later(3 * time.Second)
		if store.hang.Load() {
			t.Fatal("nothing was put off")
		}
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		if err := worker.HandleEvent(t.Context(), authorized(ids[0])); err != nil {
			t.Fatal(err)
		}
		if took := soldIn(t, s, ids[0]); took > 10*time.Second {
			t.Errorf("sold %s after the webhook", took)
		}
	})
}

// TestSoldBeforeTheAnswer has a customer approve before the request that made the payment is answered.
func TestSoldBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		s.hook(t)
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 12 * time.Second})
		time.AfterFunc(5*time.Second, func() {
			for _, payment := range s.vipps.Payments() {
				if err := s.vipps.Approve(payment.Reference); err != nil {
					t.Error(err)
				}
			}
		})
		code, err := s.operator.OpenDynamicQR(t.Context(), cola())
		later(time.Minute)
		if err != nil || s.drops() != 1 || s.session(t, code.Session).Outcome.Result != vending.Sold {
			t.Errorf("%v, %d products out", err, s.drops())
		}
	})
}

// TestPressedTwiceAndLeft is a browser that leaves its first request when pay is pressed again.
func TestPressedTwiceAndLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 2 * time.Second})
		order := vending.SiteOrder{Machine: "oslo12", Products: shown(1), Visit: "v"}
		first, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if _, err := s.operator.OpenSiteSelection(first, order); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		second, err := s.operator.OpenSiteSelection(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		later(10 * time.Second)
		if x := s.session(t, second.Session); x.State != vending.Waiting || second.URL == "" {
			t.Errorf("%s", x.Summary())
		}
	})
}

// TestAbsentAndQuiet has an event come for a session that closed because there was no payment, and there still is none.
func TestAbsentAndQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.HangUpBefore, Count: -1})
		if _, err := s.operator.OpenDynamicQR(t.Context(), cola()); !errors.Is(err, vipps.ErrOutcomeUnknown) {
			t.Fatal(err)
		}
		later(40 * time.Minute)
		id := ""
		for session, err := range s.store.Closed(t.Context(), time.Time{}, time.Now()) {
			if err != nil {
				t.Fatal(err)
			}
			id = session.ID
		}
		if err := s.operator.HandleEvent(t.Context(), authorized(id)); err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		later(time.Hour)
		if all, _ := polls(s, from); all > 5 {
			t.Errorf("%d reads in an hour", all)
		}
	})
}
