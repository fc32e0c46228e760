package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// dead is how long the worker stays dead.
	dead = 4 * time.Second
	// grace is how long after the restart sessions may be without a worker.
	grace = 5 * time.Second
	// recovery bounds the whole of it.
	recovery = 3 * time.Minute
)

// survive has all who wait approve, kills the worker in the middle of it, starts it again, and looks from outside how the
// sessions go on.
func (w *world) survive(ctx context.Context, f *findings, ids []string) error {
	for _, id := range ids {
		w.customers.approve(id, w.approve.draw())
	}
	if !pause(ctx, w.approve.high/2) {
		return ctx.Err()
	}
	w.mu.Lock()
	victim := w.workers[0]
	w.workers = w.workers[1:]
	w.mu.Unlock()
	victim.process.Kill()
	held := w.heard()
	pause(ctx, dead)
	told := w.told
	told.CPUProfile = w.cpuProfile
	again, err := start(ctx, told)
	if err != nil {
		return err
	}
	restart := time.Now()
	w.mu.Lock()
	w.workers = append(w.workers, again)
	w.mu.Unlock()
	owed := w.customers.owed()
	w.tell("the worker was killed and is back; %d payments are owed their capture", len(owed))

	ctx, cancel := context.WithTimeout(ctx, w.approve.high+recovery)
	defer cancel()
	most, last := 0, time.Duration(0)
	for open := true; open; {
		n, err := w.overdue(ctx)
		if err != nil {
			return err
		}
		since := time.Since(restart)
		most = max(most, n)
		if n > 0 {
			last = since
		}
		if since > grace {
			f.overdue = max(f.overdue, n)
		}
		var left int
		if err := w.db.QueryRowContext(ctx, "SELECT count(*) FROM vending_sessions WHERE state <> 'Closed'").Scan(&left); err != nil {
			return err
		}
		open = left > 0
		if !pause(ctx, 250*time.Millisecond) {
			return fmt.Errorf("%d sessions are not closed: %w", left, ctx.Err())
		}
	}
	f.report.Add("all closed", "%s after the restart", short(time.Since(restart)))
	f.report.Add("due for a second without a worker", "%d at most, none any more %s after the restart; %d later than %s", most, short(last), f.overdue, grace)
	q := w.customers.after(restart, owed)
	f.owed = q[1]
	f.report.Add("owed a capture at the restart", "%d: sent after %s (p50), all after %s", len(owed), short(q[0]), short(q[1]))
	q = w.customers.after(restart, held)
	f.report.Add("  and held by the killed worker", "%d: sent after %s (p50), all after %s; a claim lasts 15s, and 25s once the machine may have been told", len(held), short(q[0]), short(q[1]))
	return nil
}

// heard are the sessions whose webhook the worker had accepted and whose capture it had not sent: nobody else knows of them
// until its claim ends.
func (w *world) heard() (held []string) {
	owed := map[string]bool{}
	for _, id := range w.customers.owed() {
		owed[id] = true
	}
	for _, d := range w.vipps.Deliveries() {
		if d.Status/100 == 2 && owed[d.Reference] && d.Event == "epayments.payment.authorized.v1" {
			held = append(held, d.Reference)
		}
	}
	return held
}

// owed are the sessions that have been approved and whose capture was not sent.
func (c *Customers) owed() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, v := range c.visits {
		if !v.approved.IsZero() && v.charged.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids
}

// after is how long after a moment captures were sent: half of them, and all.
func (c *Customers) after(moment time.Time, ids []string) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]time.Duration, len(ids))
	for i, id := range ids {
		all[i] = c.visits[id].charged.Sub(moment)
	}
	return quantiles(all, 0.5, 1)
}
