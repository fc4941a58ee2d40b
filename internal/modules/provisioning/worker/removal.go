package worker

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// removalsAtOnce is how many removals one slice of work does at most: whoever waits
// for an account comes next.
const removalsAtOnce = 50

// removals removes the accounts of people who were erased; stop says that the
// service is away, or wants to be left alone.
func (w *Worker) removals(ctx context.Context, s *Service) (stop bool, err error) {
	list, err := w.Ledger.RemovalsDue(ctx, s.ID, removalsAtOnce)
	if err != nil {
		return false, err
	}
	for _, r := range list {
		failed, err := w.remove(ctx, s, r)
		switch {
		case err != nil:
			return false, err
		case failed == nil, !failed.Kind.OfEverybody(), failed.Kind == target.Denied:
			// The service answers. That it does not let us delete is seen where the
			// removals are; other accounts are kept all the same.
		case failed.Kind == target.Busy:
			w.hold(s.ID, max(failed.After, time.Second))
			return true, nil
		default:
			return true, nil
		}
	}
	return false, nil
}

// remove removes one account and writes down what became of it.
func (w *Worker) remove(ctx context.Context, s *Service, r ledger.Removal) (*target.Failure, error) {
	asked, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	state, err := w.removeThere(asked, s, r)
	if err != nil {
		if ctx.Err() != nil { // the server stops: the next worker looks how far it came
			return nil, context.Cause(ctx)
		}
		failed := target.FailureOf(err)
		if failed.Kind != target.Busy {
			w.Log.WarnContext(ctx, "provisioning: the account of somebody who was erased could not be removed", "target", s.ID, "removal", r.ID, "reason", failed.Reason().Code())
		}
		return failed, w.Ledger.PutRemovalOff(ctx, r, failed.Reason().Code(), failed.Detail, r.Pause(failed.Kind.OfEverybody() && failed.Kind != target.Denied))
	}
	return nil, w.DB.InTx(context.WithoutCancel(ctx), func(tx db.Tx) error { return w.EndRemoval(ctx, tx, r, state, "") })
}

// EndRemoval ends a removal, as the service confirmed or as somebody says; who has
// come back meanwhile is then looked at again.
func (w *Worker) EndRemoval(ctx context.Context, tx db.Tx, r ledger.Removal, s contract.RemovalState, by campus.PersonID) error {
	if ended, err := w.Ledger.EndRemoval(ctx, tx, r, s, by); err != nil || !ended {
		return err
	}
	return w.Changed(ctx, tx, campus.PersonID(r.Person))
}

// removeThere asks the service. An account is removed only when it bears our key of
// the person, now, and is nobody else's in the ledger.
func (w *Worker) removeThere(ctx context.Context, s *Service, r ledger.Removal) (contract.RemovalState, error) {
	a := target.Account{Key: r.Person, Login: r.Login, Occasion: int64(r.AskedAt)}
	remote := r.RemoteID
	if _, blind := s.Target.(target.Blind); blind {
		if remote == "" {
			remote = r.Person
		}
		return ended(s.Target.Delete(ctx, remote, a))
	}
	there, ok, err := target.Remote{}, false, error(nil)
	if remote != "" {
		if there, ok, err = s.Target.At(ctx, remote, a); err != nil {
			return "", err
		}
	}
	if !ok { // renamed, or its identifier was never learnt
		there, ok, err = s.Target.Find(ctx, a)
		switch {
		case target.Is(err, target.Taken), err == nil && (!ok || there.Key != r.Person): // what is there is somebody else's
			return contract.RemovalAbsent, nil
		case err != nil:
			return "", err
		}
	}
	if there.Key != r.Person {
		return "", target.Fail(target.Taken, "the account %s does not bear our key of this person any more", there.ID)
	}
	others, err := w.Ledger.SharedWith(ctx, r, there.ID)
	if err != nil {
		return "", err
	}
	if others > 0 {
		return "", target.Fail(target.Taken, "the account %s is somebody else's in the ledger", there.ID)
	}
	return ended(s.Target.Delete(ctx, there.ID, a))
}

// ended is how a removal ended by what deleting answered.
func ended(err error) (contract.RemovalState, error) {
	if target.Is(err, target.Gone) {
		return contract.RemovalAbsent, nil
	}
	if err != nil {
		return "", err
	}
	return contract.RemovalDone, nil
}
