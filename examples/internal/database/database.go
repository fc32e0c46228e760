// Package database opens what an example keeps its sessions in: an SQLite file for a machine on its own, PostgreSQL for a
// fleet, or memory to try things. With a database an example that was killed goes on where it was when it is started again.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for PostgreSQL
	_ "modernc.org/sqlite"             // the driver for SQLite

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// Usage is what the flag -db means.
const Usage = "where sessions are kept: a file for SQLite, postgres://… for PostgreSQL, empty for memory"

// connections are as many as one example uses of a PostgreSQL server at once.
const connections = 20

// Database is where sessions are kept, and what stands beside it.
type Database struct {
	Store vending.Store

	db       *sql.DB
	folder   string // of the machines' journals; empty for the user's own
	beside   bool   // the journals of all machines are there
	machines machines
	earlier  map[string]bool
}

// Open opens what the flag -db names. Secrets are encrypted with the key in VIPPS_STORE_KEY, 64 hexadecimal digits. Without
// it a file makes itself one, in a file beside it that only its owner can read: that is enough for an example, and no more,
// since who copies the folder has both.
func Open(ctx context.Context, address string) (*Database, error) {
	if address == "" {
		return &Database{Store: vending.NewMemoryStore()}, nil
	}
	d := &Database{folder: address + ".machines", beside: true, earlier: map[string]bool{}}
	driver, source, options := "sqlite", sqlstore.SQLiteDSN(address), sqlstore.Options{Dialect: sqlstore.SQLite}
	key := func() ([]byte, error) { return keyBeside(address + ".key") }
	if IsPostgreSQL(address) {
		driver, source, options.Dialect = "pgx", address, sqlstore.PostgreSQL
		key, d.beside = keyGiven, false
		d.folder = ""
	}
	secret, err := key()
	if err != nil {
		return nil, err
	}
	options.Keys = [][]byte{secret}
	if d.db, err = sql.Open(driver, source); err != nil {
		return nil, fmt.Errorf("-db: %w", err)
	}
	if driver == "pgx" {
		d.db.SetMaxOpenConns(connections)
		d.db.SetMaxIdleConns(connections)
	}
	if d.Store, err = sqlstore.Open(ctx, d.db, options); err != nil {
		d.Close()
		return nil, fmt.Errorf("-db: %w", err)
	}
	for s, err := range d.Store.Open(ctx) {
		if err != nil {
			d.Close()
			return nil, fmt.Errorf("-db: %w", err)
		}
		d.earlier[s.ID] = true
	}
	return d, nil
}

// IsPostgreSQL says whether the flag -db names a server.
func IsPostgreSQL(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// Durable says whether sessions outlive the program.
func (d *Database) Durable() bool { return d.db != nil }

// Earlier says whether a session was there, and not finished, when the database was opened.
func (d *Database) Earlier(session string) bool { return d.earlier[session] }

// Close gives everything free. What a motor does is waited for.
func (d *Database) Close() {
	d.machines.close()
	if d.db != nil {
		_ = d.db.Close() // every write was acknowledged or repeated
	}
}
