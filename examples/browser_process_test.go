package examples_test

import (
	"io"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/examples/internal/process"
)

var local = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// shopWindow starts examples/landing and gives the address of its site, and the keys of its machines.
func shopWindow(t *testing.T, dir string, env []string, args ...string) (p *process.Process, address string, keys io.WriteCloser) {
	t.Helper()
	read, write := io.Pipe()
	p = process.StartTyping(t, dir, "landing", env, read, append([]string{"-addr", "127.0.0.1:0", "-pace", "100ms"}, args...)...)
	t.Cleanup(func() { _ = write.Close() }) // before the process is waited for, which reads to the end
	return p, local.FindString(p.Line("the sticker of oslo3, ")), write
}

// The example sells at each of its machines, with all of it in one process.
func TestBrowserLandingProcess(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "landing")
	running, address, keys := shopWindow(t, dir, nil)
	page := browser.New(t, browser.Options{Servers: []string{address}})
	press := func(line string) {
		if _, err := io.WriteString(keys, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}

	page.Open(address + "/m/oslo1")
	page.Click("button", "One more: Cola")
	page.Click("button", pay)
	page.Click("button", approve)
	page.WaitText(thanks, "Charged 25.00 NOK")

	page.Open(address + "/m/oslo2")
	press("oslo2 B2")
	page.WaitText("Chips")
	page.Click("button", pay)
	page.Click("button", approve)
	page.WaitText(thanks, "Charged 32.00 NOK")

	page.Open(address + "/m/oslo3")
	page.Click("button", pay)
	page.Click("button", approve)
	page.WaitText("Choose on the machine")
	press("oslo3 E5")
	press("oslo3 C3")
	page.WaitText("You can take one product")
	press("oslo3 done")
	page.WaitText(thanks, "Charged 40.00 NOK")

	page.Open(address + "/phone")
	page.WaitText("Captured 40.00 NOK", "Captured 32.00 NOK", "Captured 25.00 NOK")
	page.Accessible("the phone", "meta-refresh")
	running.Until("oslo3 says: ")
	stdout, stderr := running.Output()
	if leak := regexp.MustCompile(`token=|/m/s/|eyJ|\+47`).FindString(stdout + stderr); leak != "" || !strings.Contains(stdout, "oslo3 says: ") {
		t.Errorf("%q was printed:\n%s%s", leak, stdout, stderr)
	}
}

// The process is stopped while the customer is in the app, and started again: the same address tells how it went.
func TestBrowserLandingRestarted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be interrupted one by one on Windows")
	}
	dir := process.Build(t, ".", "emulator", "landing")
	app, _ := process.Emulator(t, dir)
	env := []string{"VIPPS_BASE_URL=" + app}
	db := filepath.Join(t.TempDir(), "sessions")
	first, address, keys := shopWindow(t, dir, env, "-db", db)
	page := browser.New(t, browser.Options{Servers: []string{address, app}})
	page.Open(address + "/m/oslo1")
	page.Click("button", "One more: Cola")
	page.Click("button", pay)
	page.WaitFor("button", approve)
	_ = keys.Close() // or the end is waited for
	first.Stop(syscall.SIGINT)
	if code := first.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	second, _, _ := shopWindow(t, dir, env, "-db", db, "-addr", strings.TrimPrefix(address, "http://"))
	page.Click("button", approve)
	page.WaitText(thanks, "Charged 25.00 NOK")
	second.Until("finished: session ")
}
