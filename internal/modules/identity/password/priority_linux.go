package password

import (
	"runtime"
	"syscall"
)

// hashNice is how far hashing steps back behind pages (0 to 19).
const hashNice = 10

// lowerPriority ties the worker to an operating-system thread of its own and
// lets that thread step back. It does not compute itself: argon2 has each of the
// eight parts of a hash of two passes, three milliseconds long, computed by a
// goroutine that runs at the usual priority. What steps back is the start of each
// part: on busy processors a hash waits there for what pages leave, and pages stay
// quick in a storm. Without hashing to do it costs nothing. The thread ends with
// its goroutine, because it stays locked.
func lowerPriority() {
	runtime.LockOSThread()
	// Raising niceness needs no right; should it fail, hashing is just not polite.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), hashNice)
}
