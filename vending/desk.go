package vending

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/vippsvending/vipps"
)

// ErrTooLate means that the session has moved on and has no use for what it was told.
var ErrTooLate = errors.New("vending: the session has moved on")

// Session gives a session by its id, or an error that matches [ErrNotFound].
func (o *Operator) Session(ctx context.Context, id string) (*Session, error) {
	s, err := o.config.Store.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", id, err)
	}
	return &s, nil
}

// Attention gives the sessions that a person has to look at: those that are held, cannot be released or have been settling
// for an hour, and those that were closed since a moment and whose outcome needs a person (see [Outcome.NeedsPerson]) and is not
// acknowledged; oldest first in each part. [Session.Action] says what to do.
func (o *Operator) Attention(ctx context.Context, since time.Time) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for s, err := range o.config.Store.Open(ctx) {
			if err == nil && s.State == Closed && !s.Ended.Before(since) { // with a task left: below
				continue
			}
			if (err != nil || s.Action() != "") && !yield(s, err) {
				return
			}
		}
		for s, err := range o.config.Store.Closed(ctx, since, farAway) {
			if (err != nil || s.Action() != "") && !yield(s, err) {
				return
			}
		}
	}
}

// Action says what a person should do about a session now; empty if nothing.
func (s *Session) Action() string {
	switch {
	case s.State == Held:
		return fmt.Sprintf("say with Resolve whether the product came out, before %s: then nothing is charged for it", s.HoldUntil.UTC().Format("2006-01-02 15:04 MST"))
	case s.Outcome.NeedsPerson() && s.Outcome != s.Acknowledged:
		return s.Outcome.Action()
	case s.stuck():
		return "look at the session's history: Vipps MobilePay has refused or not answered for an hour; it is tried again by itself"
	default:
		return ""
	}
}

// stuck says that a session has been settled, taken back or refunded for too long.
func (s *Session) stuck() bool {
	if refund := s.refunding(); s.State == Closed && refund != nil {
		return s.Now.Sub(refund.Asked) > time.Hour
	}
	return (s.State == Settling || s.State == Withdrawing) && s.Now.Sub(s.Since) > time.Hour
}

// Acknowledge says that a person has dealt with a session's outcome, and how: 1 to 200 characters, kept in the history.
// [Operator.Attention] does not give it any more, unless the outcome changes. Acknowledging twice is the same as once.
func (o *Operator) Acknowledge(ctx context.Context, session, note string) error {
	if length := utf8.RuneCountInString(note); length == 0 || length > 200 {
		return fmt.Errorf("vending.Acknowledge: %w: note: must be 1 to 200 characters", vipps.ErrInvalidRequest)
	}
	return o.tell(ctx, session, fact{kind: factAcknowledged, cause: note})
}

// farAway is later than any session ends.
var farAway = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Withdraw takes a session back: the customer has pressed the return button or has left. If the payment is not approved
// yet it is cancelled; if it is, all that did not drop is released. A customer who approves in that moment gets their money
// back, not the product. Withdrawing twice is the same as once.
//
// A session whose machine has been told cannot be withdrawn any more: [ErrTooLate]; so is one that is settled.
func (o *Operator) Withdraw(ctx context.Context, id string) error {
	return o.tell(ctx, id, fact{kind: factWithdraw, reason: ReasonReturned})
}

// Report takes the machine's word on one item from outside, such as telemetry that comes late: Dropped or NotDropped of the
// [Command] with that id. A word that comes when the sum is fixed changes no sum; what dropped is then counted as lost. An id
// that is nobody's gives [ErrNotFound].
func (o *Operator) Report(ctx context.Context, vend string, verdict Verdict) error {
	if verdict != Dropped && verdict != NotDropped {
		return fmt.Errorf("vending.Report: %w: Verdict: must be Dropped or NotDropped", vipps.ErrInvalidRequest)
	}
	return o.told(ctx, "vending.Report", fact{kind: factVerdict, vend: vend, verdict: verdict})
}

// Resolve takes a person's word on an item of which nobody knows whether it came out. While the session is held, Dropped
// charges it and NotDropped does not. Later no sum changes any more: what came out is counted as lost. vend is the item's
// VendID; one that is nobody's gives [ErrNotFound].
func (o *Operator) Resolve(ctx context.Context, vend string, verdict Verdict) error {
	if verdict != Dropped && verdict != NotDropped {
		return fmt.Errorf("vending.Resolve: %w: Verdict: must be Dropped or NotDropped", vipps.ErrInvalidRequest)
	}
	return o.told(ctx, "vending.Resolve", fact{kind: factResolved, vend: vend, verdict: verdict})
}

// told takes a word on one item.
func (o *Operator) told(ctx context.Context, op string, f fact) error {
	session := sessionOf(f.vend)
	if session == "" {
		return fmt.Errorf("%s: vend %q: not a vend id: %w", op, f.vend, ErrNotFound)
	}
	return o.tell(ctx, session, f)
}

// tell puts what somebody said to the table, and has the session looked at.
func (o *Operator) tell(ctx context.Context, id string, f fact) error {
	m := &mover{o: o, id: id, done: ctx.Done()}
	if err := m.load(ctx); err != nil {
		return err
	}
	if m.foreign() {
		return errForeign
	}
	taken, err := m.take(ctx, f)
	switch {
	case err != nil:
		return err
	case !taken && f.kind == factWithdraw && m.s.withdrawn():
		return nil
	case !taken && f.vend != "" && m.s.index(f.vend) < 0:
		return fmt.Errorf("session %s: %w: it has no item %s", id, vipps.ErrInvalidRequest, f.vend)
	case !taken && f.kind == factAcknowledged && m.s.State == Closed: // it was before, or nothing needs it
		return nil
	case !taken && f.kind == factComplete && m.s.Maximum && m.s.Due >= 0:
		return nil
	case !taken && m.s.knows(f):
		return nil
	case !taken:
		return fmt.Errorf("session %s is %s: %w", id, m.s.State, ErrTooLate)
	}
	if !o.isRunning() { // nobody else in this process would; what was said is stored, so what fails now is tried again
		if _, err := o.advance(ctx, id, false); err != nil {
			o.config.Logger.LogAttrs(ctx, slog.LevelDebug, "session waits", slog.String("session", id), slog.String("error", err.Error()))
		}
		return nil
	}
	return o.hurry(ctx, id)
}

// withdrawn says that the session is being taken back or has ended without telling the machine anything.
func (s *Session) withdrawn() bool {
	return s.State == Withdrawing || s.Due >= 0 && s.Reason == ReasonReturned ||
		s.State == Closed && (len(s.Items) == 0 || s.Items[0].VendID == "")
}

// knows says that a word on an item has been taken before.
func (s *Session) knows(f fact) bool {
	i := s.index(f.vend)
	return i >= 0 && s.Items[i].Concluded && s.Items[i].Verdict == f.verdict
}
