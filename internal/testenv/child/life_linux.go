package child

import (
	"os/exec"
	"syscall"
)

// EndWithUs makes the kernel send a signal to the command, not yet started,
// when we die, however that happens. The kernel watches the thread that starts
// the command, so a program that locks threads starts it from one that stays.
func EndWithUs(cmd *exec.Cmd, s syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = s
}

// DieWithParent asks for SIGTERM when whoever started us dies: `go run` is
// killed without a word to its child.
func DieWithParent() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0); errno != 0 {
		return errno
	}
	return nil
}
