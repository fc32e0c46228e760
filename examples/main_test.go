package examples_test

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
)

// TestMain runs more tests at once than there are cores, unless it is told how many: they wait for other processes.
func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(strconv.Itoa(3 * runtime.GOMAXPROCS(0)))
	}
	code := m.Run()
	browser.Close()
	os.Exit(code)
}
