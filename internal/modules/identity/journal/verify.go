package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// How says in which way the chain does not hold.
type How string

// The ways in which a chain can be broken. Each has its sentence under
// [identity.journal.how].
const (
	Changed  How = "changed"  // what the event says is not what was written
	Absent   How = "absent"   // an event that was written is not there
	Unlinked How = "unlinked" // it does not follow the one before: one of the two was slipped in, moved or replaced
	Beyond   How = "beyond"   // it stands behind the signed end
	Unsigned How = "unsigned" // the ends of the chain do not bear our signature
	Replaced How = "replaced" // it is not the event that a receipt speaks of
)

// Fault is the first place where a chain does not hold.
type Fault struct {
	Seq int64
	How How
}

// Report is what a verification found.
type Report struct {
	From, To int64 // the first and the last event that were looked at
	Fault    *Fault
	// Receipt says, signed, how the chain ended; empty when it is broken or
	// empty. Kept elsewhere, it shows later that nothing before it was replaced,
	// even by somebody who brought back an old copy of the whole database.
	Receipt string
}

// Err is nil for a chain that holds, and otherwise [Broken].
func (r Report) Err() error {
	if r.Fault == nil {
		return nil
	}
	return Broken.With(fault.Args{"event": r.Fault.Seq, "how": string(r.Fault.How)})
}

// page is how many events are read at once.
const page = 1000

// purposeReceipt keeps receipts apart from other signatures.
const purposeReceipt = "identity.journal.receipt"

// Verify walks the chain from the event with number from, or from its beginning
// when from is 0, to its signed end as it is now. Events may be added and
// forgotten meanwhile.
func (j *Journal) Verify(ctx context.Context, from int64) (Report, error) {
	head, beyond, err := j.ends(ctx)
	if err != nil {
		return Report{}, err
	}
	at := link{head.StartSeq, head.StartHash}
	if from > head.StartSeq+1 {
		if at, err = j.link(ctx, from-1); err != nil {
			return Report{}, err
		}
	}
	report := Report{From: at.seq + 1, To: head.Seq}
	report.Fault, err = j.walk(ctx, at, link{head.Seq, head.Hash})
	switch {
	case err != nil:
		return Report{}, err
	case report.Fault != nil:
	case !j.signed(endsOf(head), head.Mac):
		report.Fault = &Fault{head.Seq, Unsigned}
	case beyond:
		report.Fault = &Fault{head.Seq + 1, Beyond}
	case head.Seq > 0:
		report.Receipt = j.keys.Sign(purposeReceipt, strconv.FormatInt(head.Seq, 10)+" "+head.Hash)
	}
	return report, nil
}

// Against checks that the event which a receipt speaks of is still there, as it
// was. kept is false when it was forgotten since, because its time was over:
// the receipt then says nothing.
func (j *Journal) Against(ctx context.Context, receipt string) (kept bool, broken *Fault, err error) {
	text, err := j.keys.Verify(purposeReceipt, strings.TrimSpace(receipt))
	if err != nil {
		return false, nil, ReceiptForm.From(err)
	}
	number, hash, _ := strings.Cut(text, " ")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return false, nil, ReceiptForm.From(err)
	}
	q := sqlgen.New(j.db.Read())
	head, err := q.Head(ctx)
	if err != nil {
		return false, nil, fmt.Errorf("read the head of the journal: %w", err)
	}
	if seq <= head.StartSeq {
		return false, nil, nil
	}
	row, err := q.BySeq(ctx, seq)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return true, &Fault{seq, Absent}, nil
	case err != nil:
		return true, nil, fmt.Errorf("read event %d: %w", seq, err)
	case row.Hash != hash:
		return true, &Fault{seq, Replaced}, nil
	}
	return true, nil, nil
}

// link is one event as its successor knows it.
type link struct {
	seq  int64
	hash string
}

// link returns the event with a number.
func (j *Journal) link(ctx context.Context, seq int64) (link, error) {
	row, err := sqlgen.New(j.db.Read()).BySeq(ctx, seq)
	if errors.Is(err, sql.ErrNoRows) {
		return link{}, FromForm.With(fault.Args{"event": seq + 1})
	}
	if err != nil {
		return link{}, fmt.Errorf("read event %d: %w", seq, err)
	}
	return link{row.Seq, row.Hash}, nil
}

func endsOf(h sqlgen.IdentityJournalHead) ends { return ends{h.Seq, h.Hash, h.StartSeq, h.StartHash} }

// ends reads the head, and whether an event stands behind it, as of one moment.
func (j *Journal) ends(ctx context.Context) (head sqlgen.IdentityJournalHead, beyond bool, err error) {
	err = j.db.InReadTx(ctx, func(q db.Querier) error {
		var err error
		if head, err = sqlgen.New(q).Head(ctx); err != nil {
			return err
		}
		rows, err := sqlgen.New(q).After(ctx, sqlgen.AfterParams{Seq: head.Seq, Limit: 1})
		beyond = len(rows) > 0
		return err
	})
	if err != nil {
		return head, false, fmt.Errorf("read the head of the journal: %w", err)
	}
	return head, beyond, nil
}

// walk follows the chain from one event to another, and returns the first place
// where it does not hold. Reads are short, so that a long walk keeps nobody from
// writing.
func (j *Journal) walk(ctx context.Context, at, end link) (*Fault, error) {
	q := sqlgen.New(j.db.Read())
	for at.seq < end.seq {
		rows, err := q.After(ctx, sqlgen.AfterParams{Seq: at.seq, Limit: page})
		if err != nil {
			return nil, fmt.Errorf("read the journal after event %d: %w", at.seq, err)
		}
		if len(rows) == 0 || rows[0].Seq != at.seq+1 {
			moved, err := j.forgottenSince(ctx, at)
			if err != nil {
				return nil, err
			}
			if moved.seq > at.seq {
				at = moved
				continue
			}
		}
		next, broken := follow(at, end, rows)
		if broken != nil {
			return broken, nil
		}
		at = next
	}
	if at.seq == end.seq && at.hash != end.hash {
		return &Fault{end.seq, Changed}, nil
	}
	return nil, nil
}

// follow checks rows that come after at, up to end, and returns the last one.
func follow(at, end link, rows []sqlgen.IdentityJournal) (link, *Fault) {
	for _, row := range rows {
		if row.Seq > end.seq {
			break
		}
		switch {
		case row.Seq != at.seq+1:
			return at, &Fault{at.seq + 1, Absent}
		case row.Previous != at.hash:
			return at, &Fault{row.Seq, Unlinked}
		case hashOf(row) != row.Hash:
			return at, &Fault{row.Seq, Changed}
		}
		at = link{row.Seq, row.Hash}
	}
	if len(rows) < page && at.seq < end.seq {
		return at, &Fault{at.seq + 1, Absent}
	}
	return at, nil
}

// forgottenSince is the beginning of the chain as it is now, if our signature is
// on it.
func (j *Journal) forgottenSince(ctx context.Context, at link) (link, error) {
	head, err := sqlgen.New(j.db.Read()).Head(ctx)
	if err != nil {
		return at, fmt.Errorf("read the head of the journal: %w", err)
	}
	if !j.signed(endsOf(head), head.Mac) {
		return at, nil
	}
	return link{head.StartSeq, head.StartHash}, nil
}
