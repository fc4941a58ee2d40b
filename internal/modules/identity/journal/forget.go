package journal

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// forget deletes the events that are older than the institution keeps them, and
// puts the hash of the last of them, signed, in their place: what remains still
// verifies. It stops in front of a place where the chain does not hold, for that
// is evidence.
func (j *Journal) forget(ctx context.Context) error {
	for {
		more, err := j.forgetSome(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// forgetSome forgets one page of events; more says whether there may be others.
func (j *Journal) forgetSome(ctx context.Context) (more bool, err error) {
	err = j.db.InTx(ctx, func(tx db.Tx) error {
		more = false
		q := sqlgen.New(tx)
		head, err := q.LockHead(ctx)
		if err != nil {
			return fmt.Errorf("lock the head of the journal: %w", err)
		}
		if !j.signed(endsOf(head), head.Mac) {
			return Report{Fault: &Fault{head.Seq, Unsigned}}.Err()
		}
		start := link{head.StartSeq, head.StartHash}
		rows, err := q.After(ctx, sqlgen.AfterParams{Seq: start.seq, Limit: page})
		if err != nil {
			return fmt.Errorf("read the oldest events: %w", err)
		}
		old := 0
		for old < len(rows) && rows[old].At.Before(tx.Now().Add(-j.config.Keep)) {
			old++
		}
		if old == 0 {
			return nil
		}
		last, broken := follow(start, link{rows[old-1].Seq, rows[old-1].Hash}, rows[:old])
		if broken != nil {
			return Report{Fault: broken}.Err()
		}
		mac := j.sign(ends{head.Seq, head.Hash, last.seq, last.hash})
		if err := q.SetStart(ctx, sqlgen.SetStartParams{StartSeq: last.seq, StartHash: last.hash, Mac: mac}); err != nil {
			return fmt.Errorf("move the beginning of the journal: %w", err)
		}
		if _, err := q.Forget(ctx, last.seq); err != nil {
			return fmt.Errorf("forget old events: %w", err)
		}
		more = old == page
		return nil
	})
	return more, err
}
