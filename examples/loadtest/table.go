package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// row is a figure of the table: what it is, what was aimed at, how it is measured, and what of the findings it is.
type row struct {
	figure, aim, flags string
	measured           func(*findings) string
}

const (
	waitingRun = " -waiting 100000 -polls -1 -rate 50 -for 10s -approve 1s"
	hookRun    = " -rate 50 -for 30s -approve 1s-10s -machines 1000"
	pollRun    = " -rate 50 -for 30s -approve 5s-25s -machines 2000 -webhooks=false -polls 2000"
	killAim    = "0 without a worker after 5 s, owed captures ≤ 60 s"
	killRun    = " -waiting 10000 -kill -approve 0s-40s"
)

var rows = []row{
	// PostgreSQL holds as many, and takes longer to open them than a table should.
	{"100,000 sessions wait, SQLite", "≤ 100 MiB, < 5 % of a core", "-store sqlite" + waitingRun, (*findings).atRest},
	{"approval to vend command by webhook, SQLite", "p99 ≤ 25 ms", "-store sqlite" + hookRun, (*findings).told},
	{"approval to vend command by webhook, PostgreSQL", "p99 ≤ 25 ms", "-store postgres" + hookRun, (*findings).told},
	{"approval to vend command by polling, SQLite", "p50 ≤ 0.6 s", "-store sqlite" + pollRun, (*findings).told},
	{"approval to vend command by polling, PostgreSQL", "p50 ≤ 0.6 s", "-store postgres" + pollRun, (*findings).told},
	{"whole sales, memory", "≥ 1,000 a second and core", "-store memory -for 20s", (*findings).throughput},
	{"whole sales, SQLite", "≥ 200 a second", "-store sqlite -for 20s", (*findings).throughput},
	{"whole sales, PostgreSQL", "≥ 300 a second", "-store postgres -for 20s", (*findings).throughput},
	{"10,000 open sessions, kill -9, SQLite", killAim, "-store sqlite" + killRun, (*findings).recovered},
	{"10,000 open sessions, kill -9, PostgreSQL", killAim, "-store postgres" + killRun, (*findings).recovered},
}

func (f *findings) atRest() string {
	return fmt.Sprintf("%s, %.1f %% of a core; those who buy meanwhile: p99 %s", mebibytes(f.resident), 100*f.idle, short(f.latency(0.99)[0]))
}

func (f *findings) told() string {
	q := f.latency(0.5, 0.95, 0.99)
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s", short(q[0]), short(q[1]), short(q[2]))
}

func (f *findings) throughput() string {
	return fmt.Sprintf("%.0f a second, %.0f a second and core of the SDK", f.perSecond, f.perCore)
}

func (f *findings) recovered() string {
	return fmt.Sprintf("%d without a worker, owed captures after %s", f.overdue, short(f.owed))
}

// table measures everything and prints it as it stands in README.md.
func table(ctx context.Context) error {
	lines := []string{"| Figure | Aim | Measured | `go run ./examples/loadtest` |", "|---|---|---|---|"}
	var failed []error
	for _, r := range rows {
		fmt.Println("\nloadtest", r.flags)
		o, err := parse(strings.Fields(r.flags))
		if err != nil {
			return err
		}
		began := time.Now()
		f, err := measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", r.figure, err)
		}
		fmt.Printf("%4.0f s  %s: %s\n", time.Since(began).Seconds(), r.figure, r.measured(f))
		for _, line := range append(f.settings, f.report.Lines...) {
			fmt.Printf("        %s: %s\n", strings.TrimSpace(line.Name), line.Value)
		}
		failed = append(failed, f.audit.Err())
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | `%s` |", r.figure, r.aim, r.measured(f), r.flags))
	}
	fmt.Println("\n" + strings.Join(lines, "\n"))
	return errors.Join(failed...)
}
