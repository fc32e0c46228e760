// Package jssdk_test runs the official JavaScript SDK against the emulator.
package jssdk_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// version is the SDK's, as package.json and package-lock.json have it.
const version = `"version": "2.4.2"`

func TestMain(m *testing.M) {
	code := m.Run()
	process.Clean()
	os.Exit(code)
}

// TestConformance needs node and the SDK, which CI installs with npm. Elsewhere it is skipped without them: a test suite of a
// Go module does not install JavaScript unasked.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", program)
		}
		t.Skipf("%s is not installed: the JavaScript SDK was not tried", program)
	}
	if installed, err := os.ReadFile("node_modules/@vippsmobilepay/sdk/package.json"); err != nil || !strings.Contains(string(installed), version) {
		if os.Getenv("CI") != "true" {
			t.Skip("the JavaScript SDK is not installed and was not tried: run npm ci in examples/jssdk")
		}
		run(t, nil, "npm", "ci", "--no-audit", "--no-fund")
	}
	dir := process.Build(t, "..", "emulator")
	address, emulator := process.Emulator(t, dir)
	said := run(t, []string{"VIPPS_BASE_URL=" + address}, "node", "conformance.mjs")
	t.Log(said)
	if !strings.Contains(said, "calls were answered as documented") {
		t.Errorf("the script did not come to its end:\n%s", said)
	}
	if _, log := emulator.Output(); strings.Contains(log, "4712345678") || strings.Contains(log, "any-subscription-key") {
		t.Errorf("the emulator has logged secrets:\n%s", log)
	}
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Env = append(os.Environ(), env...)
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return string(said)
}
