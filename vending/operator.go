package vending

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// payments is what the engine needs of the ePayment API.
type payments interface {
	CreateEncoded(ctx context.Context, reference, idempotencyKey string, body []byte) (*epayment.Created, error)
	Get(ctx context.Context, reference string) (*epayment.Payment, error)
	Capture(ctx context.Context, reference string, request epayment.CaptureRequest) (*epayment.Modification, error)
	Cancel(ctx context.Context, reference string, request epayment.CancelRequest) (*epayment.Modification, error)
	CancelIfNotAuthorized(ctx context.Context, reference string, request epayment.CancelRequest) (*epayment.Modification, error)
}

// Config is what an [Operator] is made of. Client, Machine and Currency are required, and one of LegalLinks and
// TermsAcceptedElsewhere.
type Config struct {
	Client *vipps.Client
	// Machine reaches the machines. One Machine serves all of them; [Command] names the one that is meant.
	Machine Machine
	// Store keeps the sessions. Defaults to [NewMemoryStore], which is for trying things only.
	Store Store
	// Currency of the sales unit.
	Currency vipps.Currency

	// LegalLinks makes the app ask the customer to accept the terms before paying, as the rules demand. Set both.
	LegalLinks epayment.MerchantLegalLinks
	// TermsAcceptedElsewhere says that the customer accepts the terms before the payment is made, on a page of yours.
	TermsAcceptedElsewhere bool
	// ReturnURL is where the customer's phone goes after a payment: the operator's site. Empty leaves it out.
	ReturnURL string
	// MinimumUserAge is checked by the app, in years; 0 is none.
	MinimumUserAge int

	Timeouts Timeouts
	// UnknownVerdict says what happens when nobody knows whether a product came out. Defaults to ReleaseUnknown.
	UnknownVerdict UnknownPolicy

	// Workers is how many sessions are worked on at the same time. Defaults to 32.
	Workers int
	// Observe is handed every transition after it is stored, at most once; the history is the record. It must not block.
	Observe func(Transition)
	// Logger hears of trouble that passes by itself at level warn. Defaults to silence.
	Logger *slog.Logger
}

// Transition is a session that has just been stored, and what brought it there.
type Transition struct {
	Session Session
	Step    Step
}

// Operator runs sessions: it makes payments, waits, tells machines, captures what dropped and releases the rest. It is safe
// for concurrent use. Any number of them may share one store, in one process or in many.
type Operator struct {
	config   Config
	payments payments
	rules    rules
	kick     chan struct{}
	heard    atomic.Int64 // when the last webhook came, in Unix nanoseconds
	running  int          // how many loops run, under mu
	needed   int          // how many calls share the loop that stopLoop ends, under mu
	stopLoop func()
	mu       sync.Mutex
	watching map[string][]chan struct{}
	nudged   map[string]time.Time
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
	config.Timeouts = config.Timeouts.withDefaults()
	config.Logger = cmp.Or(config.Logger, slog.New(slog.DiscardHandler))
	return &Operator{
		config: config,
		// The engine repeats by itself, from what is stored; a client that repeats as well would use up the calls that are
		// allowed for one payment.
		payments: epayment.New(config.Client.SingleAttempt()),
		rules:    rules{timeouts: config.Timeouts, unknown: config.UnknownVerdict},
		kick:     make(chan struct{}, 1),
		watching: map[string][]chan struct{}{},
		nudged:   map[string]time.Time{},
	}, nil
}

func (c *Config) validate() error {
	var findings []error
	require := func(ok bool, text string) {
		if !ok {
			findings = append(findings, errors.New(text))
		}
	}
	require(c.Client != nil, "Client: must be set")
	require(c.Machine != nil, "Machine: must be set")
	require(c.Currency.Minimum() > 0, "Currency: must be NOK, DKK or EUR")
	links := c.LegalLinks
	require(isHTTPS(links.TermsOfSaleURL) && isHTTPS(links.PrivacyPolicyURL) || c.TermsAcceptedElsewhere && links == epayment.MerchantLegalLinks{},
		"LegalLinks: both must be https addresses, or TermsAcceptedElsewhere must be set: the customer has to accept the terms")
	require(c.ReturnURL == "" || isHTTPS(c.ReturnURL), "ReturnURL: must be an https address")
	require(c.MinimumUserAge >= 0 && c.MinimumUserAge <= 100, "MinimumUserAge: must be 0 to 100")
	require(c.Workers >= 0, "Workers: must not be negative")
	for _, field := range []struct {
		name  string
		value time.Duration
	}{
		{"Open", c.Timeouts.Open},
		{"Approve", c.Timeouts.Approve},
		{"Seat", c.Timeouts.Seat},
		{"Select", c.Timeouts.Select},
		{"Start", c.Timeouts.Start},
		{"Verdict", c.Timeouts.Verdict},
		{"Hold", c.Timeouts.Hold},
	} {
		require(field.value >= 0, "Timeouts."+field.name+": must not be negative")
	}
	require(c.Timeouts.Start <= 3*time.Minute, "Timeouts.Start: must be at most 3 minutes: nobody stands in front of the machine any more")
	require(c.Timeouts.Approve <= 9*time.Minute, "Timeouts.Approve: must be at most 9 minutes: the code is good for ten")
	require(c.UnknownVerdict == ReleaseUnknown || c.UnknownVerdict == HoldUnknown, "UnknownVerdict: must be ReleaseUnknown or HoldUnknown")
	if len(findings) == 0 {
		return nil
	}
	return fmt.Errorf("vending.NewOperator: %w: %w", vipps.ErrInvalidRequest, errors.Join(findings...))
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}
