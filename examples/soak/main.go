// Soak sells with real processes, disks and databases while they are killed, paused and lied to, and then holds the books
// against each other: no product twice, no capture without a product, every payment at rest.
//
//	go run ./examples/soak -kills 200 -sessions 2000 -faults
//	go run ./examples/soak -story box -kills 200                # a machine on its own: one process, SQLite, a journal for the motor
//	go run ./examples/soak -story fleet -sessions 2000 -faults  # three processes on a PostgreSQL of its own, machines on the network
//	go run ./examples/soak -story fleet -db sessions.db         # the same on SQLite; or -db postgres://…, in a schema of its own
//
// The emulator, the customers and the fleet's machines are in this process. The workers are this program started again, and
// die with SIGKILL. The exit code is 1 if the audit finds a violation. The same -seed gives the same customers, faults and
// kills; when exactly they meet is up to the computer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
)

type options struct {
	story, db                          string
	kills, sessions, workers, machines int
	faults, verbose                    bool
	seed                               uint64
}

const purpose = `Sells on SQLite and PostgreSQL while processes are killed, paused and lied to, and audits the books. The emulator is in this
process.`

func main() {
	if len(os.Args) == 2 && os.Args[1] == "worker" { // hidden: started by this program
		if err := work(context.Background(), os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.story, "story", "both", "box, fleet or both, at the same time")
	flag.StringVar(&o.db, "db", "", "the fleet's database: postgres://… or a new file for SQLite; empty is a PostgreSQL server of its own")
	flag.IntVar(&o.kills, "kills", 20, "how often the box is killed")
	flag.IntVar(&o.sessions, "sessions", 200, "how many customers come to the fleet")
	flag.IntVar(&o.workers, "workers", 3, "how many processes the fleet has")
	flag.IntVar(&o.machines, "machines", 0, "how many machines; 0 is 20 for the box and 20 to 100 for the fleet")
	flag.BoolVar(&o.faults, "faults", false, "requests, answers and webhooks are lost, late, slow and refused")
	flag.BoolVar(&o.verbose, "v", false, "show what workers log")
	flag.Uint64Var(&o.seed, "seed", 0, "of the plan; 0 is a random one")
	setup.Usage(flag.CommandLine, "soak", "", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.seed == 0 {
		o.seed = rand.Uint64N(1 << 32) //nolint:gosec // it is printed
	}
	type story func(context.Context, options) (*audit.Report, error)
	stories := map[string][]story{"box": {box}, "fleet": {fleet}, "both": {box, fleet}}[o.story]
	switch {
	case stories == nil:
		return errors.New("-story: must be box, fleet or both")
	case o.kills < 0 || o.sessions < 1 || o.workers < 1 || o.machines < 0:
		return errors.New("-kills, -sessions, -workers, -machines: must be positive")
	}
	if err := os.Setenv(database.Variable, database.NewKey()); err != nil { // workers inherit it
		return err
	}
	fmt.Println("seed", o.seed)
	reports, failures := make([]*audit.Report, len(stories)), make([]error, len(stories))
	var telling sync.WaitGroup
	for i, tell := range stories {
		telling.Go(func() { reports[i], failures[i] = tell(ctx, o) })
	}
	telling.Wait()
	for i, report := range reports {
		if report != nil {
			report.Print(os.Stdout)
			failures[i] = report.Err()
		}
	}
	return errors.Join(failures...)
}

// dice give a part of the plan its own random numbers, the same for the same seed.
func dice(o options, part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(o.seed, part)) //nolint:gosec // a plan is to be repeated, not to be secret
}

// between is a random duration.
func between(d *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(d.Float64()*float64(high-low))
}

// about is a random duration of a memoryless process, which may strike at any moment.
func about(d *rand.Rand, mean time.Duration) time.Duration {
	return min(time.Duration(d.ExpFloat64()*float64(mean)), 6*mean)
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
