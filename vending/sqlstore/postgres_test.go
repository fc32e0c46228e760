package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/internal/postgrestest"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// TestPostgresSettings reads back how the server that the tests use runs.
func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	_, db := postgres(t).open(t)
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := db.QueryRowContext(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		if value != "on" {
			t.Errorf("%s is %s, want on", name, value)
		}
	}
}

// TestPostgresRefuses opens connections that would forget or cannot write.
func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	address := postgrestest.URL(t)
	for _, refused := range []struct {
		setting, value string
		err            error
		says           string
	}{
		{"synchronous_commit", "off", sqlstore.ErrNotDurable, "set it to on"},
		{"default_transaction_read_only", "on", sqlstore.ErrReadOnly, "standby"},
	} {
		t.Run(refused.setting, func(t *testing.T) {
			t.Parallel()
			db := openSQL(t, "pgx", with(t, address, refused.setting, refused.value))
			_, err := sqlstore.Open(t.Context(), db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Keys: [][]byte{key(1)}})
			if !errors.Is(err, refused.err) || !strings.Contains(err.Error(), refused.says) {
				t.Errorf("%v, want an error that matches %v and says %q", err, refused.err, refused.says)
			}
		})
	}
}

// TestPostgresPruneLooksAgain opens a finished session again while it is about to be pruned: its payment has appeared.
func TestPostgresPruneLooksAgain(t *testing.T) {
	t.Parallel()
	store, db := postgres(t).open(t)
	s := session("shop-a")
	if err := store.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s, _ = store.Load(t.Context(), "shop-a")
	s.State, s.Ended, s.Absent = vending.Closed, s.Now.Add(-time.Hour), true
	if err := store.Save(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "UPDATE vending_sessions SET finished = false, ended = NULL, state = 'Withdrawing' WHERE id = 'shop-a'"); err != nil {
		t.Fatal(err)
	}
	pruned := make(chan error, 1)
	var n int
	go func() {
		var err error
		n, err = store.Prune(context.WithoutCancel(t.Context()), s.Now)
		pruned <- err
	}()
	waiting := 0
	for waiting == 0 {
		select {
		case err := <-pruned:
			t.Fatalf("pruned %d, %v, without waiting for whoever changes the session", n, err)
		default:
		}
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM vending_sessions%'").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-pruned; err != nil || n != 0 {
		t.Errorf("pruned %d, %v; want 0", n, err)
	}
	if _, err := store.Load(t.Context(), "shop-a"); err != nil {
		t.Errorf("a session that was opened again meanwhile is gone: %v", err)
	}
}

// TestPostgresTriesAgain has the server give up on a statement because of others, as it may: that is not the caller's affair.
func TestPostgresTriesAgain(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"40001", "40P01"} {
		store, db := postgres(t).open(t)
		create(t, store, "shop-a")
		for _, statement := range []string{
			"CREATE SEQUENCE tries", // which counts what is undone as well
			"CREATE FUNCTION crossed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') < 3 THEN RAISE 'others' USING ERRCODE = '" + code + "'; END IF; RETURN NEW; END $$",
			"CREATE TRIGGER crossed BEFORE UPDATE ON vending_sessions FOR EACH ROW EXECUTE FUNCTION crossed()",
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		resave(t, store, "shop-a")
		if s, err := store.Load(t.Context(), "shop-a"); err != nil || s.Version != 2 {
			t.Errorf("version %d, %v", s.Version, err)
		}
	}
}
