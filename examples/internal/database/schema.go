package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Schema makes a schema of its own in a PostgreSQL database, and gives the address that leads to it. Its name begins with
// prefix. Drop removes it.
func Schema(ctx context.Context, address, prefix string) (own string, drop func(), err error) {
	where, err := url.Parse(address)
	if err != nil {
		return "", nil, errors.New("the database: not an address") // it may hold a password
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return "", nil, err
	}
	name := prefix + "_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+name); err != nil {
		return "", nil, errors.Join(err, db.Close())
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
	}, nil
}
