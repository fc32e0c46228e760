package vending

import (
	"fmt"
	"time"
)

// row is one line of the state machine: a fact that arrives in a state, the condition, what is changed and where it leads.
// Rows are tried in order; the first that takes the fact wins. An empty to stays.
type row struct {
	from []State
	fact factKind
	// name is the condition in words, for the diagram; empty if there is none.
	name string
	when func(rules, *Session, fact) bool
	to   State
	do   func(rules, *Session, fact)
}

// in lists the states of a row.
func in(states ...State) []State { return states }

// table is the state machine.
var table = []row{
	// The payment is being made.
	{in(Opening), factCreated, "", nil, Waiting, created},
	{in(Opening), factRefused, "", nil, Withdrawing, refused},
	{in(Opening), factClock, "OpenUntil passed", passed(openUntil), Withdrawing, because(ReasonUnanswered)},
	{in(Opening), factWithdraw, "", nil, Withdrawing, withdraw},
	{in(Opening), factUnanswered, "", nil, "", countCreate},

	// The customer may approve.
	{in(Waiting), factRead, "covers", covers, Vending, arm},
	{in(Waiting), factRead, "ended", ended, Closed, closeEnded},
	{in(Waiting), factRead, "approved, does not cover", short, Settling, nil},
	{in(Waiting), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Waiting), factClock, "ApproveUntil passed", passed(approveUntil), Withdrawing, because(ReasonClock)},
	{in(Waiting), factWithdraw, "", nil, Withdrawing, withdraw},

	// The payment is being taken back.
	{in(Withdrawing), factRead, "ended", ended, Closed, closeEnded},
	{in(Withdrawing), factRead, "no payment, and none can come", absent, Closed, closeAbsent},
	{in(Withdrawing), factRead, "covers, seat held, by the clock or replaced", coversStill, Vending, arm},
	{in(Withdrawing), factRead, "approved otherwise", approvedOtherwise, Settling, nil},
	{in(Withdrawing), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Withdrawing), factClock, "SeatUntil passed", seatPassed, "", giveSeat},
	{in(Withdrawing), factCreated, "", nil, "", exists},
	{in(Withdrawing), factWithdraw, "by the return button, seat held", returned, "", withdraw},

	// The next item of a basket.
	{in(Choosing), factRead, "covers", covers, Vending, arm},
	{in(Choosing), factRead, "does not cover", uncovered, Settling, nil},
	{in(Choosing), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Choosing), factWithdraw, "", nil, Settling, withdraw},
	{in(Choosing), factClock, "SelectUntil passed", passed(selectUntil), Settling, because(ReasonClock)},

	// The machine has been told.
	{in(Vending), factVerdict, "dropped or not, and more items", verdictAndMore, Choosing, conclude},
	{in(Vending), factVerdict, "dropped or not, the last item", verdictKnown, Settling, conclude},
	{in(Vending), factVerdict, "unknown, hold", verdictUnknown(HoldUnknown), Held, conclude},
	{in(Vending), factVerdict, "unknown, release", verdictUnknown(ReleaseUnknown), Settling, conclude},
	{in(Vending), factClock, "VerdictUntil passed, hold", verdictPassed(HoldUnknown), Held, concludeUnknown},
	{in(Vending), factClock, "VerdictUntil passed, release", verdictPassed(ReleaseUnknown), Settling, concludeUnknown},

	// A person decides.
	{in(Held), factVerdict, "dropped or not", verdictOfHeld, Settling, amend},
	{in(Held), factResolved, "dropped or not", verdictOfHeld, Settling, amend},
	{in(Held), factClock, "HoldUntil passed", passed(holdUntil), Settling, nil},

	// The machine corrects itself before the sum is fixed.
	{in(Choosing, Vending, Held), factVerdict, "of an earlier item", earlierWord, "", amend},

	// The sum is fixed.
	{in(Settling), factRead, "at rest", moneyIs(rest), Closed, balance},
	{in(Settling), factRead, "captured too much", moneyIs(surplus), "", storeOver},
	{in(Settling), factRead, "cannot be captured any more", moneyIs(loss), "", storeLost},
	{in(Settling), factRead, "the attempt is over", moneyIs(again), "", nextAttempt},
	{in(Settling), factCaptureRefused, "of this attempt", ofThisAttempt, "", refuseAttempt},
	{in(Settling), factCancelRefused, "", nil, "", refuseCancel},
	{in(Settling), factVerdict, "too late", lateWord, "", amendLate},

	// The payment is at rest.
	{in(Closed), factVerdict, "too late", lateWord, "", amendLate},
	{in(Closed), factRead, "appeared, not approved", reappeared, Withdrawing, reopen},
	{in(Closed), factRead, "appeared, reserved", reserved, Settling, reopen},
	{in(Closed), factRead, "answered", looking, "", looked},
}

// Conditions.

func openUntil(s *Session) time.Time    { return s.OpenUntil }
func approveUntil(s *Session) time.Time { return s.ApproveUntil }
func selectUntil(s *Session) time.Time  { return s.SelectUntil }
func holdUntil(s *Session) time.Time    { return s.HoldUntil }

func passed(until func(*Session) time.Time) func(rules, *Session, fact) bool {
	return func(_ rules, s *Session, _ fact) bool { return !s.Now.Before(until(s)) }
}

func seatPassed(_ rules, s *Session, _ fact) bool { return s.Seat != "" && !s.Now.Before(s.SeatUntil) }

// usable says that a read is not older than what the session has seen, and shows a state that this version knows.
func usable(s *Session, v View) bool { return v.known() && !v.older(s.Seen) }

// enough says that a view shows a reservation for the next item and for everything before it that dropped or may have.
func enough(s *Session, v View) bool {
	item, ok := s.current()
	return ok && v.authorized() && v.free() >= item.Price+s.price(unsettled)
}

func recent(s *Session, v View) bool { return s.Now.Sub(v.At) <= fresh }

// covers is what every arrow into Vending needs: enough is reserved, by a read at most 15 seconds old.
func covers(_ rules, s *Session, f fact) bool {
	return usable(s, f.view) && recent(s, f.view) && enough(s, f.view)
}

// mayStillWin says that a customer who approves a payment that is being taken back gets the product after all.
func mayStillWin(s *Session) bool {
	return s.Seat != "" && s.Now.Before(s.SeatUntil) && (s.Reason == ReasonClock || s.Reason == ReasonReplaced)
}

func coversStill(r rules, s *Session, f fact) bool { return mayStillWin(s) && covers(r, s, f) }

func returned(_ rules, s *Session, f fact) bool { return s.Seat != "" && f.reason == ReasonReturned }

func short(_ rules, s *Session, f fact) bool {
	return usable(s, f.view) && f.view.authorized() && !enough(s, f.view)
}

func approvedOtherwise(r rules, s *Session, f fact) bool {
	return usable(s, f.view) && f.view.authorized() && (!mayStillWin(s) || short(r, s, f))
}

func ended(r rules, s *Session, f fact) bool {
	return usable(s, f.view) && f.view.ended() && r.atRest(f.view)
}

// uncovered is a read that shows too little for the next item.
func uncovered(r rules, s *Session, f fact) bool { return short(r, s, f) || ended(r, s, f) }

// absent says that there is no payment and that no request to make one can still be on its way.
func absent(r rules, s *Session, f fact) bool {
	return !f.view.Exists && !s.Seen.Exists && (s.Now.After(s.OpenUntil.Add(lateCreate)) || !r.on(guardAbsent))
}

func ofCurrent(r rules, s *Session, f fact) bool {
	item, ok := s.current()
	return ok && !item.Concluded && (item.VendID == f.vend || !r.on(guardFactVend))
}

func verdictKnown(r rules, s *Session, f fact) bool {
	return ofCurrent(r, s, f) && (f.verdict == Dropped || f.verdict == NotDropped)
}

func verdictAndMore(r rules, s *Session, f fact) bool {
	return verdictKnown(r, s, f) && s.Item+1 < len(s.Items)
}

func verdictUnknown(policy UnknownPolicy) func(rules, *Session, fact) bool {
	return func(r rules, s *Session, f fact) bool {
		return ofCurrent(r, s, f) && f.verdict == Unknown && r.unknown == policy
	}
}

func verdictPassed(policy UnknownPolicy) func(rules, *Session, fact) bool {
	return func(r rules, s *Session, _ fact) bool { return !s.Now.Before(s.VerdictUntil) && r.unknown == policy }
}

// index finds the item of a try.
func (s *Session) index(vend string) int {
	for i, item := range s.Items {
		if item.VendID == vend && vend != "" {
			return i
		}
	}
	return -1
}

func verdictOfHeld(_ rules, s *Session, f fact) bool {
	i := s.index(f.vend)
	return i >= 0 && unknown(s.Items[i]) && (f.verdict == Dropped || f.verdict == NotDropped)
}

// lateWord is a verdict on an item whose part of the sum is fixed: dropped, or certainly not where nobody knew.
func lateWord(_ rules, s *Session, f fact) bool {
	i := s.index(f.vend)
	return i >= 0 && (f.verdict == Dropped && !dropped(s.Items[i]) || f.verdict == NotDropped && unknown(s.Items[i]))
}

// earlierWord is a verdict that corrects the one on another item than the one being let out.
func earlierWord(r rules, s *Session, f fact) bool { return !ofCurrent(r, s, f) && lateWord(r, s, f) }

func moneyIs(want move) func(rules, *Session, fact) bool {
	return func(r rules, s *Session, f fact) bool {
		got, _ := r.money(s, f.view)
		return got == want
	}
}

func ofThisAttempt(r rules, s *Session, f fact) bool {
	return s.Capture.Refused == "" && (f.n == s.Capture.N || !r.on(guardFactN)) && r.on(guardNewKey)
}

func reappeared(r rules, s *Session, f fact) bool {
	return s.Absent && f.view.created() && r.on(guardLookAgain)
}

func reserved(r rules, s *Session, f fact) bool {
	return s.Absent && f.view.authorized() && !f.view.atRest() && r.on(guardLookAgain)
}

func looking(_ rules, s *Session, f fact) bool {
	return len(s.Tasks) > 0 && !s.Now.Before(s.Tasks[0].At) && f.view.known()
}

// Changes.

func created(_ rules, s *Session, f fact) {
	s.Body, s.RedirectURL = Sealed{}, f.redirect
	s.Seen = View{At: s.Now, Exists: true, State: "CREATED"}
}

// exists keeps a late word that the payment was made: from here on a 404 is an old view.
func exists(_ rules, s *Session, _ fact) {
	s.Body = Sealed{}
	if !s.Seen.Exists {
		s.Seen = View{At: s.Now, Exists: true, State: "CREATED"}
	}
}

func refused(_ rules, s *Session, _ fact) { s.Reason, s.Body = ReasonRefused, Sealed{} }

func countCreate(_ rules, s *Session, _ fact) { s.Creates++ }

func because(reason Reason) func(rules, *Session, fact) {
	return func(_ rules, s *Session, _ fact) { s.Reason, s.Body = reason, Sealed{} }
}

func withdraw(_ rules, s *Session, f fact) {
	s.Reason, s.Body = f.reason, Sealed{}
	if f.reason == ReasonReturned {
		s.Seat = ""
	}
}

func giveSeat(_ rules, s *Session, _ fact) { s.Seat = "" }

func arm(_ rules, s *Session, _ fact) {
	s.Items[s.Item].VendID = fmt.Sprintf("%s-v%d", s.ID, s.Item+1)
}

func conclude(r rules, s *Session, f fact) {
	item := &s.Items[s.Item]
	item.Verdict, item.Concluded = f.verdict, f.verdict != Unknown || r.on(guardUnknown)
	s.Item++
}

func concludeUnknown(r rules, s *Session, f fact) {
	f.verdict = Unknown
	conclude(r, s, f)
}

// amend puts a person's or a late machine's word in the place of Unknown, before the sum is fixed.
func amend(_ rules, s *Session, f fact) { s.Items[s.index(f.vend)].Verdict = f.verdict }

// amendLate takes a word on an item when the sum is fixed: what dropped is lost.
func amendLate(_ rules, s *Session, f fact) {
	item := &s.Items[s.index(f.vend)]
	item.Verdict, item.Concluded, item.Late = f.verdict, true, true
	if s.State == Closed {
		s.Outcome = s.outcome(s.Seen)
	}
}

func closeEnded(_ rules, s *Session, f fact) {
	if s.Reason == "" {
		s.Reason = map[string]Reason{"ABORTED": ReasonAborted, "EXPIRED": ReasonExpired}[string(f.view.State)]
	}
	s.Absent = false
	s.Outcome = s.outcome(f.view)
}

func closeAbsent(r rules, s *Session, f fact) {
	s.Absent, s.Body = true, Sealed{}
	s.Outcome = s.outcome(f.view)
	if r.on(guardLookAgain) {
		s.Tasks = append(s.Tasks, Task{Kind: TaskLook, At: s.Now.Add(lookAfter)})
	}
}

func balance(_ rules, s *Session, f fact) { s.Outcome = s.outcome(f.view) }

func storeOver(_ rules, s *Session, _ fact) { s.Over = true }

func storeLost(_ rules, s *Session, _ fact) { s.Lost = true }

func nextAttempt(_ rules, s *Session, f fact) {
	s.Capture = Attempt{N: s.Capture.N + 1, Amount: s.Due - f.view.Captured, SendUntil: s.Now.Add(sendWindow)}
}

func refuseAttempt(_ rules, s *Session, f fact) {
	s.Capture.Refused = f.code
	if f.code == codeFundsUnavailable {
		s.Unfunded++
		s.Capture.RetryAt = s.Now.Add(backoff(s.Unfunded))
		return
	}
	s.Refusals++
}

func refuseCancel(r rules, s *Session, f fact) {
	r.see(s, f.view)
	s.CancelRefusals++
	s.CancelAt = s.Now.Add(backoff(s.CancelRefusals))
	s.Outcome = s.outcome(s.Seen)
	s.Outcome.Result = NotReleased
}

func reopen(_ rules, s *Session, _ fact) { s.Tasks, s.Absent = nil, false }

// looked ends the look: the question was answered.
func looked(_ rules, s *Session, f fact) {
	s.Tasks = nil
	s.Absent = !f.view.Exists
	s.Outcome = s.outcome(f.view)
}
