package vending_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// later is virtual time passing.
func later(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time
}

// slowSave commits the first save of a state and takes its time to say so.
type slowSave struct {
	vending.Store
	state   vending.State
	answers chan struct{}
	once    atomic.Bool
	then    func()
}

func (s *slowSave) Save(ctx context.Context, session vending.Session) error {
	err := s.Store.Save(ctx, session)
	if err == nil && session.State == s.state && s.once.CompareAndSwap(false, true) {
		if s.then != nil {
			s.then()
		}
		<-s.answers
	}
	return err
}

// Due gives nothing while that save takes its time: the whole process is paused.
func (s *slowSave) Due(ctx context.Context, limit int, lease time.Duration) iter.Seq2[vending.Session, error] {
	if s.once.Load() {
		<-s.answers
	}
	return s.Store.Due(ctx, limit, lease)
}

// TestSaveTakesLong lets the save that arms take 40 minutes, while the portal cancels: the read behind it is old.
func TestSaveTakesLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		slow := &slowSave{Store: s.store, state: vending.Vending, answers: make(chan struct{})}
		operator := s.operate(t, s.client, slow, s.machine, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = operator.Run(ctx)
		}()
		var id string
		slow.then = func() {
			if err := s.vipps.PortalCancel(id); err != nil {
				t.Error(err)
			}
			cancel() // nobody else looks meanwhile
		}
		code, err := operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		id = code.Session
		s.approveAfter(t, time.Second)(*code)
		later(40 * time.Minute)
		close(slow.answers)
		<-ended
		if n := len(s.machine.Commands()); n != 0 {
			t.Errorf("%d commands were sent on a read 40 minutes old", n)
		}
		defer run(s.operator)()
		s.finish(t)
		s.audit(t)
	})
}

// TestCommandLosesTime lets the save that arms take eight seconds: the machine has so much less to start in.
func TestCommandLosesTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		slow := &slowSave{Store: s.store, state: vending.Vending, answers: make(chan struct{})}
		operator := s.operate(t, s.client, slow, s.machine, nil)
		slow.then = func() { time.AfterFunc(8*time.Second, func() { close(slow.answers) }) }
		if _, err := operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second)); err != nil {
			t.Fatal(err)
		}
		if commands := s.machine.Commands(); len(commands) != 1 || commands[0].Within != 12*time.Second {
			t.Errorf("commands %+v, want one with 12 s of its 20 left", commands)
		}
	})
}

// TestCaptureAfterWindow lets a process learn that its save has fixed the sum twelve minutes late, while another process
// is at its second attempt: the first attempt must not be sent any more.
func TestCaptureAfterWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Drop, vendingtest.Jam)
		slow := &slowSave{Store: s.store, state: vending.Settling, answers: make(chan struct{})}
		var lateKeys atomic.Int64
		listening := transportFunc(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/capture") {
				lateKeys.Add(1)
			}
			return s.transport.RoundTrip(r)
		})
		first := s.operate(t, s.connect(t, listening), slow, s.machine, func(c *vending.Config) { c.Workers = 1 })
		stop := run(first)
		code, err := first.OpenDynamicQR(t.Context(), basket())
		if err != nil {
			t.Fatal(err)
		}
		s.approveAfter(t, time.Second)(*code)
		later(5 * time.Second)
		s.vipps.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.ErrorBefore, Count: -1})
		defer run(s.operator)()
		for len(keys(s, "-k2")) == 0 {
			later(time.Second)
		}
		close(slow.answers)
		later(30 * time.Second)
		s.vipps.ClearFaults()
		stop()
		s.finish(t)
		s.audit(t)
		if lateKeys.Load() != 0 {
			t.Errorf("the paused process sent %d captures", lateKeys.Load())
		}
		if payment, _ := s.vipps.Payment(code.Session); payment.Captured != 2500 {
			t.Errorf("captured %d, want 2500 once", payment.Captured)
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// keys are the requests whose idempotency key ends so.
func keys(s *shop, suffix string) (found []vippstest.Request) {
	for _, r := range s.vipps.Requests() {
		if strings.HasSuffix(r.Header.Get("Idempotency-Key"), suffix) {
			found = append(found, r)
		}
	}
	return found
}

// TestReadsLag loses the answer of the last capture in its window, while every read is one behind.
func TestReadsLag(t *testing.T) {
	t.Parallel()
	for lost := range 12 {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{Switches: vippstest.Switches{GetLags: true}}, nil)
			s.machine.Script(vendingtest.Drop, vendingtest.Jam)
			defer run(s.operator)()
			if lost > 0 {
				s.vipps.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.ErrorBefore, Count: lost})
			}
			s.vipps.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.HangUpAfter})
			code, err := s.operator.OpenDynamicQR(t.Context(), basket())
			if err != nil {
				t.Fatal(err)
			}
			s.approveAfter(t, time.Second)(*code)
			s.finish(t)
			s.audit(t)
			if payment, _ := s.vipps.Payment(code.Session); payment.Captured != 2500 {
				t.Errorf("%d lost: captured %d, want 2500 once", lost, payment.Captured)
			}
		})
	}
}

// TestTwoSales shares one loop between two sales, of which the first ends while the second waits.
func TestTwoSales(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, 5*time.Second)); err != nil {
				t.Error(err)
			}
		}()
		later(2 * time.Second)
		order := cola()
		order.Machine = "oslo13"
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		session, err := s.operator.SellDynamicQR(ctx, order, s.approveAfter(t, 20*time.Second))
		if err != nil || session.Outcome.Result != vending.Sold {
			t.Errorf("the second sale: %v, %v", session, err)
		}
		<-done
		s.audit(t)
	})
}

// TestSharedContext ends Run and a sale with one context while the motor turns.
func TestSharedContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Slow(10 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.operator.Run(ctx)
		}()
		_, err := s.operator.SellDynamicQR(ctx, cola(), s.approveAfter(t, 3*time.Second))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		<-ended
		s.audit(t)
	})
}

// TestPowerCutWhileWaiting comes back five hours after the customer has paid: nobody stands in front of the machine.
func TestPowerCutWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		stop := run(s.operator)
		code, err := s.operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		stop()
		s.approveAfter(t, time.Second)(*code)
		later(5 * time.Hour)
		defer run(s.operator)()
		s.finish(t)
		s.audit(t)
		if s.drops() != 0 {
			t.Error("a product came out five hours after the customer paid")
		}
	})
}

// TestReturnButtonAfterTheClock presses the return button while the clock already takes the payment back and the customer
// is in the middle of approving.
func TestReturnButtonAfterTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		code, err := s.operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		later(80 * time.Second)
		if err := s.vipps.BeginApproval(code.Session); err != nil { // cancelling is refused with 6250 from here on
			t.Fatal(err)
		}
		later(12 * time.Second)
		if err := s.operator.Withdraw(t.Context(), code.Session); err != nil {
			t.Fatal(err)
		}
		if err := s.vipps.Approve(code.Session); err != nil {
			t.Fatal(err)
		}
		s.finish(t)
		s.audit(t)
		if s.drops() != 0 {
			t.Error("Withdraw returned nil, and the product came out")
		}
	})
}

// TestContradiction reports an item as dropped of which the machine has said that it jammed, while the next one turns.
func TestContradiction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		s.machine.Script(vendingtest.Jam, vendingtest.Slow(20*time.Second))
		id := s.sell(t, basket())
		later(10 * time.Second)
		if err := s.operator.Report(t.Context(), id+"-v1", vending.Dropped); err != nil {
			t.Error(err)
		}
		s.finish(t)
		s.audit(t)
		if got := s.session(t, id).Outcome.Captured; got != 6000 {
			t.Errorf("captured %d, want both items: the machine has said both", got)
		}
	})
}

// TestContradictionWhileHeld does the same while a person has to decide about the second item.
func TestContradictionWhileHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown })
		defer run(s.operator)()
		s.machine.Script(vendingtest.Jam, vendingtest.Forgetful)
		id := s.sell(t, basket())
		if held, err := s.operator.Wait(t.Context(), id); err != nil || held.State != vending.Held {
			t.Fatalf("%v, %v", held, err)
		}
		if err := s.operator.Report(t.Context(), id+"-v1", vending.Dropped); err != nil {
			t.Error(err)
		}
		if got := s.session(t, id).State; got != vending.Held {
			t.Errorf("the word on the first item made the session %s", got)
		}
		if err := s.operator.Resolve(t.Context(), id+"-v2", vending.NotDropped); err != nil {
			t.Error(err)
		}
		s.finish(t)
		s.audit(t)
		if got := s.session(t, id).Outcome.Captured; got != 2500 {
			t.Errorf("captured %d, want the first item", got)
		}
	})
}

// TestUselessWord reports that an item which dropped did not: nothing changes, and the history keeps it.
func TestUselessWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second))
		if err != nil {
			t.Fatal(err)
		}
		vend := session.Items[0].VendID
		if err := s.operator.Report(t.Context(), vend, vending.NotDropped); !errors.Is(err, vending.ErrTooLate) {
			t.Errorf("error %v, want ErrTooLate", err)
		}
		s.audit(t)
		after := s.session(t, session.ID)
		last := after.History[len(after.History)-1]
		if after.Outcome != session.Outcome || !strings.Contains(last.Fact, vend+" not dropped") {
			t.Errorf("%s, last step %+v", after.Summary(), last)
		}
	})
}

type oddMachine struct{ vending.Machine }

func (oddMachine) Conclude(context.Context, string) (vending.Verdict, error) { return 7, nil }

func (oddMachine) Vend(context.Context, vending.Command) (vending.Verdict, error) { return -1, nil }

// TestOddVerdict has a machine that answers with words nobody knows.
func TestOddVerdict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		operator := s.operate(t, s.client, s.store, oddMachine{s.machine}, nil)
		session, err := operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second))
		if err != nil || session.Outcome.Unknown != 2500 {
			t.Errorf("%v, %v: want an unknown item", session, err)
		}
		s.audit(t)
	})
}

// TestFiftyItems sells as much as an order can hold.
func TestFiftyItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		order := cola()
		for len(order.Products) < 50 {
			order.Products = append(order.Products, order.Products[0])
		}
		session, err := s.operator.SellDynamicQR(t.Context(), order, s.approveAfter(t, 3*time.Second))
		if err != nil || s.drops() != 50 {
			t.Errorf("%d products out, %v, %v", s.drops(), session, err)
		}
		s.audit(t)
	})
}

// failingStore is a store whose saves can be made to fail.
type failingStore struct {
	vending.Store
	failure atomic.Pointer[error]
	saves   atomic.Int64
}

func (s *failingStore) Save(ctx context.Context, session vending.Session) error {
	s.saves.Add(1)
	if failure := s.failure.Load(); failure != nil {
		return *failure
	}
	return s.Store.Save(ctx, session)
}

func (s *failingStore) Load(ctx context.Context, id string) (vending.Session, error) {
	if failure := s.failure.Load(); failure != nil && errors.Is(*failure, vending.ErrStale) {
		return vending.Session{}, errors.New("no answer")
	}
	return s.Store.Load(ctx, id)
}

// TestStoreAway takes the store away for two minutes when the machine has just let the product out, and again while the
// program wants to end: the word is kept as long as there is somebody to keep it, and nobody spins.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{errors.New("disk full"), vending.ErrStale} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{}, nil)
			store := &failingStore{Store: s.store}
			operator := s.operate(t, s.client, store, s.machine, func(c *vending.Config) { c.Workers = 1 })
			s.machine.Script(vendingtest.Behaviour{Drops: true, Hears: true, Answers: true, Forgets: true, Takes: 5 * time.Second})
			defer run(operator)()
			code, err := operator.OpenDynamicQR(t.Context(), cola())
			if err != nil {
				t.Fatal(err)
			}
			s.approveAfter(t, time.Second)(*code)
			later(4 * time.Second)
			store.failure.Store(&failure)
			later(2 * time.Minute)
			store.failure.Store(nil)
			s.finish(t)
			s.audit(t)
			if got := s.session(t, code.Session).Outcome.Captured; got != 2500 {
				t.Errorf("%v: captured %d: the machine's word was thrown away", failure, got)
			}
			if n := store.saves.Load(); n > 100 {
				t.Errorf("%v: %d saves in two minutes", failure, n)
			}
		})
	}
}

// TestRunEnds ends a program whose store never takes the machine's word.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		store := &failingStore{Store: s.store}
		operator := s.operate(t, s.client, store, s.machine, nil)
		stop := run(operator)
		code, err := operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		s.machine.Script(vendingtest.Slow(5 * time.Second))
		s.approveAfter(t, time.Second)(*code)
		later(4 * time.Second)
		failure := errors.New("disk full")
		store.failure.Store(&failure)
		later(10 * time.Second)
		before := time.Now()
		stop()
		if took := time.Since(before); took > 2*time.Minute {
			t.Errorf("ending took %s", took)
		}
		defer run(s.operator)() // the next process, with a store that works
		s.finish(t)
		s.audit(t)
		if s.session(t, code.Session).Outcome.Captured != 2500 {
			t.Error("the product came out and was not captured by the next process")
		}
	})
}

// meddler saves the session itself just before a verdict is saved, so that the mover's save is stale.
type meddler struct {
	vending.Store
	done atomic.Bool
}

func (s *meddler) Save(ctx context.Context, session vending.Session) error {
	if session.State == vending.Settling && s.done.CompareAndSwap(false, true) {
		other, err := s.Store.Load(ctx, session.ID)
		if err != nil {
			return err
		}
		other.History = append(other.History, vending.Step{Fact: "somebody else was here"})
		if err := s.Store.Save(ctx, other); err != nil {
			return err
		}
	}
	return s.Store.Save(ctx, session)
}

// TestStaleFact tries a verdict again on the newer session that it finds: a machine that forgets says it only once.
func TestStaleFact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		operator := s.operate(t, s.client, &meddler{Store: s.store}, s.machine, nil)
		s.machine.Script(vendingtest.Behaviour{Drops: true, Hears: true, Answers: true, Forgets: true})
		session, err := operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second))
		if err != nil || session.Outcome.Result != vending.Sold {
			t.Errorf("%v, %v: the word was thrown away", session, err)
		}
		s.audit(t)
	})
}

// TestForeign shares a store with workers of another sales unit.
func TestForeign(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operate(t, s.client.ForMerchant("654321"), s.store, s.machine, nil))()
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, 3*time.Second))
		if err != nil || session.Outcome.Result != vending.Sold {
			t.Errorf("%v, %v", session, err)
		}
	})
}
