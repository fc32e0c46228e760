package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// world is everything but the workers: Vipps MobilePay on a port, and what is counted.
type world struct {
	options
	title   string
	vipps   *vippstest.Server
	address string
	server  *http.Server
	client  *http.Client
	workers []*child
	started time.Time

	told    chan struct{} // the motor has begun to turn
	request chan struct{} // Vipps MobilePay has been asked something that changes something

	mu                               sync.Mutex
	struck                           map[string]int // faults, by kind
	notices                          []string
	kills, starts, pauses, customers atomic.Int64
}

func newWorld(ctx context.Context, title string, o options) (*world, error) {
	w := &world{
		options: o, title: title, client: asking(), started: time.Now(), struck: map[string]int{},
		told: make(chan struct{}, 1), request: make(chan struct{}, 1),
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.address = "http://" + listener.Addr().String()
	w.vipps = vippstest.New(vippstest.Options{
		PublicURL: w.address, AcceptAnyCredentials: true, AllowLoopbackHTTP: true, NoRateLimits: true, Logf: w.log,
	})
	w.server = &http.Server{Handler: http.HandlerFunc(w.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(listener) }() // until it is closed
	return w, nil
}

// close ends everything.
func (w *world) close() {
	for _, c := range w.workers {
		c.kill()
	}
	w.vipps.Close()
	_ = w.server.Close()
}

// serve is Vipps MobilePay. Whoever waits for such a moment hears that something is being changed.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/epayment/") {
		notify(w.request)
	}
	w.vipps.ServeHTTP(rw, r)
}

func notify(moment chan struct{}) {
	select {
	case moment <- struct{}{}:
	default:
	}
}

// log counts the faults that have struck.
func (w *world) log(format string, args ...any) {
	_, fault, found := strings.Cut(fmt.Sprintf(format, args...), " fault=")
	if !found || fault == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.struck[fault]++
}

// said hears what a worker prints.
func (w *world) said(line string) {
	if line == "motor" {
		notify(w.told)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices = append(w.notices, line)
}

// begin starts a worker, for the first time or again.
func (w *world) begin(ctx context.Context, c *child) error {
	w.starts.Add(1)
	return c.start(ctx)
}

// end kills a worker.
func (w *world) end(c *child) {
	w.kills.Add(1)
	c.kill()
}

// alive finds somebody to ask.
func (w *world) alive(n int) string {
	for i := range w.workers {
		if address := w.workers[(n+i)%len(w.workers)].address(); address != "" {
			return address
		}
	}
	return ""
}

// deadline bounds the wait for the end: a payment that was never made is known not to exist two minutes after it could be.
var deadline = timeouts.Open + 3*time.Minute

// settle waits until everything is closed and nothing is being refunded, and gives all sessions.
func (w *world) settle(ctx context.Context, store vending.Store) ([]vending.Session, error) {
	w.tell("the last customer has gone; everything must be at rest within %s", deadline)
	w.vipps.ClearFaults()
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	next := time.Now().Add(15 * time.Second)
	for quiet := 0; quiet < 3 && pause(ctx, time.Second); quiet++ { // and stay so
		for _, c := range w.workers {
			if err := c.failed(); err != nil {
				return nil, err
			}
		}
		left := map[string]int{}
		for s, err := range store.Open(ctx) {
			switch {
			case err != nil:
				quiet = -1
			case !isOver(&s):
				left[string(s.State)]++
				quiet = -1
			}
		}
		if time.Now().After(next) && len(left) > 0 {
			w.tell("still open%s", kinds(left))
			next = time.Now().Add(15 * time.Second)
		}
	}
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return audit.Sessions(ctx, store)
}

// isOver says that a session's money is at rest and no refund is under way. A receipt is repeated once a minute, and a
// payment that was not found is looked for again 20 minutes later: that is not waited for.
func isOver(s *vending.Session) bool {
	if s.State != vending.Closed {
		return false
	}
	for _, task := range s.Tasks {
		if task.Kind == vending.TaskRefund {
			return false
		}
	}
	return true
}

// report holds the books against each other.
func (w *world) report(books *audit.Books) *audit.Report {
	report := books.Audit()
	head := &audit.Report{}
	head.Add(w.title, "seed %d, %s", w.seed, time.Since(w.started).Round(time.Second))
	head.Add("customers", "%d", w.customers.Load())
	head.Add("workers started, killed, paused", "%d, %d, %d", w.starts.Load(), w.kills.Load(), w.pauses.Load())
	w.mu.Lock()
	defer w.mu.Unlock()
	total := 0
	for _, n := range w.struck {
		total += n
	}
	head.Add("faults that struck", "%d%s", total, kinds(w.struck))
	report.Lines = append(head.Lines, report.Lines...)
	for _, notice := range w.notices {
		report.Violations = append(report.Violations, "a worker says: "+notice)
	}
	return report
}

// tell says how far the story is.
func (w *world) tell(format string, args ...any) {
	fmt.Printf("%4.0f s  %s: %s\n", time.Since(w.started).Seconds(), w.title, fmt.Sprintf(format, args...))
}

// interrupted is the context's end, unless it is the end of the story.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(errInterrupted, ctx.Err())
	}
	return err
}

var errInterrupted = errors.New("interrupted")
