package vending

import (
	"testing"
	"time"
)

// TestRefundTable puts facts about refunds to the table that cannot be brought about from outside: the answer's own sums do
// not agree with it.
func TestRefundTable(t *testing.T) {
	t.Parallel()
	s := Session{
		ID: "s", State: Closed, Now: epoch, Ended: epoch,
		Seen:  View{Exists: true, State: "AUTHORIZED", Authorized: 500, Captured: 500},
		Items: []Item{{Price: 500, VendID: "s-v1", Verdict: Dropped, Concluded: true}},
	}
	var r rules
	s, ok := r.apply(s, fact{kind: factRefundAsked, refund: Refund{Amount: 500, Items: []string{"s-v1"}, Reason: "stale"}})
	if !ok || s.Outcome.Refunding != 500 {
		t.Fatalf("not asked: %+v", s)
	}
	if _, ok := r.apply(s, fact{kind: factRefundAsked, refund: Refund{Amount: 500, Items: []string{"s-v1"}, Reason: "stale"}}); ok {
		t.Error("an item was refunded twice")
	}
	view := s.Seen
	if _, ok := r.apply(s, fact{kind: factRefunded, n: 1, view: view}); ok {
		t.Error("a refund that the payment does not show was believed")
	}
	view.Refunded = 500
	if _, ok := r.apply(s, fact{kind: factRefunded, n: 2, view: view}); ok {
		t.Error("another attempt's answer was taken")
	}
	view.Twice = true
	if _, ok := r.apply(s, fact{kind: factRefundMissing, n: 1, view: view}); ok {
		t.Error("a second attempt follows while the first may be sent")
	}
	s.Now = s.Refunds[0].SendUntil.Add(lateCapture + time.Second)
	if next, ok := r.apply(s, fact{kind: factRefundMissing, n: 1, view: s.Seen}); ok {
		t.Errorf("one read is enough for a second attempt: %+v", next.Refunds)
	}
	seen := s.Seen
	seen.Twice = true
	next, ok := r.apply(s, fact{kind: factRefundMissing, n: 1, view: seen})
	if !ok || next.Refunds[0].N != 2 || next.Tasks[0].N != 2 || s.Refunds[0].N != 1 {
		t.Errorf("no second attempt: %+v", next.Refunds)
	}
	done, ok := r.apply(s, fact{kind: factRefunded, n: 1, view: view})
	if !ok || done.Outcome.Refunded != 500 || done.Outcome.NeedsPerson() || len(done.Tasks) != 0 {
		t.Errorf("not done: %+v", done)
	}
}
