package vending

import (
	"fmt"
	"slices"
	"time"

	"github.com/vippsvending/vipps"
)

// TaskKind says what is left to do when a session is closed.
type TaskKind string

// The tasks. The payment is at rest without them.
const (
	// TaskLook reads the payment once more: the session closed because there was none, and a request may have been under way.
	TaskLook TaskKind = "look"
	// TaskReceipt sends the receipt of what dropped.
	TaskReceipt TaskKind = "receipt"
	// TaskRefund gives money back.
	TaskRefund TaskKind = "refund"
)

// Task is something a closed session still has to do.
type Task struct {
	Kind TaskKind
	At   time.Time
	// Tries counts how often it failed.
	Tries int `json:",omitzero"`
	// N is the refund that it is about, as in Session.Refunds.
	N int `json:",omitzero"`
	// Body is the frozen receipt.
	Body []byte `json:",omitzero"`
}

// RefundState is how far a refund has come.
type RefundState string

// The states of a refund.
const (
	RefundAsked   RefundState = "asked"   // it is being tried
	RefundDone    RefundState = "done"    // the customer has it, or will in some days
	RefundRefused RefundState = "refused" // it was refused for good, with a code
)

// Refund is money that is given back after it was captured.
type Refund struct {
	// N is the number of the newest attempt. No two attempts of a session have the same.
	N int
	// Amount is in minor units.
	Amount int64
	// Items are the vend ids of the items that it is for; empty for what was captured beyond them.
	Items  []string `json:",omitzero"`
	Reason string
	State  RefundState
	// Code is that of the refusal.
	Code vipps.Code `json:",omitzero"`

	// Asked is when it was asked for, and SendUntil how long the attempt may be sent.
	Asked     time.Time
	SendUntil time.Time
	// Before is what had been refunded when the attempt's turn came.
	Before int64
}

// receiptPatience is how long a receipt is tried to be sent.
const receiptPatience = 7 * 24 * time.Hour

// task gives the index of what is to be done now, or −1 and when something is; the zero time is never. What waits longest is
// first, and refunds are done one after another.
func (s *Session) task() (int, time.Time) {
	first, refunding := -1, false
	for i, task := range s.Tasks {
		if task.Kind == TaskRefund {
			if refunding {
				continue
			}
			refunding = true
		}
		if first < 0 || task.At.Before(s.Tasks[first].At) {
			first = i
		}
	}
	switch {
	case first < 0:
		return -1, time.Time{}
	case s.Now.Before(s.Tasks[first].At):
		return -1, s.Tasks[first].At
	default:
		return first, time.Time{}
	}
}

// refunding is the refund that is being made; nil if there is none.
func (s *Session) refunding() *Refund {
	for _, task := range s.Tasks {
		if task.Kind == TaskRefund {
			return s.refund(task.N)
		}
	}
	return nil
}

// due says whether a task of a kind is to be done now.
func (s *Session) due(kind TaskKind) bool {
	i, _ := s.task()
	return i >= 0 && s.Tasks[i].Kind == kind
}

// without takes the tasks that a predicate picks away.
func (s *Session) without(pick func(Task) bool) {
	kept := s.Tasks[:0:0]
	for _, task := range s.Tasks {
		if !pick(task) {
			kept = append(kept, task)
		}
	}
	s.Tasks = kept
}

// endRefund stores what became of a refund.
func (s *Session) endRefund(refund *Refund, state RefundState, code vipps.Code) {
	refund.State, refund.Code = state, code
	s.without(func(t Task) bool { return t.Kind == TaskRefund && t.N == refund.N })
	if next := s.refunding(); next != nil { // what was refunded until now is not its doing
		next.Before, next.SendUntil = s.Seen.Refunded, s.Now.Add(sendWindow)
	}
	s.Outcome = s.outcome(s.Seen)
}

// refund finds a refund by its number.
func (s *Session) refund(n int) *Refund {
	for i := range s.Refunds {
		if s.Refunds[i].N == n {
			return &s.Refunds[i]
		}
	}
	return nil
}

// ask adds a refund and the task to make it.
func (s *Session) ask(r Refund) {
	s.RefundN++
	r.N, r.State = s.RefundN, RefundAsked
	r.Asked, r.SendUntil, r.Before = s.Now, s.Now.Add(sendWindow), s.Seen.Refunded
	s.Refunds = append(s.Refunds, r)
	s.Tasks = append(s.Tasks, Task{Kind: TaskRefund, At: s.Now, N: r.N})
}

// refunded is the sum of the refunds that a predicate picks.
func (s *Session) refunded(pick func(Refund) bool) int64 {
	var sum int64
	for _, refund := range s.Refunds {
		if pick(refund) {
			sum += refund.Amount
		}
	}
	return sum
}

func asked(r Refund) bool { return r.State == RefundAsked }

// returned is a refund of something that dropped, done or under way.
func returned(r Refund) bool { return r.State != RefundRefused && len(r.Items) > 0 }

// refusedFor is a refund that was refused and not made good by another one.
func (s *Session) refusedFor(r Refund) bool {
	if r.State != RefundRefused {
		return false
	}
	for _, id := range r.Items {
		if !s.given(id) {
			return true
		}
	}
	return len(r.Items) == 0 && !slices.ContainsFunc(s.Refunds, func(other Refund) bool {
		return len(other.Items) == 0 && other.State != RefundRefused
	})
}

// notRefunded is what was to be refunded and was refused, each item once however often it was asked for.
func (s *Session) notRefunded() int64 {
	var sum, beyond int64
	counted := map[string]bool{}
	for _, refund := range s.Refunds {
		if !s.refusedFor(refund) {
			continue
		}
		if len(refund.Items) == 0 {
			beyond = max(beyond, refund.Amount)
		}
		for _, id := range refund.Items {
			if i := s.index(id); i >= 0 && !counted[id] && !s.given(id) {
				counted[id] = true
				sum += s.Items[i].Price
			}
		}
	}
	return sum + beyond
}

// given says whether an item has a refund, done or under way.
func (s *Session) given(vend string) bool {
	for _, refund := range s.Refunds {
		if refund.State == RefundRefused {
			continue
		}
		if slices.Contains(refund.Items, vend) {
			return true
		}
	}
	return false
}

func (r Refund) key(session string) string { return fmt.Sprintf("%s-r%d", session, r.N) }
