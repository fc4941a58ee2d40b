package worker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// samplesKept is how many findings of each kind a report names.
const samplesKept = 20

// Compare reads the accounts that a service has and puts right what the ledger
// thinks of them: what is missing or was changed there is made again. Strangers
// and doubles are only reported, for nobody knows whose they are.
func (w *Worker) Compare(ctx context.Context, targetID string) error {
	s, ok := w.services[targetID]
	if !ok {
		return nil // no longer in the configuration
	}
	begun, began := w.DB.Now(), time.Now()
	report := ledger.Report{}
	lister, ok := s.Target.(target.Lister)
	if !ok {
		return w.Ledger.KeepReport(ctx, targetID, report) // nothing to read: everybody was looked at
	}
	there, byID := map[string]target.Remote{}, map[string]target.Remote{}
	doubles := map[string]bool{}
	err := lister.List(ctx, func(r target.Remote) error {
		report.Listed++
		if r.Key == "" {
			byID[r.ID] = r
			return nil
		}
		report.Ours++
		if first, twice := there[r.Key]; twice && first.ID != r.ID {
			if !doubles[r.Key] {
				report.Doubles++
			}
			doubles[r.Key] = true
			note(&report, "double", r)
			return nil
		}
		there[r.Key] = r
		return nil
	})
	if err != nil {
		f := target.FailureOf(err)
		if e := w.Ledger.NoteFailure(ctx, targetID, f.Reason().Code(), f.Detail); e != nil {
			return e
		}
		return fmt.Errorf("read the accounts of %s: %w", targetID, err)
	}
	seen := make(map[string]bool, len(there))
	for after := campus.PersonID(""); ; {
		lines, err := w.Ledger.After(ctx, targetID, after, noteAtOnce)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			break
		}
		after = campus.PersonID(lines[len(lines)-1].Person)
		for _, line := range lines {
			seen[line.Person] = seen[line.Person] || line.Exists() || line.State() != contract.AccountNotDue
			r, listed := there[line.Person]
			if !listed { // a service that does not keep our key tells accounts by its own
				r, listed = byID[line.RemoteID]
			}
			if err := w.compareOne(ctx, s, line, r, listed, doubles[line.Person], begun, &report); err != nil {
				return err
			}
		}
	}
	for key, r := range there {
		if !seen[key] {
			report.Strangers++
			note(&report, "stranger", r)
		}
	}
	report.Took = time.Since(began)
	return w.Ledger.KeepReport(ctx, targetID, report)
}

func note(report *ledger.Report, finding string, r target.Remote) {
	n := 0
	for _, s := range report.Samples {
		if s.Finding == finding {
			n++
		}
	}
	if n < samplesKept {
		report.Samples = append(report.Samples, ledger.Sample{Finding: finding, Person: campus.PersonID(r.Key), Remote: r.ID, Login: r.Login})
	}
}

// compareOne looks at one line. What is under way, or was worked on since the
// reading began, is left: the list may be older.
func (w *Worker) compareOne(ctx context.Context, s *Service, line ledger.Account, r target.Remote, listed, double bool, begun db.Time, report *ledger.Report) error {
	if line.State() != contract.AccountReady || line.Todo() != ledger.Nothing || !line.ExchangedAt.Before(begun) || double {
		return nil
	}
	missing := !listed
	renamed := r.Login != "" && !strings.EqualFold(r.Login, line.Login)
	changed := listed && (r.Suspended || r.ID != line.RemoteID || renamed)
	if !missing && !changed {
		return nil
	}
	finding := "changed"
	if missing {
		finding = "missing"
		report.Missing++
	} else {
		report.Changed++
	}
	note(report, finding, target.Remote{ID: line.RemoteID, Key: line.Person, Login: line.Login})
	return w.DB.InTx(ctx, func(tx db.Tx) error {
		now, ok, err := w.Ledger.Of(ctx, tx, s.ID, campus.PersonID(line.Person))
		if err != nil || !ok || now.Version != line.Version {
			return err
		}
		if listed {
			now.RemoteID = r.ID
		}
		now.Drifted(missing, tx.Now())
		if err := w.Ledger.Put(ctx, tx, now); err != nil {
			return err
		}
		return w.Start(ctx, tx, s.ID)
	})
}
