package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/webhooks"
)

// assignment is what a worker is told on its standard input. The secrets are in its environment.
type assignment struct {
	Vipps string `json:"vipps"`
	DB    string `json:"db"`
	// Journal and Counter are those of the box; Machines is where the fleet's are reached.
	Journal  string `json:"journal,omitzero"`
	Counter  string `json:"counter,omitzero"`
	Machines string `json:"machines,omitzero"`
	// Hook is the address webhooks are registered for; empty for a box, which nobody reaches.
	Hook string `json:"hook,omitzero"`
	// Hold leaves to a person what nobody knows.
	Hold bool `json:"hold,omitzero"`
}

// timeouts are short, since nobody is in a hurry but the test. Open is longer than a claim: who takes over a session whose
// worker died may still make its payment.
var timeouts = vending.Timeouts{
	Open: 25 * time.Second, Approve: 8 * time.Second, Seat: 3 * time.Second, Select: 8 * time.Second,
	Start: 3 * time.Second, Verdict: 8 * time.Second, Hold: 5 * time.Second,
}

// work is a worker process. It ends when its input does, with the process that started it.
func work(ctx context.Context, input io.Reader) error {
	lines := bufio.NewReader(input)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var a assignment
	if err := json.Unmarshal(line, &a); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, lines) // its end is what counts
		cancel()
	}()
	kept, err := database.Open(ctx, a.DB)
	if err != nil {
		return err
	}
	operator, err := a.operator(kept.Store)
	if err != nil {
		return err
	}
	handler, err := a.control(operator)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Println("listening", listener.Addr())
	if err := operator.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	_ = server.Close() // whoever asks is gone as well
	<-ended
	return nil
}

func (a assignment) operator(store vending.Store) (*vending.Operator, error) {
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{ClientID: "soak", ClientSecret: "soak", SubscriptionKey: "soak", MerchantSerialNumber: serialNumber},
		System:      vipps.System{Name: "example-soak", Version: vipps.Version},
		BaseURL:     a.Vipps,
	})
	if err != nil {
		return nil, err
	}
	var machine vending.Machine = remote{a.Machines}
	if a.Journal != "" {
		if machine, err = newMotor(a.Journal, a.Counter); err != nil {
			return nil, err
		}
	}
	config := vending.Config{
		Client: client, Store: store, Machine: machine, Currency: vipps.NOK, Timeouts: timeouts,
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy",
		},
		Planogram: planogram,
		ReturnURL: "https://shop.example/return/{token}",
		PageKey:   "the same in every worker, and longer than 32 bytes",
		Notify:    func(n vending.Notice) { fmt.Println("notice", n.Kind, n.Session) },
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if a.Hold {
		config.UnknownVerdict = vending.HoldUnknown
	}
	return vending.NewOperator(config)
}

// serialNumber is the sales unit's.
const serialNumber = "123456"

// What every machine sells.
var (
	cola  = vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}
	chips = vending.Product{Name: "Chips", Slot: "B2", Price: 3500, TaxRate: 1500}
)

func planogram(context.Context, string) (vending.Planogram, error) {
	return vending.Planogram{Version: "soak", Products: []vending.Product{cola, chips}}, nil
}

// hook takes webhooks.
func (a assignment) hook(operator *vending.Operator) (http.Handler, error) {
	if a.Hook == "" {
		return http.NotFoundHandler(), nil
	}
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: a.Hook, Secrets: []vipps.Secret{vipps.Secret(os.Getenv(hookVariable))}})
	if err != nil {
		return nil, err
	}
	return &webhooks.Handler{Verifier: verifier, Handle: operator.HandleEvent}, nil
}
