package vending

import (
	"time"

	"github.com/vippsvending/vipps/epayment"
)

// The conditions of the table. None of them changes the session.

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

// chooses says that the customer has yet to choose the next item.
func chooses(s *Session) bool { return s.Maximum && s.Item == len(s.Items) }

func recent(s *Session, v View) bool { return s.Now.Sub(v.At) <= fresh-arming }

// covers is what every arrow into Vending needs: enough is reserved, by a read at most 15 seconds old.
func covers(_ rules, s *Session, f fact) bool {
	_, ok := s.current()
	return ok && usable(s, f.view) && recent(s, f.view) && enough(s, f.view, s.nextPrice())
}

// coversMaximum lets the customer choose. What is chosen needs a read of its own.
func coversMaximum(_ rules, s *Session, f fact) bool {
	return chooses(s) && usable(s, f.view) && enough(s, f.view, s.nextPrice())
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

// notReplaced keeps the machine for a customer who has approved since another one was told that nobody had.
func notReplaced(_ rules, _ *Session, f fact) bool { return f.reason != ReasonReplaced }

func choosing(_ rules, s *Session, _ fact) bool { return chooses(s) }

func maximum(_ rules, s *Session, _ fact) bool { return s.Maximum }

func coversMaximumStill(r rules, s *Session, f fact) bool {
	return mayStillWin(s) && coversMaximum(r, s, f)
}

func pressedReturn(_ rules, s *Session, f fact) bool {
	return s.Seat != "" && f.reason == ReasonReturned
}

func short(_ rules, s *Session, f fact) bool {
	return usable(s, f.view) && f.view.authorized() && !enough(s, f.view, s.nextPrice())
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

// silentOnce is a machine that does not answer when its time is over. After a restart its line may come up later than the
// worker that asks.
func silentOnce(_ rules, s *Session, f fact) bool {
	item, ok := s.current()
	return ok && item.VendID == f.vend && !s.Now.Before(s.VerdictUntil) && !s.Overdue
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
	return s.InFull == CaptureAndRefund && f.code == epayment.CodeMustCaptureFull && !s.Full && ofThisAttempt(r, s, f) &&
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

func ofThisRefund(r rules, s *Session, f fact) bool { return r.asking(s, f) != nil }

// refundShown is the word that a refund was made, with a view that agrees.
func refundShown(r rules, s *Session, f fact) bool { return shows(s, f.view, r.asking(s, f)) }

// showsRefund is a read that shows the refund that is being made, whoever was told so.
func showsRefund(_ rules, s *Session, f fact) bool { return shows(s, f.view, s.refunding()) }

func shows(s *Session, v View, refund *Refund) bool {
	return refund != nil && usable(s, v) && v.Refunded >= refund.Before+refund.Amount
}

// refundedOtherwise is a read that shows another refund than the one that is being made: a person has acted, and a person has
// to say what is still to be refunded.
func refundedOtherwise(_ rules, s *Session, f fact) bool {
	refund := s.refunding()
	return refund != nil && usable(s, f.view) && refund.partlyIn(f.view) &&
		s.Now.After(refund.SendUntil.Add(lateCapture)) // until then it may be on its way
}

// partlyIn says that a view shows more than was refunded before, and less than with this refund.
func (r *Refund) partlyIn(v View) bool {
	return v.Refunded > r.Before && v.Refunded < r.Before+r.Amount
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
