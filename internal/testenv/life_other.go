//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

// endWithUs does nothing: only Linux ties a child's life to its parent's.
func endWithUs(*exec.Cmd, syscall.Signal) {}

// dieWithParent does nothing: only Linux tells about a parent's death.
func dieWithParent() {}
