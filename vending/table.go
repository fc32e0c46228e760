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
	{in(Waiting), factRead, "covers a maximum", coversMaximum, Choosing, nil},
	{in(Waiting), factRead, "ended", ended, Closed, closeEnded},
	{in(Waiting), factRead, "approved, does not cover", short, Settling, nil},
	{in(Waiting), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Waiting), factClock, "ApproveUntil passed", passed(approveUntil), Withdrawing, because(ReasonClock)},
	{in(Waiting), factWithdraw, "", nil, Withdrawing, withdraw},

	// The payment is being taken back.
	{in(Withdrawing), factRead, "ended", ended, Closed, closeEnded},
	{in(Withdrawing), factRead, "no payment, and none can come", absent, Closed, closeAbsent},
	{in(Withdrawing), factRead, "covers, seat held, by the clock or replaced", coversStill, Vending, arm},
	{in(Withdrawing), factRead, "covers a maximum, seat held, by the clock or replaced", coversMaximumStill, Choosing, nil},
	{in(Withdrawing), factRead, "approved otherwise", approvedOtherwise, Settling, nil},
	{in(Withdrawing), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Withdrawing), factClock, "SeatUntil passed", seatPassed, "", giveSeat},
	{in(Withdrawing), factCreated, "", nil, "", exists},
	{in(Withdrawing), factWithdraw, "by the return button, seat held", pressedReturn, "", withdraw},

	// The next item: of a basket, or the one that the customer chooses.
	{in(Choosing), factRead, "covers", coversInTime, Vending, arm},
	{in(Choosing), factRead, "does not cover", uncovered, Settling, nil},
	{in(Choosing), factSelected, "covers", selected, Vending, armSelected},
	{in(Choosing), factSelected, "does not cover", selectedInVain, Settling, nil},
	{in(Choosing), factComplete, "of a maximum", choosing, Settling, nil},
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

	{in(Vending), factComplete, "of a maximum", maximum, "", lastItem},

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
	{in(Settling), factCaptureRefused, "in full only, to be refunded", inFullOnly, "", captureInFull},
	{in(Settling), factCaptureRefused, "of this attempt", ofThisAttempt, "", refuseAttempt},
	{in(Settling), factCancelRefused, "", nil, "", refuseCancel},
	{in(Settling), factVerdict, "too late", lateWord, "", amendLate},
	{in(Settling), factResolved, "too late", lateWord, "", amendLate},

	// The payment is at rest.
	{in(Closed), factVerdict, "too late", lateWord, "", amendLate},
	{in(Closed), factResolved, "too late", lateWord, "", amendLate},
	{in(Settling, Closed), factAcknowledged, "needs a person", needsPerson, "", acknowledge},
	{in(Closed), factRead, "appeared, not approved", reappeared, Withdrawing, reopen},
	{in(Closed), factRead, "appeared, reserved", reserved, Settling, reopen},
	{in(Closed), factRead, "answered", looking, "", looked},
	{in(Closed), factRead, "shows the refund", showsRefund, "", refundSeen},
	{in(Closed), factRead, "somebody else has refunded", refundedOtherwise, "", refundDoubtful},
	{in(Closed), factRead, "somebody has acted", changed, "", look},
	{in(Closed), factPostponed, "a task", postponable, "", postpone},
	{in(Closed), factReceipt, "", sending, "", sent},
	{in(Closed), factRefundAsked, "within what was captured", refundable, "", askRefund},
	{in(Closed), factRefunded, "by this attempt", refundShown, "", refundDone},
	{in(Closed), factRefundRefused, "by this attempt", ofThisRefund, "", refuseRefund},
	{in(Closed), factRefundMissing, "the attempt is over", refundOver, "", nextRefund},
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

// enough says that a view shows a reservation for one more price and for everything before it that dropped or may have.
func enough(s *Session, v View, price int64) bool {
	return v.authorized() && v.free() >= price+s.price(unsettled)
}

// next is the price that a reservation has to cover now: of the next item, or, before anything was chosen, the smallest
// there is.
func (s *Session) next() int64 {
	if item, ok := s.current(); ok {
		return item.Price
	}
	return 1
}

// chooses says that the customer has yet to choose the next item.
func chooses(s *Session) bool { return s.Maximum && s.Item == len(s.Items) }

func recent(s *Session, v View) bool { return s.Now.Sub(v.At) <= fresh }

// covers is what every arrow into Vending needs: enough is reserved, by a read at most 15 seconds old.
func covers(_ rules, s *Session, f fact) bool {
	_, ok := s.current()
	return ok && usable(s, f.view) && recent(s, f.view) && enough(s, f.view, s.next())
}

// coversMaximum lets the customer choose. What is chosen needs a read of its own.
func coversMaximum(_ rules, s *Session, f fact) bool {
	return chooses(s) && usable(s, f.view) && enough(s, f.view, s.next())
}

// mayStillWin says that a customer who approves a payment that is being taken back gets the product after all.
func mayStillWin(s *Session) bool {
	return s.Seat != "" && s.Now.Before(s.SeatUntil) && (s.Reason == ReasonClock || s.Reason == ReasonReplaced)
}

func coversStill(r rules, s *Session, f fact) bool { return mayStillWin(s) && covers(r, s, f) }

// coversInTime is for the item that follows another one: whoever bought the first has left when SelectUntil has passed.
func coversInTime(r rules, s *Session, f fact) bool {
	return s.Now.Before(s.SelectUntil) && covers(r, s, f)
}

func choosing(_ rules, s *Session, _ fact) bool { return chooses(s) }

func maximum(_ rules, s *Session, _ fact) bool { return s.Maximum }

func coversMaximumStill(r rules, s *Session, f fact) bool {
	return mayStillWin(s) && coversMaximum(r, s, f)
}

func pressedReturn(_ rules, s *Session, f fact) bool {
	return s.Seat != "" && f.reason == ReasonReturned
}

func short(_ rules, s *Session, f fact) bool {
	return usable(s, f.view) && f.view.authorized() && !enough(s, f.view, s.next())
}

// inTurn says that a selection is for the item after those that were chosen before, and that the customer may still choose.
func inTurn(s *Session, f fact) bool {
	return chooses(s) && f.n == len(s.Items)+1 && s.mayTake() && s.Now.Before(s.SelectUntil)
}

// selected is a choice within the rest of the reservation, with a read that covers it.
func selected(_ rules, s *Session, f fact) bool {
	return inTurn(s, f) && f.item.Price > 0 && f.item.Price <= s.rest() &&
		usable(s, f.view) && recent(s, f.view) && enough(s, f.view, f.item.Price)
}

// selectedInVain is a choice within the rest of what was to be reserved, of which less is left.
func selectedInVain(r rules, s *Session, f fact) bool {
	return inTurn(s, f) && f.item.Price > 0 && f.item.Price <= s.rest() && usable(s, f.view) &&
		(f.view.authorized() && !enough(s, f.view, f.item.Price) || ended(r, s, f))
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
	return verdictKnown(r, s, f) && s.more(f.verdict)
}

func verdictUnknown(policy UnknownPolicy) func(rules, *Session, fact) bool {
	return func(r rules, s *Session, f fact) bool {
		return ofCurrent(r, s, f) && f.verdict == Unknown && s.UnknownVerdict == policy
	}
}

func verdictPassed(policy UnknownPolicy) func(rules, *Session, fact) bool {
	return func(_ rules, s *Session, _ fact) bool {
		return !s.Now.Before(s.VerdictUntil) && s.UnknownVerdict == policy
	}
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

func looking(_ rules, s *Session, f fact) bool { return s.due(TaskLook) && f.view.known() }

func sending(_ rules, s *Session, _ fact) bool { return s.due(TaskReceipt) }

// inFullOnly is Vipps MobilePay refusing to capture a part, where the operator wants all captured and the rest refunded.
func inFullOnly(r rules, s *Session, f fact) bool {
	return s.InFull == CaptureAndRefund && f.code == codeMustCaptureFull && !s.Full && ofThisAttempt(r, s, f) &&
		s.Seen.authorized() && s.Seen.Captured < s.Due && s.Due < s.Seen.Authorized && s.Seen.Cancelled == 0
}

// refundable is a refund of no more than what was captured and is not given back, or being given back, and of no item twice.
func refundable(_ rules, s *Session, f fact) bool {
	for _, id := range f.refund.Items {
		if i := s.index(id); i < 0 || !inTime(s.Items[i]) || s.given(id) {
			return false
		}
	}
	if len(f.refund.Items) == 0 && f.refund.Amount > s.outcome(s.Seen).Over {
		return false
	}
	return f.refund.Amount > 0 && f.refund.Amount <= s.Seen.Captured-s.Seen.Refunded-s.refunded(asked) && !s.Now.After(s.Ended.Add(refundWindow))
}

// asking finds the refund that a fact is about, if it is still under way.
func (r rules) asking(s *Session, f fact) *Refund {
	for i, refund := range s.Refunds {
		if refund.State == RefundAsked && (refund.N == f.n || !r.on(guardRefundN)) {
			return &s.Refunds[i]
		}
	}
	return nil
}

func needsPerson(_ rules, s *Session, _ fact) bool {
	return s.Outcome.NeedsPerson() && s.Outcome != s.Acknowledged
}

func acknowledge(_ rules, s *Session, _ fact) { s.Acknowledged = s.Outcome }

func ofThisRefund(r rules, s *Session, f fact) bool { return r.asking(s, f) != nil }

// refundShown is the word that a refund was made, with a view that agrees.
func refundShown(r rules, s *Session, f fact) bool {
	refund := r.asking(s, f)
	return refund != nil && usable(s, f.view) && f.view.Refunded >= refund.Before+refund.Amount
}

// showsRefund is a read that shows the refund that is being made, whoever was told so.
func showsRefund(_ rules, s *Session, f fact) bool {
	refund := s.refunding()
	return refund != nil && usable(s, f.view) && f.view.Refunded >= refund.Before+refund.Amount
}

// refundedOtherwise is a read that shows another refund than the one that is being made: a person has acted, and a person has
// to say what is still to be refunded.
func refundedOtherwise(_ rules, s *Session, f fact) bool {
	refund := s.refunding()
	return refund != nil && usable(s, f.view) && f.view.Refunded > refund.Before && f.view.Refunded < refund.Before+refund.Amount
}

// changed is a read that shows more than the session has seen.
func changed(_ rules, s *Session, f fact) bool {
	return !s.Absent && f.view.Exists && usable(s, f.view) && s.Seen.older(f.view)
}

func postponable(_ rules, s *Session, _ fact) bool {
	i, _ := s.task()
	return i >= 0
}

// refundOver says that an attempt at a refund can no longer arrive, and that the payment shows nothing of it.
func refundOver(r rules, s *Session, f fact) bool {
	refund := r.asking(s, f)
	return refund != nil && f.view.Twice && usable(s, f.view) && f.view.Refunded == refund.Before && (s.Now.After(refund.SendUntil.Add(lateCapture)) || !r.on(guardRefundLate))
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

func refused(_ rules, s *Session, f fact) {
	s.Reason, s.Refusal, s.Body = ReasonRefused, f.code, Sealed{}
}

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

func armSelected(r rules, s *Session, f fact) {
	s.Items = append(s.Items, f.item)
	arm(r, s, f)
}

// lastItem lets nothing follow the item that is being let out.
func lastItem(_ rules, s *Session, _ fact) { s.MaxItems = 0 }

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

// balance closes the session. A refund that was to follow has its window from now, and the receipt is frozen.
func balance(_ rules, s *Session, f fact) {
	for i := range s.Refunds {
		s.Refunds[i].SendUntil, s.Refunds[i].Asked, s.Refunds[i].Before = s.Now.Add(sendWindow), s.Now, f.view.Refunded
	}
	for i := range s.Tasks {
		s.Tasks[i].At = s.Now
	}
	s.Outcome = s.outcome(f.view)
	if body := s.receipt(); body != nil {
		s.Tasks = append(s.Tasks, Task{Kind: TaskReceipt, At: s.Now, Body: body})
	}
}

func storeOver(_ rules, s *Session, _ fact) { s.Over = true }

// storeLost gives up what is missing. If all was to be captured and a part refunded, there is nothing to refund.
func storeLost(_ rules, s *Session, _ fact) {
	s.Lost = true
	if s.Full {
		s.Full, s.Refunds = false, nil
		s.without(func(t Task) bool { return t.Kind == TaskRefund })
	}
}

func nextAttempt(_ rules, s *Session, f fact) {
	s.Capture = Attempt{N: s.Capture.N + 1, Amount: s.want() - f.view.Captured, SendUntil: s.Now.Add(sendWindow)}
}

// captureInFull stores three things at once: that all is wanted, the refund of what is too much, and the next attempt.
func captureInFull(_ rules, s *Session, _ fact) {
	s.Full = true
	s.ask(Refund{Amount: s.Seen.Authorized - s.Due, Reason: "only the whole reservation could be captured"})
	s.Capture = Attempt{N: s.Capture.N + 1, Amount: s.want() - s.Seen.Captured, SendUntil: s.Now.Add(sendWindow)}
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

func sent(_ rules, s *Session, _ fact) {
	s.without(func(t Task) bool { return t.Kind == TaskReceipt })
}

func askRefund(_ rules, s *Session, f fact) {
	s.ask(f.refund)
	s.Outcome = s.outcome(s.Seen)
}

func refundDone(r rules, s *Session, f fact) { s.endRefund(r.asking(s, f), RefundDone, "") }

func refuseRefund(r rules, s *Session, f fact) { s.endRefund(r.asking(s, f), RefundRefused, f.code) }

func refundSeen(_ rules, s *Session, _ fact) { s.endRefund(s.refunding(), RefundDone, "") }

func refundDoubtful(_ rules, s *Session, _ fact) { s.endRefund(s.refunding(), RefundRefused, "") }

// look counts the session up anew: see has kept the view.
func look(_ rules, s *Session, _ fact) { s.Outcome = s.outcome(s.Seen) }

// postpone has the task that failed tried again after a while, longer each time.
func postpone(_ rules, s *Session, _ fact) {
	i, _ := s.task()
	s.Tasks[i].Tries++
	s.Tasks[i].At = s.Now.Add(min(15*time.Second<<min(s.Tasks[i].Tries, 13), 24*time.Hour))
}

func nextRefund(r rules, s *Session, f fact) {
	refund := r.asking(s, f)
	s.RefundN++
	for i := range s.Tasks {
		if s.Tasks[i].Kind == TaskRefund && s.Tasks[i].N == refund.N {
			s.Tasks[i].N = s.RefundN
		}
	}
	refund.N, refund.SendUntil, refund.Before = s.RefundN, s.Now.Add(sendWindow), f.view.Refunded
}

// looked ends the look: the question was answered.
func looked(_ rules, s *Session, f fact) {
	s.Tasks = nil
	s.Absent = !f.view.Exists
	s.Outcome = s.outcome(f.view)
}
