package vending

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Errors of a [Store].
var (
	// ErrNotFound means that there is no such session.
	ErrNotFound = errors.New("vending: no such session")
	// ErrExists means that there is a session with this id already.
	ErrExists = errors.New("vending: the session exists")
	// ErrStale means that somebody has saved the session since it was loaded.
	ErrStale = errors.New("vending: the session has been saved by another worker")
)

// BusyError means that another session holds the machine's seat. Its text names that session: it is for logs, not for pages.
type BusyError struct {
	Machine string
	// Session is the id of the one that holds it; empty if the store cannot say.
	Session string
}

// Error names the machine and the session that holds it: it is for logs, not for pages.
func (e *BusyError) Error() string {
	return fmt.Sprintf("vending: machine %s is busy with session %s", e.Machine, e.Session)
}

// Store keeps sessions. It is the memory that a sale survives a crash by: what it has acknowledged must still be there when
// the power comes back. Its clock is the one that counts: Load, Due, Seat, Open and Closed set Session.Now by it. It is used
// by many goroutines and, if it can be shared, by many processes. [NewMemoryStore] makes one that is neither durable nor
// shared.
type Store interface {
	// Create stores a new session with version 1, in its own time (see [Session.InTime]). An id that is taken gives ErrExists,
	// which comes before the *[BusyError] of a seat that is taken.
	Create(ctx context.Context, s Session) error
	// Load gives a session, or ErrNotFound.
	Load(ctx context.Context, id string) (Session, error)
	// Save replaces the session if its version is still s.Version, and stores it with the version after that; else
	// ErrStale.
	Save(ctx context.Context, s Session) error
	// Seat gives the session that holds a machine, or ErrNotFound.
	Seat(ctx context.Context, machine string) (Session, error)
	// Due claims at most limit sessions that are watched (see [Session.Watched]) and whose WakeAt has come, the longest
	// waiting first. It moves their WakeAt by lease in the same step, so that no two workers get the same one. Due and Load set
	// Session.Woken: Wake was called, and no Rest has taken that away since. A claim does not, since its worker may die.
	Due(ctx context.Context, limit int, lease time.Duration) iter.Seq2[Session, error]
	// Wake moves the WakeAt of watched sessions to so long from now, by the store's clock, without touching their version;
	// 0 is now. Unknown ids are ignored.
	Wake(ctx context.Context, in time.Duration, ids ...string) error
	// Rest moves the WakeAt of watched sessions as Wake does, but only of those whose WakeAt is still the given one: a worker
	// that lets a session go does not overrule whoever has woken it meanwhile. Of these it takes Woken away, unless the given
	// session still has it: its worker has not learnt what it was woken for.
	Rest(ctx context.Context, in time.Duration, sessions ...Session) error
	// Open gives everything that is not finished, oldest first.
	Open(ctx context.Context) iter.Seq2[Session, error]
	// Closed gives the sessions that were closed in a period, from included, to excluded, oldest first.
	Closed(ctx context.Context, from, to time.Time) iter.Seq2[Session, error]
	// Prune removes finished sessions that were closed before a moment, and says how many. Call it once a day: nothing else
	// removes them. As refunds are possible for 365 days, keep 400.
	Prune(ctx context.Context, before time.Time) (int, error)
}
