package diagnostic

import (
	"sync"
	"time"
)

// A browser that completes this many sign-ins to one service within this time
// goes round in circles: nobody signs in three times a minute on purpose.
const (
	loopCount = 3
	loopTime  = time.Minute
)

// loopsKept bounds the memory, about 200 bytes for each browser and service.
const loopsKept = 50_000

// LoopGuard sees sign-ins that go round in circles: we let somebody in, and the
// service sends them back. It is safe for concurrent use.
type LoopGuard struct {
	mu     sync.Mutex
	passed map[way]*turns
	swept  time.Time
}

// way is one browser on its way to one service.
type way struct{ browser, service string }

// turns are the newest sign-ins of a way.
type turns struct {
	at    [loopCount]time.Time // the oldest first
	count int                  // without a pause of loopTime between them
}

// NewLoopGuard makes a guard that has seen nothing.
func NewLoopGuard() *LoopGuard { return &LoopGuard{passed: map[way]*turns{}} }

// Passed notes that a browser was signed in to a service just now. It returns
// how often that happened in a row, and whether it is a loop. The browser is
// any stable name of it, such as the hash of its cookie.
func (g *LoopGuard) Passed(browser, service string, now time.Time) (count int, looping bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(now)
	key := way{browser, service}
	t := g.passed[key]
	if t == nil {
		if len(g.passed) >= loopsKept {
			return 1, false // full of the last minute: a crowd, and no time to watch each
		}
		t = &turns{}
		g.passed[key] = t
	}
	if now.Sub(t.at[loopCount-1]) >= loopTime {
		*t = turns{}
	}
	copy(t.at[:], t.at[1:])
	t.at[loopCount-1] = now
	t.count++
	return t.count, t.count >= loopCount && now.Sub(t.at[0]) < loopTime
}

// Forget lets a browser begin anew with every service, after it was cleaned.
func (g *LoopGuard) Forget(browser string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key := range g.passed {
		if key.browser == browser {
			delete(g.passed, key)
		}
	}
}

// sweep drops what is over, now and then.
func (g *LoopGuard) sweep(now time.Time) {
	if now.Sub(g.swept) < loopTime && len(g.passed) < loopsKept {
		return
	}
	if len(g.passed) >= loopsKept && now.Sub(g.swept) < time.Second {
		return
	}
	for key, t := range g.passed {
		if now.Sub(t.at[loopCount-1]) >= loopTime {
			delete(g.passed, key)
		}
	}
	g.swept = now
}
