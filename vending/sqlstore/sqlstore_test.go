package sqlstore_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/vippsvending/vipps/internal/postgrestest"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv("SQLSTORE_TEST_CHILD"); dsn != "" {
		child(dsn)
	}
	code := m.Run()
	postgrestest.Stop()
	os.Exit(code)
}

// key is 32 bytes that are not all the same.
func key(n byte) []byte {
	k := bytes.Repeat([]byte{n}, 32)
	k[0]++
	return k
}

// database is an empty one; connect opens another pool of connections to it.
type database struct {
	dialect sqlstore.Dialect
	connect func(tb testing.TB) *sql.DB
}

func (d database) options() sqlstore.Options {
	return sqlstore.Options{Dialect: d.dialect, Keys: [][]byte{key(1)}}
}

// open makes a store over connections of its own.
func (d database) open(tb testing.TB) (*sqlstore.Store, *sql.DB) {
	tb.Helper()
	db := d.connect(tb)
	store, err := sqlstore.Open(tb.Context(), db, d.options())
	if err != nil {
		tb.Fatal(err)
	}
	return store, db
}

func openSQL(tb testing.TB, driver, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func sqlite(tb testing.TB) database {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "odd name % ? #.db")
	return database{sqlstore.SQLite, func(tb testing.TB) *sql.DB {
		tb.Helper()
		return openSQL(tb, "sqlite", sqlstore.SQLiteDSN(path))
	}}
}

var schemas atomic.Int64

// postgres is a schema of its own.
func postgres(tb testing.TB) database {
	tb.Helper()
	address := postgrestest.URL(tb)
	schema := fmt.Sprintf("vending_test_%d_%d", os.Getpid(), schemas.Add(1))
	admin := openSQL(tb, "pgx", address)
	if _, err := admin.ExecContext(tb.Context(), "CREATE SCHEMA "+schema); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			tb.Error(err)
		}
	})
	return database{sqlstore.PostgreSQL, func(tb testing.TB) *sql.DB {
		tb.Helper()
		return openSQL(tb, "pgx", with(tb, address, "search_path", schema))
	}}
}

// with adds a parameter to an address.
func with(tb testing.TB, address, name, value string) string {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// onBoth runs a test on an empty database of each dialect.
func onBoth(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for name, make := range map[string]func(testing.TB) database{"SQLite": sqlite, "PostgreSQL": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

func session(id string) vending.Session {
	now := time.Now()
	return vending.Session{
		ID: id, Schema: 1, Machine: "machine-of-" + id, State: vending.Opening, Currency: "NOK", Due: -1,
		Now: now, Opened: now, Since: now, WakeAt: now.Add(time.Hour),
		Items: []vending.Item{{Name: "Cola", Slot: "A1", Price: 2500}},
		Body:  vending.Seal([]byte(`{"phoneNumber": "4712345678"}`)), RedirectURL: vending.Seal([]byte("https://pay.example/secret")),
	}
}

// TestStore runs the conformance suite on both databases, and on a pool of one connection, which nothing may hold on to.
func TestStore(t *testing.T) {
	t.Parallel()
	type pool struct {
		name        string
		make        func(testing.TB) database
		connections int
	}
	pools := []pool{{"SQLite", sqlite, 6}, {"PostgreSQL", postgres, 6}}
	if !raceEnabled { // one connection makes no races, and the race detector is slow with SQLite
		pools = append(pools, pool{"SQLite with one connection", sqlite, 1})
	}
	for _, on := range pools {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			vendingtest.TestStore(t, func(tb testing.TB) vendingtest.StorePlace {
				d := on.make(tb)
				return vendingtest.StorePlace{Durable: true, Connect: func(tb testing.TB) vending.Store {
					store, db := d.open(tb)
					db.SetMaxOpenConns(on.connections)
					db.SetMaxIdleConns(on.connections)
					return store
				}}
			})
		})
	}
}

// TestOddNames asks for sessions by names that a database may not take.
func TestOddNames(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, _ := d.open(t)
		create(t, store, "shop-a")
		for _, name := range []string{"", "shop\x00a", "shop\xffa", "shop-a\x00"} {
			if _, err := store.Load(t.Context(), name); !errors.Is(err, vending.ErrNotFound) {
				t.Errorf("Load of %q: %v, want ErrNotFound", name, err)
			}
			if _, err := store.Seat(t.Context(), name); !errors.Is(err, vending.ErrNotFound) {
				t.Errorf("Seat of %q: %v, want ErrNotFound", name, err)
			}
			if err := store.Wake(t.Context(), 0, name, "shop-a"); err != nil {
				t.Errorf("Wake of %q: %v, want it ignored", name, err)
			}
			s := session("shop-b")
			s.ID = name
			if err := store.Create(t.Context(), s); err == nil {
				t.Errorf("a session with the id %q was created", name)
			}
		}
	})
}

// TestDueLeft leaves a loop over what is due: the rest is due again at once, not when the lease has passed.
func TestDueLeft(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, _ := d.open(t)
		ids := map[string]bool{}
		for i := range 5 {
			s := session(fmt.Sprint("shop-", i))
			s.WakeAt = s.Now
			if err := store.Create(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		for s := range store.Due(t.Context(), 5, time.Hour) {
			ids[s.ID] = true
			break
		}
		for s, err := range store.Due(t.Context(), 5, time.Hour) {
			if err != nil || ids[s.ID] {
				t.Errorf("session %s: %v; it was claimed before", s.ID, err)
			}
			ids[s.ID] = true
		}
		if len(ids) != 5 {
			t.Errorf("%d of 5 sessions were claimed", len(ids))
		}
	})
}
