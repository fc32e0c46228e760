package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/examples/internal/database"
)

// fleet is machines on the network, and several processes on one database. They are killed, and paused for longer than a
// claim lasts: such a process goes on as if it still had what others have taken over.
func fleet(ctx context.Context, o options) (*audit.Report, error) {
	if o.machines == 0 {
		o.machines = min(max(o.sessions/5, 20), 100)
	}
	w, err := newWorld(ctx, "fleet", o)
	if err != nil {
		return nil, err
	}
	defer w.close()
	where, drop, err := w.where(ctx)
	if err != nil {
		return nil, err
	}
	defer drop()
	w.tell("%d workers, %d machines, %d customers, faults %t", o.workers, o.machines, o.sessions, o.faults)
	counting := newMachines(dice(o, 2<<32))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: counting, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // until it is closed
	defer func() { _ = server.Close() }()
	told := assignment{Vipps: w.address, DB: where, Machines: "http://" + listener.Addr().String()}
	var secret string
	if told.Hook, secret, err = w.forward(ctx); err != nil {
		return nil, err
	}
	for i := range o.workers {
		told.Hold = i%3 == 2
		w.workers = append(w.workers, &child{
			name: fmt.Sprint(i + 1), told: told, env: []string{hookVariable + "=" + secret}, verbose: o.verbose, said: w.said,
		})
	}
	for _, c := range w.workers {
		if err := w.begin(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := w.sell(ctx); err != nil {
		return nil, interrupted(ctx, err)
	}

	kept, err := database.Open(ctx, where)
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	books := &audit.Books{}
	if books.Sessions, err = w.settle(ctx, kept.Store); err != nil {
		return nil, interrupted(ctx, err)
	}
	books.Payments = w.vipps.Payments()
	books.Drops, books.Words = counting.counters()
	for _, delivery := range w.vipps.Deliveries() {
		if delivery.Fault != "" {
			w.log("fault of a webhook: fault=%s", "webhook "+delivery.Fault)
		}
	}
	report := w.report(books)
	report.Add("machines", "%s", counting)
	return report, nil
}

// where makes the database: what -db says, or a server of its own.
func (w *world) where(ctx context.Context) (address string, drop func(), err error) {
	if w.db != "" && !database.IsPostgreSQL(w.db) {
		if _, err := os.Stat(w.db); err == nil {
			return "", nil, errors.New("-db: the file must be a new one: the secrets in it are sealed with a key of this run")
		}
		path, err := filepath.Abs(w.db)
		return path, func() {}, err
	}
	return schema(ctx, w.db)
}

// sell plays all customers while workers are killed and paused.
func (w *world) sell(ctx context.Context) error {
	most := 2*time.Minute + time.Duration(w.sessions)*150*time.Millisecond
	selling, stop := context.WithTimeout(ctx, most)
	defer stop()
	failures := make(chan error, 2)
	var trouble sync.WaitGroup
	trouble.Go(func() { failures <- w.killSome(selling) })
	trouble.Go(func() { failures <- w.pauseSome(selling) })
	trouble.Go(func() {
		for pause(selling, 15*time.Second) {
			w.tell("%d customers, %d kills, %d pauses", w.customers.Load(), w.kills.Load(), w.pauses.Load())
		}
	})
	var tickets atomic.Int64
	var lanes sync.WaitGroup
	for i := range w.machines {
		l := &lane{w: w, machine: fmt.Sprintf("m%d", i), dice: dice(w.options, uint64(i)), known: map[string]bool{}}
		lanes.Go(func() { l.serve(selling, func() bool { return tickets.Add(1) <= int64(w.sessions) }) })
	}
	lanes.Wait()
	late := selling.Err()
	stop()
	trouble.Wait()
	for range 2 {
		if err := <-failures; err != nil {
			return err
		}
	}
	if late != nil {
		return fmt.Errorf("the customers were not served within %s: %w", most, late)
	}
	return nil
}

// killSome kills a worker now and then.
func (w *world) killSome(ctx context.Context) error {
	d := dice(w.options, 3<<32)
	for pause(ctx, about(d, 2500*time.Millisecond)) {
		c := w.workers[d.IntN(len(w.workers))]
		dead := between(d, 0, time.Second)
		if c.address() == "" {
			continue
		}
		if err := c.failed(); err != nil {
			return err
		}
		w.end(c)
		pause(ctx, dead)
		if err := w.begin(context.WithoutCancel(ctx), c); err != nil {
			return err
		}
	}
	return nil
}

// pauseSome stops a worker for longer than others wait for it, and lets it go on.
func (w *world) pauseSome(ctx context.Context) error {
	d := dice(w.options, 4<<32)
	for pause(ctx, between(d, time.Second, 3*time.Second)) {
		c := w.workers[d.IntN(len(w.workers))]
		paused := between(d, 16*time.Second, 19*time.Second)
		if c.address() == "" {
			continue
		}
		switch err := c.freeze(); {
		case errors.Is(err, errors.ErrUnsupported): // nobody can be paused here
			return nil
		case err != nil:
			return err
		}
		w.pauses.Add(1)
		pause(context.WithoutCancel(ctx), paused) // whole, even if the last customer goes
		if err := c.thaw(); err != nil {
			return err
		}
	}
	return nil
}
