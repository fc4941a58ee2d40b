//go:build !linux

package apache

import "os/exec"

// endWithTests does nothing: only Linux ties a child's life to its parent's.
func endWithTests(*exec.Cmd) {}
