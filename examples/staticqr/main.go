// Staticqr sells at a machine that has a sticker and no screen. The customer scans it, approves the dearest price as a
// maximum and chooses on the machine; what drops is captured, the rest is released and the receipt is sent. At the end the
// session's outcome is held against what Vipps MobilePay says of the payment; if they disagree the exit code is 1.
//
//	go run ./examples/staticqr                  # an emulator in this process, with a customer who takes two seconds for everything
//	go run ./examples/staticqr -checkin         # the sticker checks the customer in with a webhook, and needs no page
//	go run ./examples/staticqr -choose-first    # chosen on the machine before the scan: the exact price, and nothing to release
//	go run ./examples/staticqr -items 2         # two products, one reservation; the machine's finish button ends it
//	go run ./examples/staticqr -jam             # nothing drops: nothing is captured, everything is released
//	go run ./examples/staticqr -silent          # the machine never says what happened: left to a person
//	go run ./examples/staticqr -nothing         # nothing is chosen in time
//	go run ./examples/staticqr -abort           # the customer says no in the app
//	go run ./examples/staticqr -above           # the first choice costs more than what is reserved
//	go run ./examples/staticqr -age             # the first choice is not for everybody
//	go run ./examples/staticqr -in-full         # the sales unit cannot capture a part: the product is lost
//	go run ./examples/staticqr -in-full -refund # all is captured, and what is too much is refunded
//	go run ./examples/staticqr -db f.db         # sessions are kept: what an earlier run left open is finished first
//
// With VIPPS_BASE_URL or VIPPS_ENVIRONMENT and the keys set (see ../internal/setup) it uses that server and plays the page
// behind the sticker: it draws the address that the page would lead to. Scan that, or approve with -approve and a test
// user's number. Ctrl-C is the return button.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/story"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

const purpose = `Sells at a machine with a sticker: a maximum is reserved, the price captured, the rest released. Without VIPPS_ variables
an emulator in this process takes the payment and plays the customer.`

func main() {
	var o options
	flag.BoolVar(&o.checkIn, "checkin", false, "the sticker is a callback code; needs the emulator in this process")
	flag.BoolVar(&o.chooseFirst, "choose-first", false, "the product is chosen before the sticker is scanned")
	flag.IntVar(&o.items, "items", 1, "how many products the customer takes")
	flag.BoolVar(&o.jam, "jam", false, "the machine reports that the first product did not drop")
	flag.BoolVar(&o.silent, "silent", false, "the machine never reports anything")
	flag.BoolVar(&o.nothing, "nothing", false, "the customer walks away without choosing")
	flag.BoolVar(&o.abort, "abort", false, "the customer says no; needs the emulator in this process")
	flag.BoolVar(&o.above, "above", false, "the first choice is above the reservation")
	flag.BoolVar(&o.age, "age", false, "the first choice has an age limit")
	flag.BoolVar(&o.inFull, "in-full", false, "the sales unit captures all or nothing; needs the emulator in this process")
	flag.BoolVar(&o.refund, "refund", false, "with -in-full: capture all and refund the rest")
	flag.StringVar(&o.approve, "approve", "", "approve on behalf of this test user's phone number; test environment only")
	flag.StringVar(&o.machine, "machine", "oslo12", "the machine: 1 to 25 of a-z, 0-9 and hyphens")
	flag.StringVar(&o.currency, "currency", "NOK", "NOK, DKK or EUR, as the sales unit has it")
	flag.DurationVar(&o.pace, "pace", 2*time.Second, "how long the customer takes for everything; the motor takes half of it")
	flag.StringVar(&o.db, "db", "", database.Usage)
	setup.Usage(flag.CommandLine, "staticqr", "", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "staticqr:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if err := o.validate(); err != nil {
		return err
	}
	server, err := setup.NewEmulating("staticqr", vippstest.Options{NoPartialCapture: o.inFull})
	if err != nil {
		return err
	}
	defer server.Close()
	if err := o.fits(server); err != nil {
		return err
	}
	fmt.Println("using", server.Where)
	kept, err := database.Open(ctx, o.db)
	if err != nil {
		return err
	}
	defer kept.Close()
	s, err := newSale(server, kept, o)
	if err != nil {
		return err
	}
	defer database.Run(ctx, s.operator)()
	if err := kept.Resume(ctx, server.Client, s.operator); err != nil {
		return err
	}
	if err := s.scan(ctx); err != nil {
		return err
	}
	session, err := s.follow(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second) // after Ctrl-C as well
	defer cancel()
	if err := story.End(ctx, server.Client, session); err != nil {
		return err
	}
	if o.inFull {
		_, err := s.operator.OpenStaticQR(ctx, vending.StaticQROrder{Machine: o.machine})
		fmt.Println("the next customer:", err)
	}
	return nil
}
