// Package story tells in the terminal what happens to a session, and holds its end against what Vipps MobilePay says.
package story

import (
	"fmt"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// Narrate says what a transition means. A screen or telemetry would take it from the same place.
func Narrate(t vending.Transition) {
	fmt.Printf("%s  %s → %s: %s\n", t.Step.At.Format("15:04:05.0"), t.Step.From, t.Step.To, meaning(t))
}

func meaning(t vending.Transition) string {
	s := &t.Session
	moved := t.Step.From != t.Step.To
	switch {
	case t.Step.To == vending.Waiting && moved:
		return fmt.Sprintf("the customer has %s to approve %s", s.ApproveUntil.Sub(s.Since).Round(time.Second), money(s, s.Reserved))
	case t.Step.From == vending.Vending && moved:
		return said(s)
	case t.Step.From == vending.Opening && s.Refusal != "": // its words may be about the customer, who may stand there
		return fmt.Sprintf("the payment was refused, %s", s.Refusal)
	case t.Step.To == vending.Choosing && moved:
		return fmt.Sprintf("%s reserved; the customer may choose", money(s, s.Seen.Authorized))
	case t.Step.To == vending.Vending && moved:
		return fmt.Sprintf("%s reserved; %s is to be let out of slot %s", money(s, s.Seen.Authorized), s.Items[s.Item].Name, s.Items[s.Item].Slot)
	case t.Step.To == vending.Settling && moved:
		return fmt.Sprintf("%s; %s due of %s reserved", t.Step.Fact, money(s, s.Due), money(s, s.Seen.Authorized))
	case t.Step.To == vending.Closed && moved:
		return fmt.Sprintf("at rest: %s captured, %s released", money(s, s.Outcome.Captured), money(s, s.Outcome.Released))
	default:
		return t.Step.Fact
	}
}

// said is the word on the product that was let out last, and what follows from it.
func said(s *vending.Session) string {
	item := s.Items[s.Item-1]
	word := fmt.Sprintf("%s: %s", item.Name, item.Verdict)
	switch {
	case s.State == vending.Choosing && s.Maximum:
		return word + "; the customer may choose"
	case s.State == vending.Choosing:
		return word + "; next is " + s.Items[s.Item].Name
	case s.State == vending.Settling:
		return fmt.Sprintf("%s; %s due of %s reserved", word, money(s, s.Due), money(s, s.Seen.Authorized))
	default:
		return word
	}
}

func money(s *vending.Session, value int64) vipps.Amount {
	return vipps.Amount{Value: value, Currency: s.Currency}
}
