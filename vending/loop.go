package vending

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// loop gives the sessions that are due to workers. The store is the only queue: a session that waits takes nothing here.
type loop struct {
	o       *Operator
	free    chan struct{} // holds one for each worker that is busy
	working sync.WaitGroup
	busy    time.Time // when something was due
}

// pause is never quite the same: of two workers in step one would always come first, be it the one that does not reach the
// machine.
func (l *loop) pause() time.Duration {
	pause := pollIdle
	if time.Since(l.busy) < 3*time.Second {
		pause = pollStore
	}
	return pause - rand.N(pause/4) //nolint:gosec // anything will do
}

// turn starts what is urgent, and what the store says is due, as far as there are free workers. Webhooks leave some of them
// to what money waits for.
func (l *loop) turn(ctx context.Context) {
	for _, id := range l.o.takeUrgent(max(0, cap(l.free)-cap(l.free)/4-len(l.free))) {
		l.start(ctx, &mover{o: l.o, id: id, done: ctx.Done()}, func(m *mover) error {
			if err := m.load(ctx); err != nil {
				return err
			}
			_, err := m.move(ctx)
			return err
		})
	}
	limit := cap(l.free) - len(l.free)
	if limit == 0 {
		return
	}
	asked := time.Now()
	due := l.claimOurs(ctx, limit)
	if len(due) == 0 { // mostly
		l.o.crowded.Store(false)
		return
	}
	if slices.ContainsFunc(due, func(s Session) bool { return !l.o.foreign(&s) }) {
		l.busy = asked
	}
	l.o.crowded.Store(len(due) == limit)
	now, later := l.affordable(due)
	for _, s := range now {
		l.start(ctx, &mover{o: l.o, id: s.ID, done: ctx.Done()}, func(m *mover) error {
			m.hold(s, asked)
			_, err := m.move(ctx)
			return err
		})
	}
	l.stretch(ctx, later)
	if len(due) == limit {
		l.o.wakeLoop() // there may be more
	}
}

func (l *loop) claim(ctx context.Context, limit int) []Session {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var due []Session
	for s, err := range l.o.config.Store.Due(ctx, limit, lease) {
		switch {
		case err == nil:
			due = append(due, s)
		case ctx.Err() == nil:
			l.warn(ctx, s.ID, err)
		}
	}
	return due
}

// claimOurs claims what is not left to another worker, and hands that back: to hold it, or to be asked for it more eagerly than
// the other is, keeps it from there. What is handed back takes no place from what is due behind it.
func (l *loop) claimOurs(ctx context.Context, limit int) []Session {
	var ours []Session
	left := map[time.Duration][]string{}
	for more := true; more; {
		wanted := limit - len(ours)
		claimed := l.claim(ctx, wanted)
		for _, s := range claimed {
			if in, ok := l.o.left.handBack(s.ID); ok {
				left[in] = append(left[in], s.ID)
			} else {
				ours = append(ours, s)
			}
		}
		more = len(claimed) == wanted && len(ours) < limit
	}
	if len(left) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second) // whoever ends does not keep them
		defer cancel()
		for in, ids := range left {
			if err := l.o.config.Store.Wake(ctx, in, ids...); err != nil {
				l.warn(ctx, "", err)
			}
		}
	}
	return ours
}

// start has a worker move a session on.
func (l *loop) start(ctx context.Context, m *mover, do func(*mover) error) {
	l.free <- struct{}{}
	m.apart = func(ask func()) {
		l.leave()
		defer func() { l.free <- struct{}{} }()
		ask()
	}
	l.working.Go(func() {
		defer l.leave()
		if err := do(m); err != nil && !errors.Is(err, errForeign) {
			l.o.config.Logger.LogAttrs(ctx, slog.LevelDebug, "session waits", slog.String("session", m.id), slog.String("error", err.Error()))
		}
	})
}

// leave gives a worker's place to whoever waits for one.
func (l *loop) leave() {
	<-l.free
	if l.o.crowded.Load() || l.o.hasUrgent() {
		l.o.wakeLoop()
	}
}

// affordable keeps what has to be done, and as many polls as the budget has left, of the newest sessions: their customers
// stand in front of the machine. The others come later.
func (l *loop) affordable(due []Session) (now, later []Session) {
	var polls []Session
	for _, s := range due {
		if l.o.isPoll(&s) {
			polls = append(polls, s)
		} else {
			now = append(now, s)
		}
	}
	slices.SortFunc(polls, func(a, b Session) int { return b.Since.Compare(a.Since) })
	n := l.o.budget.take(len(polls))
	return append(now, polls[:n]...), polls[n:]
}

// isPoll says that a session is due for nothing but to see whether its customer has approved, and that nobody has said so.
// One of another sales unit or version is not ours to put off.
func (o *Operator) isPoll(s *Session) bool {
	if s.Woken && o.nudged.since(s.ID) >= time.Minute {
		o.nudged.note(s.ID)
	}
	return !s.Woken && s.State == Waiting && s.Now.Before(s.ApproveUntil) && !o.foreign(s) && o.nudged.since(s.ID) >= nudgeCounts
}

// stretch puts sessions off until the budget may have something for them, in few writes. If that fails their lease does it.
func (l *loop) stretch(ctx context.Context, polls []Session) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	groups := map[time.Duration][]Session{}
	for _, s := range polls {
		in := l.o.budget.book(s.Now.Sub(s.Since))
		if left := s.ApproveUntil.Sub(s.Now); l.o.budget.most == 0 || in > left {
			in = left
		}
		step := pollStore
		if in > 5*time.Second {
			step = time.Second
		}
		in = (in + step - 1).Truncate(step)
		groups[in] = append(groups[in], s)
	}
	for in, sessions := range groups {
		if err := l.o.config.Store.Rest(ctx, in, sessions...); err != nil && ctx.Err() == nil {
			l.warn(ctx, "", err)
		}
	}
}

func (l *loop) warn(ctx context.Context, session string, err error) {
	l.o.config.Logger.LogAttrs(ctx, slog.LevelWarn, "store does not answer", slog.String("session", session), slog.String("error", err.Error()))
}

// maxUrgent bounds what waits for a worker in memory. What is beyond it waits in the store.
const maxUrgent = 10_000

// hurry has a session looked at at once, by this process if it runs a loop.
func (o *Operator) hurry(ctx context.Context, id string) error {
	o.mu.Lock()
	here := o.running > 0 && len(o.urgent) < maxUrgent
	o.mu.Unlock()
	in := time.Duration(0)
	if here {
		in = lease // it is ours, and due again if we do not come to it
	}
	if err := o.config.Store.Wake(ctx, in, id); err != nil || !here {
		return err
	}
	o.mu.Lock()
	o.urgent = append(o.urgent, id)
	o.mu.Unlock()
	o.wakeLoop()
	return nil
}

func (o *Operator) takeUrgent(n int) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	n = min(n, len(o.urgent))
	taken := slices.Clone(o.urgent[:n])
	o.urgent = slices.Delete(o.urgent, 0, n)
	return taken
}

func (o *Operator) hasUrgent() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.urgent) > 0
}
