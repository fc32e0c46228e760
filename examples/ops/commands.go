package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vippsvending/vipps/vending"
)

const help = `list                                what needs a person
all                                 every session of the last month
show <id>                           everything about one session
resolve <vend-id> dropped           a held item came out, and is charged
resolve <vend-id> not-dropped       it did not, and is not
refund <id> <reason>                give back everything that was captured
refund-item <vend-id> <reason>      give back one item
refund-over <id> <reason>           give back what was captured beyond what came out
acknowledge <id> <note>             it has been dealt with: list does not show it any more
withdraw <id>                       take a session back that has not told the machine yet
reconcile                           what the last month's sessions and Vipps MobilePay disagree about, as CSV
help
quit`

// obey does one command. Its error is for who gave it.
func (d *desk) obey(ctx context.Context, line string) (quit bool, err error) {
	command, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	id, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	rest = strings.Trim(strings.TrimSpace(rest), `"'`)
	want := func(what string, given ...string) bool {
		for _, argument := range given {
			if argument == "" {
				err = errors.New("say " + what)
			}
		}
		return err == nil
	}
	switch command {
	case "":
	case "list":
		return false, d.list(ctx)
	case "all":
		return false, d.all(ctx)
	case "show":
		if want("show <id>", id) {
			err = d.show(ctx, id)
		}
	case "resolve":
		if want("resolve <vend-id> dropped|not-dropped", id, rest) {
			err = d.resolve(ctx, id, rest)
		}
	case "refund":
		if want("refund <id> <reason>", id, rest) {
			err = d.refund(ctx, id, vending.RefundRequest{Reason: rest})
		}
	case "refund-over":
		if want("refund-over <id> <reason>", id, rest) {
			err = d.refund(ctx, id, vending.RefundRequest{Reason: rest, Over: true})
		}
	case "refund-item":
		if want("refund-item <vend-id> <reason>", id, rest) {
			err = d.refundItem(ctx, id, rest)
		}
	case "acknowledge":
		if want("acknowledge <id> <note>", id, rest) {
			err = d.acknowledge(ctx, id, rest)
		}
	case "reconcile":
		return false, vending.WriteCSV(os.Stdout, d.operator.Reconcile(ctx, vending.ReconcileRequest{From: time.Now().Add(-month), To: time.Now()}))
	case "withdraw":
		if want("withdraw <id>", id) {
			err = d.withdraw(ctx, id)
		}
	case "help":
		fmt.Println(help)
	case "quit", "exit":
		return true, nil
	default:
		return false, errors.New("there is no such command: help lists them")
	}
	return false, err
}

// list prints what needs a person, and what that person should do.
func (d *desk) list(ctx context.Context) error {
	count := 0
	for s, err := range d.operator.Attention(ctx, time.Now().Add(-month)) {
		if err != nil {
			return err
		}
		count++
		fmt.Printf("%s  %s\n    %s\n", s.ID, s.Summary(), action(&s))
	}
	fmt.Printf("%d of the sessions need a person\n", count)
	return nil
}

// action says what to do. An outcome knows only once a session is closed.
func action(s *vending.Session) string {
	if s.State == vending.Held {
		return "say what came out, until " + at(s, s.HoldUntil) + ": resolve " + s.Items[s.Item-1].VendID + " dropped|not-dropped"
	}
	return s.Action()
}

func (d *desk) all(ctx context.Context) error {
	for s, err := range d.sessions(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s  %s\n", at(&s, s.Opened), s.ID, s.Summary())
	}
	return nil
}

func (d *desk) resolve(ctx context.Context, vend, word string) error {
	verdict, known := map[string]vending.Verdict{"dropped": vending.Dropped, "not-dropped": vending.NotDropped}[word]
	if !known {
		return errors.New("say dropped or not-dropped")
	}
	vend, s, err := d.vend(ctx, vend)
	if err != nil {
		return err
	}
	if err := d.operator.Resolve(ctx, vend, verdict); err != nil {
		return err
	}
	return d.closed(ctx, s.ID)
}

func (d *desk) acknowledge(ctx context.Context, id, note string) error {
	s, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	return d.operator.Acknowledge(ctx, s.ID, note)
}

func (d *desk) withdraw(ctx context.Context, id string) error {
	s, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	if err := d.operator.Withdraw(ctx, s.ID); err != nil {
		return err
	}
	return d.closed(ctx, s.ID)
}

// closed waits for a session to close, and says how it did.
func (d *desk) closed(ctx context.Context, id string) error {
	s, err := d.until(ctx, id, func(s *vending.Session) bool { return s.State == vending.Closed })
	if err != nil {
		return err
	}
	fmt.Printf("%s  %s\n", s.ID, s.Summary())
	return nil
}

func (d *desk) refund(ctx context.Context, id string, request vending.RefundRequest) error {
	s, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	request.Session = s.ID
	return d.giveBack(ctx, request)
}

func (d *desk) refundItem(ctx context.Context, vend, reason string) error {
	vend, s, err := d.vend(ctx, vend)
	if err != nil {
		return err
	}
	return d.giveBack(ctx, vending.RefundRequest{Session: s.ID, Items: []string{vend}, Reason: reason})
}

// giveBack stores a refund and waits until it is made.
func (d *desk) giveBack(ctx context.Context, request vending.RefundRequest) error {
	if err := d.operator.Refund(ctx, request); err != nil {
		return err
	}
	s, err := d.until(ctx, request.Session, func(s *vending.Session) bool { return s.Outcome.Refunding == 0 })
	if err != nil {
		return err
	}
	fmt.Printf("%s  %s\n", s.ID, s.Summary())
	printRefunds(s)
	return nil
}
