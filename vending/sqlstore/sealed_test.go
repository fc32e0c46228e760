package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// withKeys opens the database again with other keys.
func withKeys(t *testing.T, d database, keys ...[]byte) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), d.connect(t), sqlstore.Options{Dialect: d.dialect, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func create(t *testing.T, store vending.Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := store.Create(t.Context(), session(id)); err != nil {
			t.Fatal(err)
		}
	}
}

// resave loads a session and saves it as it is.
func resave(t *testing.T, store vending.Store, id string) {
	t.Helper()
	s, err := store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// readable says whether a session can be read and its secrets are what they were.
func readable(ctx context.Context, store vending.Store, id string) error {
	s, err := store.Load(ctx, id)
	if want := session(id); err == nil && (!bytes.Equal(s.Body.Open(), want.Body.Open()) || !bytes.Equal(s.RedirectURL.Open(), want.RedirectURL.Open())) {
		return errors.New("its secrets have changed")
	}
	return err
}

// TestSecretsAtRest looks for secrets in everything that the database holds, and in the files of SQLite.
func TestSecretsAtRest(t *testing.T) {
	t.Parallel()
	secrets := []string{"4712345678", "pay.example", "cGF5LmV4YW1wbGU", "phoneNumber"}
	onBoth(t, func(t *testing.T, d database) {
		store, db := d.open(t)
		create(t, store, "shop-a", "shop-b")
		resave(t, store, "shop-a")
		held := map[string]string{"the table": content(t, db, "vending_sessions")}
		if d.dialect == sqlstore.SQLite {
			var path string
			if err := db.QueryRowContext(t.Context(), "SELECT file FROM pragma_database_list").Scan(&path); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{path, path + "-wal"} {
				file, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				held[filepath.Base(name)] = string(file)
			}
		}
		for where, text := range held {
			if !strings.Contains(text, "shop-a") && strings.HasSuffix(where, "table") {
				t.Fatalf("%s does not hold the session at all", where)
			}
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds the secret %q", where, secret)
				}
			}
		}
	})
}

// TestKeys changes the key without a gap, and forgets an old one too soon.
func TestKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		first, second := key(1), key(2)
		create(t, withKeys(t, d, first), "shop-a", "shop-b")
		both := withKeys(t, d, second, first)
		for _, id := range []string{"shop-a", "shop-b"} {
			if err := readable(t.Context(), both, id); err != nil {
				t.Errorf("with the old key second: %s: %v", id, err)
			}
		}
		resave(t, both, "shop-a")
		only := withKeys(t, d, second)
		if err := readable(t.Context(), only, "shop-a"); err != nil {
			t.Errorf("a session that was saved with the new key: %v", err)
		}
		if err := readable(t.Context(), withKeys(t, d, first), "shop-a"); !errors.Is(err, sqlstore.ErrKey) {
			t.Errorf("with the old key alone, a session that was saved with the new one: %v", err)
		}
		err := readable(t.Context(), only, "shop-b")
		if !errors.Is(err, sqlstore.ErrKey) {
			t.Fatalf("without the key: %v, want ErrKey", err)
		}
		for _, part := range []string{"shop-b", "Body", "RedirectURL", sqlstore.KeyID(first), sqlstore.KeyID(second)} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("without the key: %q does not say %s", err, part)
			}
		}
		var left int
		if err := d.connect(t).QueryRowContext(t.Context(), "SELECT count(*) FROM vending_sessions WHERE sealed LIKE '%"+sqlstore.KeyID(first)+"%'").Scan(&left); err != nil || left != 1 {
			t.Errorf("%d sessions name the old key, %v; want one", left, err)
		}
	})
}

// TestSealedPlace moves and changes sealed values behind the store's back.
func TestSealedPlace(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		for what, statement := range map[string]string{
			"of another session": "UPDATE vending_sessions SET sealed = (SELECT sealed FROM vending_sessions WHERE id = 'shop-b') WHERE id = 'shop-a'",
			"in other fields":    `UPDATE vending_sessions SET sealed = replace(replace(replace(sealed, '"Body"', '"x"'), '"RedirectURL"', '"Body"'), '"x"', '"RedirectURL"') WHERE id = 'shop-a'`,
			"in no field":        `UPDATE vending_sessions SET sealed = replace(sealed, '"Body"', '"Nobody"') WHERE id = 'shop-a'`,
			"changed":            `UPDATE vending_sessions SET sealed = replace(sealed, '"data":"', '"data":"AAAA') WHERE id = 'shop-a'`,
			"cut":                `UPDATE vending_sessions SET sealed = '{"Body":{"key":"` + sqlstore.KeyID(key(1)) + `","data":"AAAA"}}' WHERE id = 'shop-a'`,
			"no JSON":            "UPDATE vending_sessions SET sealed = 'sesame' WHERE id = 'shop-a'",
		} {
			store, db := d.open(t)
			create(t, store, "shop-a", "shop-b")
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			err := readable(t.Context(), store, "shop-a")
			if !errors.Is(err, sqlstore.ErrCorrupt) || !strings.Contains(fmt.Sprint(err), "shop-a") {
				t.Errorf("sealed values %s: %v, want ErrCorrupt of shop-a", what, err)
			}
			if _, err := db.ExecContext(t.Context(), "DELETE FROM vending_sessions"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestNonces seals the same twice: it must not look the same.
func TestNonces(t *testing.T) {
	t.Parallel()
	store, db := sqlite(t).open(t)
	create(t, store, "shop-a")
	seen := map[string]bool{}
	for range 20 {
		var sealed string
		if err := db.QueryRowContext(t.Context(), "SELECT sealed FROM vending_sessions").Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		seen[sealed] = true
		resave(t, store, "shop-a")
	}
	if len(seen) != 20 {
		t.Errorf("of 20 saves %d look different", len(seen))
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for says, options := range map[string]sqlstore.Options{
		"Dialect":      {Keys: [][]byte{key(1)}},
		"at least one": {Dialect: sqlstore.SQLite},
		"has 16 bytes": {Dialect: sqlstore.SQLite, Keys: [][]byte{key(1)[:16]}},
		"Keys[0]: has 64 bytes, must have 32; decode hexadecimal with encoding/hex": {
			Dialect: sqlstore.SQLite, Keys: [][]byte{[]byte(strings.Repeat("0aF9", 16))},
		},
		"Keys[1]: has 0":    {Dialect: sqlstore.SQLite, Keys: [][]byte{key(1), nil}},
		"the same byte":     {Dialect: sqlstore.SQLite, Keys: [][]byte{make([]byte, 32)}},
		`"Oracle", must be`: {Dialect: "Oracle", Keys: [][]byte{key(1)}},
	} {
		d := sqlite(t)
		db := d.connect(t)
		if _, err := sqlstore.Open(t.Context(), db, options); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want it to say %q", err, says)
		}
		var tables int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil || tables != 0 {
			t.Errorf("%d tables were made, %v", tables, err)
		}
	}
	if sqlstore.KeyID(key(1)) == sqlstore.KeyID(key(2)) || len(sqlstore.KeyID(key(1))) != 16 {
		t.Error("keys have the same name")
	}
}
