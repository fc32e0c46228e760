package examples_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/examples/internal/process"
)

// TestMain runs more tests at once than there are cores, unless it is told how many: they wait for other processes.
func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(strconv.Itoa(3 * runtime.GOMAXPROCS(0)))
	}
	code := m.Run()
	browser.Close()
	process.Clean()
	os.Exit(code)
}

// TestBuiltOnce holds linking, the dearest part of these tests, to once for each program.
func TestBuiltOnce(t *testing.T) {
	t.Parallel()
	till := func() os.FileInfo {
		found, err := filepath.Glob(filepath.Join(process.Build(t, ".", "till"), "till*"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		info, err := os.Stat(found[0])
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if !os.SameFile(till(), till()) {
		t.Error("a second test has the program built again")
	}
}
