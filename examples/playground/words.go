package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// money is an amount as people read it.
func (s *sale) money(value int64) string {
	return vipps.Amount{Value: value, Currency: s.Currency}.String()
}

// item is the name of the product that the sale is about.
func (s *sale) item() string {
	if len(s.Items) == 0 {
		return "The product"
	}
	return s.Items[min(s.Item, len(s.Items)-1)].Name
}

// reasons are those for which a sale ended without a product, but for the clock.
var reasons = map[vending.Reason]string{
	vending.ReasonReturned:   "The customer gave up.",
	vending.ReasonReplaced:   "Another customer waited for the machine.",
	vending.ReasonRefused:    "Vipps refused to make the payment.",
	vending.ReasonUnanswered: "The payment could not be made in time.",
	vending.ReasonMachine:    "The machine could not sell.",
	vending.ReasonAborted:    "The customer said no.",
	vending.ReasonExpired:    "The payment expired.",
}

// why is the reason for which a sale ended; empty if it has none.
func (s *sale) why() string {
	switch {
	case s.Reason != vending.ReasonClock:
		return reasons[s.Reason]
	case s.Maximum && !s.SelectUntil.IsZero() && s.concluded(vending.NotDropped):
		return "Nothing more was chosen in time."
	case s.Maximum && !s.SelectUntil.IsZero():
		return "Nothing was chosen in time."
	case !s.SelectUntil.IsZero():
		return "The time was over."
	case s.Seen.Authorized > 0:
		return "Approved too late, or the machine could not be reached in time."
	default:
		return "The customer did not approve in time."
	}
}

// concluded says that the sale has a product with that verdict.
func (s *sale) concluded(verdict vending.Verdict) bool {
	return slices.ContainsFunc(s.Items, func(i vending.Item) bool { return i.Concluded && i.Verdict == verdict })
}

// reserved says how the money stands before the sale is over. Somebody may have captured or released by hand.
func (s *sale) reserved() string {
	switch {
	case s.Seen.Captured > 0:
		return fmt.Sprintf("%s was approved, and %s is charged already.", s.money(s.Seen.Authorized), s.money(s.Seen.Captured))
	case s.Seen.Cancelled > 0:
		return fmt.Sprintf("%s was approved, and %s is released already.", s.money(s.Seen.Authorized), s.money(s.Seen.Cancelled))
	}
	return fmt.Sprintf("%s is reserved.", s.money(s.Seen.Authorized))
}

// words say in a sentence how a sale stands.
func (s *sale) words() string {
	switch s.State {
	case vending.Opening:
		return "The payment is being made."
	case vending.Waiting:
		return fmt.Sprintf("Waiting for the customer to approve %s.", s.money(s.Reserved))
	case vending.Withdrawing:
		return "The payment is being taken back. If the customer approves in this moment, it is sold or released."
	case vending.Choosing:
		switch {
		case !s.Maximum:
			return s.reserved() + " The machine is asked whether it is ready."
		case s.Seen.Captured+s.Seen.Cancelled > 0:
			return s.reserved()
		default:
			return fmt.Sprintf("At most %s is reserved. Nothing is charged yet.", s.money(s.Reserved))
		}
	case vending.Vending:
		return fmt.Sprintf("%s The machine lets %s out.", s.reserved(), strings.ToLower(s.item()))
	case vending.Held:
		if s.Seen.Captured+s.Seen.Cancelled > 0 {
			return fmt.Sprintf("Nobody knows whether %s came out. %s", strings.ToLower(s.item()), s.reserved())
		}
		return fmt.Sprintf("Nobody knows whether %s came out. The money is held.", strings.ToLower(s.item()))
	case vending.Settling:
		switch {
		case s.Seen.Captured > s.Due && !s.Full:
			return fmt.Sprintf("%s is due. %s", s.money(s.Due), s.reserved())
		case s.Lost:
			return fmt.Sprintf("%s is due and could not be captured. %s", s.money(s.Due), s.reserved())
		case s.Full:
			return fmt.Sprintf("%s is due: all is captured, and what is too much refunded.", s.money(s.Due))
		case s.Outcome.Result == vending.NotReleased:
			return "The rest of the reservation could not be released yet."
		}
		return fmt.Sprintf("%s is due: that is captured, and the rest released.", s.money(s.Due))
	case vending.Closed:
		return s.ended()
	default:
		return string(s.State)
	}
}

func (s *sale) ended() string {
	o := s.Outcome
	words := ""
	switch o.Result {
	case vending.Sold, vending.PartlySold:
		sold := "Sold"
		if o.Result == vending.PartlySold {
			sold = "Partly sold"
		}
		words = fmt.Sprintf("%s. %s charged.", sold, s.money(o.Captured))
		if o.Released > 0 {
			words = fmt.Sprintf("%s. %s charged, %s released.", sold, s.money(o.Captured), s.money(o.Released))
		}
	case vending.NotSold:
		words = "No sale, and nothing charged."
		switch {
		case o.Captured > 0: // and refunded since
			words = fmt.Sprintf("No sale. %s was charged.", s.money(o.Captured))
		case o.Released > 0:
			words = fmt.Sprintf("No sale. All of the %s released, nothing charged.", s.money(o.Released))
		}
	case vending.DeliveredUnpaid:
		words = "The product came out after the money was released: a loss, and it is reported."
	case vending.Uncollected:
		words = fmt.Sprintf("The product came out and could not be charged: a loss of %s, and it is reported.", s.money(o.Lost-o.Returned))
	case vending.OverCaptured:
		words = fmt.Sprintf("%s more was captured than dropped. It is reported: a person refunds it.", s.money(o.Over))
	case vending.NotReleased:
		words = "The rest of the reservation could not be released yet. It is reported."
	}
	if o.Refunded > 0 {
		words += fmt.Sprintf(" %s refunded.", s.money(o.Refunded))
	}
	if o.Unknown > 0 {
		words += " Nobody knows whether the product came out: it is reported."
	}
	if reason := s.why(); reason != "" {
		words = reason + " " + words
	}
	return words
}

// resolution says how something that went wrong was, or is being, resolved.
func (s *sale) resolution(fault string) string {
	ended := s.State == vending.Closed
	switch fault {
	case faultJam:
		switch {
		case s.concluded(vending.Unknown):
			return "Nothing dropped, and nobody heard of it."
		case s.Outcome.Over > 0:
			return "The sensor saw nothing drop. Somebody else captured."
		case s.Outcome.Captured > 0:
			return "The sensor saw nothing drop. What did not drop was not captured."
		case s.Outcome.Result == vending.NotReleased:
			return "The sensor saw nothing drop. So nothing was captured."
		}
		return s.after(ended, "The sensor saw nothing drop.", "So nothing was captured, and the reservation was released.")
	case faultSilent:
		return s.after(ended || s.State == vending.Held, "The sensor did not say whether it dropped.", s.unknown())
	case faultCutVend:
		return s.after(ended || s.State == vending.Held,
			"The power went while the motor turned.", "The journal shows a start without an end. "+s.unknown())
	case faultCutCreate:
		return s.created("The power went before the answer came.",
			"The request was stored before it was sent: the same one was sent again, and it is the same payment.",
			"It was stored before it was sent: after the restart it was looked up and taken back.")
	case faultCutCapture:
		if s.Outcome.Captured == 0 {
			return s.after(ended, "The power went before the answer came.", "After the restart the payment was read: nothing was captured.")
		}
		return s.after(ended, "The power went before the answer came.",
			"After the restart the payment was read: it was captured already, and not a second time.")
	case "power":
		return s.after(s.State == vending.Closed, "The power went.", "The sale was on the disk, and went on from there.")
	case faultLostCreate:
		return s.created("Nobody heard that the payment was made.",
			"The same request, with the same key, gave the same payment.", "It was looked up and taken back.")
	case faultNotCreate:
		return s.created("The request never arrived.", "It was sent again, with the same key.", "It was not made in time.")
	case faultLostCapture:
		if s.Outcome.Captured == 0 {
			return s.after(ended, "Nobody heard the answer.", "It was a refusal: nothing was captured.")
		}
		return s.after(ended, "Nobody heard that it was captured.", "The same key was sent again: captured once.")
	case faultLostCancel:
		return s.after(ended, "Nobody heard that it was released.", "Asked again, Vipps said that it had been.")
	case faultNotCapture, faultNotCancel:
		return s.after(ended, "The request never arrived.", "It was sent again, with the same key.")
	case faultTwice:
		return "The webhook came twice. It is only a hint to look: looking twice changes nothing."
	case twiceCheckedIn:
		return "The check-in came twice. Its token is known: one session."
	case faultNoHook:
		return s.after(s.State != vending.Opening && s.State != vending.Waiting,
			"The webhook never came.", "The payment was read every second as well, so it was seen all the same.")
	case faultLate:
		return s.after(ended, "The customer approved when the machine’s time was over.", s.tooLate())
	default:
		return s.doing(fault, ended)
	}
}

// doing says what came of what people did.
func (s *sale) doing(fault string, ended bool) string {
	switch fault {
	case faultInFull:
		if s.Full {
			return s.after(ended, "Vipps refused to capture a part (6140).", "All was captured, and what is too much refunded, as the operator chose.")
		}
		return s.after(ended, "Vipps refused to capture a part (6140).", "All was released: the product is lost, and a person is told. The doors with a maximum are closed.")
	case "network":
		return s.after(ended, "There was no network.", "What was not answered was asked again when it came back.")
	case "skip":
		if slices.ContainsFunc(s.Items, func(i vending.Item) bool { return i.Late }) {
			return "Two minutes passed. The verdict came after the limit: the money was already released."
		}
		return s.after(ended, "Two minutes passed.", "The limit was over, and what was not used was taken back.")
	case "aborted":
		return s.after(ended, "The customer said no.", "The machine heard, and is free again.")
	case "portal-cancel":
		return s.after(ended, "Somebody released the money in the portal.", "The sale reads the payment before it ends, and says what it means.")
	case "portal-capture":
		return s.after(ended, "Somebody captured in the portal.", "It was not captured a second time. What does not fit is reported.")
	case "resolved":
		return "A person looked and said what happened."
	case "unheard":
		return "A check-in never arrived. Nothing had been reserved for it, and the customer scanned again."
	case "refund":
		return s.after(s.Outcome.Refunded > 0, "A refund was asked for.", "It was stored as a task, made with a key of its own, and confirmed.")
	default:
		return fault
	}
}

// created says what came of a request to make the payment that went wrong: it was sent again, or it was too late for that.
func (s *sale) created(wrong, again, late string) string {
	if s.Reason == vending.ReasonUnanswered {
		return s.after(s.State == vending.Closed, wrong, late)
	}
	return s.after(s.State != vending.Opening, wrong, again)
}

// tooLate says what came of an approval after the limit.
func (s *sale) tooLate() string {
	if s.Outcome.Captured > 0 {
		return "The machine was still free, and sold all the same."
	}
	return "Nothing was let out for it: the reservation was released at once."
}

func (s *sale) unknown() string {
	if s.State == vending.Held {
		return "The sale waits until a person says what happened."
	}
	if s.Outcome.Unknown > 0 && s.Outcome.Captured > 0 {
		return "Nobody knows, and somebody has captured: a person is told."
	}
	if s.Outcome.Unknown > 0 {
		return "Nobody knows, so nothing was charged, and a person is told."
	}
	return "A person said what happened, and it was settled so."
}

func (s *sale) after(over bool, before, then string) string {
	if over {
		return before + " " + then
	}
	return before
}
