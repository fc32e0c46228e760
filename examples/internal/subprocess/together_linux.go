package subprocess

import (
	"os/exec"
	"syscall"
)

// dieTogether has a process killed when its parent dies, in whatever way.
func dieTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
