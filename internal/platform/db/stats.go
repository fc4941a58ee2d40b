package db

import (
	"database/sql"
	"sync/atomic"
	"time"
)

// Stats counts what a database has done since it was opened.
type Stats struct {
	// Queued is the number of transactions waiting for their turn now.
	Queued int
	// Transactions that were kept, and those that were undone by an error.
	Committed, Undone uint64
	// Commits is the number of durable commits; on SQLite many transactions
	// share one, and Committed divided by Commits is the mean size of a group.
	Commits uint64
	// LargestGroup is the most transactions that ever shared a commit.
	LargestGroup int
	// Reruns counts closures that ran again: after a deadlock on PostgreSQL,
	// after a shared commit that failed on SQLite.
	Reruns uint64
	// Slow counts closures over 50 ms, TooSlow those that were cut off.
	Slow, TooSlow uint64
	// CommitTime is the time spent in commits, which is mostly the disk's.
	CommitTime time.Duration
	// Pool is the state of the read pool (SQLite) or of the pool (PostgreSQL).
	Pool sql.DBStats
}

// counters is the running form of Stats.
type counters struct {
	committed, undone, commits, reruns, slow, tooSlow atomic.Uint64
	largestGroup                                      atomic.Int64
	commitNanos                                       atomic.Int64
}

func (c *counters) stats() Stats {
	return Stats{
		Committed:    c.committed.Load(),
		Undone:       c.undone.Load(),
		Commits:      c.commits.Load(),
		LargestGroup: int(c.largestGroup.Load()),
		Reruns:       c.reruns.Load(),
		Slow:         c.slow.Load(),
		TooSlow:      c.tooSlow.Load(),
		CommitTime:   time.Duration(c.commitNanos.Load()),
	}
}

// countCommit notes one durable commit shared by group transactions. Only one
// goroutine commits on SQLite and group is 1 on PostgreSQL, so the maximum
// needs no compare-and-swap.
func (c *counters) countCommit(group int, took time.Duration) {
	c.commits.Add(1)
	c.commitNanos.Add(int64(took))
	if int64(group) > c.largestGroup.Load() {
		c.largestGroup.Store(int64(group))
	}
}
