package vending

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Verdict is the machine's word on one item. The zero Verdict is Unknown: silence and passing time are not a word.
type Verdict int

// The verdicts.
const (
	Unknown    Verdict = iota // nobody can say
	Dropped                   // the product came out
	NotDropped                // it did not, and under this id it never will
	Pending                   // the motor still turns: ask again
)

// String is the verdict in words.
func (v Verdict) String() string {
	switch v {
	case Unknown:
		return "unknown"
	case Dropped:
		return "dropped"
	case NotDropped:
		return "not dropped"
	case Pending:
		return "pending"
	default:
		return fmt.Sprintf("Verdict(%d)", int(v))
	}
}

// Command tells a machine to let one product out.
type Command struct {
	// ID names this one try at this one item, for ever.
	ID      string
	Session string
	Machine string
	Slot    string
	// Within is how long after it was called the machine may still start.
	Within time.Duration
}

// Machine lets products out. Any worker may call it, more than once, and late. A Machine keeps a promise: whatever is asked
// of it, at most one product leaves for one id, and what it said of an id it says again.
type Machine interface {
	// Ready says whether the machine can sell now; ErrElsewhere if another worker holds its line. It is asked before a payment
	// is made and again before each vend.
	Ready(ctx context.Context, machine string) error
	// Vend lets c.Slot out, at most once for c.ID for ever. If c.ID was started or concluded before, nothing moves and the
	// recorded verdict is returned. It must not start later than c.Within after it was called. An error, Unknown and Pending
	// say nothing: Conclude is asked next.
	Vend(ctx context.Context, c Command) (Verdict, error)
	// Conclude makes id unusable for ever and says what became of it; [MachineOf] says whose it is. Never heard of: remember
	// it, answer NotDropped. Still turning: Pending. Memory lost: Unknown. ErrElsewhere if another worker holds the line; any
	// other error is no answer, and it is asked again.
	Conclude(ctx context.Context, id string) (Verdict, error)
}

// ErrElsewhere is what Ready and Conclude return if another worker holds the machine's line: that one goes on with the session,
// and this one leaves it alone for some seconds. A line that is only down for a moment is another error.
var ErrElsewhere = errors.New("vending: the machine is reached by another worker")

// ErrJammed is what a driver given to [NewMemoryMachine] returns when it knows that nothing came out. Any other error says
// nothing about the product.
var ErrJammed = errors.New("vending: nothing came out")

// NewMemoryMachine makes a Machine of a driver that turns the motor of a slot and returns when it knows what happened: nil
// for dropped, [ErrJammed] for certainly not, any other error for nobody knows.
//
// What it let go it remembers as long as the process lives, and no longer. That is enough to try things, not for a shop, which
// has [Journaled]: of an id that it has not heard of it says Unknown, since the process may have died between motor and verdict.
// Such a sale is not charged and is left to a person. [NewOperator] refuses one without a driver.
func NewMemoryMachine(driver func(ctx context.Context, slot string) error) Machine {
	return &memoryMachine{driver: driver, verdicts: map[string]Verdict{}}
}

type memoryMachine struct {
	driver   func(context.Context, string) error
	mu       sync.Mutex
	verdicts map[string]Verdict
}

func (*memoryMachine) Ready(context.Context, string) error { return nil }

func (m *memoryMachine) Vend(ctx context.Context, c Command) (Verdict, error) {
	m.mu.Lock()
	verdict, heard := m.verdicts[c.ID]
	if !heard {
		m.verdicts[c.ID] = Pending
	}
	m.mu.Unlock()
	if heard {
		return verdict, nil
	}
	err := m.driver(ctx, c.Slot)
	switch {
	case err == nil:
		verdict = Dropped
	case errors.Is(err, ErrJammed):
		verdict = NotDropped
	default:
		verdict = Unknown
	}
	m.mu.Lock()
	m.verdicts[c.ID] = verdict
	m.mu.Unlock()
	return verdict, nil
}

func (m *memoryMachine) Conclude(_ context.Context, id string) (Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	verdict, heard := m.verdicts[id]
	if !heard {
		m.verdicts[id] = Unknown
	}
	return verdict, nil
}
