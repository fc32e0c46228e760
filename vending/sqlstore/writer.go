package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"sync"
)

// writer has writes of several goroutines done by one of them, in one transaction: SQLite lets one connection write at a
// time, and what costs is to wait for the disk, once a transaction. Whoever comes while others write waits for the next
// one. It has no goroutine of its own.
type writer struct {
	store *Store
	turn  chan struct{} // held by whoever writes
	mu    sync.Mutex
	queue []*job
}

// job is one write that waits.
type job struct {
	do   func(ctx context.Context, on place) error
	done chan error // gets one error, when the write is durable or has failed
}

// batchSize is how many writes share a transaction.
const batchSize = 64

func newWriter(s *Store) *writer { return &writer{store: s, turn: make(chan struct{}, 1)} }

// write does a write, alone or with others, and returns when it is durable. Once it has begun it is not interrupted: the
// end of ctx ends the waiting for its turn.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, on place) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	mine := &job{do: do, done: make(chan error, 1)}
	w.mu.Lock()
	w.queue = append(w.queue, mine)
	w.mu.Unlock()
	for {
		select {
		case err := <-mine.done:
			return err
		case w.turn <- struct{}{}:
			w.lead(ctx, mine)
			<-w.turn
		case <-ctx.Done():
			if w.withdraw(mine) {
				return ctx.Err()
			}
			return <-mine.done // it is being written
		}
	}
}

// lead does the jobs that wait, unless somebody has done ours while we waited for our turn.
func (w *writer) lead(ctx context.Context, mine *job) {
	if len(mine.done) > 0 {
		return
	}
	conn, err := w.store.db.Conn(ctx)
	if err != nil {
		if ctx.Err() != nil { // others may have more time
			w.withdraw(mine)
			mine.done <- ctx.Err()
			return
		}
		for _, job := range w.next() {
			job.done <- err
		}
		return
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	w.run(context.WithoutCancel(ctx), conn, w.next())
}

// next takes the jobs that have waited longest.
func (w *writer) next() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), batchSize)
	batch := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch
}

// withdraw takes a job back, if nobody has begun it.
func (w *writer) withdraw(mine *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, mine)
	if i < 0 {
		return false
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	return true
}

// run does jobs in one transaction. If one of them fails, all that was done is undone: with the database in trouble all
// fail; else each is done again on its own, so that it gets its own answer.
func (w *writer) run(ctx context.Context, conn *sql.Conn, batch []*job) {
	answers := make([]error, len(batch))
	err := w.store.patiently(ctx, func() error {
		return transaction(ctx, conn, func(on place) error {
			for i, job := range batch {
				if answers[i] = job.do(ctx, on); !answered(answers[i]) {
					return answers[i]
				}
			}
			return nil
		})
	})
	if err != nil && len(batch) > 1 && kindOf(err) == nil {
		for i := range batch {
			w.run(ctx, conn, batch[i:i+1])
		}
		return
	}
	for i, job := range batch {
		if err != nil {
			answers[i] = err
		}
		job.done <- answers[i]
	}
}

// transaction runs do and commits, on a connection that waits for the disk.
func transaction(ctx context.Context, conn *sql.Conn, do func(on place) error) error {
	if err := syncFully(ctx, conn); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(place{tx}); err != nil {
		_ = tx.Rollback() // the first error counts
		return err
	}
	return tx.Commit()
}
