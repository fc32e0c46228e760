package vendingtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

const hookURL = "https://shop.example/hooks/vipps"

// world is one run: an emulator, a machine, a store, a customer, and one process or two.
type world struct {
	t        *testing.T
	scenario Scenario
	plan     plan
	vipps    *vippstest.Server
	machine  Counted
	place    StorePlace
	desk     vending.Store // the audit's own
	verifier *webhooks.Verifier
	first    *process
	released chan struct{}  // closed when what is late or paused goes on
	over     chan struct{}  // closed at the end
	arrived  chan struct{}  // closed when what is late has happened
	asks     sync.WaitGroup // the visit, and what it does with a process
	began    time.Time

	mu        sync.Mutex
	news      *sync.Cond
	current   *process // nil between two
	fell      bool     // the first has come to grief
	processes []*process
	waiting   bool // the visit waits for something to happen
	done      bool // the visit is over
	ended     bool // the run is
	still     int  // counts the times that everything was at rest
	trace     []trace
	broken    []string
	books     books
}

type trace struct {
	at   time.Time
	who  string
	what string
	args []any
}

func newWorld(t *testing.T, s Scenario, plan plan) *world {
	t.Helper()
	w := &world{
		t: t, scenario: s, plan: plan, vipps: vippstest.Start(t, s.Vipps), began: time.Now(),
		released: make(chan struct{}), over: make(chan struct{}), arrived: make(chan struct{}), books: newBooks(),
	}
	w.news = sync.NewCond(&w.mu)
	t.Cleanup(w.unwind) // when t.Context has ended
	if s.Machine != nil {
		w.machine = s.Machine(t)
	} else {
		w.machine = new(Machine)
	}
	if s.Store != nil {
		w.place = s.Store(t)
	} else {
		memory := vending.NewMemoryStore()
		w.place = StorePlace{Connect: func(testing.TB) vending.Store { return memory }}
	}
	w.desk = w.place.Connect(t)
	if !s.NoWebhooks {
		w.register()
	}
	w.first = w.launch("first", plan)
	return w
}

// client makes a client of the emulator.
func (w *world) client(transport http.RoundTripper) *vipps.Client {
	w.t.Helper()
	keys := w.vipps.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
		System: vipps.System{Name: "vendingtest", Version: "1"}, BaseURL: w.vipps.URL(), HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// register has webhooks delivered to whichever process is at work.
func (w *world) register() {
	w.t.Helper()
	registration, err := webhooks.New(w.client(w.vipps.Transport())).Register(w.t.Context(), webhooks.RegisterRequest{
		URL: hookURL, Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.verifier, err = webhooks.NewVerifier(webhooks.VerifierConfig{URL: hookURL, Secrets: []vipps.Secret{registration.Secret}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.vipps.HandleWebhooks(hookURL, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		p := w.current
		w.mu.Unlock()
		if p == nil {
			panic(http.ErrAbortHandler) // nobody listens
		}
		p.ServeHTTP(rw, r)
	}))
}

var currencies = map[string]vipps.Currency{"": vipps.NOK, "NO": vipps.NOK, "DK": vipps.DKK, "FI": vipps.EUR}

// launch starts a process on the store.
func (w *world) launch(name string, plan plan) *process {
	w.t.Helper()
	p := w.newProcess(name, plan)
	build := w.scenario.Operator
	if build == nil {
		build = vending.NewOperator
	}
	operator, err := build(vending.Config{
		Client:     w.client(processTransport{w.vipps.Transport(), p}),
		Machine:    processMachine{w.machine, p},
		Store:      processStore{w.place.Connect(w.t), p},
		Currency:   currencies[w.scenario.Vipps.Market],
		PageKey:    vipps.Secret(strings.Repeat("page key", 8)),
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	p.operator = operator
	p.hooks = &webhooks.Handler{Verifier: w.verifier, Handle: operator.HandleEvent}
	w.mu.Lock()
	w.current, w.processes = p, append(w.processes, p)
	w.news.Broadcast()
	w.mu.Unlock()
	return p
}

// answered is how long a call may take that its process has given up on.
const answered = 30 * time.Second

// overdue is the context of a call that its process has given up on, and that happens all the same.
func (w *world) overdue(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), answered)
}

func (w *world) tracef(who, what string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, trace{time.Now(), who, what, args})
}

// violated writes down a broken promise, once.
func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.broken, text) {
		w.broken = append(w.broken, text)
	}
}

func (w *world) result() result {
	got := result{effects: w.first.effects, struck: w.first.struck, broken: w.broken}
	for _, line := range w.trace {
		got.trace = append(got.trace, fmt.Sprintf("%9.3fs %-6s ", line.at.Sub(w.began).Seconds(), line.who)+fmt.Sprintf(line.what, line.args...))
	}
	return got
}
