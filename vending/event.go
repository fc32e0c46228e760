package vending

import (
	"context"
	"errors"
	"time"

	"github.com/vippsvending/vipps/webhooks"
)

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
	if o.nudged.since(payment.Reference) < nudgePause {
		return o.config.Store.Wake(ctx, nudgePause, payment.Reference)
	}
	if err := o.hurry(ctx, payment.Reference); err != nil {
		return err
	}
	o.nudged.note(payment.Reference)
	return nil
}

const (
	// nudgePause is how often a webhook is acted on at most, for one session: repeated deliveries must not use up the reads
	// that are allowed for a payment.
	nudgePause = time.Second
	// nudgeCounts is how long after a webhook its session is looked at beside the budget: what is read may be older than what
	// the webhook said.
	nudgeCounts = 15 * time.Second
)
