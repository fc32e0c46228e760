package vending_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// side says what happens to a process at one of its effects.
type side string

const (
	before side = "before" // it dies, and the effect never happens
	after  side = "after"  // it dies, and the effect has happened
	late   side = "late"   // it dies, and the effect happens when others are at work
	paused side = "paused" // it stands still while others work, and then goes on
)

// process is one program whose effects are counted, and that comes to grief at one of them.
type process struct {
	mu     sync.Mutex
	dead   bool
	at     int
	side   side
	names  []string
	resume chan struct{}
	fell   chan struct{}
}

func newProcess(at int, s side) *process {
	return &process{at: at, side: s, resume: make(chan struct{}), fell: make(chan struct{})}
}

// effect runs one effect, unless the process comes to grief. A process that is dead does nothing more, wherever it is.
func (p *process) effect(name string, do func()) {
	p.mu.Lock()
	if p.dead {
		p.mu.Unlock()
		runtime.Goexit()
	}
	n := len(p.names)
	p.names = append(p.names, name)
	struck := n == p.at
	p.dead = p.dead || struck && p.side != paused
	if struck {
		close(p.fell)
	}
	p.mu.Unlock()
	switch {
	case struck && p.side == paused:
		<-p.resume
		do()
	case struck && p.side == after:
		do()
	case struck && p.side == late:
		go func() {
			<-p.resume
			do()
		}()
	case !struck:
		do()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		runtime.Goexit()
	}
}

type crashingStore struct {
	vending.Store
	process *process
}

func (s crashingStore) Create(ctx context.Context, session vending.Session) (err error) {
	s.process.effect("create session", func() { err = s.Store.Create(ctx, session) })
	return err
}

func (s crashingStore) Save(ctx context.Context, session vending.Session) (err error) {
	s.process.effect("save "+string(session.State), func() { err = s.Store.Save(ctx, session) })
	return err
}

type crashingTransport struct {
	http.RoundTripper
	process *process
}

func (t crashingTransport) RoundTrip(request *http.Request) (response *http.Response, err error) {
	if strings.Contains(request.URL.Path, "accesstoken") {
		return t.RoundTripper.RoundTrip(request)
	}
	name := request.Method + " " + request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]
	if strings.Contains(name, "oslo12") {
		name = request.Method + " payment"
	}
	if t.process.side == late { // whoever gave up on it does not take it back
		request = request.WithContext(context.WithoutCancel(request.Context()))
	}
	t.process.effect(name, func() { response, err = t.RoundTripper.RoundTrip(request) })
	return response, err
}

type crashingMachine struct {
	vending.Machine
	process *process
}

func (m crashingMachine) Vend(ctx context.Context, c vending.Command) (verdict vending.Verdict, err error) {
	if m.process.side == late {
		ctx = context.WithoutCancel(ctx)
	}
	m.process.effect("vend", func() { verdict, err = m.Machine.Vend(ctx, c) })
	return verdict, err
}

func (m crashingMachine) Conclude(ctx context.Context, id string) (verdict vending.Verdict, err error) {
	m.process.effect("conclude", func() { verdict, err = m.Machine.Conclude(ctx, id) })
	return verdict, err
}

// TestCrash runs each story once to count its effects, and then once for each effect and side with a second process on the
// same store that takes over after a while.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, story := range []struct {
		name              string
		order             vending.DynamicQROrder
		script            []vendingtest.Behaviour
		approve, withdraw time.Duration
		patience          time.Duration
	}{
		{name: "sale", order: cola(), approve: 2500 * time.Millisecond},
		{name: "jam", order: cola(), approve: 2500 * time.Millisecond, script: []vendingtest.Behaviour{vendingtest.Jam}},
		{name: "basket", order: basket(), approve: 2500 * time.Millisecond},
		{name: "half a basket", order: basket(), approve: 2500 * time.Millisecond, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam}},
		{name: "lost answer", order: cola(), approve: 2500 * time.Millisecond, script: []vendingtest.Behaviour{vendingtest.LostAnswer}},
		{name: "nobody comes", order: cola(), patience: 5 * time.Second},
		{name: "return button", order: cola(), withdraw: 2500 * time.Millisecond},
		{name: "approved and returned", order: cola(), approve: 2400 * time.Millisecond, withdraw: 2500 * time.Millisecond},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			attempt := func(t *testing.T, at int, side side) (names []string) {
				synctest.Test(t, func(t *testing.T) {
					patience := func(c *vending.Config) { c.Timeouts.Approve = story.patience }
					s := newShop(t, vippstest.Options{}, patience)
					s.machine.Script(story.script...)
					p := newProcess(at, side)
					first := s.operate(t, s.connect(t, crashingTransport{s.transport, p}), crashingStore{s.store, p}, crashingMachine{s.machine, p}, patience)
					stop := run(first)
					opened := make(chan struct{})
					go func() {
						defer close(opened)
						code, err := first.OpenDynamicQR(t.Context(), story.order)
						if err != nil {
							return
						}
						if story.approve > 0 {
							time.AfterFunc(story.approve, func() { _ = s.vipps.Approve(code.Session) })
						}
						if story.withdraw > 0 {
							time.AfterFunc(story.withdraw, func() { _ = first.Withdraw(context.Background(), code.Session) })
						}
					}()
					select {
					case <-p.fell:
					case <-time.After(5 * time.Minute):
					}
					defer run(s.operator)()      // the second process
					time.Sleep(40 * time.Second) //nolint:forbidigo // virtual time
					close(p.resume)
					s.finish(t)
					stop()
					<-opened
					s.finish(t)
					s.audit(t)
					if s.drops() > len(story.order.Products) {
						t.Errorf("%d products left the machine", s.drops())
					}
					names = p.names
				})
				return names
			}
			points := attempt(t, -1, before)
			for at, name := range points {
				for _, side := range []side{before, after, late, paused} {
					attempt(t, at, side)
					if t.Failed() {
						t.Fatalf("%s %s (effect %d of %s)", side, name, at+1, fmt.Sprint(points))
					}
				}
			}
			t.Logf("%d effects, %d points: %v", len(points), 4*len(points), points)
		})
	}
}
