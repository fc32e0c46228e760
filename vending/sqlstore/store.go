package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vippsvending/vipps/vending"
)

// Options say what kind of database it is and how secrets are sealed.
type Options struct {
	// Dialect is the kind of database: [SQLite] or [PostgreSQL]. Required.
	Dialect Dialect
	// Keys are of 32 random bytes each, not of their hexadecimal digits. The first seals, all open. At least one is required.
	Keys [][]byte
	// Clock replaces the database's clock. It is for tests in virtual time: in a bubble of testing/synctest open the *sql.DB
	// there and give time.Now. Leave it nil otherwise: processes that share a database have to agree on the time.
	Clock func() time.Time
}

// Store keeps sessions in an SQL database. It is safe for concurrent use, and so are several of them, in one process or in
// many, on the same database. It has nothing to close: whoever opened the *sql.DB closes that.
type Store struct {
	db      *sql.DB
	dialect *dialect
	keys    *keyring
	clock   func() time.Time
	writer  *writer // nil if many may write at once
	statements
}

var _ vending.Store = (*Store)(nil)

// Open makes a store of a database that the caller has opened with a driver of their choice. It checks that the database is
// durable and makes or updates the tables, all of whose names begin with vending_. Errors match [ErrNotDurable], [ErrNewer]
// and those of the database, such as [ErrReadOnly].
//
// If the pool of an SQLite database has no limit, Open gives it one.
func Open(ctx context.Context, db *sql.DB, options Options) (*Store, error) {
	var problems []error
	s := &Store{db: db, dialect: dialectOf(options.Dialect), clock: options.Clock}
	if s.dialect == nil {
		problems = append(problems, fmt.Errorf("Dialect: %q, must be SQLite or PostgreSQL", options.Dialect))
	}
	keys, err := newKeyring(options.Keys)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("sqlstore.Open: %w", err)
	}
	s.keys = keys
	if s.dialect.one {
		s.writer = newWriter(s)
		if db.Stats().MaxOpenConnections == 0 { // each connection is a file and a cache of some megabytes
			db.SetMaxOpenConns(8)
			db.SetMaxIdleConns(8)
		}
	}
	for _, step := range []func(context.Context) error{s.checkDurable, s.migrate, s.prepare} {
		if err := s.patiently(ctx, func() error { return step(ctx) }); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// checkDurable refuses a database that may forget what it has acknowledged.
func (s *Store) checkDurable(ctx context.Context) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return explain("connect", "", err)
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	return explain("open", "", s.dialect.durable(ctx, conn))
}

// Create implements [vending.Store].
func (s *Store) Create(ctx context.Context, session vending.Session) error {
	if session.ID == "" || !storable(session.ID) {
		return fmt.Errorf("sqlstore: create session %q: such an id cannot be stored", session.ID)
	}
	now, err := s.time(ctx)
	if err != nil {
		return explain("create", session.ID, err)
	}
	session = session.InTime(now)
	session.Version = 1
	values, err := s.values(session)
	if err != nil {
		return explain("create", session.ID, err)
	}
	return explain("create", session.ID, s.write(ctx, func(ctx context.Context, on place) error {
		for range 10 {
			if n, err := on.exec(ctx, s.insert, values...); err != nil || n == 1 {
				return err
			}
			known, err := on.name(ctx, s.known, session.ID)
			if err == nil && known != "" {
				err = vending.ErrExists
			}
			if err != nil {
				return err
			}
			holder, err := on.name(ctx, s.holder, session.Seat)
			if err == nil && holder != "" {
				err = &vending.BusyError{Machine: session.Machine, Session: holder}
			}
			if err != nil {
				return err
			}
			// Whoever was in the way has gone meanwhile.
		}
		return &vending.BusyError{Machine: session.Machine}
	}))
}

// Load implements [vending.Store].
func (s *Store) Load(ctx context.Context, id string) (vending.Session, error) {
	return s.one(ctx, "load session "+id, s.load, id)
}

// Seat implements [vending.Store].
func (s *Store) Seat(ctx context.Context, machine string) (vending.Session, error) {
	return s.one(ctx, "look who holds machine "+machine, s.seat, machine)
}

func (s *Store) one(ctx context.Context, what string, st *statement, name string) (vending.Session, error) {
	if !storable(name) {
		return vending.Session{}, vending.ErrNotFound
	}
	rows, err := s.read(ctx, st, name)
	switch {
	case err != nil:
		return vending.Session{}, explain(what, "", err)
	case len(rows) == 0:
		return vending.Session{}, vending.ErrNotFound
	}
	session, err := s.session(&rows[0])
	if err != nil {
		return vending.Session{}, err
	}
	return session, nil
}

// Save implements [vending.Store].
func (s *Store) Save(ctx context.Context, session vending.Session) error {
	values, err := s.values(session)
	if err != nil {
		return explain("save", session.ID, err)
	}
	return explain("save", session.ID, s.write(ctx, func(ctx context.Context, on place) error {
		n, err := on.exec(ctx, s.update, values...)
		switch {
		case taken(err):
			holder, err := on.name(ctx, s.holder, session.Seat)
			if err != nil {
				return err
			}
			return &vending.BusyError{Machine: session.Machine, Session: holder}
		case err != nil || n == 1:
			return err
		}
		known, err := on.name(ctx, s.known, session.ID)
		switch {
		case err != nil:
			return err
		case known == "":
			return vending.ErrNotFound
		default:
			return vending.ErrStale
		}
	}))
}

// storable says whether a database takes a text as a name. PostgreSQL takes no other, and so no session has it.
func storable(name string) bool { return utf8.ValidString(name) && !strings.Contains(name, "\x00") }

// pageSize is how many sessions are in memory at once when a list is gone through.
const pageSize = 200

// Open implements [vending.Store]. It reads in pages: what is opened while somebody ranges over it comes too.
func (s *Store) Open(ctx context.Context) iter.Seq2[vending.Session, error] {
	return s.pages(ctx, "list open sessions", s.open, time.Time{})
}

// Closed implements [vending.Store]. It reads in pages.
func (s *Store) Closed(ctx context.Context, from, to time.Time) iter.Seq2[vending.Session, error] {
	return s.pages(ctx, "list closed sessions", s.closed, from, s.dialect.value(to))
}

// pages gives what a statement finds, page by page, each after the last row of the page before. No connection is held while
// it yields.
func (s *Store) pages(ctx context.Context, what string, st *statement, from time.Time, args ...any) iter.Seq2[vending.Session, error] {
	return func(yield func(vending.Session, error) bool) {
		after, id := from, ""
		for {
			rows, err := s.read(ctx, st, append([]any{s.dialect.value(after), id, pageSize}, args...)...)
			if err != nil {
				yield(vending.Session{}, explain(what, "", err))
				return
			}
			for i := range rows {
				if !yield(s.session(&rows[i])) {
					return
				}
			}
			if len(rows) < pageSize {
				return
			}
			last := rows[len(rows)-1]
			if last.err != nil { // without its key nobody knows where to go on
				yield(vending.Session{}, explain(what, "", last.err))
				return
			}
			after, id = last.key.at, last.id
		}
	}
}

// Prune implements [vending.Store]. It removes some at a time, so that nobody waits for it.
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error) {
	for total := 0; ; {
		var removed int64
		err := s.write(ctx, func(ctx context.Context, on place) (err error) {
			removed, err = on.exec(ctx, s.prune, s.dialect.value(before), pageSize)
			return err
		})
		total += int(removed)
		if err != nil || removed < pageSize {
			return total, explain("prune", "", err)
		}
	}
}
