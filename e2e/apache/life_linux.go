package apache

import (
	"os/exec"
	"syscall"
)

// endWithTests makes the kernel end Apache when the test program dies.
func endWithTests(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
