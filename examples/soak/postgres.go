package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/internal/postgrestest"
)

// schema makes a schema of its own in a PostgreSQL database, and gives its address. Without an address the server is a
// throwaway one as well.
func schema(ctx context.Context, address string) (own string, drop func(), err error) {
	stop := func() {}
	if address == "" {
		if address, err = throwaway(); err != nil {
			return "", nil, err
		}
		stop = postgrestest.Stop
	}
	where, err := url.Parse(address)
	if err != nil {
		return "", nil, errors.New("-db: not an address")
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return "", nil, fmt.Errorf("-db: %w", err)
	}
	name := "soak_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+name); err != nil {
		return "", nil, errors.Join(fmt.Errorf("-db: %w", err), db.Close())
	}
	query := where.Query()
	query.Set("search_path", name)
	where.RawQuery = query.Encode()
	return where.String(), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if _, err := db.ExecContext(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			fmt.Println("the schema", name, "is left:", err)
		}
		_ = db.Close() // nothing is under way
		stop()
	}, nil
}

// throwaway starts a server that ends with this process.
func throwaway() (string, error) {
	var a asker
	if address := postgrestest.URL(&a); address != "" {
		return address, nil
	}
	return "", errors.New(a.refused + "; or give -db")
}

// asker asks for a server as a test does.
type asker struct {
	testing.TB
	refused string
}

func (*asker) Helper()                             {}
func (a *asker) Skipf(format string, args ...any)  { a.refused = fmt.Sprintf(format, args...) }
func (a *asker) Fatalf(format string, args ...any) { a.refused = fmt.Sprintf(format, args...) }
