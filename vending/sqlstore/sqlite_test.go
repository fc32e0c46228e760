package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/sqlstore"
)

// pragma reads a setting of one connection.
func pragma(t *testing.T, conn *sql.Conn, name string) (value string) {
	t.Helper()
	if err := conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestSQLiteSettings reads back how every connection of the pool runs.
func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	_, db := sqlite(t).open(t)
	var open []*sql.Conn
	for range 6 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open = append(open, conn)
	}
	for i, conn := range open {
		for name, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "50"} {
			if got := pragma(t, conn, name); got != want {
				t.Errorf("connection %d has %s=%s, want %s", i, name, got, want)
			}
		}
	}
	if got := db.Stats().MaxOpenConnections; got == 0 {
		t.Error("the pool has no limit")
	}
}

// TestSQLiteSyncs opens a database with settings that forget, and changes them behind the store's back: what writes waits
// for the disk all the same. A level above FULL is left.
func TestSQLiteSyncs(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"OFF": "2", "NORMAL": "2", "EXTRA": "3"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			dsn := strings.Replace(sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "sessions.db")), "synchronous(FULL)", "synchronous("+level+")", 1)
			d := database{sqlstore.SQLite, func(tb testing.TB) *sql.DB { return openSQL(tb, "sqlite", dsn) }}
			store, db := d.open(t)
			db.SetMaxOpenConns(1) // so that it is the one that writes
			for round := range 3 {
				if _, err := db.ExecContext(t.Context(), "PRAGMA synchronous = "+level); err != nil {
					t.Fatal(err)
				}
				s := session(strings.Repeat("a", round+1))
				if err := store.Create(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				conn, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := pragma(t, conn, "synchronous"); got != want {
					t.Errorf("after a write the connection has synchronous=%s, want %s", got, want)
				}
				conn.Close()
			}
		})
	}
}

// TestSQLiteRefuses opens what cannot be a durable store.
func TestSQLiteRefuses(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]struct {
		dsn  string
		err  error
		says string
	}{
		"in memory": {"file::memory:", sqlstore.ErrNotDurable, "give a file"},
		"no folder": {sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "missing", "a.db")), sqlstore.ErrNoFile, "its folder must exist and be writable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sqlstore.Open(t.Context(), openSQL(t, "sqlite", refused.dsn), sqlstore.Options{Dialect: sqlstore.SQLite, Keys: [][]byte{key(1)}})
			if !errors.Is(err, refused.err) || !strings.Contains(err.Error(), refused.says) {
				t.Errorf("%v, want an error that matches %v and says %q", err, refused.err, refused.says)
			}
		})
	}
}

// TestSQLiteBusy has other processes write all the time: a store that comes now and then is not kept out.
func TestSQLiteBusy(t *testing.T) {
	t.Parallel()
	d := sqlite(t)
	quiet, _ := d.open(t)
	create(t, quiet, "quiet", "busy-0", "busy-1", "busy-2", "busy-3")
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for i := range 4 {
		busy, _ := d.open(t)
		working.Go(func() {
			for ctx.Err() == nil {
				if err := busy.Wake(ctx, time.Hour, fmt.Sprint("busy-", i)); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for range 50 {
		began := time.Now()
		resave(t, quiet, "quiet")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a save took %s", took)
		}
	}
	cancel()
	working.Wait()
}
