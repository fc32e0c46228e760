package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/vending"
)

// box is a machine on its own, or a row of them with one computer: SQLite, a journal for the motor, no webhooks. It is killed
// all the time.
func box(ctx context.Context, o options) (*audit.Report, error) {
	if o.machines == 0 {
		o.machines = 20
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is in the system's folder for such files
	w, err := newWorld(ctx, "box", o)
	if err != nil {
		return nil, err
	}
	defer w.close()
	w.tell("%d machines, %d kills, faults %t", o.machines, o.kills, o.faults)
	told := assignment{
		Vipps: w.address, DB: filepath.Join(dir, "sessions.db"), Journal: dir, Counter: filepath.Join(dir, "counter"),
	}
	c := &child{name: "box", told: told, verbose: o.verbose, said: w.said}
	w.workers = []*child{c}
	if err := w.begin(ctx, c); err != nil {
		return nil, err
	}

	selling, stop := context.WithTimeout(ctx, time.Minute+time.Duration(o.kills)*3*time.Second)
	defer stop()
	var lanes sync.WaitGroup
	for i := range o.machines {
		l := &lane{w: w, machine: fmt.Sprintf("box%d", i), dice: dice(o, uint64(i)), known: map[string]bool{}}
		lanes.Go(func() { l.serve(selling, func() bool { return selling.Err() == nil }) })
	}
	err = w.cutPower(selling, c)
	stop()
	lanes.Wait()
	if err != nil {
		return nil, interrupted(ctx, err)
	}

	kept, err := database.Open(ctx, told.DB)
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	books := &audit.Books{}
	if books.Sessions, err = w.settle(ctx, kept.Store); err != nil {
		return nil, interrupted(ctx, err)
	}
	c.kill()
	books.Payments = w.vipps.Payments()
	if err := w.askMotor(ctx, books, told); err != nil {
		return nil, err
	}
	return w.report(books), nil
}

// cutPower kills the box: at any moment, when the motor has begun to turn, or when it has just asked Vipps MobilePay for
// something.
func (w *world) cutPower(ctx context.Context, c *child) error {
	d := dice(w.options, 1<<32)
	for n := range w.options.kills {
		wait, jitter := about(d, 300*time.Millisecond), between(d, 0, turning+10*time.Millisecond)
		moment := []chan struct{}{nil, w.told, w.request}[d.IntN(3)]
		if !pause(ctx, wait) {
			return ctx.Err()
		}
		if moment != nil {
			select { // not one of before
			case <-moment:
			default:
			}
			select {
			case <-moment:
			case <-time.After(2 * time.Second):
			case <-ctx.Done():
			}
			pause(ctx, jitter)
		}
		if err := c.failed(); err != nil {
			return err
		}
		w.end(c)
		if err := w.begin(ctx, c); err != nil {
			return err
		}
		if (n+1)%50 == 0 {
			w.tell("%d kills, %d customers", n+1, w.customers.Load())
		}
	}
	return nil
}

// askMotor reads the counter, and asks the journal about everything that a session has told it.
func (w *world) askMotor(ctx context.Context, books *audit.Books, told assignment) error {
	counter, err := os.Open(told.Counter)
	if err != nil {
		return err
	}
	books.Drops = map[string]int{}
	lines := bufio.NewScanner(counter)
	for lines.Scan() {
		books.Drops[lines.Text()]++
	}
	if err := errors.Join(lines.Err(), counter.Close()); err != nil {
		return err
	}
	machine, err := vending.Journaled(told.Journal, func(context.Context, string) error { return vending.ErrJammed })
	if err != nil {
		return err
	}
	books.Words = map[string]vending.Verdict{}
	for _, s := range books.Sessions {
		for _, item := range s.Items {
			if item.VendID == "" {
				continue
			}
			if books.Words[item.VendID], err = machine.Conclude(ctx, item.VendID); err != nil {
				return errors.Join(err, machine.Close())
			}
		}
	}
	return machine.Close()
}
