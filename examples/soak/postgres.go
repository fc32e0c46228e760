package main

import (
	"context"
	"fmt"

	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/internal/postgrestest"
)

// schema makes a schema of its own in a PostgreSQL database, and gives its address. Without an address the server is a
// throwaway one as well.
func schema(ctx context.Context, address string) (own string, drop func(), err error) {
	stop := func() {}
	if address == "" {
		if address, err = postgrestest.Server(); err != nil {
			return "", nil, fmt.Errorf("%w; or give -db", err)
		}
		stop = postgrestest.Stop
	}
	own, remove, err := database.Schema(ctx, address, "soak")
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("-db: %w", err)
	}
	return own, func() {
		remove()
		stop()
	}, nil
}
