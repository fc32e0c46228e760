package vending

import (
	"slices"
	"time"
)

// rules are the pure part of the engine: what a fact does to a session, what the money needs, what to do next. They read
// no clock but Session.Now and call nobody.
type rules struct {
	// off switches single guards off, and instead puts rows before the table, in tests that show what each of them prevents.
	off     guard
	instead []row
	// hit hears of each row that takes a fact, in tests that show which of them they reach.
	hit func(*row)
}

// guard is a set of rules that look harmless to leave out.
type guard uint16

const (
	guardLookAgain  guard = 1 << iota // a closed session is looked at again
	guardAbsent                       // a 404 is not proof that no payment exists, for a while
	guardGiveUp                       // giving up takes back only what nobody has approved
	guardConclude                     // recovery asks the machine and never tells it
	guardFactVend                     // a verdict is about one try
	guardFactN                        // a refusal is about one attempt
	guardConclusive                   // only a conclusive refusal ends an attempt
	guardNewKey                       // a refused key is not used again
	guardWindow                       // an attempt is not sent after its window
	guardUnknown                      // an item without a verdict is said
	guardRest                         // a terminated payment is at rest
	guardRefundN                      // an answer is about one attempt at a refund
	guardRefundLate                   // an attempt at a refund may arrive after its window
)

func (r rules) on(g guard) bool { return r.off&g == 0 }

// apply takes one fact. It returns the next session and whether any row of the table took the fact; the given session is
// not changed.
func (r rules) apply(s Session, f fact) (Session, bool) {
	w := r.row(&s, f)
	if w == nil {
		return s, false
	}
	if r.hit != nil {
		r.hit(w)
	}
	return r.follow(w, s, f), true
}

// row finds the row that takes a fact; nil if none does.
func (r rules) row(s *Session, f fact) *row {
	for _, rows := range [][]row{r.instead, table} {
		for i := range rows {
			if rows[i].takes(r, s, f) {
				return &rows[i]
			}
		}
	}
	return nil
}

func (w *row) takes(r rules, s *Session, f fact) bool {
	return w.fact == f.kind && slices.Contains(w.from, s.State) && (w.when == nil || w.when(r, s, f))
}

func (r rules) follow(w *row, s Session, f fact) Session {
	s = s.clone()
	if f.kind == factRead || f.kind == factSelected || f.kind == factRefunded {
		r.see(&s, f.view)
	}
	if w.do != nil {
		w.do(r, &s, f)
	}
	r.enter(&s, w.to)
	return s
}

// see keeps the most that was ever seen.
func (r rules) see(s *Session, v View) {
	if v.older(s.Seen) {
		return
	}
	s.Seen = v
	if v.authorized() && s.Approved.IsZero() {
		s.Approved = s.Now
	}
}

// enter does what belongs to arriving in a state, whichever way. to is empty for a row that stays.
func (r rules) enter(s *Session, to State) {
	if to == "" {
		return
	}
	s.State, s.Since = to, s.Now
	switch to {
	case Waiting:
		s.ApproveUntil = s.Now.Add(s.Timeouts.Approve)
	case Withdrawing:
		s.SeatUntil = s.Now.Add(s.Timeouts.Seat)
		switch s.Reason {
		case ReasonClock: // counted from when the customer's time was over, not from when somebody looked
			s.SeatUntil = s.ApproveUntil.Add(s.Timeouts.Seat)
		case ReasonReplaced:
		case ReasonReturned, ReasonRefused, ReasonUnanswered, ReasonMachine, ReasonAborted, ReasonExpired, "":
			s.Seat = "" // it can never vend again
		}
	case Vending:
		s.VerdictUntil, s.Overdue = s.Now.Add(s.Timeouts.Verdict), false
	case Held:
		s.Seat = ""
		s.HoldUntil = s.Now.Add(s.Timeouts.Hold)
		if latest := s.deadline().Add(-12 * time.Hour); latest.Before(s.HoldUntil) {
			s.HoldUntil = latest
		}
	case Settling:
		s.Seat = ""
		s.Absent = false
		if s.Due < 0 {
			// A machine that corrects itself may have let out more than was reserved. What is reserved is captured all the same.
			s.Due = min(s.price(inTime), s.Reserved)
			s.Capture = Attempt{N: 1, Amount: s.Due, SendUntil: s.Now.Add(sendWindow)}
		}
	case Closed:
		s.Seat, s.Ended, s.RedirectURL = "", s.Now, Sealed{}
	case Choosing:
		s.SelectUntil = s.Now.Add(s.Timeouts.Select)
	case Opening:
	}
}
