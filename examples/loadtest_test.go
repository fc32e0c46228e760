package examples_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// The load test sells a little, in each way that needs no server: its books agree, and its figures can be true.
func TestLoad(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "loadtest")
	for name, test := range map[string]struct {
		args []string
		sold string
	}{
		"memory":  {[]string{"-sessions", "60"}, "60"},
		"SQLite":  {[]string{"-store", "sqlite", "-sessions", "60", "-workers", "2"}, "60"},
		"polling": {[]string{"-sessions", "40", "-rate", "200", "-approve", "100ms-300ms", "-webhooks=false"}, "40"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			plot := filepath.Join(folder, "latency.svg")
			p := process.Start(t, dir, "loadtest", []string{"TMPDIR=" + folder, "TMP=" + folder}, append(test.args, "-plot", plot)...)
			code := p.Wait()
			stdout, stderr := p.Output()
			t.Logf("%s%s", stdout, stderr)
			if code != 0 {
				t.Fatalf("exit code %d", code)
			}
			number := func(line string) float64 {
				found := regexp.MustCompile(`(?m)^ *` + line).FindStringSubmatch(stdout)
				if found == nil {
					t.Fatalf("no %q", line)
				}
				n, err := strconv.ParseFloat(found[1], 64)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			number(`Sold +(` + test.sold + `)$`)
			number(`at rest +(` + test.sold + `)$`)
			if n := number(`API calls per session +([0-9.]+): create 1.00 `); n < 3 || n > 60 { // more, the longer it takes
				t.Errorf("%g calls", n)
			}
			if n := number(`store writes and reads per session +([0-9.]+) `); n < 5 || n > 120 { // as above
				t.Errorf("%g writes", n)
			}
			if n := number(`sessions per second and core of the SDK +([0-9]+):`); runtime.GOOS != "windows" && n < 1 {
				t.Errorf("%g sessions a second", n)
			}
			number(`approval to vend command +p50 ([0-9.]+)`)
			wellFormed(t, plot)
			if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
				t.Errorf("it leaves %v, %v", left, err)
			}
		})
	}
}

func wellFormed(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	circles := 0
	for drawing := xml.NewDecoder(file); ; {
		token, err := drawing.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			circles++
		}
	}
	if circles < 40 {
		t.Errorf("%d sales are drawn", circles)
	}
}
