package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"time"

	"github.com/vippsvending/vipps/examples/internal/subprocess"
)

// child is a worker as its parent sees it.
type child struct {
	*rpc.Client

	process *subprocess.Process
	hook    string // where it takes webhooks
}

// start starts a worker and waits until it runs.
func start(ctx context.Context, a Assignment) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := subprocess.Start(exec.Command(program, "worker")) //nolint:gosec,noctx // this program; it ends with its input
	if err != nil {
		return nil, err
	}
	go func() { _ = p.Wait() }() // calls that are under way say it
	c := &child{Client: rpc.NewClient(pipes{p.Output, p.Input}), process: p}
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
		p.Kill()
		return nil, fmt.Errorf("a worker does not start: %w: %s", err, p.Log.String())
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
	_ = c.process.Input.Close() // it may have been closed
	select {
	case <-c.process.Done():
	case <-time.After(20 * time.Second):
		c.process.Kill()
	}
}
