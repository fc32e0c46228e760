package vending

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/webhooks"
)

// pollStore is how often the loop asks the store for sessions that are due; a webhook or a person does not wait for it.
const pollStore = 250 * time.Millisecond

// Run moves along every session that is due, of this process and of any other that left some behind: there is no special
// recovery. It returns when the context has ended and what was under way is finished or handed over. Its error is the
// context's. A store that fails is asked again.
func (o *Operator) Run(ctx context.Context) error {
	o.mu.Lock()
	o.running++
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		o.running--
		o.mu.Unlock()
	}()
	var working sync.WaitGroup
	defer o.waitApart()
	defer working.Wait()
	free := make(chan struct{}, o.config.Workers)
	ticker := time.NewTicker(pollStore)
	defer ticker.Stop()
	for {
		o.startDue(ctx, &working, free)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		case <-o.kick:
		}
	}
}

// startDue claims as many sessions as there are free workers.
func (o *Operator) startDue(ctx context.Context, working *sync.WaitGroup, free chan struct{}) {
	limit := cap(free) - len(free)
	if limit == 0 {
		return
	}
	claiming, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for s, err := range o.config.Store.Due(claiming, limit, lease) {
		if err != nil {
			if ctx.Err() == nil {
				o.config.Logger.LogAttrs(ctx, slog.LevelWarn, "store does not answer", slog.String("session", s.ID), slog.String("error", err.Error()))
			}
			continue
		}
		free <- struct{}{}
		working.Go(func() {
			defer func() { <-free }()
			if _, err := o.advance(ctx, s.ID, true); err != nil && !errors.Is(err, errForeign) {
				o.config.Logger.LogAttrs(ctx, slog.LevelDebug, "session waits", slog.String("session", s.ID), slog.String("error", err.Error()))
			}
			o.wakeLoop() // there may be more than there were workers
		})
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

// HandleEvent takes what a webhook brings; give it to webhooks.Handler as its Handle. A payment event makes its session go
// at once, and is believed in nothing: the payment is read. A check-in opens a session, if Config.CheckIns is set: one that is
// older than two minutes or of unknown age, of a machine that is busy or cannot sell, or of another sales unit makes no payment,
// and Config.Notify hears of it. It does one write, and more only where it takes an unpaid session back ([ReplaceUnpaid]). An
// error means that the store or the planogram does not answer; the delivery is then repeated. Events of unknown payments and
// events that this package has no use for are nil.
func (o *Operator) HandleEvent(ctx context.Context, event webhooks.Event) error {
	if scan, ok := event.(*webhooks.CheckInEvent); ok && o.config.CheckIns != nil {
		return o.checkIn(ctx, scan)
	}
	payment, ok := event.(*webhooks.PaymentEvent)
	if !ok || payment.Reference == "" {
		return nil
	}
	o.heard.Store(time.Now().UnixNano())
	switch payment.Name { //nolint:exhaustive // the customer's doing, or the clock's
	case webhooks.NameCaptured, webhooks.NameCancelled, webhooks.NameRefunded:
		return nil // ours, and whoever did it knows; what somebody does in the portal is seen by the next read
	}
	if payment.Name == webhooks.NameCreated { // news only to a session that was closed because there was no payment
		s, err := o.config.Store.Load(ctx, payment.Reference)
		if errors.Is(err, ErrNotFound) || err == nil && s.State != Closed {
			return nil
		}
		if err != nil {
			return err
		}
	}
	in := o.nudge(payment.Reference)
	if err := o.config.Store.Wake(ctx, in, payment.Reference); err != nil {
		return err
	}
	if in == 0 {
		o.wakeLoop()
	}
	return nil
}

// nudge is when a session that a webhook names is to be looked at: at once, but only once a second, so that repeated
// deliveries do not use up the reads that are allowed for a payment.
func (o *Operator) nudge(reference string) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if last, ok := o.nudged[reference]; ok && now.Sub(last) < time.Second {
		return time.Second
	}
	if len(o.nudged) >= 10_000 {
		clear(o.nudged)
	}
	o.nudged[reference] = now
	return 0
}

// webhooksAlive is how long after a webhook polling stays slow.
const webhooksAlive = 10 * time.Minute

// delay is when to look at a session again if nothing else says: never later than its next limit.
func (o *Operator) delay(s *Session, last error) time.Duration {
	d := o.pace(s, last)
	if left := s.limit().Sub(s.Now); left > 0 {
		d = min(d, left)
	}
	return d
}

// limit is when a state's time runs out; zero if it has none.
func (s *Session) limit() time.Time {
	switch s.State {
	case Opening:
		return s.OpenUntil
	case Waiting:
		return s.ApproveUntil
	case Withdrawing:
		if s.Seat != "" {
			return s.SeatUntil
		}
	case Choosing:
		return s.SelectUntil
	case Vending:
		return s.VerdictUntil
	case Held:
		return s.HoldUntil
	case Settling, Closed:
	}
	return time.Time{}
}

func (o *Operator) pace(s *Session, last error) time.Duration {
	age := s.Now.Sub(s.Since)
	between := func(low, high time.Duration) time.Duration { return min(max(age, low), high) }
	if refused, ok := errors.AsType[*vipps.Error](last); ok {
		if refused.RetryAfter > 0 {
			return min(refused.RetryAfter, 10*time.Minute)
		}
		if refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusLocked {
			return between(5*time.Second, time.Minute)
		}
	}
	switch s.State {
	case Opening:
		return time.Second << min(s.Creates, 4)
	case Waiting:
		switch {
		case time.Since(time.Unix(0, o.heard.Load())) < webhooksAlive:
			return 6 * time.Second
		case age < time.Minute:
			return time.Second
		default:
			return 2 * time.Second
		}
	case Withdrawing:
		return between(3*time.Second, time.Minute)
	case Choosing:
		return time.Second
	case Vending:
		return between(time.Second, 10*time.Second)
	case Held:
		return 10 * time.Minute
	case Settling:
		return between(2*time.Second, 5*time.Minute)
	case Closed:
		return time.Minute
	default:
		return time.Hour
	}
}
