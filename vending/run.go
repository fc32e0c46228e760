package vending

import (
	"context"
	"sync"
	"time"
)

const (
	// pollStore is how often a loop asks the store for sessions that are due, as long as there are some.
	pollStore = 100 * time.Millisecond
	// pollIdle is how often it asks when none was due for a while.
	pollIdle = 250 * time.Millisecond
)

// Run moves along every session that is due, of this process and of any other that left some behind: there is no special
// recovery. It returns when the context has ended and what was under way is finished or handed over. Its error is the
// context's. A store that fails is asked again. Wait for Run to return before closing the store and the machine: what is under
// way is stored until then.
func (o *Operator) Run(ctx context.Context) error {
	o.mu.Lock()
	o.running++
	o.mu.Unlock()
	l := &loop{o: o, free: make(chan struct{}, o.config.Workers)}
	defer o.waitApart()
	defer o.stopped(ctx)
	defer l.working.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.turn(ctx)
		timer.Reset(l.pause())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-o.kick:
		}
	}
}

// stopped counts a loop as ended. The last one leaves what it has not come to to whoever runs the store.
func (o *Operator) stopped(ctx context.Context) {
	o.mu.Lock()
	o.running--
	var left []string
	if o.running == 0 {
		left, o.urgent = o.urgent, nil
	}
	o.mu.Unlock()
	if len(left) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		_ = o.config.Store.Wake(ctx, 0, left...) // else their lease does it
	}
}

// ensureRunning keeps a loop going as long as anybody who called it needs one; they share it. A Run of the program's own
// may end at any moment, so it does not count.
func (o *Operator) ensureRunning(ctx context.Context) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.needed == 0 {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		var loop sync.WaitGroup
		loop.Go(func() { _ = o.Run(ctx) }) // ends with the context, whose error says nothing
		o.stopLoop = func() {
			cancel()
			loop.Wait()
		}
	}
	o.needed++
	return func() {
		o.mu.Lock()
		o.needed--
		last, stopLoop := o.needed == 0, o.stopLoop
		o.mu.Unlock()
		if last {
			stopLoop()
		}
	}
}

// apart does what its caller does not wait for. [Operator.Run] returns after it.
func (o *Operator) apart(do func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.aside++
	go func() {
		do()
		o.mu.Lock()
		defer o.mu.Unlock()
		o.aside--
		o.quiet.Broadcast()
	}()
}

func (o *Operator) waitApart() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.aside > 0 {
		o.quiet.Wait()
	}
}

func (o *Operator) isRunning() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.running > 0
}

func (o *Operator) wakeLoop() {
	select {
	case o.kick <- struct{}{}:
	default:
	}
}
