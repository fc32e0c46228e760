// Till sells where somebody serves: the customer shows the code in the app or says a phone number, approves on the phone, and
// is handed the goods; what was handed over is captured. At the end the session's outcome is held against what Vipps
// MobilePay says of the payment; if they disagree the exit code is 1.
//
//	go run ./examples/till                      # an emulator in this process, with a customer who shows a personal code
//	go run ./examples/till -phone 4712345678    # the customer says a phone number
//	go run ./examples/till -scan                # the code is read from standard input, as many scanners type it
//	go run ./examples/till -basket              # two products, handed over one after the other
//	go run ./examples/till -abort               # the customer says no in the app
//	go run ./examples/till -nobody              # the customer does not answer
//	go run ./examples/till -unknown-customer    # a customer who cannot pay this way
//	go run ./examples/till -db f.db             # sessions are kept: what an earlier run left open is finished first
//
// With VIPPS_BASE_URL or VIPPS_ENVIRONMENT and the keys set (see ../internal/setup) it uses that server, with -phone or -scan:
// approve on the phone, or with -approve and a test user's number. Ctrl-C is the customer leaving.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/story"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// somebody is the emulator's customer.
const somebody = "4712345678"

const purpose = `Sells where somebody serves: the customer shows a code or says a phone number. Without VIPPS_ variables an emulator in
this process takes the payment and plays the customer.`

func main() {
	var o options
	flag.StringVar(&o.phone, "phone", "", "the customer's phone number, with country code")
	flag.BoolVar(&o.scan, "scan", false, "read the text of the customer's code from standard input")
	flag.BoolVar(&o.basket, "basket", false, "sell two products")
	flag.BoolVar(&o.abort, "abort", false, "the customer says no; needs the emulator in this process")
	flag.BoolVar(&o.nobody, "nobody", false, "the customer does not answer")
	flag.BoolVar(&o.unknown, "unknown-customer", false, "the customer cannot pay this way; needs the emulator in this process")
	flag.StringVar(&o.approve, "approve", "", "approve on behalf of this test user's phone number; test environment only")
	flag.StringVar(&o.machine, "machine", "till-3", "the till: 1 to 25 of a-z, 0-9 and hyphens")
	flag.StringVar(&o.currency, "currency", "NOK", "NOK, DKK or EUR, as the sales unit has it")
	flag.DurationVar(&o.pace, "pace", 2*time.Second, "how long the customer takes to decide; handing over takes half of it")
	flag.StringVar(&o.db, "db", "", database.Usage)
	setup.Usage(flag.CommandLine, "till", "", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, o, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "till:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, scanner io.Reader) error {
	if err := o.validate(); err != nil {
		return err
	}
	var who vippstest.Options
	if o.unknown {
		who.Customers = []vippstest.Customer{{PhoneNumber: somebody, Unknown: true}, {PhoneNumber: o.phone, Unknown: true}}
	}
	server, err := setup.NewEmulating("till", who)
	if err != nil {
		return err
	}
	defer server.Close()
	if err := o.fits(server); err != nil {
		return err
	}
	fmt.Println("using", server.Where)
	order := vending.TillOrder{Machine: o.machine, Products: o.products(), PhoneNumber: vipps.Secret(o.phone)}
	switch {
	case o.scan:
		if order.PersonalQR, err = read(scanner); err != nil {
			return err
		}
	case o.phone == "":
		order.PersonalQR = vipps.Secret(server.Emulator.PersonalQR(somebody))
	}
	return serve(ctx, server, o, order)
}

// read takes the line that a scanner types.
func read(scanner io.Reader) (vipps.Secret, error) {
	fmt.Println("scan the customer's code")
	line, err := bufio.NewReader(scanner).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", errors.New("nothing was scanned")
	}
	return vipps.Secret(line), nil
}

func serve(ctx context.Context, server *setup.Setup, o options, order vending.TillOrder) error {
	kept, err := database.Open(ctx, o.db)
	if err != nil {
		return err
	}
	defer kept.Close()
	t, err := newTill(server, kept, o)
	if err != nil {
		return err
	}
	// SellTill moves the sale along as well, but only until the money is at rest: the receipt of a basket is sent after that.
	defer database.Run(ctx, t.operator)()
	if err := kept.Resume(ctx, server.Client, t.operator); err != nil {
		return err
	}
	session, err := t.operator.SellTill(ctx, order)
	switch {
	case errors.Is(err, vending.ErrCustomer):
		// What is wrong is the customer's own business, and nobody at the till can tell whether it is the number.
		fmt.Println("this customer cannot pay with Vipps MobilePay here: ask for another way to pay")
		return nil
	case err != nil && !t.opened.Load():
		return err
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("the sale is over:", session.Summary())
	}
	select {
	case last := <-t.finished: // with the receipt, which is sent after the sale
		session = &last
	case <-time.After(30 * time.Second):
	}
	if session == nil {
		return errors.New("the sale is not finished, and nobody will: look at the payment in the portal")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second) // after Ctrl-C as well
	defer cancel()
	return story.End(ctx, server.Client, session)
}
