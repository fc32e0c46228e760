package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/vippsvending/vipps/examples/internal/subprocess"
)

// workerFlag starts this program as the controller.
const workerFlag = "-worker"

// child is the controller as the rest of the playground sees it. Its power is cut and restored.
type child struct {
	said func(report)
	died func(error) // by itself

	mu      sync.Mutex
	running *running // nil while it has no power
}

// running is one life of the controller.
type running struct {
	*subprocess.Process

	at string
}

// start starts the controller and waits until it listens.
func (c *child) start(ctx context.Context, told assignment) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	line, err := json.Marshal(told) //nolint:gosec // into a pipe that nobody else reads
	if err != nil {
		return err
	}
	p, err := subprocess.Start(exec.Command(program, workerFlag)) //nolint:gosec,noctx // this program; it is killed
	if err != nil {
		return err
	}
	r := &running{Process: p}
	listening := make(chan string, 1)
	go c.hear(r, listening)
	if _, err := p.Input.Write(append(line, '\n')); err != nil {
		p.Kill()
		return err
	}
	select {
	case r.at = <-listening:
	case <-p.Done():
		return r.problem()
	case <-time.After(20 * time.Second):
		p.Kill()
		return errors.New("the controller does not start")
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
	c.mu.Lock()
	c.running = r
	c.mu.Unlock()
	return nil
}

// hear passes on what the controller says until it ends.
func (c *child) hear(r *running, listening chan<- string) {
	lines := bufio.NewReaderSize(r.Output, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		var said report
		if err == nil && json.Unmarshal(line, &said) == nil {
			if said.Listening != "" {
				listening <- said.Listening
			} else {
				c.said(said)
			}
		}
		if err != nil {
			break
		}
	}
	_ = r.Wait() // problem says it
	c.mu.Lock()
	was := c.running == r
	if was {
		c.running = nil
	}
	c.mu.Unlock()
	if was {
		c.died(r.problem())
	}
}

// problem is how the controller has ended by itself, with the last line that it logged.
func (r *running) problem() error {
	text := strings.TrimSpace(r.Log.String())
	return fmt.Errorf("the controller has %w: %s", r.Err(), text[strings.LastIndex(text, "\n")+1:])
}

// kill cuts the power, and waits until it is gone. What was said before has been heard.
func (c *child) kill() {
	c.mu.Lock()
	r := c.running
	c.running = nil
	c.mu.Unlock()
	if r != nil {
		r.Kill()
	}
}

// address is where the controller is reached; empty while it has no power.
func (c *child) address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		return ""
	}
	return c.running.at
}
