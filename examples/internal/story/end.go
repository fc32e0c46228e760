package story

import (
	"context"
	"errors"
	"fmt"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/ordermanagement"
	"github.com/vippsvending/vipps/vending"
)

// End prints the outcome of a session, and compares it with the payment.
func End(ctx context.Context, client *vipps.Client, s *vending.Session) error {
	printOutcome(s)
	if s.State != vending.Closed {
		return fmt.Errorf("session %s is %s, and a person has to decide", s.ID, s.State)
	}
	zero := money(s, 0)
	theirs := epayment.Aggregate{Authorized: zero, Captured: zero, Cancelled: zero, Refunded: zero}
	payment, err := epayment.New(client).Get(ctx, s.ID)
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
			theirs.Cancelled = zero
		}
	}
	ours := epayment.Aggregate{
		Authorized: money(s, s.Seen.Authorized), Captured: money(s, s.Outcome.Captured),
		Cancelled: money(s, s.Outcome.Released), Refunded: money(s, s.Outcome.Refunded),
	}
	if ours != theirs {
		return fmt.Errorf("session %s and its payment disagree: %+v against %+v", s.ID, ours, theirs)
	}
	if payment != nil && !payment.AtRest() {
		return fmt.Errorf("session %s is closed and its payment is not at rest", s.ID)
	}
	fmt.Println("the session and Vipps MobilePay agree")
	showReceipt(ctx, client, s)
	return nil
}

func printOutcome(s *vending.Session) {
	fmt.Println()
	fmt.Println("reserved", money(s, s.Seen.Authorized))
	fmt.Println("captured", money(s, s.Outcome.Captured))
	fmt.Println("released", money(s, s.Outcome.Released))
	if s.Outcome.Refunded != 0 {
		fmt.Println("refunded", money(s, s.Outcome.Refunded))
	}
	if s.Outcome.Lost != 0 {
		fmt.Println("lost", money(s, s.Outcome.Lost))
	}
	fmt.Println("result", s.Outcome.Result)
	if s.Reason != "" {
		fmt.Println("reason", s.Reason)
	}
	if s.Outcome.NeedsPerson() {
		fmt.Println("a person is needed:", s.Outcome.Action())
	}
}

// showReceipt prints what the customer finds in the app. That it cannot be read is no failure of the sale.
func showReceipt(ctx context.Context, client *vipps.Client, s *vending.Session) {
	if s.Outcome.Captured == 0 {
		return // there may be one of what was asked for, which nobody has paid
	}
	order, err := ordermanagement.New(client).Get(ctx, ordermanagement.Ecom, s.ID)
	switch {
	case errors.Is(err, vipps.ErrNotAvailable):
		fmt.Println("receipts cannot be read in this environment")
	case errors.Is(err, vipps.ErrNotFound), err == nil && order.Receipt == nil:
		fmt.Println("there is no receipt")
	case err != nil:
		fmt.Println("the receipt could not be read:", err)
	default:
		for _, line := range order.Receipt.OrderLines {
			fmt.Printf("receipt: %s %s, of which %s is tax\n", line.Name, money(s, line.TotalAmount), money(s, line.TotalTaxAmount))
		}
	}
}
