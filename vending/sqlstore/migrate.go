package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// migrations change the tables from each version to the next, from none to the newest. What has been released is not
// changed any more: a change is a new one.
func migrations() [][]string {
	return [][]string{
		{
			`CREATE TABLE vending_sessions (
				id {text} NOT NULL PRIMARY KEY,
				version {number} NOT NULL,
				schema {number} NOT NULL,
				machine {text} NOT NULL,
				seat {text},
				state {text} NOT NULL,
				watched {bool} NOT NULL,
				finished {bool} NOT NULL,
				wake_at {time},
				due_at {time},
				opened {time} NOT NULL,
				ended {time},
				sealed {text},
				document {json} NOT NULL
			) {strict}`,
			`CREATE UNIQUE INDEX vending_sessions_seat ON vending_sessions (seat) WHERE seat IS NOT NULL`,
			`CREATE INDEX vending_sessions_due ON vending_sessions (wake_at) WHERE watched`,
			`CREATE INDEX vending_sessions_open ON vending_sessions (opened, id) WHERE NOT finished`,
			`CREATE INDEX vending_sessions_closed ON vending_sessions (ended, id) WHERE ended IS NOT NULL`,
		},
		{
			`ALTER TABLE vending_sessions ADD COLUMN woken {bool} NOT NULL DEFAULT FALSE`,
		},
	}
}

// migrate brings the tables to the newest version, in one transaction that keeps others out. A database that is up to date
// is only read.
func (s *Store) migrate(ctx context.Context) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return explain("connect", "", err)
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	version, err := s.version(ctx, conn)
	if err == nil && version < len(migrations()) {
		err = s.upgrade(ctx, conn)
	}
	return explain("make the tables", "", err)
}

func (s *Store) upgrade(ctx context.Context, conn *sql.Conn) (err error) {
	if _, err := conn.ExecContext(ctx, s.dialect.begin[0]); err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if _, undoing := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); undoing != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody else may get it
		}
	}()
	for _, text := range s.dialect.begin[1:] {
		if _, err = conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	version, err := s.version(ctx, conn) // another process may have been first
	if err != nil {
		return err
	}
	steps := migrations()[version:]
	if version == 0 {
		steps[0] = append([]string{"CREATE TABLE vending_schema (version {number} NOT NULL PRIMARY KEY, applied {time} NOT NULL)"}, steps[0]...)
	}
	for i, step := range steps {
		for _, text := range append(step, fmt.Sprintf("INSERT INTO vending_schema (version, applied) VALUES (%d, {now})", version+i+1)) {
			said, clocked := s.say(text)
			var args []any
			if clocked {
				args = []any{s.dialect.value(s.clock())}
			}
			if _, err = conn.ExecContext(ctx, said, args...); err != nil {
				return err
			}
		}
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// version is that of the tables; 0 if there are none. One that is newer than this program is an error.
func (s *Store) version(ctx context.Context, conn *sql.Conn) (version int, err error) {
	var tables int
	if err := conn.QueryRowContext(ctx, s.dialect.exists, "vending_schema").Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	if err := conn.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM vending_schema").Scan(&version); err != nil {
		return 0, err
	}
	if newest := len(migrations()); version > newest {
		return version, fmt.Errorf("%w: they have version %d, this program knows up to %d, and nothing was changed: run the newer program, or restore a backup from before it ran", ErrNewer, version, newest)
	}
	return version, nil
}
