package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"time"
)

// SQLiteDSN is the address of an SQLite database in a file, for sql.Open("sqlite", …) with the driver modernc.org/sqlite,
// with synchronous=FULL on every connection. The file is made if there is none; its folder has to exist, on a disk of this
// computer.
func SQLiteDSN(path string) string {
	volume := filepath.VolumeName(path)
	path = filepath.ToSlash(path)
	if volume != "" {
		path = "/" + path
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate" +
		"&_pragma=busy_timeout(50)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)&_pragma=checkpoint_fullfsync(1)"
}

// full is SQLite's number for synchronous=FULL.
const full = 2

func sqliteDurable(ctx context.Context, conn *sql.Conn) error {
	var version string
	var clock bool
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version(), unixepoch('now', 'subsec') IS NOT NULL").Scan(&version, &clock); err != nil {
		return err
	}
	if !clock {
		return fmt.Errorf("SQLite 3.42 or newer is needed, this is %s: update the driver", version)
	}
	if err := writeAhead(ctx, conn); err != nil {
		return err
	}
	return syncFully(ctx, conn)
}

// writeAhead puts the database into the mode in which readers do not wait for a writer. That is kept in the file.
func writeAhead(ctx context.Context, conn *sql.Conn) error {
	var mode string
	err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
	if err == nil && mode != "wal" {
		err = fmt.Errorf("%w: journal_mode stays %s, want WAL: give a file on a disk of this computer, not :memory: and not a network drive", ErrNotDurable, mode)
	}
	return err
}

// patience is how long the store waits for another process that writes.
const patience = 10 * time.Second

// patiently does again what found an SQLite database locked. SQLite's own patience, busy_timeout, looks ever less often: a
// process that writes all the time would keep others out.
func (s *Store) patiently(ctx context.Context, do func() error) error {
	if !s.dialect.one {
		return do()
	}
	for began := time.Now(); ; {
		err := do()
		if err == nil || !errors.Is(kindOf(err), ErrLocked) || time.Since(began) > patience {
			return err
		}
		timer := time.NewTimer(time.Duration(1+rand.IntN(20)) * time.Millisecond) //nolint:gosec // anything will do
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// syncFully makes a connection wait for the disk at every commit, whatever it was opened with.
func syncFully(ctx context.Context, conn *sql.Conn) error {
	level, err := synchronous(ctx, conn)
	if err != nil || level >= full {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	if level, err = synchronous(ctx, conn); err == nil && level < full {
		err = fmt.Errorf("%w: PRAGMA synchronous stays %d: open the database with sqlstore.SQLiteDSN", ErrNotDurable, level)
	}
	return err
}

func synchronous(ctx context.Context, conn *sql.Conn) (level int, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level)
	return level, err
}
