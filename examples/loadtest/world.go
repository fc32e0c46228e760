package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// hookAddress is where webhooks are registered for. Nobody has to find it: the emulator hands them to the world.
const hookAddress = "https://shop.example/vipps"

// world is everything but the workers: Vipps MobilePay on a port, the customers, the machines, and a look at the database.
type world struct {
	options
	vipps     *vippstest.Server
	server    *http.Server
	lines     net.Listener // of the machines
	client    *http.Client
	customers *Customers
	machines  *Machines
	db        *sql.DB // nil for memory
	drop      func()
	told      Assignment
	began     time.Time

	mu      sync.RWMutex
	workers []*child
	next    atomic.Uint64
}

func newWorld(ctx context.Context, o options) (w *world, err error) {
	w = &world{options: o, began: time.Now(), drop: func() {}}
	w.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	w.customers = newCustomers(w)
	w.machines = newMachines(w.customers.told)
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.told = Assignment{Vipps: "http://" + listener.Addr().String(), Polls: o.polls, Lanes: o.lanes}
	w.vipps = vippstest.New(vippstest.Options{
		PublicURL: w.told.Vipps, AcceptAnyCredentials: true, AllowLoopbackHTTP: true, NoRateLimits: true,
	})
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(listener) }() // until it is closed
	if err := w.listen(ctx); err != nil {
		return nil, err
	}
	if o.webhooks {
		if err := w.register(ctx); err != nil {
			return nil, err
		}
	}
	if w.told.Place, w.drop, err = newPlace(ctx, o.store); err != nil {
		w.drop = func() {}
		return nil, err
	}
	for i := range o.workers {
		told := w.told
		if i == 0 && !o.kill {
			told.CPUProfile = o.cpuProfile
		}
		c, err := start(ctx, told)
		if err != nil {
			return nil, err
		}
		w.workers = append(w.workers, c)
	}
	_, w.db, err = w.told.Place.open(ctx)
	return w, err
}

// listen takes the lines from the workers to the machines.
func (w *world) listen(ctx context.Context) (err error) {
	if w.lines, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	w.told.Machines = w.lines.Addr().String()
	served := rpc.NewServer()
	if err := errors.Join(served.Register(w.machines), served.Register(w.customers)); err != nil {
		return err
	}
	go func() {
		for {
			conn, err := w.lines.Accept()
			if err != nil {
				return
			}
			go served.ServeConn(conn)
		}
	}()
	return nil
}

// register registers for webhooks.
func (w *world) register(ctx context.Context) error {
	client, err := newClient(w.told.Vipps)
	if err != nil {
		return err
	}
	registration, err := webhooks.New(client).Register(ctx, webhooks.RegisterRequest{URL: hookAddress, Events: webhooks.PaymentEvents()})
	if err != nil {
		return err
	}
	w.told.HookSecret = registration.Secret
	w.vipps.HandleWebhooks(hookAddress, http.HandlerFunc(w.bring))
	return nil
}

// close ends everything.
func (w *world) close() {
	for _, c := range w.workers {
		c.stop()
	}
	if w.db != nil {
		_ = w.db.Close() // it was read
	}
	if w.vipps != nil {
		w.vipps.Close()
		_ = w.server.Close()
	}
	if w.lines != nil {
		_ = w.lines.Close()
	}
	w.drop()
}

// ServeHTTP is Vipps MobilePay, as far away as -latency says.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if w.latency > 0 && !pause(r.Context(), w.latency) {
		panic(http.ErrAbortHandler)
	}
	w.vipps.ServeHTTP(rw, r)
	if payment, ok := strings.CutSuffix(r.URL.Path, "/capture"); ok {
		w.customers.captured(payment[strings.LastIndex(payment, "/")+1:])
	}
}

// bring brings a webhook to one of the workers, in turn, as a load balancer does.
func (w *world) bring(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	c := w.anybody()
	if c == nil {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, c.hook, bytes.NewReader(body))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	request.Header = r.Header.Clone()
	answer, err := w.client.Do(request)
	if err != nil {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	_ = answer.Body.Close()                 // it was read
	rw.WriteHeader(answer.StatusCode)
}

// anybody is a worker that is alive; nil if there is none.
func (w *world) anybody() *child {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if len(w.workers) == 0 {
		return nil
	}
	return w.workers[w.next.Add(1)%uint64(len(w.workers))]
}

// usage is what all workers together have used.
func (w *world) usage(settled bool) (sum Usage, err error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, c := range w.workers {
		var u Usage
		if err := c.Call("Worker.Measure", settled, &u); err != nil {
			return sum, fmt.Errorf("a worker has ended: %w: %s", err, c.process.Log.String())
		}
		sum = sum.plus(u)
	}
	return sum, nil
}

// tell says how far the run is.
func (w *world) tell(format string, args ...any) {
	fmt.Printf("%4.0f s  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}
