package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// show prints what answers a customer's complaint: what was paid, what the machine said, who did what and when.
func (d *desk) show(ctx context.Context, id string) error {
	s, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	fmt.Printf("session %s: %s\n", s.ID, s.Summary())
	fmt.Printf("machine %s, by %s, opened %s\n", s.Machine, s.Door, at(s, s.Opened))
	if !s.Ended.IsZero() {
		fmt.Println("closed", at(s, s.Ended))
	}
	if s.Reason != "" {
		fmt.Println("ended by", s.Reason)
	}
	if s.Refusal != "" {
		fmt.Println("the payment was refused,", s.Refusal)
	}
	fmt.Println(asked(s))
	if s.State == vending.Held || s.Outcome.NeedsPerson() {
		fmt.Println("to do:", action(s))
	}
	printItems(s)
	printRefunds(s)
	for _, task := range s.Tasks {
		fmt.Printf("left to do: %s, at %s\n", task.Kind, at(s, task.At))
	}
	fmt.Println("history:")
	for _, step := range s.History {
		fmt.Printf("  %s  %-11s → %-11s  %s\n", step.At.Local().Format("15:04:05.000"), step.From, step.To, step.Fact)
	}
	return nil
}

// asked is what the customer was asked for, and what Vipps MobilePay has shown of it.
func asked(s *vending.Session) string {
	if s.Seen.Authorized == 0 {
		return fmt.Sprintf("asked for %s, nothing reserved", money(s, s.Reserved))
	}
	return fmt.Sprintf("asked for %s, reserved %s at %s, captured %s, released %s, refunded %s", money(s, s.Reserved),
		money(s, s.Seen.Authorized), at(s, s.Approved), money(s, s.Seen.Captured), money(s, s.Seen.Cancelled), money(s, s.Seen.Refunded))
}

func printItems(s *vending.Session) {
	for _, item := range s.Items {
		fmt.Printf("item: %s, slot %s, %s: %s\n", item.Name, item.Slot, money(s, item.Price), fate(item))
	}
}

// fate is what became of an item.
func fate(item vending.Item) string {
	switch {
	case item.VendID == "":
		return "the machine was not told"
	case !item.Concluded:
		return "no word yet, " + item.VendID
	case item.Late:
		return item.Verdict.String() + ", said too late to be charged, " + item.VendID
	default:
		return item.Verdict.String() + ", " + item.VendID
	}
}

func printRefunds(s *vending.Session) {
	for _, refund := range s.Refunds {
		fmt.Printf("refund %d: %s for %s, %q: %s", refund.N, money(s, refund.Amount), names(s, refund.Items), refund.Reason, refund.State)
		if refund.Code != "" {
			fmt.Print(", ", refund.Code)
		}
		fmt.Println()
	}
}

// names are those of the items that a refund is for.
func names(s *vending.Session, vends []string) string {
	var names []string
	for _, item := range s.Items {
		if slices.Contains(vends, item.VendID) {
			names = append(names, item.Name)
		}
	}
	return cmp.Or(strings.Join(names, " and "), "what was captured beyond the items")
}

// at is a moment for a person. The date is left out on the day itself.
func at(s *vending.Session, t time.Time) string {
	if t.Local().Format(time.DateOnly) == s.Now.Local().Format(time.DateOnly) {
		return t.Local().Format(time.TimeOnly)
	}
	return t.Local().Format("2006-01-02 15:04")
}

func money(s *vending.Session, value int64) vipps.Amount {
	return vipps.Amount{Value: value, Currency: s.Currency}
}
