package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/sqlstore"
)

// TestOpenTogether has many processes start on an empty database at once.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		var starting sync.WaitGroup
		for i := range 12 {
			db := d.connect(t)
			starting.Go(func() {
				store, err := sqlstore.Open(t.Context(), db, d.options())
				if err == nil {
					err = store.Create(t.Context(), session(fmt.Sprint("shop-", i)))
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		starting.Wait()
		store, db := d.open(t)
		count := 0
		for _, err := range store.Open(t.Context()) {
			if err != nil {
				t.Error(err)
			}
			count++
		}
		versions := strings.Count(content(t, db, "vending_schema"), "\n")
		if count != 12 || versions != 2 {
			t.Errorf("%d sessions and %d versions of the tables, want 12 and 2", count, versions)
		}
	})
}

// TestNewer opens a database that a newer program has changed.
func TestNewer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, db := d.open(t)
		create(t, store, "shop-a")
		if _, err := db.ExecContext(t.Context(), "INSERT INTO vending_schema SELECT 99, max(applied) FROM vending_schema"); err != nil {
			t.Fatal(err)
		}
		before := content(t, db, "vending_sessions") + content(t, db, "vending_schema")
		_, err := sqlstore.Open(t.Context(), d.connect(t), d.options())
		if !errors.Is(err, sqlstore.ErrNewer) {
			t.Fatalf("%v, want ErrNewer", err)
		}
		for _, part := range []string{"99", "run the newer program", "nothing was changed"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if after := content(t, db, "vending_sessions") + content(t, db, "vending_schema"); after != before {
			t.Errorf("the database has changed\nfrom %s\nto   %s", before, after)
		}
	})
}

// TestMigrationFails makes the tables where one of them is in the way: none of the others is left behind, and the pool's
// connections can be used.
func TestMigrationFails(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		db := d.connect(t)
		db.SetMaxOpenConns(1)
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE vending_sessions (mine INTEGER)"); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.Open(t.Context(), db, d.options()); err == nil || !strings.Contains(err.Error(), "make the tables") {
			t.Errorf("%v, want an error that says what it was about", err)
		}
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE vending_schema (mine INTEGER)"); err != nil {
			t.Errorf("a migration that failed has left something behind: %v", err)
		}
	})
}

// TestUpgrade opens a database with the tables of the first version.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, db := d.open(t)
		create(t, store, "shop-a")
		for _, statement := range []string{
			"ALTER TABLE vending_sessions DROP COLUMN woken",
			"DELETE FROM vending_schema WHERE version > 1",
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		store, err := sqlstore.Open(t.Context(), d.connect(t), d.options())
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Wake(t.Context(), 0, "shop-a"); err != nil {
			t.Fatal(err)
		}
		found := 0
		for s, err := range store.Due(t.Context(), 10, time.Hour) {
			if err != nil || s.ID != "shop-a" || !s.Woken {
				t.Errorf("%s, woken %t, %v", s.ID, s.Woken, err)
			}
			found++
		}
		if found != 1 {
			t.Errorf("%d sessions are due", found)
		}
	})
}
