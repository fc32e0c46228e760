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
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	// The test cache must know what the examples are made of. Build looks at this module, these are the others.
	_ "github.com/vippsvending/vipps/internal/postgrestest"
	_ "github.com/vippsvending/vipps/ordermanagement"
	_ "github.com/vippsvending/vipps/qr"
	_ "github.com/vippsvending/vipps/vending/landing"
	_ "github.com/vippsvending/vipps/vending/sqlstore"
	_ "github.com/vippsvending/vipps/vending/vendingtest"
	_ "github.com/vippsvending/vipps/vending/vippstest"
)

// patience is more than any example takes, and bounds all of them. Soak bounds itself, by nearly four minutes.
const patience = 4 * time.Minute

// built is what the tests of this process have built so far.
var built struct {
	sync.Mutex

	dir   string // empty before the first
	names []string
}

// Build compiles examples, each once for all tests of a package, and gives the directory that they are in. TestMain removes
// it with [Clean]. Root is where this module is, as seen from the test.
func Build(tb testing.TB, root string, names ...string) (dir string) {
	tb.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" {
		if err := look(root); err != nil {
			tb.Fatal(err)
		}
		var err error
		if built.dir, err = os.MkdirTemp("", "examples"); err != nil { //nolint:usetesting // for all tests
			tb.Fatal(err)
		}
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(built.names, name) })
	if len(names) == 0 {
		return built.dir
	}
	args := []string{"build", "-ldflags=-w", "-o", built.dir + string(filepath.Separator)} // nobody debugs them
	for _, name := range names {
		args = append(args, "github.com/vippsvending/vipps/examples/"+name)
	}
	build := exec.Command("go", args...) //nolint:gosec,noctx // of names that tests give
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	built.names = append(built.names, names...)
	return built.dir
}

// Clean removes what Build has built. TestMain calls it after the tests.
func Clean() { _ = os.RemoveAll(built.dir) } // nothing, if nothing was built

// look makes the test cache notice when a source changes.
func look(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
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
