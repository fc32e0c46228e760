package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/internal/postgrestest"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// content is everything in a table, as text.
func content(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table+" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var all strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			switch v := (*value.(*any)).(type) {
			case []byte:
				fmt.Fprintf(&all, "%s|", v)
			default:
				fmt.Fprintf(&all, "%v|", v)
			}
		}
		all.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// trouble is something that keeps a store from writing.
type trouble struct {
	name string
	err  error
	says string
	// onlyLarge says that small changes still succeed.
	onlyLarge bool
	// store gives a store that is in trouble, and what ends the trouble, if anything can.
	store func(t *testing.T, d database) (store *sqlstore.Store, free func())
}

func (tr trouble) check(t *testing.T, d database) {
	t.Helper()
	healthy, look := d.open(t)
	for _, id := range []string{"shop-a", "shop-old"} {
		if err := healthy.Create(t.Context(), session(id)); err != nil {
			t.Fatal(err)
		}
	}
	old, _ := healthy.Load(t.Context(), "shop-old")
	old.State, old.Ended = vending.Closed, old.Now.Add(-time.Hour)
	if err := healthy.Save(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := healthy.Wake(t.Context(), 0, "shop-a"); err != nil {
		t.Fatal(err)
	}
	large, err := healthy.Load(t.Context(), "shop-a")
	if err != nil {
		t.Fatal(err)
	}
	large.Planogram = strings.Repeat("much more than there was ", 20_000)
	other := large
	other.ID = "shop-b"
	before := content(t, look, "vending_sessions")

	store, free := tr.store(t, d)
	for _, write := range []struct {
		what  string
		large bool
		do    func() error
	}{
		{"save session shop-a", true, func() error { return store.Save(t.Context(), large) }},
		{"create session shop-b", true, func() error { return store.Create(t.Context(), other) }},
		{"wake session shop-a", false, func() error { return store.Wake(t.Context(), 0, "shop-a") }},
		{"wake", false, func() error { return store.Wake(t.Context(), 0, "shop-a", "shop-b") }},
		{"rest", false, func() error { return store.Rest(t.Context(), time.Hour, large) }},
		{"claim what is due", false, func() error {
			for _, err := range store.Due(t.Context(), 1, time.Hour) {
				return err
			}
			return nil
		}},
		{"prune", false, func() error {
			_, err := store.Prune(t.Context(), time.Now())
			return err
		}},
	} {
		if tr.onlyLarge && !write.large {
			continue
		}
		err := write.do()
		if !errors.Is(err, tr.err) || !strings.Contains(err.Error(), tr.says) || !strings.HasPrefix(err.Error(), "sqlstore: "+write.what+": ") {
			t.Errorf("%s: %v; want an error that begins so, matches %q and says %q", write.what, err, tr.err, tr.says)
			continue
		}
		if after, _ := strings.CutPrefix(err.Error(), "sqlstore: "+write.what+": "+tr.err.Error()); len(after) < 10 {
			t.Errorf("%s: %v; the driver's error is not in it", write.what, err)
		}
	}
	if after := content(t, look, "vending_sessions"); after != before {
		t.Errorf("the database has changed\nfrom %.500s\nto   %.500s", before, after)
	}
	if free == nil {
		return
	}
	free()
	if err := store.Save(t.Context(), large); err != nil {
		t.Errorf("after the trouble has ended: %v", err)
	}
}

// single gives a store over one connection, so that what is set on it concerns every write.
func single(t *testing.T, db *sql.DB, d database) (store *sqlstore.Store, do func(statement string)) {
	t.Helper()
	db.SetMaxOpenConns(1)
	store, err := sqlstore.Open(t.Context(), db, d.options())
	if err != nil {
		t.Fatal(err)
	}
	return store, func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// between sets something on the only connection of a store, and undoes it at the end.
func between(begin, end string) func(*testing.T, database) (*sqlstore.Store, func()) {
	return func(t *testing.T, d database) (*sqlstore.Store, func()) {
		t.Helper()
		store, do := single(t, d.connect(t), d)
		do(begin)
		return store, func() { do(end) }
	}
}

// held keeps a lock on another connection.
func held(t *testing.T, db *sql.DB, statements ...string) (free func()) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

func shut(t *testing.T, d database) (*sqlstore.Store, func()) {
	t.Helper()
	store, db := d.open(t)
	db.Close()
	return store, nil
}

func TestSQLiteTrouble(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ro.db")
	for _, tr := range []trouble{
		{name: "full", err: sqlstore.ErrFull, says: "free space", onlyLarge: true, store: between("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000")},
		{name: "locked", err: sqlstore.ErrLocked, says: "transaction open", store: func(t *testing.T, d database) (*sqlstore.Store, func()) {
			t.Helper()
			store, do := single(t, d.connect(t), d)
			do("PRAGMA busy_timeout = 0") // which is not virtual; the store's patience is
			return store, held(t, d.connect(t), "BEGIN EXCLUSIVE")
		}},
		{name: "read-only connection", err: sqlstore.ErrReadOnly, says: "mode of the file", store: between("PRAGMA query_only = 1", "PRAGMA query_only = 0")},
		{name: "read-only file", err: sqlstore.ErrReadOnly, says: "mode of the file", store: func(t *testing.T, d database) (*sqlstore.Store, func()) {
			t.Helper()
			store, err := sqlstore.Open(t.Context(), openSQL(t, "sqlite", sqlstore.SQLiteDSN(path)+"&mode=ro"), d.options())
			if err != nil {
				t.Fatal(err)
			}
			return store, nil
		}},
		{name: "closed", err: sqlstore.ErrGone, says: "start it", store: shut},
	} {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			d := sqlite(t)
			if tr.name == "read-only file" {
				d.connect = func(tb testing.TB) *sql.DB { return openSQL(tb, "sqlite", sqlstore.SQLiteDSN(path)) }
			}
			synctest.Test(t, func(t *testing.T) { tr.check(t, d) })
		})
	}
}

func TestPostgresTrouble(t *testing.T) {
	t.Parallel()
	for _, tr := range []trouble{
		{name: "full", err: sqlstore.ErrFull, says: "free space", store: func(t *testing.T, d database) (*sqlstore.Store, func()) {
			t.Helper()
			store, do := single(t, d.connect(t), d)
			do(`CREATE FUNCTION run_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
			do(`CREATE TRIGGER run_out BEFORE INSERT OR UPDATE OR DELETE ON vending_sessions FOR EACH STATEMENT EXECUTE FUNCTION run_out()`)
			return store, func() { do(`DROP TRIGGER run_out ON vending_sessions`) }
		}},
		{name: "locked", err: sqlstore.ErrLocked, says: "transaction open", store: func(t *testing.T, d database) (*sqlstore.Store, func()) {
			t.Helper()
			store, do := single(t, d.connect(t), d)
			do("SET lock_timeout = '20ms'")
			return store, held(t, d.connect(t), "BEGIN", "LOCK TABLE vending_sessions IN EXCLUSIVE MODE")
		}},
		{name: "read-only", err: sqlstore.ErrReadOnly, says: "standby", store: between("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")},
		{name: "denied", err: sqlstore.ErrDenied, says: "grant", store: between(`DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO pg_monitor', current_schema()); SET ROLE pg_monitor; END $$`, "RESET ROLE")},
		{name: "missing", err: sqlstore.ErrMissing, says: "search_path", store: between("SET search_path = pg_temp", "RESET search_path")},
		{name: "closed", err: sqlstore.ErrGone, says: "start it", store: shut},
	} {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			tr.check(t, postgres(t))
		})
	}
}

// TestPostgresGone asks a server that is not there.
func TestPostgresGone(t *testing.T) {
	t.Parallel()
	postgrestest.URL(t) // without it nobody knows that the driver works
	db := openSQL(t, "pgx", "postgres:///vending?host="+t.TempDir())
	_, err := sqlstore.Open(t.Context(), db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Keys: [][]byte{key(1)}})
	if !errors.Is(err, sqlstore.ErrGone) {
		t.Errorf("%v, want ErrGone", err)
	}
}

// TestContext gives up before a write and while it waits for its turn: nothing is written.
func TestContext(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, db := d.open(t)
		if err := store.Create(t.Context(), session("shop-a")); err != nil {
			t.Fatal(err)
		}
		before := content(t, db, "vending_sessions")
		s, err := store.Load(t.Context(), "shop-a")
		if err != nil {
			t.Fatal(err)
		}
		s.Planogram = "changed"
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := store.Save(over, s); !errors.Is(err, context.Canceled) {
			t.Errorf("Save with a context that is over: %v", err)
		}
		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := store.Save(short, s); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Save that waits for a connection until its context is over: %v", err)
		}
		conn.Close()
		if after := content(t, db, "vending_sessions"); after != before {
			t.Errorf("the database has changed\nfrom %s\nto   %s", before, after)
		}
		if err := store.Save(t.Context(), s); err != nil {
			t.Errorf("Save after others gave up: %v", err)
		}
	})
}
