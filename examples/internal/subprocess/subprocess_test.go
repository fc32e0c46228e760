package subprocess_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/subprocess"
)

// TestMain is a process that ends with its input, if it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv("SUBPROCESS") == "" {
		os.Exit(m.Run())
	}
	fmt.Println("started")
	_, _ = io.Copy(os.Stderr, os.Stdin)
	os.Exit(3)
}

func start(t *testing.T) *subprocess.Process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "SUBPROCESS=1")
	p, err := subprocess.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	output := bufio.NewReader(p.Output)
	if said, err := output.ReadString('\n'); said != "started\n" {
		t.Errorf("it said %q, %v", said, err)
	}
	go func() {
		_, _ = output.WriteTo(io.Discard)
		_ = p.Wait()
	}()
	return p
}

func TestKill(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.Kill()
	p.Kill() // again
	if err := p.Err(); err != nil {
		t.Errorf("it was killed: %v", err)
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	p := start(t)
	if _, err := io.WriteString(p.Input, strings.Repeat("a", 1<<20)+"the end"); err != nil {
		t.Fatal(err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("it runs: %v", err)
	}
	if err := p.Input.Close(); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := p.Err(); !errors.Is(err, subprocess.ErrEnded) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("it has ended by itself, with 3: %v", err)
	}
	if log := p.Log.String(); len(log) > 1<<17 || !strings.HasSuffix(log, "the end") {
		t.Errorf("%d bytes are kept of what it logged", len(log))
	}
}
