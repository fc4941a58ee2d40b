package main

import (
	"os/exec"
	"syscall"
)

// endWithUs makes the kernel send a signal to the child when we die, however
// that happens.
func endWithUs(cmd *exec.Cmd, s syscall.Signal) {
	cmd.SysProcAttr.Pdeathsig = s
}

// dieWithParent asks for SIGTERM when whoever started us dies: `go run` is
// killed without a word to its child.
func dieWithParent() {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0); errno != 0 {
		say("this run will not notice when its parent dies: %v", errno)
	}
}
