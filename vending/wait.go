package vending

import (
	"context"
	"slices"
	"time"
)

// Wait returns when a session is closed, or held for a person to decide. It does not move the session: [Operator.Run] does.
// The error is the context's or the store's.
func (o *Operator) Wait(ctx context.Context, id string) (*Session, error) {
	return o.WaitFor(ctx, id, func(s *Session) bool { return s.State == Closed || s.State == Held })
}

// WaitFor returns when a session is what a predicate wants: Choosing, for example, or Finished. It looks when this process
// stores the session, and once a second for what other processes do. The error is the context's or the store's.
func (o *Operator) WaitFor(ctx context.Context, id string, is func(*Session) bool) (*Session, error) {
	changed, done := o.watch(id)
	defer done()
	for {
		s, err := o.Session(ctx, id)
		if err != nil {
			return nil, err
		}
		if is(s) {
			return s, nil
		}
		if err := sleepOr(ctx, changed, time.Second); err != nil { // another process may have moved it
			return nil, err
		}
	}
}

// stored tells everybody who waits in this process.
func (o *Operator) stored(s Session, step Step) {
	if step.From != Settling && step.To == Settling {
		o.forgetSelection(s.Machine) // what was pressed meanwhile was for this session
	}
	o.mu.Lock()
	for _, changed := range o.watching[s.ID] {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	o.mu.Unlock()
	if o.config.Observe != nil {
		o.config.Observe(Transition{Session: s, Step: step})
	}
}

// watch gives a channel that hears when this process stores the session, until done is called.
func (o *Operator) watch(id string) (changed chan struct{}, done func()) {
	changed = make(chan struct{}, 1)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watching[id] = append(o.watching[id], changed)
	return changed, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.watching[id] = slices.DeleteFunc(o.watching[id], func(c chan struct{}) bool { return c == changed })
		if len(o.watching[id]) == 0 {
			delete(o.watching, id)
		}
	}
}

// pause waits until a session is stored, at most so long.
func (o *Operator) pause(ctx context.Context, id string, at time.Duration) error {
	changed, done := o.watch(id)
	defer done()
	return sleepOr(ctx, changed, at)
}

func sleepOr(ctx context.Context, changed <-chan struct{}, at time.Duration) error {
	timer := time.NewTimer(at)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
