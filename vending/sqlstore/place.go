package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// place is where statements run: the pool, or a transaction of it.
type place struct{ tx *sql.Tx }

func (p place) on(ctx context.Context, st *statement) *sql.Stmt {
	if p.tx != nil {
		return p.tx.StmtContext(ctx, st.Stmt)
	}
	return st.Stmt
}

// exec runs a statement and says how many rows it changed.
func (p place) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	result, err := p.on(ctx, st).ExecContext(ctx, st.args(args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (p place) query(ctx context.Context, st *statement, args ...any) ([]row, error) {
	rows, err := p.on(ctx, st).QueryContext(ctx, st.args(args)...)
	if err != nil {
		return nil, err
	}
	return readRows(rows)
}

// name gives the id that a statement finds, or nothing.
func (p place) name(ctx context.Context, st *statement, of string) (id string, err error) {
	err = p.on(ctx, st).QueryRowContext(ctx, st.args([]any{of})...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// read runs a query that changes nothing.
func (s *Store) read(ctx context.Context, st *statement, args ...any) (rows []row, err error) {
	err = s.patiently(ctx, func() (err error) {
		rows, err = place{}.query(ctx, st, args...)
		return err
	})
	return rows, err
}

// time is the store's clock.
func (s *Store) time(ctx context.Context) (time.Time, error) {
	var now stamp
	err := s.patiently(ctx, func() error { return s.now.QueryRowContext(ctx, s.now.args(nil)...).Scan(&now) })
	return now.at, err
}

// write runs something that changes the database. do may be called more than once: only the last call counts.
func (s *Store) write(ctx context.Context, do func(ctx context.Context, on place) error) error {
	if s.writer != nil {
		return s.writer.write(ctx, do)
	}
	for try := 0; ; try++ {
		err := do(ctx, place{})
		if !crossed(err) || try == 5 || ctx.Err() != nil {
			return err
		}
	}
}

// answered says that an error is an answer of the store: the database has done what it was told.
func answered(err error) bool {
	_, busy := errors.AsType[*vending.BusyError](err)
	return err == nil || busy || errors.Is(err, vending.ErrExists) || errors.Is(err, vending.ErrStale) || errors.Is(err, vending.ErrNotFound)
}
