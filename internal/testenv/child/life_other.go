//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// EndWithUs does nothing: only Linux ties a child's life to its parent's.
func EndWithUs(*exec.Cmd, syscall.Signal) {}

// DieWithParent does nothing: only Linux tells about a parent's death.
func DieWithParent() error { return nil }
