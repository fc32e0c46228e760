package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// remote is a machine on the network, as the fleet's workers reach it.
type remote struct{ address string }

var network = asking()

// answer is a machine's.
type answer struct {
	Verdict vending.Verdict `json:"verdict"`
}

// Ready implements [vending.Machine].
func (m remote) Ready(ctx context.Context, machine string) error {
	_, err := post(ctx, network, m.address+"/ready", vending.Command{Machine: machine}, new(answer))
	return err
}

// Vend implements [vending.Machine].
func (m remote) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	var a answer
	_, err := post(ctx, network, m.address+"/vend", c, &a)
	return a.Verdict, err
}

// Conclude implements [vending.Machine].
func (m remote) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	var a answer
	_, err := post(ctx, network, m.address+"/conclude", vending.Command{ID: id}, &a)
	return a.Verdict, err
}

// machines are all of the fleet's, which keep the promise of [vending.Machine]: one id starts once, and never after it was
// concluded. They count what leaves them.
type machines struct {
	mu     sync.Mutex
	dice   *rand.Rand
	tries  map[string]*try
	drops  map[string]int
	jams   int
	silent int
}

// try is what a machine knows of an id.
type try struct {
	verdict vending.Verdict
	mute    bool // it is never heard of again
}

func newMachines(d *rand.Rand) *machines {
	return &machines{dice: d, tries: map[string]*try{}, drops: map[string]int{}}
}

// ServeHTTP answers a worker.
func (m *machines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c vending.Command
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	verdict, heard := vending.Unknown, true
	switch r.URL.Path {
	case "/ready":
		heard = m.ready()
	case "/vend":
		verdict, heard = m.vend(r.Context(), c)
	case "/conclude":
		verdict, heard = m.conclude(c.ID)
	}
	if !heard {
		panic(http.ErrAbortHandler) // the line is dead
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer{verdict}) // who has gone asks again
}

// ready says that one in 200 is not.
func (m *machines) ready() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dice.IntN(200) > 0
}

// vend lets a product out, once for an id.
func (m *machines) vend(ctx context.Context, c vending.Command) (vending.Verdict, bool) {
	m.mu.Lock()
	if known, ok := m.tries[c.ID]; ok {
		defer m.mu.Unlock()
		return known.verdict, !known.mute
	}
	n, takes := m.dice.IntN(100), between(m.dice, 10*time.Millisecond, 80*time.Millisecond)
	if n < 2 { // the command was lost on its way
		m.mu.Unlock()
		return vending.Unknown, false
	}
	t := &try{verdict: vending.Pending}
	m.tries[c.ID] = t
	m.mu.Unlock()

	pause(context.WithoutCancel(ctx), takes) // the motor turns, whoever waits
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case n < 7:
		t.verdict = vending.NotDropped
		m.jams++
		return t.verdict, n < 6
	case n < 9: // it loses its power
		t.mute = true
		m.silent++
		if n == 8 {
			m.drops[c.ID]++
		}
		return vending.Unknown, false
	case n < 11: // and then its memory
		t.verdict = vending.Unknown
		m.drops[c.ID]++
		m.silent++
		return vending.Unknown, n < 10
	default:
		t.verdict = vending.Dropped
		m.drops[c.ID]++
		return t.verdict, n > 16 // the answer may be lost
	}
}

func (m *machines) conclude(id string) (vending.Verdict, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, known := m.tries[id]
	if !known {
		t = &try{verdict: vending.NotDropped}
		m.tries[id] = t
	}
	return t.verdict, !t.mute
}

// counters are read at the end, by somebody who goes to each machine.
func (m *machines) counters() (drops map[string]int, words map[string]vending.Verdict) {
	m.mu.Lock()
	defer m.mu.Unlock()
	words = map[string]vending.Verdict{}
	for id, t := range m.tries {
		if words[id] = t.verdict; t.mute {
			words[id] = vending.Unknown
		}
	}
	return maps.Clone(m.drops), words
}

func (m *machines) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("%d told or asked, %d jams, %d without power or memory", len(m.tries), m.jams, m.silent)
}
