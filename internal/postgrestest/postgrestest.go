// Package postgrestest gives tests a PostgreSQL server: one that the environment names, or a throwaway one of their own
// with the durability that PostgreSQL has by default.
package postgrestest

import (
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

// URL gives the address of a server, as drivers take it. It is the same for all tests of a process, so each makes a schema
// of its own there. Where PostgreSQL is not installed the test is skipped; with CI set in the environment it fails.
//
// What it starts ends with the process; [Stop] does it sooner.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv(Variable); url != "" {
		return url
	}
	shared.once.Do(func() { shared.server, shared.err = start() })
	switch {
	case shared.err == nil:
		return shared.server.url
	case os.Getenv("CI") != "":
		tb.Fatalf("no PostgreSQL: %v", shared.err)
	default:
		tb.Skipf("no PostgreSQL: %v; set %s to use another server", shared.err, Variable)
	}
	return ""
}

// Stop ends the throwaway server, if there is one. TestMain calls it after the tests.
func Stop() {
	if shared.server != nil {
		shared.server.stop()
	}
}
