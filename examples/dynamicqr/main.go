// Dynamicqr sells one product at a machine with a screen: it draws a one-time QR code, waits for the customer to approve,
// lets the machine vend, captures what dropped and releases the rest. At the end it holds the session's outcome against
// what Vipps MobilePay says of the payment, and exits with 1 if they disagree.
//
//	go run ./examples/dynamicqr            # an emulator in this process; its customer approves after two seconds
//	go run ./examples/dynamicqr -jam       # nothing drops: nothing is captured, everything is released
//	go run ./examples/dynamicqr -silent    # the machine never says what happened: left to a person
//	go run ./examples/dynamicqr -abort     # the customer says no
//	go run ./examples/dynamicqr -db f.db   # sessions are kept: what an earlier run left open is finished first
//
// With VIPPS_BASE_URL or VIPPS_ENVIRONMENT and the keys set (see ../internal/setup) it uses that server: scan the code, or
// approve with -approve and a test user's number. Ctrl-C is the return button. The text of a code, which is what is drawn
// here, needs Vipps MobilePay's approval of your design; images do not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/story"
	"github.com/vippsvending/vipps/examples/internal/termqr"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

type options struct {
	jam, silent, abort         bool
	approve, machine, currency string
	db                         string
	price                      int64
}

const purpose = `Sells one product at a machine with a screen: the customer scans a one-time code. Without VIPPS_ variables an emulator in
this process takes the payment and plays the customer.`

func main() {
	var o options
	flag.BoolVar(&o.jam, "jam", false, "the machine reports that nothing dropped")
	flag.BoolVar(&o.silent, "silent", false, "the machine never reports anything")
	flag.BoolVar(&o.abort, "abort", false, "the customer says no; needs the emulator in this process")
	flag.StringVar(&o.approve, "approve", "", "approve on behalf of this test user's phone number; test environment only")
	flag.StringVar(&o.machine, "machine", "oslo12", "the machine: 1 to 25 of a-z, 0-9 and hyphens")
	flag.StringVar(&o.currency, "currency", "NOK", "NOK, DKK or EUR, as the sales unit has it")
	flag.Int64Var(&o.price, "price", 2500, "price in minor units: 2500 is 25.00")
	flag.StringVar(&o.db, "db", "", database.Usage)
	setup.Usage(flag.CommandLine, "dynamicqr", "", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := sell(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "dynamicqr:", err)
		os.Exit(1)
	}
}

func sell(ctx context.Context, o options) error {
	server, err := setup.New("dynamicqr", nil)
	if err != nil {
		return err
	}
	defer server.Close()
	switch {
	case o.jam && o.silent:
		return errors.New("-jam and -silent exclude each other")
	case o.abort && o.approve != "":
		return errors.New("-abort and -approve exclude each other")
	}
	if err := server.Allows(o.approve, o.abort); err != nil {
		return err
	}
	fmt.Println("using", server.Where)
	kept, err := database.Open(ctx, o.db)
	if err != nil {
		return err
	}
	defer kept.Close()
	machine, err := kept.Machine(o.machine, o.turnMotor)
	if err != nil {
		return err
	}

	config := vending.Config{
		Client:   server.Client,
		Machine:  machine,
		Store:    kept.Store,
		Currency: vipps.Currency(o.currency),
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://example.com/terms", PrivacyPolicyURL: "https://example.com/privacy",
		},
		Observe: story.Narrate,
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if o.silent { // patience for a demonstration
		config.Timeouts = vending.Timeouts{Start: 2 * time.Second, Verdict: 3 * time.Second}
	}
	if o.silent && !kept.Durable() {
		scripted := new(vendingtest.Machine) // is never heard of again
		scripted.Script(vendingtest.Silent)
		config.Machine = scripted
	}
	operator, err := vending.NewOperator(config)
	if err != nil {
		return err
	}
	if kept.Durable() {
		defer database.Run(ctx, operator)()
		if err := kept.Resume(ctx, server.Client, operator); err != nil {
			return err
		}
	}

	var id string
	session, err := operator.SellDynamicQR(ctx, vending.DynamicQROrder{
		Machine:  o.machine,
		Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: o.price, TaxRate: 1500}},
	}, func(code vending.Code) {
		id = code.Session
		show(code)
		go customer(ctx, server, o, code)
	})
	if id == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second) // after Ctrl-C as well
	defer cancel()
	if err != nil {
		fmt.Println(err)
		// A store in memory is gone when this program ends, so it finishes what the machine has begun.
		go func() { _ = operator.Run(ctx) }() // ends with ctx
		if session, err = operator.Wait(ctx, id); err != nil {
			return fmt.Errorf("session %s is not finished, and nobody will: look at the payment in the portal: %w", id, err)
		}
	}
	return story.End(ctx, server.Client, session)
}

// turnMotor is where the machine's own protocol goes. Nil means that the product dropped, and an error that nobody knows.
func (o options) turnMotor(ctx context.Context, _ string) error {
	select {
	case <-time.After(time.Second):
		switch {
		case o.jam:
			return vending.ErrJammed
		case o.silent:
			return errors.New("the motor says nothing")
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func show(code vending.Code) {
	picture, err := termqr.Draw(string(code.Content))
	if err != nil {
		fmt.Println("the code could not be drawn:", err)
		return
	}
	fmt.Printf("scan to pay %s\n%s", code.Amount, picture)
}

// customer decides after two seconds, unless that is up to a real one.
func customer(ctx context.Context, server *setup.Setup, o options, code vending.Code) {
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return
	}
	if err := server.Decide(ctx, code.Session, o.approve, o.abort); err != nil {
		fmt.Println("the customer could not decide:", err)
	}
}
