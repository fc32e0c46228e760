package main

import (
	"os/exec"
	"syscall"
)

// dieTogether has the worker killed when its parent dies, in whatever way.
func dieTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
