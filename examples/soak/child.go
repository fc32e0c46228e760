package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/vippsvending/vipps/examples/internal/subprocess"
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
	*subprocess.Process

	address string
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
	cmd := exec.Command(program, "worker") //nolint:gosec,noctx // this program; it is killed
	cmd.Env = append(os.Environ(), c.env...)
	if c.verbose {
		cmd.Stderr = os.Stderr // for whoever watches
	}
	p, err := subprocess.Start(cmd)
	if err != nil {
		return err
	}
	r := &running{Process: p}
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(p.Output); lines.Scan(); {
			if address, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
				listening <- address
				continue
			}
			c.said(lines.Text())
		}
		_ = p.Wait() // whoever asks gets it from failed
	}()
	if _, err := p.Input.Write(append(told, '\n')); err != nil {
		p.Kill()
		return err
	}
	select {
	case r.address = <-listening:
	case <-p.Done():
		return c.why(p)
	case <-time.After(20 * time.Second):
		p.Kill()
		return fmt.Errorf("worker %s does not start", c.name)
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
	c.mu.Lock()
	c.running = r
	c.mu.Unlock()
	return nil
}

// kill kills the worker as a power cut would, and waits until it is gone.
func (c *child) kill() {
	c.mu.Lock()
	r := c.running
	c.running, c.paused = nil, false
	c.mu.Unlock()
	if r != nil {
		r.Kill()
	}
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
	return c.why(r.Process)
}

// why is nil as long as the worker runs, and if it was killed.
func (c *child) why(p *subprocess.Process) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("worker %s: %w: %s", c.name, err, p.Log.String())
	}
	return nil
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
	if err := freeze(c.running.Cmd.Process, stop); err != nil {
		return err
	}
	c.paused = stop
	return nil
}
