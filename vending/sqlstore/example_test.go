package sqlstore_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver is the program's choice

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// A store of one machine, in a file. An operator gets it as vending.Config.Store.
func Example() {
	dir, err := os.MkdirTemp("", "vending")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	key := make([]byte, 32) // from a file that only this program may read: the same after every restart
	_, _ = rand.Read(key)

	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(dir, "sessions.db")))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: sqlstore.SQLite, Keys: [][]byte{key}})
	if err != nil {
		log.Fatal(err)
	}

	// What the operator does with it.
	now := time.Now()
	session := vending.Session{ID: "oslo12-7kq2m4xw9c3tf", Machine: "oslo12", Seat: "oslo12", State: vending.Opening, Now: now, Opened: now}
	if err := store.Create(ctx, session); err != nil {
		log.Fatal(err)
	}
	session.ID = "oslo12-aaaaaaaaaaaaa"
	fmt.Println(store.Create(ctx, session))
	for open, err := range store.Open(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(open.ID, open.State)
	}
	// Output:
	// vending: machine oslo12 is busy with session oslo12-7kq2m4xw9c3tf
	// oslo12-7kq2m4xw9c3tf Opening
}
