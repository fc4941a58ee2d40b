package password

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull means that the line is so long that joining it would be no kindness.
var ErrFull = errors.New("password: the line is full")

// ErrStopped means that the house is closing.
var ErrStopped = errors.New("password: the line is closed")

// Queue computes hashes a few at a time, first come first served. Memory stays
// at workers × Params.Memory however many people arrive together, and whoever
// waits can be told their place.
type Queue struct {
	mu      sync.Mutex
	wake    *sync.Cond
	waiting []*Ticket
	head    int // index of the first ticket not yet taken
	served  uint64
	issued  uint64
	workers int
	limit   int
	average time.Duration // of one piece of work, exponentially weighted
	stopped bool
	running sync.WaitGroup
}

// Ticket is one place in the line.
type Ticket struct {
	queue  *Queue
	number uint64
	work   func()
	done   chan struct{}
}

// NewQueue starts the workers. Limit is how many may wait. Stop ends them.
func NewQueue(workers, limit int) *Queue {
	q := &Queue{workers: max(1, workers), limit: limit, average: 25 * time.Millisecond}
	q.wake = sync.NewCond(&q.mu)
	q.running.Add(q.workers)
	for range q.workers {
		go q.serve()
	}
	return q
}

// Join puts work at the end of the line. The work runs once, on a worker, and
// must not touch the database: it holds up everybody behind it.
func (q *Queue) Join(work func()) (*Ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.stopped:
		return nil, ErrStopped
	case len(q.waiting)-q.head >= q.limit:
		return nil, ErrFull
	}
	q.issued++
	t := &Ticket{queue: q, number: q.issued, work: work, done: make(chan struct{})}
	q.waiting = append(q.waiting, t)
	q.wake.Signal()
	return t, nil
}

// serve is one worker.
func (q *Queue) serve() {
	defer q.running.Done()
	lowerPriority()
	for {
		q.mu.Lock()
		for q.head == len(q.waiting) && !q.stopped {
			q.wake.Wait()
		}
		if q.head == len(q.waiting) {
			q.mu.Unlock()
			return
		}
		t := q.waiting[q.head]
		q.waiting[q.head] = nil
		q.head++
		q.served++
		if q.head > 1024 && q.head*2 > len(q.waiting) { // give the front back
			q.waiting = append([]*Ticket(nil), q.waiting[q.head:]...)
			q.head = 0
		}
		q.mu.Unlock()

		start := time.Now()
		t.work()
		took := time.Since(start)
		close(t.done)

		q.mu.Lock()
		q.average += (took - q.average) / 16
		q.mu.Unlock()
	}
}

// Done is closed when the work has run.
func (t *Ticket) Done() <-chan struct{} { return t.done }

// Wait waits for the work to have run, or for ctx to end.
func (t *Ticket) Wait(ctx context.Context) error {
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Place is how many are served before this ticket is done: 0 when it is being
// served or is done. The second result estimates how long that takes.
func (t *Ticket) Place() (int, time.Duration) {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.number <= q.served {
		return 0, 0
	}
	ahead := int(t.number - q.served)
	return ahead, time.Duration(ahead) * q.average / time.Duration(q.workers)
}

// Length is how many wait, and how long a newcomer would.
func (q *Queue) Length() (int, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.waiting) - q.head
	return n, time.Duration(n) * q.average / time.Duration(q.workers)
}

// Stop lets nobody join any more, serves those who wait and returns when the
// workers have gone home.
func (q *Queue) Stop() {
	q.mu.Lock()
	q.stopped = true
	q.wake.Broadcast()
	q.mu.Unlock()
	q.running.Wait()
}
