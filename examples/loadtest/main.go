// Loadtest measures what the engine carries: sessions a second, the time from an approval to the machine, memory and processor
// time of sessions that wait, and how a fleet goes on after kill -9. At the end it audits the money.
//
//	go run ./examples/loadtest -machines 200 -for 20s                                     # as fast as possible, in memory
//	go run ./examples/loadtest -store sqlite -rate 50 -for 30s -plot latency.svg          # 50 customers a second, by webhooks
//	go run ./examples/loadtest -store postgres -rate 50 -webhooks=false -polls 2000 -approve 5s-25s
//	go run ./examples/loadtest -store sqlite -waiting 100000 -polls -1                    # sessions whose customers take their time
//	go run ./examples/loadtest -store postgres -waiting 10000 -kill                       # the power goes while they pay
//	go run ./examples/loadtest -all                                                       # the table of capacity
//
// The emulator, the customers and the machines are in this process. The workers are this program started again: they hold the
// operators, and theirs is the processor time that is counted. PostgreSQL is a server of its own that ends with the program,
// SQLite a file in the system's folder for such files, which goes with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
)

type options struct {
	store                    string
	machines, workers, lanes int
	sessions, waiting, polls int
	rate                     float64
	lasting                  time.Duration
	latency                  time.Duration
	approve                  span
	webhooks, kill, all      bool
	plot, cpuProfile         string
}

const purpose = `Measures what the engine carries: sales a second, the time from approval to machine, the memory of those who wait. The
emulator is in this process.`

func main() {
	if len(os.Args) == 2 && os.Args[1] == "worker" { // hidden: started by this program
		if err := work(); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
}

// parse reads flags.
func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	flags.StringVar(&o.store, "store", "memory", "memory, sqlite or postgres")
	flags.IntVar(&o.machines, "machines", 200, "how many machines, each with one customer at a time")
	flags.Float64Var(&o.rate, "rate", 0, "customers a second; 0 is as fast as the machines are free")
	flags.DurationVar(&o.lasting, "for", 20*time.Second, "how long customers come")
	flags.IntVar(&o.sessions, "sessions", 0, "how many customers come, if that is less; 0 is no limit")
	flags.IntVar(&o.workers, "workers", 1, "how many processes there are on the store")
	flags.IntVar(&o.lanes, "lanes", 0, "vending.Config.Workers of each; 0 is the default")
	flags.BoolVar(&o.webhooks, "webhooks", true, "webhooks are delivered")
	flags.IntVar(&o.polls, "polls", 0, "vending.Config.Polls of each process; 0 is the default, -1 none")
	flags.Var(&o.approve, "approve", "how long customers take: 5s, or 5s-25s for anything between")
	flags.DurationVar(&o.latency, "latency", 0, "how long each answer of Vipps MobilePay takes")
	flags.IntVar(&o.waiting, "waiting", 0, "open so many sessions first, whose customers take their time")
	flags.BoolVar(&o.kill, "kill", false, "kill the worker while those of -waiting pay, and start it again")
	flags.StringVar(&o.plot, "plot", "", "draw the latencies into this file, as SVG")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write the first worker's profile into this file")
	flags.BoolVar(&o.all, "all", false, "run everything that is in the table of capacity, and print it")
	setup.Usage(flags, "loadtest", "", purpose)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	return o, o.validate()
}

func run(ctx context.Context, o options) error {
	if err := os.Setenv(database.Variable, database.NewKey()); err != nil { // workers inherit it
		return err
	}
	if o.all {
		return table(ctx)
	}
	found, err := measure(ctx, o)
	if err != nil {
		return err
	}
	found.print(os.Stdout)
	if o.plot != "" {
		if err := found.draw(o.plot); err != nil {
			return err
		}
	}
	return found.audit.Err()
}

func (o *options) validate() error {
	switch {
	case o.store != "memory" && o.store != "sqlite" && o.store != "postgres":
		return errors.New("-store: must be memory, sqlite or postgres")
	case o.machines < 1 || o.workers < 1 || o.sessions < 0 || o.waiting < 0 || o.rate < 0 || o.lasting <= 0 || o.latency < 0:
		return errors.New("-machines, -workers, -sessions, -waiting, -rate, -for, -latency: must not be negative")
	case o.workers > 1 && o.store == "memory":
		return errors.New("-workers: processes do not share memory")
	case !o.webhooks && o.polls < 0:
		return errors.New("-webhooks=false: without polls nobody hears of an approval")
	case o.kill && (o.store == "memory" || o.waiting == 0):
		return errors.New("-kill: needs -waiting, and a -store that outlives the worker")
	case o.approve.high > patience:
		return fmt.Errorf("-approve: at most %s", patience)
	}
	return nil
}

// span is a range of durations, as a flag.
type span struct{ low, high time.Duration }

// String implements [flag.Value].
func (s *span) String() string {
	if s.low == s.high {
		return s.low.String()
	}
	return s.low.String() + "-" + s.high.String()
}

// Set implements [flag.Value].
func (s *span) Set(text string) (err error) {
	low, high, between := strings.Cut(text, "-")
	if s.low, err = time.ParseDuration(low); err != nil {
		return err
	}
	if s.high = s.low; between {
		s.high, err = time.ParseDuration(high)
	}
	if err == nil && (s.low < 0 || s.high < s.low) {
		err = errors.New("must grow")
	}
	return err
}

// draw is any duration of the range.
func (s span) draw() time.Duration {
	return s.low + time.Duration(rand.Int64N(int64(s.high-s.low)+1)) //nolint:gosec // it is to vary, not to be secret
}

// pause says whether the time passed before the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
