package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/internal/postgrestest"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// Place is where sessions are kept: a driver of database/sql and an address for it, or nothing for memory.
type Place struct{ Driver, Address string }

// newPlace makes a store's place: a folder, or a schema. drop removes it.
func newPlace(ctx context.Context, store string) (p Place, drop func(), err error) {
	switch store {
	case "sqlite":
		dir, err := os.MkdirTemp("", "loadtest")
		if err != nil {
			return Place{}, nil, err
		}
		return Place{"sqlite", sqlstore.SQLiteDSN(filepath.Join(dir, "sessions.db"))}, func() { _ = os.RemoveAll(dir) }, nil
	case "postgres":
		return newSchema(ctx)
	default:
		return Place{}, func() {}, nil
	}
}

// newSchema makes a schema of its own: the server may be one that the environment names.
func newSchema(ctx context.Context) (p Place, drop func(), err error) {
	address, err := postgrestest.Server()
	if err != nil {
		return Place{}, nil, err
	}
	own, drop, err := database.Schema(ctx, address, "load")
	return Place{"pgx", own}, drop, err
}

// open opens the store. The database is nil for memory.
func (p Place) open(ctx context.Context) (vending.Store, *sql.DB, error) {
	if p.Driver == "" {
		return vending.NewMemoryStore(), nil, nil
	}
	key, err := hex.DecodeString(os.Getenv(database.Variable))
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open(p.Driver, p.Address)
	if err != nil {
		return nil, nil, err
	}
	dialect := sqlstore.SQLite
	if p.Driver == "pgx" {
		dialect = sqlstore.PostgreSQL
		db.SetMaxOpenConns(20)
		db.SetMaxIdleConns(20)
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: dialect, Keys: [][]byte{key}})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return store, db, nil
}

// counted is a store that counts what is asked of it. A claim is one write, but for one that finds nothing: that is counted
// apart.
type counted struct {
	vending.Store
	reads, writes, idle atomic.Int64
}

// Create implements [vending.Store].
func (c *counted) Create(ctx context.Context, s vending.Session) error {
	c.writes.Add(1)
	return c.Store.Create(ctx, s)
}

// Load implements [vending.Store].
func (c *counted) Load(ctx context.Context, id string) (vending.Session, error) {
	c.reads.Add(1)
	return c.Store.Load(ctx, id)
}

// Save implements [vending.Store].
func (c *counted) Save(ctx context.Context, s vending.Session) error {
	c.writes.Add(1)
	return c.Store.Save(ctx, s)
}

// Due implements [vending.Store].
func (c *counted) Due(ctx context.Context, limit int, lease time.Duration) iter.Seq2[vending.Session, error] {
	return func(yield func(vending.Session, error) bool) {
		found := false
		for s, err := range c.Store.Due(ctx, limit, lease) {
			if !found {
				c.writes.Add(1)
			}
			found = true
			if !yield(s, err) {
				return
			}
		}
		if !found {
			c.idle.Add(1)
		}
	}
}

// Wake implements [vending.Store].
func (c *counted) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	c.writes.Add(1)
	return c.Store.Wake(ctx, in, ids...)
}

// Rest implements [vending.Store].
func (c *counted) Rest(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
	c.writes.Add(1)
	return c.Store.Rest(ctx, in, sessions...)
}
