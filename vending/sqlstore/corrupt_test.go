package sqlstore_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// spoil makes rows that cannot be read, each in another way.
func spoil(t *testing.T, d database, db *sql.DB) (spoilt map[string]error) {
	t.Helper()
	noJSON := "'{'"
	if d.dialect == sqlstore.PostgreSQL {
		noJSON = "'[]'" // the database takes nothing but JSON
	}
	for id, change := range map[string]string{
		"no-json":    "document = " + noJSON,
		"wrong-type": `document = '{"ID":"wrong-type","Items":7}'`,
		"other-id":   `document = '{"ID":"shop-a"}', sealed = NULL`,
		"key":        "sealed = replace(sealed, '" + sqlstore.KeyID(key(1)) + "', '0011223344556677')",
	} {
		if _, err := db.ExecContext(t.Context(), "UPDATE vending_sessions SET "+change+" WHERE id = '"+id+"'"); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]error{"no-json": sqlstore.ErrCorrupt, "wrong-type": sqlstore.ErrCorrupt, "other-id": sqlstore.ErrCorrupt, "key": sqlstore.ErrKey}
}

// TestCorruptRows has rows that cannot be read among others that can: they are reported, and the others are not held up.
func TestCorruptRows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, db := d.open(t)
		for _, id := range []string{"a", "no-json", "b", "wrong-type", "other-id", "c", "key", "d"} {
			s := session(id)
			s.WakeAt = s.Now
			if err := store.Create(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		spoilt := spoil(t, d, db)
		check := func(what string, sessions func(yield func(vending.Session, error) bool)) {
			t.Helper()
			good, bad := 0, 0
			for s, err := range sessions {
				if err == nil {
					good++
					continue
				}
				bad++
				want := spoilt[s.ID]
				if want == nil || !errors.Is(err, want) || !strings.Contains(err.Error(), s.ID) || strings.Contains(err.Error(), "4712345678") {
					t.Errorf("%s: session %q: %v, want %v", what, s.ID, err, want)
				}
				if s.Machine != "" || s.State != "" {
					t.Errorf("%s: a session that cannot be read is %+v", what, s)
				}
			}
			if good != 4 || bad != 4 {
				t.Errorf("%s gives %d sessions and %d errors, want 4 and 4", what, good, bad)
			}
		}
		check("Open", store.Open(t.Context()))
		check("Due", store.Due(t.Context(), 10, time.Hour))
		for s, err := range store.Due(t.Context(), 10, time.Hour) {
			t.Errorf("session %q is due again at once: %v", s.ID, err)
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE vending_sessions SET finished = (1=1), ended = opened"); err != nil {
			t.Fatal(err)
		}
		check("Closed", store.Closed(t.Context(), time.Time{}, time.Now().Add(time.Hour)))
		for id, want := range spoilt {
			if s, err := store.Load(t.Context(), id); !errors.Is(err, want) || s.ID != "" {
				t.Errorf("Load of %q: %v, want %v and no session", id, err, want)
			}
		}
	})
}
