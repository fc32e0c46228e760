package examples_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// A sale whose program is killed while the motor turns is finished by the next one: nobody knows whether the product came
// out, so it is not charged, not let out again, and a person is told at the desk.
func TestResume(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the motor's moment is told by a signal")
	}
	dir := process.Build(t, ".", "emulator", "dynamicqr", "ops")
	address, _ := process.Emulator(t, dir)
	folder := t.TempDir()
	db := filepath.Join(folder, "sessions.db")
	env := []string{"VIPPS_BASE_URL=" + address}
	approving := []string{"-db", db, "-approve", phone}
	killed := process.Start(t, dir, "dynamicqr", env, approving...)
	killed.Until("→ Vending:")
	killed.Stop(syscall.SIGKILL)
	killed.Wait()

	next := process.Start(t, dir, "dynamicqr", env, approving...)
	finish(t, next, 0, "captured 25.00 NOK", "result Sold", "the session and Vipps MobilePay agree")
	stdout, _ := next.Output()
	for _, line := range []string{
		`(?m)^left open: session oslo12-\w+ is Vending, and is finished first$`,
		`(?m)^finished: session oslo12-\w+, NotSold, released 25.00 NOK(, unknown 25.00 NOK)?$`,
	} {
		if !regexp.MustCompile(line).MatchString(stdout) {
			t.Errorf("no line like %q in:\n%s", line, stdout)
		}
	}

	desk := process.Start(t, dir, "ops", env, "-db", db, "all")
	finish(t, desk, 0)
	if stdout, _ := desk.Output(); !strings.Contains(stdout, "Sold, captured 25.00 NOK") || !strings.Contains(stdout, "NotSold, released 25.00 NOK") {
		t.Errorf("the desk has other sessions:\n%s", stdout)
	}
	key, err := os.Stat(db + ".key")
	if err != nil {
		t.Fatal(err)
	}
	if key.Mode() != fs.FileMode(0o600) {
		t.Errorf("the key can be read by others: %v", key.Mode())
	}
}

// The key is given, or the program says what is wrong with it, without repeating it.
func TestStoreKey(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "till")
	db := filepath.Join(t.TempDir(), "sessions.db")
	const key = "VIPPS_STORE_KEY=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for name, test := range map[string]struct {
		env  []string
		db   string
		code int
		line string
	}{
		"given":      {[]string{key}, db, 0, "the session and Vipps MobilePay agree"},
		"too short":  {[]string{"VIPPS_STORE_KEY=canary-short"}, db + "2", 1, "till: VIPPS_STORE_KEY: must be 64 hexadecimal digits"},
		"PostgreSQL": {nil, "postgres://localhost/none", 1, "till: VIPPS_STORE_KEY: must be set for PostgreSQL, to 64 hexadecimal digits, such as those of openssl rand -hex 32"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finish(t, process.Start(t, dir, "till", test.env, "-pace", "50ms", "-db", test.db), test.code, test.line)
			if _, err := os.Stat(db + ".key"); test.env != nil && err == nil {
				t.Error("a key was made though one was given")
			}
		})
	}
}
