package bell

import (
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

const (
	// memoryFor is the longest that a notice written by another server takes to
	// be seen here; our own is seen at once.
	memoryFor = 5 * time.Second
	// memorySize bounds how many people are remembered: those of a busy moment.
	memorySize = 4096
)

// memory holds what people have waiting, for a few seconds.
type memory struct {
	mu     sync.Mutex
	people map[campus.PersonID]remembered
	// changes counts what was forgotten. A reader that began before a change must
	// not store what it read after it.
	changes uint64
}

type remembered struct {
	waiting Waiting
	until   time.Time
}

// get returns what is remembered of somebody. When that is nothing, since is to
// be handed to put.
func (m *memory) get(who campus.PersonID, now time.Time) (w Waiting, since uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.people[who]
	if !ok || !now.Before(r.until) {
		return Waiting{}, m.changes, false
	}
	return r.waiting, 0, true
}

func (m *memory) put(who campus.PersonID, w Waiting, now time.Time, since uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if since != m.changes {
		return
	}
	if m.people == nil || len(m.people) >= memorySize {
		// Starting afresh costs each of them one short query.
		m.people = make(map[campus.PersonID]remembered, 64)
	}
	m.people[who] = remembered{w, now.Add(memoryFor)}
}

func (m *memory) forget(who campus.PersonID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.people, who)
	m.changes++
}
