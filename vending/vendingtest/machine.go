package vendingtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// Behaviour is what a [Machine] does with one command. The zero Behaviour is [LostOrder], while a zero Machine, which has no
// script, drops.
type Behaviour struct {
	// Drops says whether the product comes out.
	Drops bool
	// Travels is how long the command is on its way before the machine hears of it. If its id is concluded meanwhile,
	// nothing moves.
	Travels time.Duration
	// Takes is how long the motor turns. Until then the machine says Pending when it is asked.
	Takes time.Duration
	// Hears says whether the command arrives at all. A machine that does not hear it can still be asked.
	Hears bool
	// Answers says whether the answer to the command arrives. Asking afterwards works.
	Answers bool
	// Forgets says that the machine has lost its memory when it is asked: it says Unknown.
	Forgets bool
	// Mute says that asking gets no answer either.
	Mute bool
}

// What machines do.
var (
	// Drop lets the product out and says so.
	Drop = Behaviour{Drops: true, Hears: true, Answers: true}
	// Jam turns the motor in vain and says so: Vend answers NotDropped.
	Jam = Behaviour{Hears: true, Answers: true}
	// LostAnswer lets the product out; Vend gives an error, Conclude says Dropped.
	LostAnswer = Behaviour{Drops: true, Hears: true}
	// LostOrder never hears the command: Vend gives an error, Conclude says NotDropped.
	LostOrder = Behaviour{}
	// Silent lets the product out and is never heard of again: Vend and Conclude give errors.
	Silent = Behaviour{Drops: true, Hears: true, Mute: true}
	// SilentEmpty is never heard of again either, and lets nothing out.
	SilentEmpty = Behaviour{Hears: true, Mute: true}
	// Forgetful lets the product out and loses its memory: Vend gives an error, Conclude says Unknown.
	Forgetful = Behaviour{Drops: true, Hears: true, Forgets: true}
)

// Slow is a machine that drops after a while.
func Slow(takes time.Duration) Behaviour {
	return Behaviour{Drops: true, Hears: true, Answers: true, Takes: takes}
}

var errNoAnswer = errors.New("vendingtest: the machine does not answer")

// Machine keeps the promise of [vending.Machine] and counts what leaves it. The zero Machine drops everything. It is safe
// for concurrent use.
type Machine struct {
	mu       sync.Mutex
	script   []Behaviour
	ready    error
	tries    map[string]*try
	commands []vending.Command
	drops    map[string]int // by slot
}

type try struct {
	behaviour Behaviour
	until     time.Time // the motor turns
	fenced    bool      // concluded before anything moved
}

var _ vending.Machine = (*Machine)(nil)

// Script says what happens to the next commands, in order. Later ones drop.
func (m *Machine) Script(behaviours ...Behaviour) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.script = append(m.script, behaviours...)
}

// SetReady is what Ready answers from now on; nil is ready.
func (m *Machine) SetReady(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = err
}

// Ready implements [vending.Machine].
func (m *Machine) Ready(context.Context, string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ready
}

// Vend implements [vending.Machine].
func (m *Machine) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	behaviour, known := m.order(c)
	if !known && !behaviour.Hears || !sleep(ctx, behaviour.Travels) {
		return vending.Unknown, errNoAnswer
	}
	if verdict, heard := m.arrive(c, behaviour); heard {
		return verdict, nil
	}
	if !sleep(ctx, behaviour.Takes) || !behaviour.Answers {
		return vending.Unknown, errNoAnswer
	}
	return said(behaviour), nil
}

// sleep says whether the time passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// order writes a command down and finds out what it will lead to, unless its id is known.
func (m *Machine) order(c vending.Command) (Behaviour, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands = append(m.commands, c)
	if _, known := m.tries[c.ID]; known {
		return Behaviour{}, true
	}
	behaviour := Drop
	if len(m.script) > 0 {
		behaviour, m.script = m.script[0], m.script[1:]
	}
	return behaviour, false
}

// arrive turns the motor, unless the id has been heard of.
func (m *Machine) arrive(c vending.Command, behaviour Behaviour) (vending.Verdict, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, heard := m.tries[c.ID]; heard {
		return t.verdict(), true
	}
	t := &try{behaviour: behaviour, until: time.Now().Add(behaviour.Takes)}
	m.remember(c.ID, t)
	if behaviour.Drops {
		m.drops[c.Slot]++
	}
	return vending.Unknown, false
}

func (m *Machine) remember(id string, t *try) {
	if m.tries == nil {
		m.tries, m.drops = map[string]*try{}, map[string]int{}
	}
	m.tries[id] = t
}

func (t *try) verdict() vending.Verdict {
	switch {
	case t.fenced:
		return vending.NotDropped
	case t.behaviour.Forgets:
		return vending.Unknown
	case time.Now().Before(t.until):
		return vending.Pending
	default:
		return said(t.behaviour)
	}
}

func said(b Behaviour) vending.Verdict {
	if b.Drops {
		return vending.Dropped
	}
	return vending.NotDropped
}

// Conclude implements [vending.Machine].
func (m *Machine) Conclude(_ context.Context, id string) (vending.Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, heard := m.tries[id]
	if !heard {
		t = &try{fenced: true}
		m.remember(id, t)
	}
	if t.behaviour.Mute {
		return vending.Unknown, errNoAnswer
	}
	return t.verdict(), nil
}

// Dropped is how many products have left a slot.
func (m *Machine) Dropped(slot string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drops[slot]
}

// Commands are the vend commands that were sent to the machine, in order, repetitions included.
func (m *Machine) Commands() []vending.Command {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]vending.Command(nil), m.commands...)
}
