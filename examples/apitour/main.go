// Apitour calls every endpoint once and prints a line for each request: what it was, how it was answered, what it shows. It
// is a check of new credentials as well: it exits with 1 if anything is not as it should be, and leaves nothing behind.
//
//	go run ./examples/apitour                       # an emulator in this process
//	VIPPS_ENVIRONMENT=test VIPPS_CLIENT_ID=… VIPPS_CLIENT_SECRET=… VIPPS_SUBSCRIPTION_KEY=… \
//	VIPPS_MERCHANT_SERIAL_NUMBER=… go run ./examples/apitour -phone 47…
//
// The phone number is that of a test user, on whose behalf the payment is approved. Without one the tour leaves out what
// needs an approved payment, as it does in production, where no payment can be approved so. What needs a customer with a
// phone is left out too, unless an emulator can play one, and so is what cannot be taken back, unless it is asked for.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/examples/internal/setup"
)

// choices are the flags.
type choices struct {
	phone, currency, hook, beacon string
	orders                        bool
}

const purpose = `Calls every endpoint of the four APIs once and prints a line for each request: a check of new credentials. Without VIPPS_
variables it uses an emulator in this process.`

func main() {
	var c choices
	flag.StringVar(&c.phone, "phone", "", "phone number of a test user, with country code; an emulator needs none")
	flag.StringVar(&c.currency, "currency", "NOK", "NOK, DKK or EUR, as the sales unit has it")
	flag.StringVar(&c.hook, "webhook", "", "address that is registered for webhooks, and removed at once")
	flag.StringVar(&c.beacon, "beacon", "", "id of a MobilePay beacon of your own, which is taken over for good; an emulator needs none")
	flag.BoolVar(&c.orders, "orders", false, "in production, add a receipt and an image, which stay")
	setup.Usage(flag.CommandLine, "apitour", "", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	requests := new(recorder)
	server, err := setup.New("apitour", requests.around)
	if err == nil {
		err = run(ctx, server, requests, c)
		server.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "apitour:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server *setup.Setup, requests *recorder, c choices) error {
	if server.Client.Environment() == vipps.Production {
		c.phone = "" // nobody's payment can be approved for them
	} else {
		c.hook = cmp.Or(c.hook, "https://example.com/vipps-api-tour")
		c.orders = true
		if server.Pretend {
			c.phone = cmp.Or(c.phone, "4712345678")
			c.beacon = cmp.Or(c.beacon, "apitour-"+strings.ToLower(rand.Text()))
		}
	}
	fmt.Println("using", server.Where)
	t := &tour{requests: requests}
	for _, part := range []func() error{
		func() error { return t.webhooks(ctx, server.Client, c.hook) },
		func() error { return t.payments(ctx, server.Client, c.phone, vipps.Currency(c.currency)) },
		func() error { return t.codes(ctx, server, c) },
		func() error { return t.customers(ctx, server, c.phone) },
		func() error { return t.orders(ctx, server.Client, c) },
	} {
		if err := part(); noToken(err) {
			return hint(err)
		}
	}
	if skew, known := server.Client.ClockSkew(); known && skew.Abs() > 5*time.Second {
		fmt.Printf("note  this machine's clock is %s off: webhook signatures are only good for five minutes\n", skew.Round(time.Second))
	}
	if t.failed > 0 {
		return fmt.Errorf("%d of %d calls were not answered as they should be", t.failed, t.calls)
	}
	fmt.Printf("all %d calls were answered as they should be\n", t.calls)
	return nil
}

// noToken says that no call can work.
func noToken(err error) bool {
	failed, ok := errors.AsType[*vipps.Error](err)
	return ok && failed.During != ""
}

func hint(err error) error {
	if errors.Is(err, vipps.ErrUnauthorized) {
		return errors.New("there is no token: compare keys, environment and serial number with the business portal")
	}
	return errors.New("there is no token")
}

// tour counts what happened.
type tour struct {
	requests      *recorder
	calls, failed int
	reference     string // of a payment
}

// step makes one call and prints its requests; the first of all fetches a token too. shows says what an answer means.
func (t *tour) step(call func() (shows string, err error)) error {
	shows, err := call()
	if errors.Is(err, vipps.ErrNotAvailable) {
		return err // nothing was sent
	}
	t.calls++
	requests := t.requests.take()
	for i, r := range requests {
		word, text := "ok", ""
		switch last := i == len(requests)-1; {
		case last && err != nil:
			word, text = "FAIL", err.Error()
		case last:
			text = shows
		case r.status != 200:
			word, text = "again", "tried once more"
		case r.path == "/accesstoken/get":
			text = "a token, used by every other call"
		}
		status := "---" // no answer
		if r.status != 0 {
			status = strconv.Itoa(r.status)
		}
		fmt.Printf("%-5s %-6s %-41s %s  %s\n", word, r.method, r.path, status, text)
	}
	if err == nil {
		return nil
	}
	if len(requests) == 0 {
		fmt.Printf("FAIL  nothing was sent: %v\n", err)
	}
	t.failed++
	return err
}
