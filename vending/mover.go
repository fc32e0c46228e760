package vending

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// mover is one worker with one session in its hands: it learns facts, puts them to the table and stores what comes of them.
type mover struct {
	o  *Operator
	id string
	s  Session
	// loaded is when s was asked for or handed to the store, by our own clock; base is the same moment by the store's, or a
	// little later: what the store takes its time for has passed.
	loaded time.Time
	base   time.Time
	// returned is when the store had answered; low is a moment by its clock that had passed by then.
	returned time.Time
	low      time.Time
	// view is this worker's own newest read, and seen is when it was sent, by our own clock. Nil after anything that was
	// not answered.
	view *View
	seen time.Time
	// how says whether the last save entered Vending and was ours, at the moment of armedAt.
	how     armament
	armedAt time.Time
	claim   time.Duration   // for how long after loaded the session is ours alone
	done    <-chan struct{} // closed when the program wants to end
	last    error           // the newest failure, for whoever waits
	// apart does what waits for a machine, without keeping a worker from other sessions: a line that hangs does so for as long
	// as a product may take. Nil if no worker is kept.
	apart func(func())
}

var (
	errElsewhere = errors.New("left to the worker that reaches the machine")
	errForeign   = errors.New("vending: the session belongs to another environment, sales unit or version")
)

// maxSteps bounds what one advance does; a session needs ten, and three more for each further item.
const maxSteps = 400

// since is how long ago a moment was, by the clock that says more: the monotonic one stands still while a machine sleeps,
// the other may be set.
func since(t time.Time) time.Duration {
	return max(time.Since(t), time.Now().Round(0).Sub(t.Round(0)))
}

// advance moves a session on until it has to wait for somebody. It returns the session as it is then, and the newest
// failure. claimed says that the caller has claimed it already.
func (o *Operator) advance(ctx context.Context, id string, claimed bool) (Session, error) {
	m := &mover{o: o, id: id, done: ctx.Done()}
	if !claimed {
		if err := o.config.Store.Wake(ctx, lease, id); err != nil {
			return Session{}, err
		}
	}
	if err := m.load(ctx); err != nil {
		return Session{}, err
	}
	return m.move(ctx)
}

func (m *mover) move(ctx context.Context) (Session, error) {
	if m.foreign() { // handed back to its own workers
		return m.s, errors.Join(errForeign, m.sleep(ctx, lease/15+rand.N(lease/15))) //nolint:gosec // only so as not to be in step with whoever it is for
	}
	return m.s, errors.Join(m.run(ctx), m.last)
}

// run moves the session on until it has to wait, or leaves it to the worker that reaches its machine.
func (m *mover) run(ctx context.Context) error {
	err := m.steps(ctx)
	if errors.Is(err, errElsewhere) {
		m.o.left.leave(m.id)
		m.last = nil
		// Woken, so that no budget puts it off there.
		return m.o.config.Store.Wake(context.WithoutCancel(ctx), 0, m.id)
	}
	return err
}

// foreign says that the session is for another worker: of another environment, sales unit or newer version.
func (m *mover) foreign() bool { return m.o.foreign(&m.s) }

func (o *Operator) foreign(s *Session) bool {
	client := o.config.Client
	return s.Schema != schema || s.Environment != client.Environment() || s.MerchantSerialNumber != client.MerchantSerialNumber()
}

func (m *mover) load(ctx context.Context) error {
	asked := time.Now()
	s, err := m.o.config.Store.Load(ctx, m.id)
	if err != nil {
		return fmt.Errorf("session %s: %w", m.id, err)
	}
	m.hold(s, asked)
	return nil
}

// hold takes up a session that the store has given.
func (m *mover) hold(s Session, asked time.Time) {
	m.s, m.loaded, m.base = s, asked, s.Now
	m.returned, m.low = time.Now(), s.Now
	m.how, m.claim = unarmed, lease
}

// at is now by the store's clock, or a little earlier: what is stamped with it is not older than it says.
func (m *mover) at() time.Time { return m.low.Add(max(0, time.Since(m.returned))) }

// tick sets the session's clock: the store's, as far as we can tell.
func (m *mover) tick() { m.s.Now = m.base.Add(since(m.loaded)) }

func (m *mover) steps(ctx context.Context) error {
	for range maxSteps {
		m.tick()
		if ctx.Err() != nil && m.how != armed {
			return m.sleep(ctx, 0) // handed over
		}
		if m.view != nil && since(m.seen) > fresh {
			m.view = nil
		}
		if m.view != nil {
			taken, err := m.take(ctx, fact{kind: factRead, view: *m.view})
			if err != nil {
				return err
			}
			if taken {
				continue
			}
		}
		do, at := m.o.rules.next(&m.s, m.view, m.how)
		switch do {
		case doNothing:
			return nil
		case doSleep:
			if m.view != nil && since(m.seen) > fresh {
				continue // it has aged while the machine was asked
			}
			if m.view != nil && usable(&m.s, *m.view) && m.o.nudged.since(m.id) >= nudgeCounts-2*time.Second {
				m.s.Woken = false // looked at, and long enough after what was said
			}
			return m.sleepUntil(ctx, at)
		case doClock:
			if taken, err := m.take(ctx, fact{kind: factClock}); err != nil || !taken {
				return errors.Join(err, m.sleep(ctx, time.Second))
			}
			continue
		case doRead, doCreate, doGiveUp, doCancel, doCapture, doVend, doConclude, doReceipt, doRefund, doFindRefund:
		}
		if since(m.loaded) > m.claim && m.how != armed {
			return nil // others may be at work: they go on
		}
		again, err := m.perform(ctx, do)
		if err != nil {
			return err
		}
		if i, _ := m.s.task(); !again && m.s.State == Closed && m.last != nil && i >= 0 && m.s.Tasks[i].Kind != TaskLook {
			if again, err = m.take(ctx, fact{kind: factPostponed, cause: string(m.s.Tasks[i].Kind) + ", " + m.last.Error()}); err != nil {
				return err
			}
			m.last = nil
		}
		if !again {
			return m.sleep(ctx, m.o.delay(&m.s, m.last))
		}
	}
	return m.sleep(ctx, time.Minute)
}

// take puts a fact to the table and stores what comes of it. It says whether a row took the fact. A save that finds a newer
// session, or whose answer is lost, tries the same fact on the newer one.
func (m *mover) take(ctx context.Context, f fact) (bool, error) {
	// What has been learnt must be stored even if nobody waits for it any more.
	saving := context.WithoutCancel(ctx)
	for try := 0; ; {
		m.tick()
		next, ok := m.o.rules.apply(m.s, f)
		if !ok {
			m.note(saving, f)
			return false, nil
		}
		arms := next.State == Vending && m.s.State != Vending
		if arms {
			if err := m.ready(saving); err != nil {
				if errors.Is(err, ErrElsewhere) {
					return false, errElsewhere
				}
				f = fact{kind: factNotReady, cause: err.Error()}
				continue
			}
			m.tick() // asking takes time, and the read has aged
			if next, ok = m.o.rules.apply(m.s, f); !ok {
				return false, nil
			}
			arms = next.State == Vending
		}
		step := Step{At: m.s.Now, From: m.s.State, Fact: f.String(), Why: m.o.rules.row(&m.s, f).name, To: next.State}
		next.History = append(next.History[:len(next.History):len(next.History)], step)
		next.WakeAt = m.wakeAt(&next, arms)
		handed := time.Now()
		err := m.o.config.Store.Save(saving, next)
		if err == nil {
			next.Version++
			m.s, m.loaded, m.base = next, handed, next.Now
			m.how, m.armedAt, m.claim = unarmed, handed, max(lease, next.WakeAt.Sub(next.Now))
			if arms {
				m.how = armed
			}
			m.o.stored(next, step)
			return true, nil
		}
		if errors.Is(err, ErrStale) {
			err = m.load(saving)
		} else if loading := m.load(saving); loading != nil {
			err = loading
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, ErrNotFound): // pruned meanwhile: there is nothing left to say
			return false, err
		}
		m.warn(ctx, "session could not be saved", err)
		try++
		if try > 8 && m.ending() { // the program wants to end: a quarter of a minute was not enough
			return false, err
		}
		sleepFor(saving, min(5*time.Second, 50*time.Millisecond<<min(try, 7)))
	}
}

// note writes a word that no row takes to the history, where a person may look for it. It is not worth a second try.
func (m *mover) note(ctx context.Context, f fact) {
	switch f.kind {
	case factVerdict, factResolved, factCaptureRefused, factCreated, factRefunded, factRefundRefused:
	case factUnanswered, factRefused, factRead, factClock, factWithdraw, factNotReady, factCancelRefused, factSelected,
		factComplete, factRefundAsked, factRefundMissing, factReceipt, factAcknowledged, factPostponed, factSilent:
		return // these say nothing about the machine or the money that will not be learnt again
	default:
		return
	}
	if m.s.knows(f) {
		return
	}
	next := m.s
	step := Step{At: m.s.Now, From: m.s.State, Fact: f.String(), Why: "changes nothing", To: m.s.State}
	next.History = append(next.History[:len(next.History):len(next.History)], step)
	if err := m.o.config.Store.Save(ctx, next); err != nil {
		m.warn(ctx, "a late word could not be written down: "+f.String(), err)
		return
	}
	next.Version++
	m.s = next
}

func (m *mover) ending() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// wakeAt is when others may look: never, at the next task, or when this worker must be gone.
func (m *mover) wakeAt(next *Session, arms bool) time.Time {
	switch {
	case next.State == Closed && len(next.Tasks) == 0:
		return time.Time{}
	case next.State == Closed:
		if i, at := next.task(); i < 0 {
			return at
		}
		return next.Now.Add(lease)
	case arms:
		return next.Now.Add(next.Timeouts.Start + lease/3)
	default:
		return next.Now.Add(lease)
	}
}

// ready keeps its worker: what covers the sale was read a moment ago, and would age while it waited for a place.
func (m *mover) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, machineTimeout)
	defer cancel()
	return m.o.config.Machine.Ready(ctx, m.s.Machine)
}

// machineTimeout bounds a question to a machine.
const machineTimeout = 10 * time.Second

// ask does what waits for the machine.
func (m *mover) ask(question func()) {
	if m.apart == nil {
		question()
		return
	}
	m.apart(question)
}

// sleep gives the session back, to be looked at in so long, or at once if somebody has woken it meanwhile. That somebody
// has woken it before is forgotten only when the payment has been read since.
func (m *mover) sleep(ctx context.Context, in time.Duration) error {
	return m.o.config.Store.Rest(context.WithoutCancel(ctx), max(0, in), m.s)
}

func (m *mover) sleepUntil(ctx context.Context, at time.Time) error {
	if at.IsZero() {
		return m.sleep(ctx, m.o.delay(&m.s, nil))
	}
	return m.sleep(ctx, at.Sub(m.s.Now))
}

func (m *mover) warn(ctx context.Context, what string, err error) {
	m.o.config.Logger.LogAttrs(ctx, slog.LevelWarn, "session cannot go on yet", slog.String("what", what), slog.String("session", m.id), slog.String("state", string(m.s.State)), slog.String("error", err.Error()))
}

// sleepFor says whether the time passed before the context ended.
func sleepFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
