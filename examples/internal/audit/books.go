// Package audit holds three sets of books against each other: what Vipps MobilePay says of payments, what the store says of
// sessions, and what the machines' own counters say has left them.
package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// Books are those of one run, at its end.
type Books struct {
	Payments []vippstest.Payment
	Sessions []vending.Session
	// Drops is how many products have left for a vend id, by the machines' counters.
	Drops map[string]int
	// Words is what the machines say of a vend id when they are asked at the end. Unknown is a machine that has lost its
	// memory, or is never heard of again.
	Words map[string]vending.Verdict
}

// Audit finds what must not be, and counts the rest.
func (b *Books) Audit() *Report {
	a := &auditor{books: b, payments: map[string]vippstest.Payment{}, sessions: map[string]bool{}, ids: map[string]*vending.Session{}, outcomes: map[string]int{}}
	for _, payment := range b.Payments {
		a.payments[payment.Reference] = payment
	}
	for i := range b.Sessions {
		found := len(a.report.Violations)
		a.session(&b.Sessions[i])
		if len(a.report.Violations) > found {
			a.report.accuse(&b.Sessions[i])
		}
	}
	for _, payment := range b.Payments {
		a.payment(payment)
	}
	for _, id := range slices.Sorted(maps.Keys(b.Drops)) {
		a.drops(id, b.Drops[id])
	}
	a.count()
	return &a.report
}

type auditor struct {
	books    *Books
	report   Report
	payments map[string]vippstest.Payment
	sessions map[string]bool             // by id
	ids      map[string]*vending.Session // by vend id
	outcomes map[string]int

	open, seats, orphans, atRest               int
	out, charged, lost, unknown                int
	reserved, released, missed, tasks          int
	captured, refunded, worth, lostSum, overed int64
}

func (a *auditor) violation(format string, args ...any) {
	a.report.Violations = append(a.report.Violations, fmt.Sprintf(format, args...))
}

// session checks one session against its payment and its machine.
func (a *auditor) session(s *vending.Session) {
	a.sessions[s.ID] = true
	o := s.Outcome
	if s.State != vending.Closed {
		a.open++
		a.violation("session %s is still %s", s.ID, s.State)
	}
	if s.Seat != "" {
		a.seats++
		a.violation("session %s still holds the seat of %s", s.ID, s.Seat)
	}
	payment, exists := a.payments[s.ID]
	if !exists && s.Seen.Exists {
		a.violation("session %s has seen a payment that is not there", s.ID)
	}
	if s.State == vending.Closed && (o.Captured != payment.Captured || o.Refunded != payment.Refunded) {
		a.violation("session %s says captured %s and refunded %s, Vipps MobilePay says %s and %s", s.ID,
			kroner(o.Captured), kroner(o.Refunded), kroner(payment.Captured), kroner(payment.Refunded))
	}
	said, left := int64(0), int64(0)
	for _, item := range s.Items {
		if item.Concluded && item.Verdict == vending.Dropped {
			said += item.Price
		}
		if a.books.Drops[item.VendID] > 0 {
			left += item.Price
		}
		a.item(s, item)
	}
	if sum := o.Captured - o.Refunded - o.Refunding + o.Lost - o.Over; s.State == vending.Closed && sum != said {
		a.violation("session %s: captured − refunded + lost − over is %s, and what the machine said is worth %s", s.ID, kroner(sum), kroner(said))
	}
	if payment.Captured > left {
		a.violation("session %s: %s captured for products worth %s that left: a capture without a drop", s.ID, kroner(payment.Captured), kroner(left))
	}
	a.worth += left
	a.lostSum += o.Lost - o.Returned
	a.overed += o.Over
	a.tally(s, payment, left)
}

// item checks what was said of one try at one product against the machine's counter.
func (a *auditor) item(s *vending.Session, item vending.Item) {
	if item.VendID == "" {
		return
	}
	a.ids[item.VendID] = s
	dropped, word := a.books.Drops[item.VendID], a.books.Words[item.VendID]
	known := item.Concluded && item.Verdict != vending.Unknown
	switch {
	case known && item.Verdict == vending.Dropped && dropped == 0:
		a.violation("session %s: %s is said to have dropped, and nothing left", s.ID, item.VendID)
	case known && item.Verdict == vending.NotDropped && dropped > 0:
		a.violation("session %s: %s left, and is said not to have dropped", s.ID, item.VendID)
	case !known && s.State == vending.Closed && s.Outcome.Unknown == 0:
		a.violation("session %s: nobody knows of %s, and the outcome does not say so", s.ID, item.VendID)
	case !known && dropped > 0 && word != vending.Unknown:
		a.violation("session %s: %s left, the machine says %s, and the session does not know", s.ID, item.VendID, word)
	}
	switch {
	case dropped == 0 || known && item.Verdict == vending.NotDropped:
	case known && s.Outcome.Lost <= s.Outcome.Returned:
		a.charged++
	case known:
		a.lost++
	default:
		a.unknown++
	}
}

func (a *auditor) payment(p vippstest.Payment) {
	if !a.sessions[p.Reference] {
		a.orphans++
		a.violation("payment %s belongs to no session", p.Reference)
	}
	if p.AtRest() {
		a.atRest++
	} else {
		a.violation("payment %s is not at rest: %s, authorized %s, captured %s, released %s", p.Reference, p.State,
			kroner(p.Authorized), kroner(p.Captured), kroner(p.Cancelled))
	}
	a.captured += p.Captured
	a.refunded += p.Refunded
}

func (a *auditor) drops(id string, n int) {
	a.out += n
	s := a.ids[id]
	if n > 1 {
		a.violation("%s left %d times", id, n)
		a.report.accuse(s)
	}
	if s == nil {
		a.violation("%s left, and no session knows of it", id)
	}
}

// tally counts how sessions ended.
func (a *auditor) tally(s *vending.Session, p vippstest.Payment, left int64) {
	words := string(cmp.Or(s.Outcome.Result, vending.Result(s.State)))
	switch {
	case s.Outcome.Unknown > 0:
		words += ", nobody knows of a product"
	case s.Reason != "":
		words += ", " + string(s.Reason)
	case s.Outcome.Result == vending.NotSold && len(s.Items) > 0 && s.Items[0].VendID != "":
		words += ", the machine says nothing dropped"
	}
	a.outcomes[words]++
	if s.State == vending.Closed && len(s.Tasks) > 0 {
		a.tasks++
	}
	if p.Authorized == 0 {
		return
	}
	a.reserved++
	if p.Captured == 0 {
		a.released++
	}
	if left == 0 && len(s.Items) > 0 && s.Reason != vending.ReasonReturned { // one who has chosen, and has not left
		a.missed++
	}
}

func kroner(value int64) string { return vipps.Amount{Value: value, Currency: vipps.NOK}.String() }
