package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

const (
	// largestGroup bounds how many transactions share one commit, and
	// longestGroup how long the first of them waits for the others.
	largestGroup = 64
	longestGroup = 10 * time.Millisecond
)

// writer owns SQLite's one writing connection and commits in groups: each
// transaction runs under its own savepoint, one COMMIT makes the whole group
// durable, and only then are the callers answered. A sync of the disk costs
// far more than the rows, so sharing it is worth a factor of five.
//
// A closure runs on its caller's goroutine, to which the writer lends the
// connection for a turn. A panic therefore surfaces where it was caused, and a
// closure that hangs is left behind by the writer when its time is up.
type writer struct {
	clock    clock.Clock
	log      *slog.Logger
	heard    *announcements
	pool     *sql.DB
	conn     *connStatements
	queue    chan *operation
	closing  chan struct{}
	stopped  chan struct{}
	stopOnce sync.Once
	stopErr  error
	counters counters
	limit    time.Duration // on a closure
	most     int           // operations per group
}

// operation is one call of InTx on its way through the writer.
type operation struct {
	ctx   context.Context
	state atomic.Int32
	// turn lends the connection to the caller; nil tells it that err is final.
	turn chan *writeTx
	err  error
	// settled says that err stands even if the group is run again: the closure
	// panicked or was cut off.
	settled bool
	tx      *writeTx
	closure func(Tx) error
}

const (
	waiting int32 = iota
	taken         // the writer has begun with it
	left          // the caller went away first
)

// errGone marks a closure that ended by a panic or by runtime.Goexit.
var errGone = errors.New("db: the closure did not return")

func startWriter(ctx context.Context, path string, cfg Config, heard *announcements) (*writer, error) {
	pool, err := sql.Open("sqlite", sqliteWriteDSN(path))
	if err != nil {
		return nil, err
	}
	w := &writer{
		clock: cfg.Clock, log: cfg.Log, heard: heard, pool: pool,
		limit: closureLimit, most: largestGroup,
		queue: make(chan *operation, 1024), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	if err := w.connect(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	if err := refuseOldSQLite(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	pool.SetMaxOpenConns(1)
	go w.run()
	return w, nil
}

func (w *writer) connect(ctx context.Context) error {
	conn, err := w.pool.Conn(ctx)
	if err != nil {
		return err
	}
	w.conn = newConnStatements(conn)
	return nil
}

// do queues fn and returns when its group is durable or fn is undone.
func (w *writer) do(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	op := &operation{ctx: ctx, turn: make(chan *writeTx, 1), closure: fn}
	select {
	case w.queue <- op:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return ErrClosed
	}
	cancelled := ctx.Done()
	for {
		select {
		case tx := <-op.turn:
			if tx == nil {
				return op.answer()
			}
			op.take(tx)
		case <-cancelled:
			if op.state.CompareAndSwap(waiting, left) {
				return ctx.Err()
			}
			cancelled = nil // its turn has begun; the writer will answer
		case <-w.stopped:
			if op.state.CompareAndSwap(waiting, left) {
				return ErrClosed
			}
		}
	}
}

// answer is what InTx returns, after the hooks of a transaction that was kept.
func (op *operation) answer() error {
	if op.err == nil {
		for _, f := range op.tx.hooks {
			f()
		}
	}
	return op.err
}

// take runs the closure on the caller's goroutine and gives the turn back,
// whichever way the closure ends.
func (op *operation) take(tx *writeTx) {
	returned := false
	defer func() {
		if !returned {
			tx.done <- errGone
		}
	}()
	err := op.closure(tx)
	returned = true
	tx.done <- err
}

// run serves the queue until stop.
func (w *writer) run() {
	defer close(w.stopped)
	for {
		select {
		case op := <-w.queue:
			w.serve(op)
		case <-w.closing:
			for {
				select {
				case op := <-w.queue:
					w.serve(op)
				default:
					return
				}
			}
		}
	}
}

// serve runs first and whoever joins meanwhile in one durable group.
func (w *writer) serve(first *operation) {
	if err := w.begin(); err != nil {
		w.refuse(first, err)
		return
	}
	var group []*operation
	lost := false
	started := time.Now()
	for op := first; op != nil; op = w.next(len(group), started) {
		if op.ctx.Err() != nil || !op.state.CompareAndSwap(waiting, taken) {
			continue // its caller went away, or is about to notice that it should
		}
		group = append(group, op)
		if lost = !w.turn(op); lost {
			break
		}
	}
	if lost || w.commit(len(group)) != nil {
		w.rollback()
		w.oneByOne(group)
		return
	}
	for _, op := range group {
		w.settle(op)
	}
}

// next is one more operation for the group, or nil when it is time to commit.
func (w *writer) next(size int, started time.Time) *operation {
	if size >= w.most || time.Since(started) > longestGroup {
		return nil
	}
	select {
	case op := <-w.queue:
		return op
	default:
		return nil
	}
}

// turn lends the connection to one operation under a savepoint. It is false
// when the engine undid the whole transaction, as it does when the disk is
// full or a write was interrupted.
func (w *writer) turn(op *operation) bool {
	if _, err := w.conn.exec(context.Background(), "SAVEPOINT turn"); err != nil {
		return false
	}
	w.lend(op)
	if op.err != nil {
		if _, err := w.conn.exec(context.Background(), "ROLLBACK TO turn"); err != nil {
			return false
		}
	}
	_, err := w.conn.exec(context.Background(), "RELEASE turn")
	return err == nil
}

// oneByOne gives every operation of a lost group a transaction of its own, so
// that only the one at fault fails.
func (w *writer) oneByOne(group []*operation) {
	for _, op := range group {
		if !op.settled {
			w.alone(op)
		}
		w.settle(op)
	}
}

func (w *writer) alone(op *operation) {
	w.counters.reruns.Add(1)
	if op.err = w.begin(); op.err != nil {
		return
	}
	w.lend(op)
	if op.err == nil {
		op.err = w.commit(1)
	}
	if op.err != nil {
		w.rollback()
	}
}

// lend hands the connection to the operation's caller and waits until it comes
// back or the time is up, leaving the outcome in op.err.
func (w *writer) lend(op *operation) {
	started := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), w.limit)
	defer cancel()
	tx := &writeTx{w: w, ctx: ctx, now: At(w.clock.Now()), done: make(chan error, 1)}
	op.tx = tx
	op.turn <- tx
	var err error
	select {
	case err = <-tx.done:
		tx.end(ErrTxEnded)
	case <-ctx.Done():
		err = ErrTooSlow
		tx.end(ErrTooSlow)
	}
	if err == nil && tx.failed != nil {
		err = fmt.Errorf("%w: %w", ErrWentOn, tx.failed)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil && op.ctx.Err() == nil {
		err = ErrTooSlow // a statement was interrupted at the limit
	}
	op.err = err
	op.settled = errors.Is(err, errGone) || errors.Is(err, ErrTooSlow)
	w.noteDuration(op, time.Since(started))
}

// noteDuration makes a slow closure seen: everybody who writes waited for it.
func (w *writer) noteDuration(op *operation, took time.Duration) {
	switch {
	case errors.Is(op.err, ErrTooSlow):
		w.counters.tooSlow.Add(1)
		w.log.Error("db.transaction_too_slow", "closure", closureName(op.closure), "took", took)
	case took > slowClosure:
		w.counters.slow.Add(1)
		w.log.Warn("db.transaction_slow", "closure", closureName(op.closure), "took", took)
	}
}

// settle answers the caller for good.
func (w *writer) settle(op *operation) {
	if op.err == nil {
		w.counters.committed.Add(1)
	} else {
		w.counters.undone.Add(1)
	}
	op.turn <- nil
}

// refuse answers everybody in the queue when no transaction can begin:
// another program holds the file or the disk is broken, and letting each wait
// out the lock in turn would take minutes.
func (w *writer) refuse(op *operation, err error) {
	err = fmt.Errorf("begin: %w", err)
	w.log.Error("db.no_transaction", "error", err)
	for started := time.Now(); op != nil; op = w.next(0, started) {
		if op.state.CompareAndSwap(waiting, taken) {
			op.err = err
			w.settle(op)
		}
	}
}

func (w *writer) begin() error {
	ctx := context.Background()
	if _, err := w.conn.exec(ctx, "BEGIN IMMEDIATE"); err == nil {
		return nil
	}
	// Either a rollback failed before, or the connection is gone.
	w.rollback()
	_, err := w.conn.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil || !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	_, err = w.conn.exec(ctx, "BEGIN IMMEDIATE")
	return err
}

func (w *writer) commit(size int) error {
	started := time.Now()
	if _, err := w.conn.exec(context.Background(), "COMMIT"); err != nil {
		return err
	}
	w.counters.countCommit(size, time.Since(started))
	return nil
}

// rollback ends whatever transaction is left. It fails when the engine has
// undone it already, which is just what was wanted.
func (w *writer) rollback() {
	_, _ = w.conn.exec(context.Background(), "ROLLBACK")
}

// stop serves the queue to its end and closes the connection.
func (w *writer) stop() error {
	w.stopOnce.Do(func() {
		close(w.closing)
		<-w.stopped
		// Keeps the planner's statistics fresh; a database in use by another
		// program may refuse, and the next close makes up for it.
		_, _ = w.conn.conn.ExecContext(context.Background(), "PRAGMA optimize")
		w.stopErr = errors.Join(w.conn.close(), w.conn.conn.Close(), w.pool.Close())
	})
	return w.stopErr
}

// closureName tells which code a closure comes from.
func closureName(fn func(Tx) error) string {
	return runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
}
