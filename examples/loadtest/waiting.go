package main

import (
	"context"
	"time"
)

// watched is how long those who wait are looked at.
const watched = 20 * time.Second

// wait opens the sessions of -waiting and, unless the worker is to be killed, measures what they take while nothing happens.
func (w *world) wait(ctx context.Context, f *findings) ([]string, error) {
	before, err := w.usage(true)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	ids, err := w.customers.wait(ctx, w.waiting)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	if w.kill { // that is about how they go on
		w.tell("%d sessions wait", len(ids))
		return ids, nil
	}
	w.tell("%d sessions wait; looking at them for %s", len(ids), watched)
	resting, err := w.usage(true)
	if err != nil {
		return nil, err
	}
	if !pause(ctx, watched) {
		return nil, ctx.Err()
	}
	after, err := w.usage(false)
	if err != nil {
		return nil, err
	}
	used := after.minus(resting)
	f.resident, f.idle = after.Resident, used.CPU.Seconds()/watched.Seconds()
	f.report.Add("sessions that wait", "%d, opened in %s: %.0f a second, %.0f µs of processor time each", len(ids), short(took),
		float64(len(ids))/took.Seconds(), float64(resting.minus(before).CPU.Microseconds())/float64(len(ids)))
	f.report.Add("memory with them", "%s: %d bytes each beyond the %s before; %s at the peak of opening", mebibytes(f.resident),
		(after.Resident-before.Resident)/int64(len(ids)), mebibytes(before.Resident), mebibytes(resting.Peak))
	f.report.Add("processor with them", "%.2f %% of a core in %s; %d store writes", 100*f.idle, watched, used.Writes)
	return ids, nil
}
