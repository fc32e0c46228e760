package vending_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// crowd opens a session at each of n machines, a while after one another, with nobody to look at them, and gives their ids.
func crowd(t *testing.T, s *shop, n int, apart time.Duration) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		order := cola()
		order.Machine = fmt.Sprintf("m%d", i)
		code, err := s.operator.OpenDynamicQR(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = code.Session
		later(apart)
	}
	return ids
}

// polls counts the reads of each payment since a moment.
func polls(s *shop, from time.Time) (all int, of map[string]int) {
	of = map[string]int{}
	for _, request := range s.vipps.Requests() {
		if request.Op == "get" && !request.At.Before(from) {
			all++
			of[request.Reference]++
		}
	}
	return all, of
}

func TestPollBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, func(c *vending.Config) {
			c.Polls = 5
			c.Timeouts.Approve = 9 * time.Minute
		})
		ids := crowd(t, s, 60, time.Second)
		began := time.Now()
		defer run(s.operator)()
		later(time.Minute)
		all, of := polls(s, began)
		if all < 150 || all > 5*60+5 {
			t.Errorf("%d reads in a minute, want most of 300", all)
		}
		newest, oldest := 0, 0
		for i := range 20 {
			oldest += of[ids[i]]
			newest += of[ids[len(ids)-1-i]]
		}
		if newest < 2*oldest {
			t.Errorf("the newest twenty were read %d times, the oldest %d times", newest, oldest)
		}

		// What the webhook of one is about goes at once, whatever waits.
		s.hook(t)
		if err := s.vipps.Approve(ids[0]); err != nil {
			t.Fatal(err)
		}
		later(time.Second)
		if session := s.session(t, ids[0]); session.State != vending.Closed {
			t.Errorf("a second after the webhook the oldest is %s", session.Summary())
		}
		later(10 * time.Minute) // all that were not approved are cancelled in time
		for _, id := range ids[1:] {
			if session := s.session(t, id); session.State != vending.Closed {
				t.Errorf("%s: %s", id, session.Summary())
			}
		}
	})
}

// TestPollsNone waits for webhooks only, and looks once more when the customer's time is over.
func TestPollsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.Polls = -1 })
		ids := crowd(t, s, 2, 0)
		began := time.Now()
		defer run(s.operator)()
		if err := s.vipps.Approve(ids[0]); err != nil { // and nobody is told
			t.Fatal(err)
		}
		later(80 * time.Second)
		if all, _ := polls(s, began); all != 0 {
			t.Errorf("%d reads", all)
		}
		s.hook(t)
		if err := s.vipps.Approve(ids[1]); err != nil {
			t.Fatal(err)
		}
		later(time.Second)
		if session := s.session(t, ids[1]); session.Outcome.Result != vending.Sold {
			t.Errorf("after the webhook: %s", session.Summary())
		}
		later(time.Minute)
		if session := s.session(t, ids[0]); session.Outcome.Result != vending.Sold {
			t.Errorf("after the time to approve, within that to give the seat up: %s", session.Summary())
		}
	})
}

// TestPollsRefused answers 429 to everything for a while: the loop slows down as a whole, and gets over it.
func TestPollsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoRateLimits: true}, func(c *vending.Config) {
			c.Polls = 40
			c.Timeouts.Approve = 9 * time.Minute
		})
		crowd(t, s, 100, 0)
		defer run(s.operator)()
		rate := func(d time.Duration) int {
			from := time.Now()
			later(d)
			all, _ := polls(s, from)
			return all
		}
		later(time.Second)
		before := rate(5 * time.Second)
		s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 429, Count: 5})
		later(3 * time.Second)
		after := rate(5 * time.Second)
		if after > before*2/3 {
			t.Errorf("%d reads in 5 seconds before, %d after the 429s", before, after)
		}
		later(2 * time.Minute)
		if last := rate(20 * time.Second); last < before {
			t.Errorf("two minutes later %d reads in 20 seconds, %d in 5 before", last, before)
		}
	})
}

// wokenStore has somebody else wake a session in the moment when its worker lets it go.
type wokenStore struct {
	vending.Store
	once  sync.Once
	woken time.Time
}

func (w *wokenStore) Rest(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
	var err error
	w.once.Do(func() {
		w.woken = time.Now()
		err = w.Wake(ctx, 0, sessions[0].ID)
	})
	return errors.Join(err, w.Store.Rest(ctx, in, sessions...))
}

func TestRestDoesNotOverruleAWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		crowd(t, s, 1, 0)
		store := &wokenStore{Store: s.store}
		stop := run(s.operate(t, s.client, store, s.machine, nil))
		later(10 * time.Second)
		stop()
		if store.woken.IsZero() {
			t.Fatal("the worker has not let it go")
		}
		for _, request := range s.vipps.Requests() {
			if after := request.At.Sub(store.woken); request.Op == "get" && after > 0 && after < 500*time.Millisecond {
				return
			}
		}
		t.Error("nobody has looked at a session that was woken")
	})
}
