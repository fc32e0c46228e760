// Playground is a vending machine and a phone in the browser: complete a sale through every door, and press the buttons that
// make things go wrong to see how each is resolved.
//
//	go run ./examples/playground                    # prints the address of the page
//	go run ./examples/playground -addr 127.0.0.1:8080
//	go run ./examples/playground -db folder         # sessions are kept there; a sale that was open goes on
//
// The controller of the machine is a process of its own, on SQLite, and a power cut is a SIGKILL of it. The machine's
// mechanics, the phone and an emulated Vipps MobilePay are in this process.
//
// With VIPPS_BASE_URL or VIPPS_ENVIRONMENT=test and the keys set (see ../internal/setup) it uses that server, and your own
// phone with the test app. Stickers then need -public, the https address under which the phone reaches this page.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vippsvending/vipps/examples/internal/setup"
)

type options struct {
	addr, db, public string
	pace             time.Duration
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerFlag { // hidden: started by this program
		if err := work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "controller:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:0", "address to listen on, of this machine only; port 0 takes a free one")
	flag.StringVar(&o.db, "db", "", "folder in which sessions are kept; empty is one that is removed at the end")
	flag.StringVar(&o.public, "public", "", "https address under which phones reach this page, for stickers with real credentials")
	flag.DurationVar(&o.pace, "pace", 1400*time.Millisecond, "how long the motor turns")
	setup.Usage(flag.CommandLine, "playground", "", "A vending machine and a phone in the browser: every door, and every fault at the press of a button. Without VIPPS_ variables it uses an emulator in this process.")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("%q: there are flags only; see -help", flag.Arg(0))
	}
	server, err := setup.New("playground", nil) // its keys are those that the controller gets
	if err != nil {
		return err
	}
	server.Close()
	if os.Getenv("VIPPS_ENVIRONMENT") == "production" {
		return errors.New("VIPPS_ENVIRONMENT: a playground is not for real money; use test")
	}
	folder := o.db
	if folder == "" {
		if folder, err = os.MkdirTemp("", "playground"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }() // it is in the system's folder for such files
	}
	return serve(ctx, o, folder)
}
