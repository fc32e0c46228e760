package main

import (
	"fmt"
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
		return "the product"
	}
	return s.Items[min(s.Item, len(s.Items)-1)].Name
}

// unapproved are the reasons for which a sale ended before anything was reserved.
var unapproved = map[vending.Reason]string{
	vending.ReasonClock:      "The customer did not approve in time.",
	vending.ReasonReturned:   "The return button was pressed.",
	vending.ReasonReplaced:   "Another customer waited for the machine.",
	vending.ReasonRefused:    "Vipps refused to make the payment.",
	vending.ReasonUnanswered: "The payment could not be made in time.",
	vending.ReasonMachine:    "The machine could not sell.",
	vending.ReasonAborted:    "The customer said no.",
	vending.ReasonExpired:    "The payment expired.",
}

// words say in a sentence how a sale stands.
func (s *sale) words() string {
	switch s.State {
	case vending.Opening:
		return "The payment is being made."
	case vending.Waiting:
		return fmt.Sprintf("Waiting for the customer to approve %s.", s.money(s.Reserved))
	case vending.Withdrawing:
		return "The payment is being taken back. If the customer approves in this moment, it is released."
	case vending.Choosing:
		if s.Maximum {
			return fmt.Sprintf("At most %s is reserved. Nothing is charged yet.", s.money(s.Reserved))
		}
		return fmt.Sprintf("%s is reserved. The machine is asked whether it is ready.", s.money(s.Reserved))
	case vending.Vending:
		return fmt.Sprintf("%s is reserved. The machine lets %s out.", s.money(s.Seen.Authorized), strings.ToLower(s.item()))
	case vending.Held:
		return fmt.Sprintf("Nobody knows whether %s came out. The money is held.", strings.ToLower(s.item()))
	case vending.Settling:
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
		words = fmt.Sprintf("Sold. %s charged.", s.money(o.Captured))
		if o.Released > 0 {
			words = fmt.Sprintf("Sold. %s charged, %s released.", s.money(o.Captured), s.money(o.Released))
		}
	case vending.NotSold:
		words = "No sale, and nothing charged."
		if o.Released > 0 {
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
	if reason := unapproved[s.Reason]; reason != "" {
		words = reason + " " + words
	}
	return words
}

// resolution says how something that went wrong was, or is being, resolved.
func (s *sale) resolution(fault string) string {
	ended := s.State == vending.Closed
	switch fault {
	case faultJam:
		if s.Outcome.Captured > 0 {
			return "The sensor saw nothing drop. What did not drop was not captured."
		}
		return s.after(ended, "The sensor saw nothing drop.", "So nothing was captured, and the reservation was released.")
	case faultSilent:
		return s.after(ended || s.State == vending.Held, "The sensor did not say whether it dropped.", s.unknown())
	case faultCutVend:
		return s.after(ended || s.State == vending.Held,
			"The power went while the motor turned.", "The journal shows a start without an end. "+s.unknown())
	case faultCutCreate:
		return s.after(s.State != vending.Opening, "The power went before the answer came.",
			"The request was stored before it was sent: the same one was sent again, and it is the same payment.")
	case faultCutCapture:
		return s.after(ended, "The power went before the answer came.",
			"After the restart the payment was read: it was captured already, and not a second time.")
	case "power":
		return s.after(s.State == vending.Closed, "The power went.", "The sale was on the disk, and went on from there.")
	case faultLostCreate:
		return "Nobody heard that the payment was made. The same request, with the same key, gave the same payment."
	case faultLostCapture:
		return "Nobody heard that it was captured. The same key was sent again: captured once."
	case faultLostCancel:
		return "Nobody heard that it was released. Asked again, Vipps said that it had been."
	case faultNotCreate, faultNotCapture, faultNotCancel:
		return "The request never arrived. It was sent again, with the same key."
	case faultTwice:
		return "The webhook came twice. It is only a hint to look: looking twice changes nothing."
	case faultNoHook:
		return "The webhook never came. The payment was read every second as well, so it was seen all the same."
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
		return s.after(ended, "Two minutes passed.", "The limit was over, and what was not used was taken back.")
	case "aborted":
		return "The customer said no: the machine heard, and is free again."
	case "portal-cancel":
		return s.after(ended, "Somebody released the money in the portal.", "The payment was read before anything was done: the sale knows, and says what it means.")
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

func (s *sale) unknown() string {
	if s.State == vending.Held {
		return "The money is held until a person says what happened."
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
