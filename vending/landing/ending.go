package landing

import (
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
)

// closed is the end. Money words say what the payment showed, and nothing that is only likely.
func (t *story) closed() {
	o := t.session.Outcome
	t.status.Tone = "off"
	switch o.Result {
	case vending.Sold:
		t.status.Tone = "good"
		t.say(4, "sold", "sold.text")
	case vending.PartlySold:
		t.status.Tone = "good"
		t.say(4, "partly", "partly.text")
		if o.Unknown > 0 {
			t.say(4, "doubt", "partly.text")
		}
	case vending.NotSold:
		t.notSold()
	case vending.DeliveredUnpaid, vending.Uncollected:
		t.uncollected(o)
	case vending.OverCaptured:
		t.over(o)
	case vending.NotReleased:
		t.say(3, "unreleased", "unreleased.text")
		t.ask()
	default: // a later version's
		t.say(0, "ended", "ended.text")
		t.ask()
	}
	if back := o.Refunded + o.Refunding; back > 0 && back >= o.Captured && o.Over+o.NotRefunded+o.Unknown == 0 && o.Lost <= back {
		t.refunded(o, "refunded.text")
	}
	if o.NotRefunded > 0 && (o.Result == vending.Sold || o.Result == vending.PartlySold) { // no time for thanks
		t.say(4, "unrefunded", "unrefunded.title")
		t.status.Text = "" // the amount and whom to ask are below
	}
	t.money(o)
}

// uncollected is what came out and is not paid, be it that what was paid has been given back since.
func (t *story) uncollected(o vending.Outcome) {
	if o.Refunded+o.Refunding >= o.Lost {
		t.refunded(o, "refunded.part")
		return
	}
	t.say(4, "uncollected", "uncollected.text")
	t.ask()
}

// over is what was charged and did not come out, as far as that is known.
func (t *story) over(o vending.Outcome) {
	t.say(4, "over", "over.text")
	if o.Unknown > 0 {
		t.say(4, "unknown", "over.text")
	}
	t.ask()
}

func (t *story) refunded(o vending.Outcome, words string) {
	t.status.Tone = "off"
	switch {
	case o.Refunding == 0:
		t.say(0, "refunded", words)
	case words == "refunded.text":
		t.say(0, "refunding", "refunding.text")
	default:
		t.say(0, "refunding", words)
	}
}

// money lists what became of it.
func (t *story) money(o vending.Outcome) {
	t.sum("charged", o.Captured)
	t.sum("refunded", o.Refunded)
	t.sum("refunding", o.Refunding)
	t.sum("released", o.Released)
	if o.Captured == 0 {
		t.note("nothing")
	}
	if o.Unknown > 0 {
		t.ask()
	}
	if o.Unknown > 0 && o.Over == 0 {
		t.note("unknown.text")
	}
	if o.NotRefunded > 0 {
		t.note("notrefunded", t.page.Money(o.NotRefunded))
		t.ask()
	}
	if o.Released+o.Refunded+o.Refunding > 0 {
		t.note("bank")
	}
	if t.session.Absent {
		t.note("money.unsure")
	}
}

// notSold says why: first what became of a product that the machine was to let out, whatever has ended the session since.
func (t *story) notSold() {
	s := t.session
	switch {
	case s.Outcome.Unknown > 0:
		t.say(0, "unknown", "unknown.title")
		t.status.Text = ""
	case told(s):
		t.say(0, "jammed", "jammed.text")
	default:
		t.untold()
	}
}

// untold is a session that ended before the machine was told anything.
func (t *story) untold() {
	s := t.session
	approved := s.Seen.Authorized > 0 || s.Outcome.Released > 0
	switch s.Reason {
	case vending.ReasonClock, vending.ReasonReplaced, vending.ReasonExpired:
		switch {
		case s.Maximum && !s.SelectUntil.IsZero():
			t.say(0, "late", "late.unchosen")
		case !s.SelectUntil.IsZero():
			t.say(0, "late", "ended.text")
		case approved: // too late, or in time while nobody reached the machine: that cannot be told apart afterwards
			t.say(0, "late", "late.unreached")
		case s.Reason == vending.ReasonReplaced:
			t.say(0, "late", "late.replaced")
		default:
			t.say(0, "late", "late.unapproved")
		}
	case vending.ReasonReturned:
		t.say(0, "ended", "ended.returned")
	case vending.ReasonRefused:
		t.refused()
	case vending.ReasonUnanswered:
		t.say(0, "unanswered", "unanswered.text", t.page.Brand)
	case vending.ReasonMachine:
		t.say(0, "service", "service.text")
	case vending.ReasonAborted:
		t.say(0, "ended", "ended.aborted")
	default:
		t.untaken()
	}
}

// refused is a payment that could not be made. Whoever may not pay this way is told nothing about themselves.
func (t *story) refused() {
	if t.session.Refusal == epayment.CodeCustomerNotFound {
		t.say(0, "customer", "customer.text", t.page.Brand)
		return
	}
	t.say(0, "refused", "refused.text", t.page.Brand)
}

// untaken is a session that the customer ended without choosing anything.
func (t *story) untaken() {
	if t.session.Maximum && !t.session.SelectUntil.IsZero() {
		t.say(0, "ended", "ended.untaken")
		return
	}
	t.say(0, "ended", "ended.text")
}
