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

// Lane says how likely somebody is whom they claim to be, before anything was
// checked. Who attacks the house waits among their like, and does not fill the
// line of those who live there.
type Lane int

// The lanes, the most likely first.
const (
	Known    Lane = iota // a browser that its owner was signed in with before
	Ordinary             // nothing is known
	Doubtful             // a network whose last attempts failed
	lanes
)

// turns is which lane is served next when people wait in all of them. One that
// is empty gives its turn to the first that is not, so none waits without reason
// and none waits for ever.
var turns = [...]Lane{Known, Ordinary, Known, Doubtful}

// share is how many of the turns are a lane's.
func share(l Lane) (n int) {
	for _, turn := range turns {
		if turn == l {
			n++
		}
	}
	return n
}

// line is the people of one lane.
type line struct {
	waiting []*Ticket
	head    int // index of the first ticket not yet taken
	served  uint64
	issued  uint64
}

func (l *line) length() int { return len(l.waiting) - l.head }

func (l *line) take() *Ticket {
	t := l.waiting[l.head]
	l.waiting[l.head] = nil
	l.head++
	l.served++
	if l.head > 1024 && l.head*2 > len(l.waiting) { // give the front back
		l.waiting = append([]*Ticket(nil), l.waiting[l.head:]...)
		l.head = 0
	}
	return t
}

// Queue computes hashes a few at a time, first come first served within each
// lane. Memory stays at workers × Params.Memory however many people arrive
// together, and whoever waits can be told their place.
type Queue struct {
	mu      sync.Mutex
	wake    *sync.Cond
	lines   [lanes]line
	turn    int
	doubted int  // doubtful work that runs now
	resting bool // doubtful work pauses, see rest
	workers int
	limit   int           // of each lane
	average time.Duration // of one piece of work, exponentially weighted
	stopped bool
	running sync.WaitGroup
}

// Ticket is one place in the line.
type Ticket struct {
	queue  *Queue
	lane   Lane
	number uint64
	work   func()
	done   chan struct{}
}

// NewQueue starts the workers. Limit is how many may wait in each lane. Stop ends
// them.
func NewQueue(workers, limit int) *Queue {
	q := &Queue{workers: max(1, workers), limit: limit, average: 25 * time.Millisecond}
	q.wake = sync.NewCond(&q.mu)
	q.running.Add(q.workers)
	for range q.workers {
		go q.serve()
	}
	return q
}

// Join puts work at the end of the ordinary lane.
func (q *Queue) Join(work func()) (*Ticket, error) { return q.JoinLane(Ordinary, work) }

// JoinLane puts work at the end of a lane. The work runs once, on a worker, and
// must not touch the database: it holds up everybody behind it.
func (q *Queue) JoinLane(lane Lane, work func()) (*Ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := &q.lines[lane]
	switch {
	case q.stopped:
		return nil, ErrStopped
	case l.length() >= q.limit:
		return nil, ErrFull
	}
	l.issued++
	t := &Ticket{queue: q, lane: lane, number: l.issued, work: work, done: make(chan struct{})}
	l.waiting = append(l.waiting, t)
	q.wake.Signal()
	return t, nil
}

// next takes the ticket whose turn it is; nil when nobody waits, or only doubtful
// work that must leave this worker free for others.
func (q *Queue) next() *Ticket {
	for _, lane := range [...]Lane{turns[q.turn%len(turns)], Known, Ordinary, Doubtful} {
		if q.lines[lane].length() == 0 || lane == Doubtful && (q.resting && !q.stopped || q.doubted >= max(1, q.workers/2)) {
			continue
		}
		q.turn++
		t := q.lines[lane].take()
		if lane == Doubtful {
			q.doubted++
		}
		return t
	}
	return nil
}

// serve is one worker.
func (q *Queue) serve() {
	defer q.running.Done()
	lowerPriority()
	for {
		q.mu.Lock()
		t := q.next()
		for ; t == nil && !q.stopped; t = q.next() {
			q.wake.Wait()
		}
		q.mu.Unlock()
		if t == nil {
			return
		}

		start := time.Now()
		t.work()
		took := time.Since(start)
		close(t.done)

		q.mu.Lock()
		if t.lane == Doubtful {
			q.doubted-- // this worker looks for the next itself
			q.rest(took)
		}
		q.average += (took - q.average) / 16
		q.mu.Unlock()
	}
}

// rest keeps doubtful work from running for as long as the last one took. Hashing
// takes the memory bus as well as a core: without pauses an attack would slow down
// those who are served on the other cores.
func (q *Queue) rest(d time.Duration) {
	q.resting = true
	time.AfterFunc(d, func() {
		q.mu.Lock()
		q.resting = false
		q.mu.Unlock()
		q.wake.Signal()
	})
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
	own := &q.lines[t.lane]
	if t.number <= own.served {
		return 0, 0
	}
	before := int(t.number - own.served)
	ahead := before
	for lane := range q.lines { // the others take their turns meanwhile, while there are any
		if Lane(lane) != t.lane {
			ahead += min(q.lines[lane].length(), before*share(Lane(lane))/share(t.lane))
		}
	}
	return ahead, time.Duration(ahead) * q.average / time.Duration(q.workers)
}

// Length is how many wait, and about how long the last of them will.
func (q *Queue) Length() (int, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for lane := range q.lines {
		n += q.lines[lane].length()
	}
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
