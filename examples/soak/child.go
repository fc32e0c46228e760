package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// child is a worker as its parent sees it. It is killed and started again.
type child struct {
	name    string
	told    assignment
	env     []string
	said    func(line string) // what it prints
	verbose bool

	mu      sync.Mutex
	running *running // nil while it is dead
	paused  bool
}

// running is one life of a worker.
type running struct {
	cmd     *exec.Cmd
	input   io.Closer
	address string
	killed  bool
	done    chan struct{}
	err     error
}

// start starts the worker and waits until it listens.
func (c *child) start(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	told, err := json.Marshal(c.told)
	if err != nil {
		return err
	}
	r := &running{cmd: exec.Command(program, "worker"), done: make(chan struct{})} //nolint:gosec,noctx // this program; it is killed
	r.cmd.Env = append(os.Environ(), c.env...)
	dieTogether(r.cmd)
	input, err := r.cmd.StdinPipe()
	if err != nil {
		return err
	}
	output, err := r.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	last := tail{verbose: c.verbose}
	r.cmd.Stderr = &last
	if err := r.cmd.Start(); err != nil {
		return err
	}
	r.input = input
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if address, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
				listening <- address
				continue
			}
			c.said(lines.Text())
		}
		r.err = r.cmd.Wait()
		c.mu.Lock()
		if !r.killed {
			r.err = fmt.Errorf("worker %s ended by itself: %w: %s", c.name, errors.Join(r.err, errNotKilled), last.String())
		}
		c.mu.Unlock()
		close(r.done)
	}()
	if _, err := input.Write(append(told, '\n')); err != nil {
		return err
	}
	select {
	case r.address = <-listening:
	case <-r.done:
		return r.err
	case <-time.After(20 * time.Second):
		return fmt.Errorf("worker %s does not start", c.name)
	case <-ctx.Done():
	}
	c.mu.Lock()
	c.running = r
	c.mu.Unlock()
	return ctx.Err()
}

var errNotKilled = errors.New("nobody has killed it")

// kill kills the worker as a power cut would, and waits until it is gone.
func (c *child) kill() {
	c.mu.Lock()
	r := c.running
	c.running, c.paused = nil, false
	if r != nil {
		r.killed = true
	}
	c.mu.Unlock()
	if r == nil {
		return
	}
	_ = r.cmd.Process.Kill() // it may be dead
	<-r.done
	_ = r.input.Close()
}

// address is where the worker is reached; empty if it is dead or paused.
func (c *child) address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil || c.paused {
		return ""
	}
	return c.running.address
}

// failed says whether the worker has ended by itself, which it must not.
func (c *child) failed() error {
	c.mu.Lock()
	r := c.running
	c.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return r.err
	default:
		return nil
	}
}

// freeze stops the worker in the middle of whatever it does, and thaw lets it go on as if nothing had been.
func (c *child) freeze() error { return c.signal(true) }
func (c *child) thaw() error   { return c.signal(false) }

func (c *child) signal(stop bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil || c.paused == stop {
		return nil
	}
	if err := freeze(c.running.cmd.Process, stop); err != nil {
		return err
	}
	c.paused = stop
	return nil
}

// tail keeps the end of what a worker logs.
type tail struct {
	verbose bool
	mu      sync.Mutex
	kept    bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verbose {
		_, _ = os.Stderr.Write(b) // for whoever watches
	}
	if t.kept.Len() > 1<<16 {
		t.kept.Next(1 << 15)
	}
	return t.kept.Write(b)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}
