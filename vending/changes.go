package vending

import (
	"fmt"
	"time"

	"github.com/vippsvending/vipps/epayment"
)

// The changes that the rows of the table make.

func created(_ rules, s *Session, f fact) {
	s.Body, s.RedirectURL = Sealed{}, f.redirect
	s.Seen = View{At: s.Now, Exists: true, State: epayment.StateCreated}
}

// exists keeps a late word that the payment was made: from here on a 404 is an old view.
func exists(_ rules, s *Session, _ fact) {
	s.Body = Sealed{}
	if !s.Seen.Exists {
		s.Seen = View{At: s.Now, Exists: true, State: epayment.StateCreated}
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

func askLonger(_ rules, s *Session, _ fact) {
	s.VerdictUntil, s.Overdue = s.Now.Add(min(silence, s.Timeouts.Verdict)), true
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
		s.Reason = map[epayment.State]Reason{epayment.StateAborted: ReasonAborted, epayment.StateExpired: ReasonExpired}[f.view.State]
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
	if f.code == epayment.CodeFundsUnavailable {
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

func acknowledge(_ rules, s *Session, _ fact) { s.Acknowledged = s.Outcome }

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
