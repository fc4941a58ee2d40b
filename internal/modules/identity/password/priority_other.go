//go:build !linux

package password

// lowerPriority has no portable form; see priority_linux.go.
func lowerPriority() {}
