// Package subprocess starts processes that end with this one, and ends them as a power cut does.
package subprocess

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
)

// ErrEnded means that a process has ended by itself.
var ErrEnded = errors.New("ended by itself")

// Process is a process that its parent ends. Somebody must call [Process.Wait].
type Process struct {
	Cmd    *exec.Cmd
	Input  io.WriteCloser // its end is what a process that outlives its parent notices
	Output io.Reader
	Log    Tail // what it writes to standard error

	killed atomic.Bool
	done   chan struct{}
	err    error
}

// Start starts a command. Where its standard error goes, if anywhere, it goes besides [Process.Log].
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Cmd: cmd, done: make(chan struct{})}
	dieTogether(cmd)
	if cmd.Stderr == nil {
		cmd.Stderr = &p.Log
	} else {
		cmd.Stderr = io.MultiWriter(&p.Log, cmd.Stderr)
	}
	var err error
	if p.Input, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.Output, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, cmd.Start()
}

// Wait waits for the end, once everything that is wanted of Output has been read, and gives [Process.Err]. It is called once.
func (p *Process) Wait() error {
	_ = p.Cmd.Wait() // the state says it
	if !p.killed.Load() {
		p.err = fmt.Errorf("%w: %s", ErrEnded, p.Cmd.ProcessState)
	}
	close(p.done)
	return p.err
}

// Done is closed at the end.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is nil before the end, and after [Process.Kill]; otherwise it is [ErrEnded].
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Kill ends the process as a power cut does, and waits until it is gone.
func (p *Process) Kill() {
	p.killed.Store(true)
	_ = p.Cmd.Process.Kill() // it may be dead
	<-p.done
	_ = p.Input.Close()
}

// Tail keeps the end of what is written to it.
type Tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

// Write implements [io.Writer].
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept.Len() > 1<<16 {
		t.kept.Next(1 << 15)
	}
	return t.kept.Write(b)
}

func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}
