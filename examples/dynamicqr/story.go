package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
)

// narrate says what a transition means. A screen or telemetry would take it from the same place.
func narrate(t vending.Transition) {
	s := t.Session
	money := func(value int64) vipps.Amount { return vipps.Amount{Value: value, Currency: s.Currency} }
	say := t.Step.Fact
	switch t.Step.To {
	case vending.Waiting:
		say = fmt.Sprintf("the customer has %s to approve %s", s.ApproveUntil.Sub(s.Since).Round(time.Second), money(s.Reserved))
	case vending.Vending:
		say = fmt.Sprintf("%s reserved; the machine is told to let slot %s out", money(s.Seen.Authorized), s.Items[s.Item].Slot)
	case vending.Settling:
		switch {
		case t.Step.From == vending.Settling && s.Capture.N > 0:
			say = fmt.Sprintf("capture of %s is stored, and sent next", money(s.Capture.Amount))
		case t.Step.From == vending.Vending:
			say = fmt.Sprintf("the product: %s; %s due of %s reserved", s.Items[0].Verdict, money(s.Due), money(s.Seen.Authorized))
		}
	case vending.Closed:
		say = fmt.Sprintf("at rest: %s captured, %s released", money(s.Outcome.Captured), money(s.Outcome.Released))
	case vending.Opening, vending.Withdrawing, vending.Choosing, vending.Held:
	}
	fmt.Printf("%s  %s → %s: %s\n", t.Step.At.Format("15:04:05.0"), t.Step.From, t.Step.To, say)
}

// settle prints the outcome of a session and compares it with the payment.
func settle(ctx context.Context, payments *epayment.Client, s *vending.Session) error {
	money := func(value int64) vipps.Amount { return vipps.Amount{Value: value, Currency: s.Currency} }
	outcome := s.Outcome
	fmt.Println()
	fmt.Println("reserved", money(s.Seen.Authorized))
	fmt.Println("captured", money(outcome.Captured))
	fmt.Println("released", money(outcome.Released))
	fmt.Println("result", outcome.Result)
	if s.Reason != "" {
		fmt.Println("reason", s.Reason)
	}
	if outcome.NeedsPerson() {
		fmt.Println("a person is needed:", outcome.Action())
	}
	if s.State != vending.Closed {
		return fmt.Errorf("session %s is %s, and a person has to decide", s.ID, s.State)
	}

	theirs := epayment.Aggregate{
		Authorized: money(0), Captured: money(0), Cancelled: money(0), Refunded: money(0),
	}
	payment, err := payments.Get(ctx, s.ID)
	switch {
	case errors.Is(err, vipps.ErrNotFound):
		fmt.Println("Vipps MobilePay says: no payment")
	case err != nil:
		return err
	default:
		theirs = payment.Aggregate
		fmt.Printf("Vipps MobilePay says: %s, %s authorized, %s captured, %s cancelled, %s refunded\n",
			payment.State, theirs.Authorized, theirs.Captured, theirs.Cancelled, theirs.Refunded)
		if payment.State == epayment.StateTerminated { // the whole amount was cancelled, but none of it was ever reserved
			theirs.Cancelled = money(0)
		}
	}
	ours := epayment.Aggregate{
		Authorized: money(s.Seen.Authorized), Captured: money(outcome.Captured),
		Cancelled: money(outcome.Released), Refunded: money(outcome.Refunded),
	}
	if ours != theirs {
		return fmt.Errorf("session %s and its payment disagree: %+v against %+v", s.ID, ours, theirs)
	}
	if payment != nil && !payment.AtRest() {
		return fmt.Errorf("session %s is closed and its payment is not at rest", s.ID)
	}
	fmt.Println("the session and Vipps MobilePay agree")
	return nil
}
