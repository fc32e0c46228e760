package epayment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
)

const (
	firstLook = 5 * time.Second
	nextLook  = 2 * time.Second
	// settled is how long a payment that was just created may be unknown to a read.
	settled = 30 * time.Second
)

// WaitFinal waits until the customer has decided, or can no longer: it reads the payment after 5 seconds and then every 2,
// as Vipps MobilePay asks, until State.Final. The payment may have ended without money: look at its State.
//
// Lost answers, 5xx, 423 and 429 (after the time it asks for) are passed over; so is a 404 in the first 30 seconds, when a
// payment may be too new to be found. Every other error ends the wait. So does the end of ctx: then the payment is nil and
// the error matches [context.DeadlineExceeded] or [context.Canceled]; the payment lives on, and can be waited for again or
// ended with [Client.CancelIfNotAuthorized]. Without a deadline the wait can last as long as the network is away.
//
// Webhooks tell you sooner, polling tells you surely: have both.
func (c *Client) WaitFinal(ctx context.Context, reference string) (*Payment, error) {
	if err := validReference("epayment.WaitFinal", reference); err != nil {
		return nil, err
	}
	start, wait, seen := time.Now(), firstLook, false
	var last error
	for {
		if err := pause(ctx, wait); err != nil {
			return nil, waitEnded(reference, err, last)
		}
		payment, err := c.Get(ctx, reference)
		if err == nil && payment.State.Final() {
			return payment, nil
		}
		seen, last, wait = seen || err == nil, err, nextLook
		switch early := !seen && time.Since(start) < settled; {
		case ctx.Err() != nil:
			return nil, waitEnded(reference, ctx.Err(), err)
		case err != nil && !passes(err, early):
			return nil, err
		}
		if failed, ok := errors.AsType[*vipps.Error](err); ok {
			wait = max(wait, failed.RetryAfter)
		}
	}
}

// passes says whether a later look may have a better answer.
func passes(err error, early bool) bool {
	failed, ok := errors.AsType[*vipps.Error](err)
	if !ok {
		return false // nothing was sent, and nothing will be
	}
	switch failed.Status {
	case http.StatusNotFound:
		return early && failed.During == ""
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooManyRequests:
		return true
	default:
		// Below 400 there was no answer, or one that somebody on the way made up.
		return failed.Status < 400 || failed.Status >= 500
	}
}

func waitEnded(reference string, err, last error) error {
	if last == nil || errors.Is(last, err) {
		return fmt.Errorf("epayment.WaitFinal %s: %w", reference, err)
	}
	return fmt.Errorf("epayment.WaitFinal %s: %w (the last look: %v)", reference, err, last) //nolint:errorlint // why the wait ended decides
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
