package password

import (
	"runtime"
	"syscall"
)

// hashNice is how far hashing steps back behind pages (0 to 19).
const hashNice = 10

// lowerPriority ties the worker to an operating-system thread of its own and
// lets that thread step back: a storm of sign-ins then takes the processor time
// that pages leave, and pages stay quick. Without hashing to do it costs
// nothing. The thread ends with its goroutine, because it stays locked.
func lowerPriority() {
	runtime.LockOSThread()
	// Raising niceness needs no right; should it fail, hashing is just not polite.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), hashNice)
}
