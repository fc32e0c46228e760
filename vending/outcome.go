package vending

import (
	"strings"

	"github.com/vippsvending/vipps"
)

// Result is a session's outcome in a word.
type Result string

// The results. The last four are for a person.
const (
	Sold            Result = "Sold"            // everything dropped and was paid
	PartlySold      Result = "PartlySold"      // some of it dropped, and that was paid
	NotSold         Result = "NotSold"         // the machine said of nothing that it dropped, and nothing was charged
	DeliveredUnpaid Result = "DeliveredUnpaid" // a product dropped after the reservation was released
	Uncollected     Result = "Uncollected"     // a product dropped and its capture failed for good
	OverCaptured    Result = "OverCaptured"    // more was captured than dropped; nothing is refunded by itself
	NotReleased     Result = "NotReleased"     // the rest of the reservation could not be released yet
)

// Outcome is what became of a session, in minor units. Captured − Refunded − Refunding + Lost − Over is the price of what
// the machine said it let go.
type Outcome struct {
	Result   Result
	Captured int64
	Refunded int64
	// Refunding is what is being refunded.
	Refunding int64
	// Released is what was reserved and given back.
	Released int64
	// Lost is the price of what dropped and is not paid: not collected, or refunded.
	Lost int64
	// Returned is the part of Lost that was, or is being, refunded on purpose, by [Operator.Refund].
	Returned int64
	// Over is what was captured beyond what dropped.
	Over int64
	// NotRefunded is what was to be refunded and was refused for good.
	NotRefunded int64
	// Unknown is the price of items whose verdict nobody has. They were not charged.
	Unknown int64
}

// NeedsPerson says that somebody has to look: money was lost, taken in excess, is still reserved, or nobody knows whether
// a product came out.
func (o Outcome) NeedsPerson() bool {
	return o.Lost > o.Returned || o.Over > 0 || o.NotRefunded > 0 || o.Unknown > 0 || o.Result == NotReleased
}

// Action says what a person should do next; empty if nothing.
func (o Outcome) Action() string {
	switch {
	case o.Result == NotReleased:
		return "look at the payment in the portal: its reservation could not be released"
	case o.NotRefunded > 0:
		return "pay the customer back another way, or look at the payment in the portal: the refund was refused"
	case o.Over > 0 && o.Unknown > 0:
		return "look at the machine's counters: more was captured than is known to have dropped; refund what did not come out"
	case o.Over > 0:
		return "refund what was captured beyond what dropped, if nobody has meant it"
	case o.Lost > o.Returned:
		return "count a loss, or ask the customer to pay: the product came out and was not collected"
	case o.Unknown > 0:
		return "look at the machine's counters: the product may have come out and was not charged"
	default:
		return ""
	}
}

// outcome counts a session up against what the payment shows.
func (s *Session) outcome(v View) Outcome {
	said := s.price(dropped)
	o := Outcome{Captured: v.Captured, Refunded: v.Refunded, Refunding: s.refunded(asked), Unknown: s.price(unknown)}
	if v.authorized() {
		o.Released = v.Cancelled
	}
	net := v.Captured - v.Refunded - o.Refunding
	o.Lost = max(0, said-net)
	o.Over = max(0, net-said)
	o.Returned = min(o.Lost, s.refunded(returned))
	o.NotRefunded = min(s.notRefunded(), max(0, net))
	late := s.price(func(i Item) bool { return dropped(i) && i.Late })
	switch {
	case o.Over > 0:
		o.Result = OverCaptured
	case o.Lost-o.Returned > late:
		o.Result = Uncollected
	case o.Lost > o.Returned:
		o.Result = DeliveredUnpaid
	case said == 0:
		o.Result = NotSold
	case said == s.price(func(Item) bool { return true }):
		o.Result = Sold
	default:
		o.Result = PartlySold
	}
	return o
}

// Summary is the outcome in a line for a person: "PartlySold, captured 25.00 NOK, released 35.00 NOK". One that sold nothing
// has its Reason beside that, if there is one: "NotSold (aborted)".
func (s *Session) Summary() string {
	o := s.Outcome
	parts := []string{string(o.Result)}
	switch {
	case s.State != Closed:
		parts = []string{string(s.State)}
	case o.Result == NotSold && s.Reason != "":
		parts[0] += " (" + string(s.Reason) + ")"
	}
	for _, part := range []struct {
		name  string
		value int64
	}{
		{"captured", o.Captured},
		{"refunded", o.Refunded},
		{"being refunded", o.Refunding},
		{"released", o.Released},
		{"lost", o.Lost - o.Returned},
		{"over", o.Over},
		{"not refunded", o.NotRefunded},
		{"unknown", o.Unknown},
	} {
		if part.value != 0 {
			parts = append(parts, part.name+" "+vipps.Amount{Value: part.value, Currency: s.Currency}.String())
		}
	}
	return strings.Join(parts, ", ")
}
