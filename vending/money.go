package vending

import (
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// move is what a session's money needs next.
type move int

const (
	wait    move = iota // nothing can be concluded from this view, or it is too early: read again later
	rest                // nothing: the payment is at rest
	surplus             // say that more was captured than is due
	loss                // say that what is missing will not be collected
	again               // the attempt is over: store the next one
	twice               // read once more before it is believed that an unanswered capture never happened
	capture             // send the stored attempt
	release             // cancel the rest
)

// money decides what a settling session needs, from what is due and what a read showed. Every line is one case; the second
// result is when to look again if the move is to wait, zero for soon.
func (r rules) money(s *Session, v View) (move, time.Time) {
	missing := s.want() - v.Captured
	switch {
	case !v.Exists, !v.authorized() && !v.ended(), v.older(s.Seen): // an old view, or a state that nobody knows yet
		return wait, time.Time{}
	case r.atRest(v) && v.ended():
		return rest, time.Time{}
	case missing < 0 && !s.Over: // a person acted: nothing is refunded by itself
		return surplus, time.Time{}
	case missing > 0 && !s.Lost && v.free() >= missing:
		return r.attempt(s, missing, v)
	case missing > 0 && !s.Lost:
		return loss, time.Time{}
	case v.free() > 0 && s.Now.Before(s.CancelAt):
		return wait, s.CancelAt
	case v.free() > 0:
		return release, time.Time{}
	case r.atRest(v):
		return rest, time.Time{}
	default:
		return wait, time.Time{}
	}
}

// want is what is to be captured: what is due, or all of it if only all can be.
func (s *Session) want() int64 {
	if s.Full {
		return s.Seen.Authorized
	}
	return s.Due
}

// atRest is the one place that says so.
func (r rules) atRest(v View) bool {
	return r.on(guardRest) && v.atRest() || !r.on(guardRest) && v.literally()
}

// attempt says what the stored capture allows while something is missing and could be captured.
func (r rules) attempt(s *Session, missing int64, v View) (move, time.Time) {
	a := s.Capture
	over := a.SendUntil.Add(lateCapture)
	switch {
	case a.Refused == epayment.CodeMustCaptureFull:
		return loss, time.Time{}
	case a.Refused == epayment.CodeFundsUnavailable && a.RetryAt.After(s.deadline()):
		return loss, time.Time{}
	case a.Refused == epayment.CodeFundsUnavailable && s.Now.Before(a.RetryAt):
		return wait, a.RetryAt
	case a.Refused != "" && a.Refused != epayment.CodeFundsUnavailable && s.Refusals > 1:
		return loss, time.Time{}
	case a.Refused != "":
		return again, time.Time{}
	case a.Amount == missing && (s.Now.Before(a.SendUntil) || !r.on(guardNewKey)):
		return capture, time.Time{}
	case s.Now.Before(over): // it may still arrive
		return wait, over
	case s.Now.After(s.deadline()): // Vipps MobilePay has never answered: a person has to know
		return loss, time.Time{}
	case !v.Twice: // a read may be a moment behind, and this one decides about a second key
		return twice, time.Time{}
	default:
		return again, time.Time{}
	}
}

// deadline is the last moment at which a capture can be hoped for.
func (s *Session) deadline() time.Time {
	switch {
	case !s.Seen.GuaranteedUntil.IsZero():
		return s.Seen.GuaranteedUntil
	case !s.Approved.IsZero():
		return s.Approved.Add(guarantee)
	default:
		return s.Now.Add(guarantee)
	}
}

// attemptOver says whether a refused call says anything for good about the attempt or the release it was for.
func (r rules) attemptOver(refused *vipps.Error) bool {
	return !refused.OutcomeUnknown && refused.Conclusive() || !r.on(guardConclusive)
}
