package worker

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// The acts that exchanges are kept under.
const (
	actFind    = "find"
	actCreate  = "create"
	actChange  = "change"
	actSuspend = "suspend"
	actDelete  = "delete"
)

// one does what is to be done about one account and writes down what became of
// it. An error is ours; what the service did not like is the failure.
func (w *Worker) one(ctx context.Context, s *Service, line ledger.Account, p person) (*target.Failure, error) {
	if line.Todo() == ledger.Put && (!p.there || s.Verdict(p.known, p.groups) != due.Due) {
		// The sources say otherwise since this was decided.
		return nil, w.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := w.decideOne(ctx, tx, s, campus.PersonID(line.Person), p, false)
			return err
		})
	}
	account := target.Account{Key: line.Person, Login: line.Login}
	if p.there {
		account = s.Account(p.known, p.groups)
	}
	account.Occasion = line.Version
	if line.Todo() == ledger.Put {
		var err error
		if line.Wanted, err = account.Digest(); err != nil {
			return nil, err
		}
	}
	asked, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	begun := time.Now()
	act, outcome, err := w.act(asked, s, line, account, p.known.Subject)
	took := time.Since(begun)
	if err != nil && ctx.Err() != nil {
		// The server stops, or lost the target: the next worker finds out how far it
		// came. Unless something was made: that is kept below.
		if outcome.Remote == "" {
			return nil, context.Cause(ctx)
		}
	}
	if err != nil {
		outcome.Failed = target.FailureOf(err)
	}
	return outcome.Failed, w.settle(context.WithoutCancel(ctx), s, line, act, outcome, took)
}

// act talks to the service. The outcome says what is known even when it fails.
func (w *Worker) act(ctx context.Context, s *Service, line ledger.Account, a target.Account, whole contract.Subject) (act string, o ledger.Outcome, err error) {
	o = ledger.Outcome{Work: line, Remote: line.RemoteID}
	if o.Remote == "" { // never made twice: first it is looked for
		found, ok, err := s.Target.Find(ctx, a)
		switch {
		case line.Todo() != ledger.Put && target.Is(err, target.Taken): // what is there is somebody else's
			return actFind, o, nil
		case err != nil:
			return actFind, o, err
		case ok && line.Todo() != ledger.Put && found.Key != line.Person: // nobody closes what is not ours
			return actFind, o, nil
		case ok:
			if f := strange(found, line, whole); f != nil {
				return actFind, o, f
			}
			o.Remote = found.ID
		case line.Todo() != ledger.Put && !blind(s.Target, line): // nothing to close
			return actFind, o, nil
		case line.Todo() != ledger.Put:
			o.Remote = line.Person
		default:
			return w.create(ctx, s, line, a, o)
		}
	}
	act, err = s.do(ctx, line.Todo(), o.Remote, a)
	if !target.Is(err, target.Gone) {
		return act, o, err
	}
	was := o.Remote
	o.Remote = ""
	if line.Todo() == ledger.Put {
		return act, o, err
	}
	// Gone is closed, unless it has another name now.
	found, ok, err := s.Target.Find(ctx, a)
	if err != nil || !ok || found.ID == was {
		return act, o, err
	}
	o.Remote = found.ID
	act, err = s.do(ctx, line.Todo(), o.Remote, a)
	return act, o, err
}

// strange is why an account that bears nobody's key is not taken over: it keeps the
// service itself, or what it tells of its owner is not what we know of the person. It
// is nil for an account that may be.
func strange(found target.Remote, line ledger.Account, whole contract.Subject) *target.Failure {
	if found.Key == line.Person {
		return nil
	}
	differs := func(there, here string) bool { return there != "" && here != "" && !strings.EqualFold(there, here) }
	var f *target.Failure
	switch {
	case found.Privileged != "":
		f = target.Fail(target.Privileged, "%s: %s", found.Login, found.Privileged)
	case line.AdoptID == found.ID: // an administrator said that it is theirs
		return nil
	case differs(found.Mail, whole.Mail):
		f = target.Fail(target.Differs, "%s has the address %s", found.Login, found.Mail)
	case differs(found.Number, whole.StudentNumber):
		f = target.Fail(target.Differs, "%s has the number %s", found.Login, found.Number)
	default:
		return nil
	}
	f.Other, f.Found = found.Login, found.ID
	return f
}

// do does one thing about an account that is there.
func (s *Service) do(ctx context.Context, todo ledger.Todo, remote string, a target.Account) (act string, err error) {
	switch todo {
	case ledger.Suspend:
		return actSuspend, s.Target.Suspend(ctx, remote, a)
	case ledger.Delete:
		return actDelete, s.Target.Delete(ctx, remote, a)
	default:
		return actChange, s.Target.Change(ctx, remote, a)
	}
}

// blind reports whether a target may have an account that it cannot be asked about.
func blind(t target.Target, line ledger.Account) bool {
	_, ok := t.(target.Blind)
	return ok && line.Exists()
}

func (w *Worker) create(ctx context.Context, s *Service, line ledger.Account, a target.Account, o ledger.Outcome) (string, ledger.Outcome, error) {
	if wait := line.SettlesAt.Sub(w.DB.Now()); !line.SettlesAt.IsZero() && wait > 0 {
		// The service may still be at work on the last request, whose answer got lost.
		return actFind, o, &target.Failure{Kind: target.Busy, Detail: "the answer to the last request got lost", After: wait}
	}
	o.Making = true
	id, err := s.Target.Create(ctx, a)
	o.Remote = id
	return actCreate, o, err
}

// settle writes an outcome into the ledger, with the exchange that it came from.
func (w *Worker) settle(ctx context.Context, s *Service, line ledger.Account, act string, o ledger.Outcome, took time.Duration) error {
	return w.DB.InTx(ctx, func(tx db.Tx) error {
		now, ok, err := w.Ledger.Of(ctx, tx, s.ID, campus.PersonID(line.Person))
		if err != nil || !ok {
			return err
		}
		now.Settle(o, s.Terms, tx.Now())
		if err := w.Ledger.Put(ctx, tx, now); err != nil {
			return err
		}
		e := ledger.Exchange{Target: s.ID, Person: campus.PersonID(line.Person), Act: act, Took: took}
		if o.Failed != nil {
			e.Reason, e.Detail = o.Failed.Reason().Code(), o.Failed.Detail
		} else if line.Todo() != ledger.Put {
			if err := w.Ledger.LetOneGo(ctx, tx, s.ID); err != nil {
				return err
			}
		}
		return w.Ledger.AddExchange(ctx, tx, e)
	})
}
