package journal

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Jobs verifies the chain every day, and forgets the events whose time is over.
func (j *Journal) Jobs(r *jobs.Registry) {
	r.EveryWith("identity.verify_journal", 24*time.Hour, j.verifyDaily, jobs.Policy{Timeout: time.Hour})
	r.Every("identity.forget_events", 24*time.Hour, j.forget)
}

// verifyDaily verifies the whole chain and keeps what it found. The receipt goes
// to the log, which is usually collected on another machine.
func (j *Journal) verifyDaily(ctx context.Context) error {
	report, err := j.Verify(ctx, 0)
	if err != nil {
		return err
	}
	found := Fault{}
	if report.Fault != nil {
		found = *report.Fault
		j.log.Error("identity.journal_broken", "event", found.Seq, "how", string(found.How))
	} else {
		j.log.Info("identity.journal_verified", "from", report.From, "to", report.To, "receipt", report.Receipt)
	}
	return j.db.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).Verified(ctx, sqlgen.VerifiedParams{
			VerifiedAt: tx.Now(), VerifiedTo: report.To, BrokenSeq: found.Seq, BrokenHow: string(found.How),
		})
	})
}

// Checked is the last verification by the daily job; its time is zero before the
// first.
type Checked struct {
	At    time.Time
	To    int64 // the last event that was looked at
	Fault *Fault
}

// Checked returns what the last daily verification found.
func (j *Journal) Checked(ctx context.Context) (Checked, error) {
	head, err := sqlgen.New(j.db.Read()).Head(ctx)
	if err != nil {
		return Checked{}, err
	}
	c := Checked{At: head.VerifiedAt.Time(), To: head.VerifiedTo}
	if head.BrokenHow != "" {
		c.Fault = &Fault{head.BrokenSeq, How(head.BrokenHow)}
	}
	return c, nil
}

// late is how old the last verification may be before somebody should ask why.
const late = 3 * 24 * time.Hour

// Health says whether the chain held when it was last verified.
func (j *Journal) Health(ctx context.Context) health.Check {
	return health.Run(ctx, "identity.journal", func(ctx context.Context) (string, error) {
		c, err := j.Checked(ctx)
		switch {
		case err != nil:
			return "", err
		case c.Fault != nil:
			return "", Report{Fault: c.Fault}.Err()
		case c.At.IsZero():
			return "not verified yet", nil
		}
		if age := j.db.Now().Time().Sub(c.At); age > late {
			return "", Unverified.With(fault.Args{"since": c.At})
		}
		return "verified " + c.At.UTC().Format(time.RFC3339), nil
	})
}
