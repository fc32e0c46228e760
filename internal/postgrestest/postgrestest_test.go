package postgrestest

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestServer starts a server and ends it: nothing of it may be left.
func TestServer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a throwaway server needs a Unix")
	}
	server, err := start()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	address, err := url.Parse(server.url)
	if err != nil {
		t.Fatal(err)
	}
	dir := address.Query().Get("host")
	socket := filepath.Join(dir, ".s.PGSQL.5432")
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Errorf("the server that is ready does not answer: %v", err)
	} else {
		conn.Close()
	}
	server.stop()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder %s is left: %v", dir, err)
	}
	if conn, err := net.Dial("unix", socket); err == nil {
		conn.Close()
		t.Error("the server still answers after it was stopped")
	}
}
