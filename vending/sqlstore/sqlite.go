package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"
)

// SQLiteDSN is the address of an SQLite database in a file, for sql.Open("sqlite", …) with the driver modernc.org/sqlite:
// with synchronous=FULL on every connection, and five seconds of patience with whoever else writes. The file is made if
// there is none; its folder has to exist, on a disk of this computer.
func SQLiteDSN(path string) string {
	volume := filepath.VolumeName(path)
	path = filepath.ToSlash(path)
	if volume != "" {
		path = "/" + path
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate" +
		"&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)&_pragma=checkpoint_fullfsync(1)"
}

// full is SQLite's number for synchronous=FULL.
const full = 2

func sqliteDurable(ctx context.Context, conn *sql.Conn) error {
	var version string
	var clock, patience int64
	query := "SELECT sqlite_version(), unixepoch('now', 'subsec') IS NOT NULL, (SELECT * FROM pragma_busy_timeout)"
	if err := conn.QueryRowContext(ctx, query).Scan(&version, &clock, &patience); err != nil {
		return err
	}
	switch {
	case clock == 0:
		return fmt.Errorf("SQLite 3.42 or newer is needed, this is %s: update the driver", version)
	case patience == 0:
		return errors.New("PRAGMA busy_timeout is 0: whoever writes while another process does would fail instead of waiting; open the database with sqlstore.SQLiteDSN, or set it in the DSN")
	}
	if err := writeAhead(ctx, conn); err != nil {
		return err
	}
	return syncFully(ctx, conn)
}

// writeAhead puts the database into the mode in which readers do not wait for a writer. That is kept in the file.
func writeAhead(ctx context.Context, conn *sql.Conn) error {
	for try := 0; ; try++ {
		var mode string
		err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("%w: journal_mode stays %s, want WAL: give a file on a disk of this computer, not :memory: and not a network drive", ErrNotDurable, mode)
		case !errors.Is(kindOf(err), ErrLocked) || try == 100:
			return err
		}
		// SQLite does not wait for another process that does the same.
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
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
