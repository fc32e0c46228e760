package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
)

// findings are what a run has found.
type findings struct {
	options
	settings []audit.Line
	report   audit.Report // what was measured, in words
	audit    *audit.Report
	sales    []sale

	perSecond, perCore float64
	resident           int64         // of so many who wait
	idle               float64       // how much of a core they take
	overdue            int           // sessions without a worker, 5 s after the restart
	owed               time.Duration // until everything that was owed at the restart had been asked for
}

// sale is when a customer approved, from the first one on, and how long it took until the machine was told.
type sale struct{ at, took time.Duration }

// timed orders the sales of all who have bought.
func (c *Customers) timed() []sale {
	c.mu.Lock()
	defer c.mu.Unlock()
	var bought []*visit
	for _, v := range c.visits {
		if !v.approved.IsZero() && !v.told.IsZero() {
			bought = append(bought, v)
		}
	}
	slices.SortFunc(bought, func(a, b *visit) int { return a.approved.Compare(b.approved) })
	sales := make([]sale, len(bought))
	for i, v := range bought {
		sales[i] = sale{v.approved.Sub(bought[0].approved), v.told.Sub(v.approved)}
	}
	return sales
}

// quantiles gives durations that a share of all are below.
func quantiles(all []time.Duration, shares ...float64) []time.Duration {
	all = slices.Sorted(slices.Values(all))
	found := make([]time.Duration, len(shares))
	for i, share := range shares {
		if len(all) > 0 {
			found[i] = all[min(len(all)-1, int(share*float64(len(all))))]
		}
	}
	return found
}

// latency is the time from an approval to the command, at shares of all sales.
func (f *findings) latency(shares ...float64) []time.Duration {
	all := make([]time.Duration, len(f.sales))
	for i, s := range f.sales {
		all[i] = s.took
	}
	return quantiles(all, shares...)
}

func (f *findings) print(w io.Writer) {
	head := audit.Report{Lines: slices.Concat(f.settings, f.report.Lines)}
	if len(f.sales) > 0 {
		q := f.latency(0.5, 0.95, 0.99, 1)
		head.Add("approval to vend command", "p50 %s, p95 %s, p99 %s, longest %s of %d", short(q[0]), short(q[1]), short(q[2]), short(q[3]), len(f.sales))
	}
	head.Lines = append(head.Lines, f.audit.Lines...)
	head.Violations, head.Accused = f.audit.Violations, f.audit.Accused
	head.Print(w)
}

// short is a duration with three digits.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		switch {
		case d >= 100*unit:
			return d.Round(unit).String()
		case d >= 10*unit:
			return d.Round(unit / 10).String()
		case d >= unit:
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
