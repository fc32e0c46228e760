package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// measure is one run.
func measure(ctx context.Context, o options) (*findings, error) {
	w, err := newWorld(ctx, o)
	if err != nil {
		return nil, err
	}
	defer w.close()
	f := &findings{options: o}
	if f.settings, err = w.settings(ctx); err != nil {
		return nil, err
	}
	var waiting []string
	if o.waiting > 0 {
		if waiting, err = w.wait(ctx, f); err != nil {
			return nil, err
		}
	}
	if o.kill {
		err = w.survive(ctx, f, waiting)
		waiting = nil // they have bought
	} else {
		err = w.sell(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	f.sales = w.customers.timed()
	f.audit, err = w.audit(waiting)
	return f, err
}

// sell has customers come and measures what they cost.
func (w *world) sell(ctx context.Context, f *findings) error {
	before, err := w.usage(false)
	if err != nil {
		return err
	}
	own, server, began, calls := processorTime(), w.serverTime(ctx), time.Now(), w.calls()
	until := w.customers.come(ctx)
	if err := w.customers.settled(ctx, w.approve.high+time.Minute); err != nil {
		return err
	}
	took := time.Since(began)
	own, server = processorTime()-own, w.serverTime(ctx)-server
	after, err := w.usage(false)
	if err != nil {
		return err
	}
	used := after.minus(before)
	sold, in := w.customers.served(until)
	if w.rate > 0 {
		in = sold // as many as have come, if some of them later
	}
	each := func(n int64) float64 { return float64(n) / float64(max(sold, 1)) }
	f.perSecond = float64(in) / until.Sub(began).Seconds()
	f.perCore = float64(sold) / max(used.CPU.Seconds(), 1e-9)
	f.report.Add("sessions per second", "%.0f: %d in %s", f.perSecond, in, short(until.Sub(began)))
	f.report.Add("sessions per second and core of the SDK", "%.0f: %.0f µs of processor time each", f.perCore, each(used.CPU.Microseconds()))
	f.report.Add("cores used", "%.2f by the SDK, %.2f by PostgreSQL, %.2f by emulator, customers and machines",
		used.CPU.Seconds()/took.Seconds(), server.Seconds()/took.Seconds(), own.Seconds()/took.Seconds())
	now := w.calls()
	words := []string{fmt.Sprintf("%.2f:", each(int64(now[""]-calls[""])))}
	for _, op := range operations {
		if n := now[op] - calls[op]; n > 0 {
			words = append(words, fmt.Sprintf("%s %.2f", op, each(int64(n))))
		}
	}
	f.report.Add("API calls per session", "%s", strings.Join(words, " "))
	f.report.Add("store writes and reads per session", "%.2f and %.2f; %.2f claims found nothing", each(used.Writes), each(used.Reads), each(used.Idle))
	f.report.Add("memory of the SDK", "%s at the end, %s at its peak", mebibytes(after.Resident), mebibytes(after.Peak))
	return nil
}

// operations are the calls that a sale may make.
var operations = []string{"create", "get", "capture", "cancel"}

// calls counts what was asked of Vipps MobilePay; "" is all.
func (w *world) calls() map[string]int {
	counts := map[string]int{}
	for _, op := range operations {
		counts[op] = w.vipps.Count(op, "")
		counts[""] += counts[op]
	}
	return counts
}

// audit holds the books against each other. Those who wait have nothing reserved, and are left out.
func (w *world) audit(waiting []string) (*audit.Report, error) {
	w.tell("the audit")
	var all []byte
	if err := w.workers[0].Call("Worker.Sessions", struct{}{}, &all); err != nil {
		return nil, err
	}
	sessions := map[string]vending.Session{}
	if err := json.Unmarshal(all, &sessions); err != nil {
		return nil, err
	}
	payments := w.vipps.Payments()
	wait, still := map[string]bool{}, 0
	for _, id := range waiting {
		wait[id] = sessions[id].State == vending.Waiting
	}
	payments = slices.DeleteFunc(payments, func(p vippstest.Payment) bool {
		asleep := wait[p.Reference] && p.State == "CREATED"
		if asleep {
			still++
			delete(sessions, p.Reference)
		}
		return asleep
	})
	books := &audit.Books{Payments: payments, Sessions: slices.Collect(maps.Values(sessions)), Drops: w.machines.drops, Words: w.machines.words}
	report := books.Audit()
	if len(waiting) > 0 {
		report.Add("left waiting, with nothing reserved", "%d", still)
		if still != len(waiting) {
			report.Violations = append(report.Violations, fmt.Sprintf("%d sessions should wait, and %d do", len(waiting), still))
		}
	}
	return report, nil
}
