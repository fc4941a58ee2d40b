package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// journalCommand reads the journal of accounts, also while the workspace runs,
// and on a copy of its database and key file.
type journalCommand struct {
	Verify journalVerifyCommand `cmd:"" help:"Verify that no event was changed, removed or slipped in."`
	Export journalExportCommand `cmd:"" help:"Write the events to standard output, one JSON object on each line."`
}

// withJournal runs fn with the journal alone. Nothing is migrated: a copy of a
// database is evidence.
func (c configured) withJournal(t *terminal, fn func(*journal.Journal) error) (err error) {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	// Opening a key file that is not there would make one, whose signature fits nothing.
	if _, err := os.Stat(cfg.keyFile()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the key file %s is missing: without it the signature of the journal cannot be checked", cfg.keyFile())
	}
	keys, err := crypt.Open(cfg.keyFile())
	if err != nil {
		return err
	}
	d, err := db.Open(t, db.Config{DSN: cfg.dsn(), Log: quiet()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return fn(journal.New(journal.Deps{DB: d, Keys: keys, Log: quiet()}, cfg.Identity.Journal))
}

type journalVerifyCommand struct {
	configured
	From    int64  `help:"Begin at this event instead of the oldest one." placeholder:"NUMBER"`
	Receipt string `help:"Also check that the journal still holds what this receipt of an earlier verification speaks of." placeholder:"TEXT"`
}

func (c journalVerifyCommand) Run(t *terminal) error {
	return c.withJournal(t, func(j *journal.Journal) error {
		report, err := j.Verify(t, c.From)
		if err != nil {
			return err
		}
		if err := report.Err(); err != nil {
			return err
		}
		if report.To < report.From {
			t.say("The journal holds no event.")
		} else {
			t.say("Events %d to %d hold: none was changed, removed or slipped in.", report.From, report.To)
		}
		if c.Receipt != "" {
			kept, broken, err := j.Against(t, c.Receipt)
			switch {
			case err != nil:
				return err
			case broken != nil:
				return journal.Report{Fault: broken}.Err()
			case !kept:
				t.say("The event of the receipt was forgotten since, because its time was over.")
			default:
				t.say("The event of the receipt is there, unchanged.")
			}
		}
		if report.Receipt != "" {
			t.say("Receipt, to be kept on another machine: %s", report.Receipt)
		}
		return nil
	})
}

type journalExportCommand struct {
	configured
	From int64 `help:"Begin at this event instead of the oldest one." placeholder:"NUMBER"`
}

func (c journalExportCommand) Run(t *terminal) error {
	return c.withJournal(t, func(j *journal.Journal) error { return j.Export(t, t.out, c.From) })
}
