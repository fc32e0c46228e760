package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// What was open when the program ended goes on when it is started again.
func TestFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "kept")
	p, program := start(t, "-db", folder)
	p.buy("dynamic")
	stop(t, program)
	if again, err := os.ReadDir(folder); err != nil || len(again) == 0 {
		t.Fatalf("nothing is kept: %v", err)
	}
	again, program := start(t, "-db", folder)
	again.until("there again", func(v shown) bool { return v.Sale != nil })
	stop(t, program)
}

func stop(t *testing.T, program *process.Process) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be asked to end on Windows")
	}
	program.Stop(syscall.SIGINT)
	if code := program.Wait(); code != 0 {
		_, said := program.Output()
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestOthers(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	action := `{"do":"press","what":"A1"}`
	for name, test := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
	}{
		"the page":      {http.MethodGet, "/", "", nil, http.StatusOK},
		"favicon":       {http.MethodGet, "/favicon.ico", "", nil, http.StatusOK},
		"other host":    {http.MethodGet, "/", "", http.Header{"Host": {"evil.example"}}, http.StatusMisdirectedRequest},
		"other network": {http.MethodGet, "/events", "", http.Header{"Host": {"10.0.0.7:80"}}, http.StatusMisdirectedRequest},
		"cross-site":    {http.MethodPost, "/do", action, http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"other origin":  {http.MethodPost, "/do", action, http.Header{"Content-Type": {"application/json"}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		"a form":        {http.MethodPost, "/do", "do=press", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, http.StatusUnsupportedMediaType},
		"no action":     {http.MethodPost, "/do", "{", http.Header{"Content-Type": {"application/json"}}, http.StatusBadRequest},
		"no button":     {http.MethodPost, "/do", `{"do":"eat"}`, http.Header{"Content-Type": {"application/json"}}, http.StatusOK}, // and says so: no error of the page
		"no such code":  {http.MethodGet, "/code?mark=00", "", nil, http.StatusNotFound},
		"no payment":    {http.MethodGet, "/landing?token=made-up", "", nil, http.StatusNotFound},
		"no machine":    {http.MethodGet, "/m/nowhere", "", nil, http.StatusNotFound},
	} {
		if status, _ := p.read(test.method, test.path, test.body, test.header); status != test.status {
			t.Errorf("%s: status %d, want %d", name, status, test.status)
		}
	}
	_, content := p.read(http.MethodGet, "/", "", nil)
	if loads := regexp.MustCompile(`(?i)(src|href)="https?:|<style|style="|onclick|<script>`).FindString(content); loads != "" {
		t.Errorf("the page has %q in it", loads)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env, args []string
		says      string
	}{
		"port taken":      {nil, []string{"-addr", strings.TrimPrefix(p.address, "http://")}, "playground: -addr: listen tcp"},
		"every network":   {nil, []string{"-addr", "0.0.0.0:0"}, "playground: -addr: must be of this machine only"},
		"no folder":       {nil, []string{"-db", filepath.Join(file, "below")}, "playground: -db: "},
		"arguments":       {nil, []string{"sell"}, `playground: "sell": there are flags only; see -help`},
		"real money":      {[]string{"VIPPS_ENVIRONMENT=production", "VIPPS_CLIENT_ID=a", "VIPPS_CLIENT_SECRET=b", "VIPPS_SUBSCRIPTION_KEY=c", "VIPPS_MERCHANT_SERIAL_NUMBER=123456"}, nil, "playground: VIPPS_ENVIRONMENT: a playground is not for real money; use test"},
		"one key missing": {[]string{"VIPPS_ENVIRONMENT=test", "VIPPS_CLIENT_ID=a"}, nil, "playground: VIPPS_CLIENT_SECRET: must be set"},
	} {
		program := launch(t, test.env, test.args...)
		code := program.Wait()
		_, said := program.Output()
		if code != 1 || !strings.HasPrefix(said, test.says) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, want %q", name, code, said, test.says)
		}
	}
}

// The controller ends with its parent, in whatever way that ends.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("looks at /proc")
	}
	for name, how := range map[string]syscall.Signal{"asked to": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		folder := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-"))
		_, program := start(t, "-db", folder)
		if !controllerOf(t, folder) {
			t.Fatal("there is no controller")
		}
		program.Stop(how)
		program.Wait()
		limit := time.After(10 * time.Second)
		for controllerOf(t, folder) {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-limit:
				t.Fatalf("%s: the controller is still there", name)
			}
		}
	}
}

// controllerOf says whether some process has a database open in a folder.
func controllerOf(t *testing.T, folder string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && strings.HasPrefix(target, filepath.Join(folder, "sessions.db")) {
			return true
		}
	}
	return false
}

func TestNoTemporaryFolderIsLeft(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	program := launch(t, []string{"TMPDIR=" + temporary, "TEMP=" + temporary, "TMP=" + temporary})
	program.Line("open ")
	stop(t, program)
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// What is printed holds no secret.
func TestPrinted(t *testing.T) {
	t.Parallel()
	p, program := start(t)
	p.enter("till")
	p.buy("till")
	p.end("till")
	stdout, stderr := program.Output()
	if leak := regexp.MustCompile(`token|4712345678|eyJ|[A-Za-z0-9+/]{40}`).FindString(stdout + stderr); leak != "" {
		t.Errorf("%q was printed: %s%s", leak, stdout, stderr)
	}
	if !bytes.Contains([]byte(stdout), []byte("open http://127.0.0.1:")) {
		t.Errorf("printed %s", stdout)
	}
}
