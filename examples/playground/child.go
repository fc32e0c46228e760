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
	cmd     *exec.Cmd
	input   io.Closer
	at      string
	killed  bool
	done    chan struct{}
	stderr  tail
	problem error
}

// errDied means that the controller has ended by itself.
var errDied = errors.New("the controller has ended by itself")

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
	r := &running{cmd: exec.Command(program, workerFlag), done: make(chan struct{})} //nolint:gosec,noctx // this program; it is killed
	dieTogether(r.cmd)
	input, err := r.cmd.StdinPipe()
	if err != nil {
		return err
	}
	output, err := r.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	r.cmd.Stderr, r.input = &r.stderr, input
	if err := r.cmd.Start(); err != nil {
		return err
	}
	listening := make(chan string, 1)
	go c.hear(r, output, listening)
	if _, err := input.Write(append(line, '\n')); err != nil {
		r.end()
		return err
	}
	select {
	case r.at = <-listening:
	case <-r.done:
		return r.problem
	case <-time.After(20 * time.Second):
		r.end()
		return errors.New("the controller does not start")
	case <-ctx.Done():
		r.end()
		return ctx.Err()
	}
	c.mu.Lock()
	c.running = r
	c.mu.Unlock()
	return nil
}

// hear passes on what the controller says until it ends.
func (c *child) hear(r *running, output io.Reader, listening chan<- string) {
	lines := bufio.NewReaderSize(output, 1<<16)
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
	err := r.cmd.Wait()
	c.mu.Lock()
	if !r.killed {
		r.problem = fmt.Errorf("%w: %w: %s", errDied, errors.Join(err), r.stderr.last())
	}
	was := c.running == r
	if was {
		c.running = nil
	}
	c.mu.Unlock()
	close(r.done)
	if was {
		c.died(r.problem)
	}
}

// kill cuts the power, and waits until it is gone. What was said before has been heard.
func (c *child) kill() {
	c.mu.Lock()
	r := c.running
	c.running = nil
	if r != nil {
		r.killed = true
	}
	c.mu.Unlock()
	if r != nil {
		r.end()
	}
}

func (r *running) end() {
	_ = r.cmd.Process.Kill() // it may be dead
	<-r.done
	_ = r.input.Close()
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

// tail keeps the end of what the controller logs.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept.Len() > 1<<16 {
		t.kept.Next(1 << 15)
	}
	return t.kept.Write(b)
}

// last is the last line.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(t.kept.String())
	return text[strings.LastIndex(text, "\n")+1:]
}
