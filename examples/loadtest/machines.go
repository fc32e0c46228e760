package main

import (
	"context"
	"net"
	"net/rpc"
	"strings"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// machine reaches the machines, which are in the parent: they outlive a worker that is killed.
type machine struct{ line *rpc.Client }

func dial(ctx context.Context, address string) (*rpc.Client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return rpc.NewClient(conn), nil
}

// Ready implements [vending.Machine].
func (machine) Ready(context.Context, string) error { return nil }

// Vend implements [vending.Machine].
func (m machine) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	return m.ask(ctx, "Machines.Vend", c.ID)
}

// Conclude implements [vending.Machine].
func (m machine) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	return m.ask(ctx, "Machines.Conclude", id)
}

func (m machine) ask(ctx context.Context, what, id string) (vending.Verdict, error) {
	var verdict vending.Verdict
	call := m.line.Go(what, id, &verdict, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return verdict, call.Error
	case <-ctx.Done():
		return vending.Unknown, ctx.Err()
	}
}

// Machines are all machines, at the other end of the line. They keep the promise of [vending.Machine], and count.
type Machines struct {
	told func(session string, at time.Time) // hears of every first command

	mu    sync.Mutex
	words map[string]vending.Verdict
	drops map[string]int
}

func newMachines(told func(session string, at time.Time)) *Machines {
	return &Machines{told: told, words: map[string]vending.Verdict{}, drops: map[string]int{}}
}

// Vend lets a product out, once for an id.
func (m *Machines) Vend(id string, verdict *vending.Verdict) error { //nolint:unparam // as net/rpc wants it
	at := time.Now()
	m.mu.Lock()
	word, known := m.words[id]
	if !known {
		word = vending.Dropped
		m.words[id] = word
		m.drops[id]++
	}
	m.mu.Unlock()
	if !known {
		m.told(id[:strings.LastIndex(id, "-v")], at)
	}
	*verdict = word
	return nil
}

// Conclude says what became of an id.
func (m *Machines) Conclude(id string, verdict *vending.Verdict) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	word, known := m.words[id]
	if !known {
		word = vending.NotDropped
		m.words[id] = word
	}
	*verdict = word
	return nil
}
