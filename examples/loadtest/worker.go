package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/webhooks"
)

// Assignment is what a worker is told when it starts.
type Assignment struct {
	Vipps      string // where the API is
	Machines   string // where the machines are reached
	Place      Place
	HookSecret vipps.Secret // empty without webhooks
	Polls      int
	Lanes      int
	CPUProfile string
}

// patience is how long a customer may take: nearly as long as a payment lives.
const patience = 9 * time.Minute

// Worker is a process with an operator, as its parent asks it over its standard input and output.
type Worker struct {
	operator *vending.Operator
	store    *counted
	ctx      context.Context //nolint:containedctx // the process's
	ended    func()
	running  sync.WaitGroup
}

// work is a worker process. It ends when its input does, with the process that started it.
func work() error {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Worker{ctx: ctx, ended: func() {}}
	asked := rpc.NewServer()
	if err := asked.Register(w); err != nil {
		cancel()
		return err
	}
	asked.ServeConn(standard{os.Stdin, os.Stdout})
	cancel()
	w.running.Wait()
	w.ended()
	return nil
}

// standard is standard input and output as a connection.
type standard struct {
	io.Reader
	io.Writer
}

func (standard) Close() error { return nil }

// Start opens the store, makes the operator and runs it. It gives the address that takes webhooks.
func (w *Worker) Start(a Assignment, hook *string) error {
	store, _, err := a.Place.open(w.ctx)
	if err != nil {
		return err
	}
	w.store = &counted{Store: store}
	line, err := dial(w.ctx, a.Machines)
	if err != nil {
		return err
	}
	closed := make(chan string, 100_000)
	w.running.Go(func() { w.tell(line, closed) })
	if w.operator, err = a.operator(w.store, machine{line}, func(t vending.Transition) {
		if t.Step.To == vending.Closed && t.Step.From != vending.Closed {
			closed <- t.Session.ID
		}
	}); err != nil {
		return err
	}
	if *hook, err = w.listen(a); err != nil {
		return err
	}
	if a.CPUProfile != "" {
		if w.ended, err = profile(a.CPUProfile); err != nil {
			return err
		}
	}
	w.running.Go(func() { _ = w.operator.Run(w.ctx) }) // ends with the process
	return nil
}

// tell says which sessions are closed, as many at a time as there are.
func (w *Worker) tell(line *rpc.Client, closed <-chan string) {
	for {
		select {
		case id := <-closed:
			ids := []string{id}
			for range len(closed) {
				ids = append(ids, <-closed)
			}
			_ = line.Call("Customers.Closed", ids, &struct{}{}) // the parent is gone, and so is this process soon
		case <-w.ctx.Done():
			return
		}
	}
}

func (w *Worker) listen(a Assignment) (address string, err error) {
	if a.HookSecret == "" {
		return "", nil
	}
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: hookAddress, Secrets: []vipps.Secret{a.HookSecret}})
	if err != nil {
		return "", err
	}
	listener, err := new(net.ListenConfig).Listen(w.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	handler := &webhooks.Handler{Verifier: verifier, Handle: w.operator.HandleEvent}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // until the process ends
	return "http://" + listener.Addr().String(), nil
}

func (a Assignment) operator(store vending.Store, m vending.Machine, observe func(vending.Transition)) (*vending.Operator, error) {
	client, err := newClient(a.Vipps)
	if err != nil {
		return nil, err
	}
	return vending.NewOperator(vending.Config{
		Client: client, Store: store, Machine: m, Currency: vipps.NOK,
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy",
		},
		Timeouts: vending.Timeouts{Approve: patience},
		Polls:    a.Polls, Workers: a.Lanes, Observe: observe,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
}

func newClient(address string) (*vipps.Client, error) {
	return vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{ClientID: "load", ClientSecret: "load", SubscriptionKey: "load", MerchantSerialNumber: "123456"},
		System:      vipps.System{Name: "example-loadtest", Version: vipps.Version},
		BaseURL:     address,
	})
}

// cola is what every customer buys.
var cola = vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}

// Open opens a session at a machine with a screen and gives its id.
func (w *Worker) Open(machine string, session *string) error {
	code, err := w.operator.OpenDynamicQR(w.ctx, vending.DynamicQROrder{Machine: machine, Products: []vending.Product{cola}})
	if err != nil {
		return err
	}
	*session = code.Session
	return nil
}

// Sessions gives everything in the store as JSON, without secrets and histories.
func (w *Worker) Sessions(_ struct{}, all *[]byte) error {
	sessions, err := audit.Sessions(w.ctx, w.store)
	if err != nil {
		return err
	}
	found := make(map[string]vending.Session, len(sessions))
	for _, s := range sessions {
		s.Body, s.RedirectURL, s.History = vending.Sealed{}, vending.Sealed{}, nil
		found[s.ID] = s
	}
	*all, err = json.Marshal(found)
	return err
}

// profile writes a profile until end is called.
func profile(path string) (end func(), err error) {
	file, err := os.Create(path) //nolint:gosec // who runs the program says where
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "-cpuprofile:", err)
		}
	}, nil
}
