package vending

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/ordermanagement"
)

// payments is what the engine needs of the ePayment API.
type payments interface {
	CreateEncoded(ctx context.Context, reference, idempotencyKey string, body []byte) (*epayment.Created, error)
	Get(ctx context.Context, reference string) (*epayment.Payment, error)
	Capture(ctx context.Context, reference string, request epayment.CaptureRequest) (*epayment.Modification, error)
	Cancel(ctx context.Context, reference string, request epayment.CancelRequest) (*epayment.Modification, error)
	Refund(ctx context.Context, reference string, request epayment.RefundRequest) (*epayment.Modification, error)
	Events(ctx context.Context, reference string) ([]epayment.Event, error)
	CancelIfNotAuthorized(ctx context.Context, reference string, request epayment.CancelRequest) (*epayment.Modification, error)
}

// Operator runs sessions: it makes payments, waits, tells machines, captures what dropped and releases the rest. It is safe
// for concurrent use. Any number of them may share one store, in one process or in many.
type Operator struct {
	config   Config
	payments payments
	orders   orders
	rules    rules
	kick     chan struct{}
	budget   *budget
	// crowded says that more was due than there were workers.
	crowded  atomic.Bool
	urgent   []string     // claimed, and waiting for a worker, under mu
	heard    atomic.Int64 // when the last webhook came, in Unix nanoseconds
	running  int          // how many loops run, under mu
	needed   int          // how many calls share the loop that stopLoop ends, under mu
	stopLoop func()
	// partialRefused closes the doors that reserve a maximum.
	partialRefused atomic.Bool
	aside          int // how much is done that nobody waits for, under mu
	quiet          *sync.Cond
	mu             sync.Mutex
	watching       map[string][]chan struct{}
	nudged         lately    // of whom a webhook has spoken
	left           leftAlone // those that wait for the worker that reaches their machine
	selections     map[string]selection
	orphans        map[string]bool
}

// NewOperator checks the configuration, against everything that would otherwise fail in front of a customer, and makes an
// Operator. Nothing is sent. The error names every field that is wrong and matches [vipps.ErrInvalidRequest].
func NewOperator(config Config) (*Operator, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	if config.Store == nil {
		config.Store = NewMemoryStore()
	}
	config.Workers = cmp.Or(config.Workers, 32)
	config.Polls = cmp.Or(config.Polls, 200)
	config.Timeouts = config.Timeouts.withDefaults(defaultTimeouts)
	config.Logger = cmp.Or(config.Logger, slog.New(slog.DiscardHandler))
	config.PageKey = cmp.Or(config.PageKey, vipps.Secret(random(52)))
	if config.CheckIns != nil {
		checkIns := *config.CheckIns
		checkIns.UserFlow = cmp.Or(checkIns.UserFlow, epayment.WebRedirect)
		config.CheckIns = &checkIns
	}
	o := &Operator{
		config: config,
		// The engine repeats by itself, from what is stored; a client that repeats as well would use up the calls that are
		// allowed for one payment.
		payments:   epayment.New(config.Client.SingleAttempt()),
		orders:     ordermanagement.New(config.Client.SingleAttempt()),
		rules:      rules{},
		kick:       make(chan struct{}, 1),
		budget:     newBudget(config.Polls),
		watching:   map[string][]chan struct{}{},
		selections: map[string]selection{},
		orphans:    map[string]bool{},
	}
	o.quiet = sync.NewCond(&o.mu)
	return o, nil
}

// Currency is that of the sales unit.
func (o *Operator) Currency() vipps.Currency { return o.config.Currency }

// ReturnURL is that of the Config, with "{token}" in it.
func (o *Operator) ReturnURL() string { return o.config.ReturnURL }

// timeouts are those of a machine.
func (o *Operator) timeouts(machine string) Timeouts {
	return o.config.MachineTimeouts[machine].withDefaults(o.config.Timeouts)
}
