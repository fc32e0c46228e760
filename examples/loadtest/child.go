package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"sync"
	"time"
)

// child is a worker as its parent sees it.
type child struct {
	*rpc.Client

	cmd   *exec.Cmd
	input io.Closer
	said  tail
	hook  string // where it takes webhooks
}

// start starts a worker and waits until it runs.
func start(ctx context.Context, a Assignment) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(program, "worker")} //nolint:gosec,noctx // this program; it ends with its input
	dieTogether(c.cmd)
	c.cmd.Stderr = &c.said
	input, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.input = input
	c.Client = rpc.NewClient(pipes{output, input})
	call := c.Go("Worker.Start", a, &c.hook, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		err = call.Error
	case <-time.After(30 * time.Second):
		err = errors.New("it takes too long")
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		c.kill()
		return nil, fmt.Errorf("a worker does not start: %w: %s", err, c.said.String())
	}
	return c, nil
}

// pipes are a process's output and input as a connection.
type pipes struct {
	io.Reader
	io.WriteCloser
}

// stop ends the worker as a service manager does.
func (c *child) stop() {
	_ = c.input.Close() // it may have been closed
	slow := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
	_ = c.cmd.Wait() // whatever it says, it is gone
	slow.Stop()
}

// kill ends it as a power cut does.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may be dead
	_ = c.cmd.Wait()         // as above
}

// tail keeps the end of what a worker logs.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept.Len() > 1<<14 {
		t.kept.Next(1 << 13)
	}
	return t.kept.Write(b)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}
