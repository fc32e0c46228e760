package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vippsvending/vipps/internal/postgrestest"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// childSessions is how many sessions a child saves at once.
const childSessions = 4

// child is another process: it saves sessions for ever and says which versions were acknowledged, until it is killed.
func child(dsn string) {
	driver, dsn, _ := strings.Cut(dsn, " ")
	dialect := sqlstore.SQLite
	if driver == "pgx" {
		dialect = sqlstore.PostgreSQL
	}
	fail := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	db, err := sql.Open(driver, dsn)
	fail(err)
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: dialect, Keys: [][]byte{key(1)}})
	fail(err)
	var saving sync.WaitGroup
	for i := range childSessions {
		saving.Go(func() {
			s := session(fmt.Sprint("shop-", i))
			fail(store.Create(ctx, s))
			for s.Version = 1; ; s.Version++ {
				s.Planogram = fmt.Sprint("version ", s.Version+1)
				fail(store.Save(ctx, s))
				fmt.Printf("%s %d\n", s.ID, s.Version+1)
			}
		})
	}
	saving.Wait()
}

// TestKill kills a process in the middle of its writes: everything that it was told is stored is there, and whole.
func TestKill(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, d database) {
		dsn := "pgx "
		if d.dialect == sqlstore.SQLite {
			path := filepath.Join(t.TempDir(), "sessions.db")
			d.connect = func(tb testing.TB) *sql.DB { return openSQL(tb, "sqlite", sqlstore.SQLiteDSN(path)) }
			dsn = "sqlite " + sqlstore.SQLiteDSN(path)
		} else {
			var schema string
			if err := d.connect(t).QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
			dsn += with(t, postgrestest.URL(t), "search_path", schema)
		}
		process := exec.CommandContext(t.Context(), program)
		process.Env = append(os.Environ(), "SQLSTORE_TEST_CHILD="+dsn)
		said, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := map[string]int64{}
		lines := bufio.NewScanner(said)
		for n := 0; lines.Scan(); n++ {
			var id string
			var version int64
			if _, err := fmt.Sscanf(lines.Text(), "%s %d", &id, &version); err != nil {
				t.Fatalf("the other process says %q", lines.Text())
			}
			acknowledged[id] = max(acknowledged[id], version)
			if n == 100 {
				if err := process.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := process.Wait(); err == nil {
			t.Error("the other process has ended by itself")
		}
		store, _ := d.open(t)
		for id, version := range acknowledged {
			s, err := store.Load(t.Context(), id)
			if err != nil || s.Version < version || s.Version > 1 && s.Planogram != fmt.Sprint("version ", s.Version) {
				t.Errorf("session %s: version %d with %q, %v; version %d was acknowledged", id, s.Version, s.Planogram, err, version)
			}
		}
		if len(acknowledged) == 0 {
			t.Error("nothing was acknowledged")
		}
	})
}
