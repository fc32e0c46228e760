package vendingtest

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vippsvending/vipps/vending"
)

var errCrashed = errors.New("vendingtest: the process has crashed")

// effect is something a process did, or was about to do.
type effect struct {
	state  vending.State // the session's, just before
	name   string
	answer bool
	nth    int // how many of its kind there were before
}

// kind is what an effect and its repetitions have in common.
func (e effect) kind() effect {
	e.nth = 0
	return e
}

// process is one program on the store. The first of a run comes to grief at an effect.
type process struct {
	world    *world
	name     string
	plan     plan
	operator *vending.Operator
	hooks    http.Handler
	ctx      context.Context // ends when it dies
	cancel   context.CancelFunc
	died     chan struct{}
	unwound  chan struct{} // closed when its loop has finished
	halt     func()        // ends its loop, and returns when that has finished

	mu      sync.Mutex
	effects []effect
	counts  map[effect]int // by kind
	dead    bool
	frozen  bool
	struck  *Point
	refused atomic.Int64 // calls of what is left of it
}

// tooMany effects of a process are a session that does not get anywhere.
const tooMany = 2000

// stubborn is how many calls show that what is left of a process does not give up.
const stubborn = 10_000

func (w *world) newProcess(name string, plan plan) *process {
	p := &process{world: w, name: name, plan: plan, died: make(chan struct{}), counts: map[effect]int{}, halt: func() {}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// start keeps the operator going until halt.
func (p *process) start() {
	ctx, cancel := context.WithCancel(p.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.operator.Run(ctx)
	}()
	p.halt = func() {
		cancel()
		select {
		case <-done:
		case <-p.died: // it hangs until the run is over
		}
	}
	p.unwound = done
}

// gate is passed before and after whatever a process has to do with the world. It holds a process that stands still, and
// one that is dead until the run is over: then it says no, so that what is left of it unwinds.
func (p *process) gate() bool {
	p.mu.Lock()
	dead, frozen := p.dead, p.frozen
	p.mu.Unlock()
	if frozen {
		<-p.world.released
	}
	if dead {
		<-p.world.over
		if p.refused.Add(1) > stubborn {
			runtime.Goexit() // its context never ends
		}
	}
	return !dead
}

// effect does something that cannot be taken back, unless the process comes to grief at it. It says whether the process
// lives to see the answer.
func (p *process) effect(session, name, answer string, do func()) bool {
	if !p.gate() {
		return false
	}
	switch p.reach(session, name, false) {
	case Before:
		return p.gate()
	case After:
		do()
		p.world.tracef(p.name, "(%s has happened)", name)
		return p.gate()
	case Late:
		go func() {
			defer close(p.world.arrived)
			<-p.world.released
			do()
			p.world.tracef(p.name, "(%s has happened)", name)
		}()
		return p.gate()
	case Paused:
		<-p.world.released
		p.world.tracef(p.name, "goes on")
	}
	do()
	if !p.gate() {
		return false
	}
	if p.reach(session, answer, true) == Paused {
		<-p.world.released
		p.world.tracef(p.name, "goes on")
	}
	return p.gate()
}

// reach numbers an effect and says what happens to the process at it, if anything.
func (p *process) reach(session, name string, answer bool) Side {
	e := effect{state: p.world.state(session), name: name, answer: answer}
	p.mu.Lock()
	e.nth = p.counts[e]
	p.counts[e.kind()]++
	p.effects = append(p.effects, e)
	count := len(p.effects)
	side := Side("")
	if e == p.plan.at && p.struck == nil {
		side = p.plan.side
		p.struck = &Point{State: e.state, Effect: e.name, Side: side}
		p.frozen = side == Paused
		p.dead = !p.frozen
	}
	p.mu.Unlock()
	if !answer || side != "" {
		p.world.tracef(p.name, "%s %s", name, side)
	}
	if p != p.world.first {
		p.world.countdown(count)
	}
	if side == "" {
		return ""
	}
	if side != Paused {
		p.cancel()
		close(p.died)
	}
	p.world.fall(side)
	return side
}

func (p *process) tireless() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.effects) > tooMany
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// ServeHTTP takes a webhook. A process that dies over it answers nothing.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := make(chan int, 1)
	go func() {
		got := &status{header: http.Header{}, code: http.StatusOK}
		p.hooks.ServeHTTP(got, r)
		answer <- got.code
	}()
	select {
	case code := <-answer:
		w.WriteHeader(code)
	case <-p.died:
		panic(http.ErrAbortHandler)
	}
}

// status is the part of an answer that a webhook's sender looks at.
type status struct {
	header http.Header
	code   int
}

func (s *status) Header() http.Header         { return s.header }
func (s *status) WriteHeader(code int)        { s.code = code }
func (s *status) Write(b []byte) (int, error) { return len(b), nil }
