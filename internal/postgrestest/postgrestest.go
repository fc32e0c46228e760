// Package postgrestest gives tests a PostgreSQL server: one that the environment names, or a throwaway one of their own
// with the durability that PostgreSQL has by default.
package postgrestest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// Variable is the environment variable that names a server to use instead of a throwaway one:
// postgres://user:password@host/database. The user has to be allowed to make schemas there.
const Variable = "VIPPS_TEST_POSTGRES_URL"

// shared is the throwaway server of this process.
var shared struct {
	once   sync.Once
	server *server
	err    error
}

// URL is [Server] for a test, which is skipped where PostgreSQL is not installed; with CI set in the environment it fails.
func URL(tb testing.TB) string {
	tb.Helper()
	url, err := Server()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		tb.Fatal(err)
	default:
		tb.Skip(err)
	}
	return url
}

// Server gives the address of a server, as drivers take it. It is the same for everybody in a process, so each makes a schema
// of its own there.
//
// What it starts ends with the process; [Stop] does it sooner.
func Server() (url string, err error) {
	if url := os.Getenv(Variable); url != "" {
		return url, nil
	}
	shared.once.Do(func() { shared.server, shared.err = start() })
	if shared.err != nil {
		return "", fmt.Errorf("no PostgreSQL: %w; set %s to use another server", shared.err, Variable)
	}
	return shared.server.url, nil
}

// Stop ends the throwaway server, if there is one. TestMain calls it after the tests.
func Stop() {
	if shared.server != nil {
		shared.server.stop()
	}
}
