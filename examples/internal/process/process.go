// Package process runs examples as processes, for tests.
package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	// The test cache must know what the examples are made of.
	_ "github.com/vippsvending/vipps/examples/internal/audit"
	_ "github.com/vippsvending/vipps/examples/internal/database"
	_ "github.com/vippsvending/vipps/examples/internal/setup"
	_ "github.com/vippsvending/vipps/examples/internal/story"
	_ "github.com/vippsvending/vipps/examples/internal/termqr"
	_ "github.com/vippsvending/vipps/ordermanagement"
	_ "github.com/vippsvending/vipps/qr"
	_ "github.com/vippsvending/vipps/vending"
	_ "github.com/vippsvending/vipps/vending/vendingtest"
)

// patience is more than any example takes, and bounds all of them. Soak bounds itself, by nearly four minutes.
const patience = 4 * time.Minute

// Build compiles examples into a directory of the test's. Root is where this module is, as seen from the test.
func Build(tb testing.TB, root string, names ...string) (dir string) {
	tb.Helper()
	// Looking at the sources makes the test cache notice when they change.
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "node_modules":
			return filepath.SkipDir
		case !entry.IsDir():
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	dir = tb.TempDir()
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, "github.com/vippsvending/vipps/examples/"+name)
	}
	build := exec.Command("go", args...) //nolint:gosec,noctx // of names that tests give
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// Process is an example that runs.
type Process struct {
	tb     testing.TB
	cmd    *exec.Cmd
	done   chan struct{}
	err    error
	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
	more   chan struct{} // replaced and closed at each line of stdout
}

// Start runs a program of Build's directory. Of the variables that begin with VIPPS_ it sees those of env alone. It is killed
// at the end of the test.
func Start(tb testing.TB, dir, name string, env []string, args ...string) *Process {
	tb.Helper()
	return StartTyping(tb, dir, name, env, nil, args...)
}

// StartTyping is Start with a standard input, which must come to an end.
func StartTyping(tb testing.TB, dir, name string, env []string, input io.Reader, args ...string) *Process {
	tb.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	p := &Process{tb: tb, cmd: exec.CommandContext(ctx, filepath.Join(dir, name), args...), done: make(chan struct{}), more: make(chan struct{})} //nolint:gosec // as above
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "VIPPS_") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdin = input
	p.cmd.Stderr = &lockedWriter{&p.mu, &p.stderr}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewReader(stdout); ; {
			line, err := lines.ReadString('\n')
			p.mu.Lock()
			p.stdout.WriteString(line)
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
			if err != nil {
				break
			}
		}
		p.err = p.cmd.Wait()
	}()
	tb.Cleanup(func() {
		cancel()
		<-p.done
	})
	return p
}

type lockedWriter struct {
	mu     *sync.Mutex
	buffer *bytes.Buffer
}

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buffer.Write(b)
}

// Output is what the process has printed so far, both streams.
func (p *Process) Output() (stdout, stderr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String(), p.stderr.String()
}

// Line waits until the process has printed a line that begins with prefix, and gives the rest of it.
func (p *Process) Line(prefix string) string {
	p.tb.Helper()
	_, rest, _ := strings.Cut(p.Until("\n"+prefix), "\n"+prefix)
	return rest
}

// Until waits until the process has printed a text, and gives all up to the end of that line, after a line end of its own.
func (p *Process) Until(text string) string {
	p.tb.Helper()
	for ended := false; ; {
		p.mu.Lock()
		printed, more := "\n"+p.stdout.String(), p.more
		p.mu.Unlock()
		if before, rest, found := strings.Cut(printed, text); found {
			if line, _, whole := strings.Cut(rest, "\n"); whole {
				return before + text + line
			}
		}
		if ended {
			_, stderr := p.Output()
			p.tb.Fatalf("no %q in%s%s", text, printed, stderr)
		}
		select {
		case <-more:
		case <-p.done:
			ended = true // one last look
		}
	}
}

// Stop asks the process to end, as Ctrl-C and a service manager do.
func (p *Process) Stop(how syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(how); err != nil {
		p.tb.Fatal(err)
	}
}

// Wait waits for the end and gives the exit code.
func (p *Process) Wait() int {
	p.tb.Helper()
	<-p.done
	if _, exited := errors.AsType[*exec.ExitError](p.err); p.err != nil && !exited {
		p.tb.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Emulator starts examples/emulator, which must be in Build's directory, on a free port and gives its address.
func Emulator(tb testing.TB, dir string) (address string, p *Process) {
	tb.Helper()
	p = Start(tb, dir, "emulator", nil, "-addr", "127.0.0.1:0")
	return p.Line("listening on "), p
}
