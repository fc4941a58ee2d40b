// Package ledger keeps how far each person's account in each service is: what
// was decided, what is to be done, what became of it. Its rules stand in this
// file, without a database.
package ledger

import (
	"math/rand/v2"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Todo is what a worker has to do about an account.
type Todo string

// The things to do.
const (
	Nothing Todo = ""
	Put     Todo = "put" // create it, or make it what it should be
	Suspend Todo = "suspend"
	Delete  Todo = "delete"
)

// The order in which things are done: somebody may be waiting at the door, while
// closures can wait.
const (
	orderAsked = iota
	orderCreate
	orderChange
	orderClose
)

// Account is one line of the ledger.
type Account struct{ sqlgen.ProvisioningAccount }

// State is how far the account is.
func (a Account) State() contract.AccountState {
	return contract.AccountState(a.ProvisioningAccount.State)
}

// Todo is what a worker has to do.
func (a Account) Todo() Todo { return Todo(a.ProvisioningAccount.Todo) }

// Verdict is what the rule says of the person.
func (a Account) Verdict() due.Verdict { return due.Verdict(a.ProvisioningAccount.Verdict) }

// Exists reports whether the service has the account, or may have it.
func (a Account) Exists() bool { return a.RemoteID != "" || !a.SettlesAt.IsZero() }

// Terms are how a target closes accounts.
type Terms struct {
	// Keep is how long an account stays open after its owner is not due any more.
	Keep time.Duration
	// DeleteAfter is how long it stays suspended before it is deleted; zero for ever.
	DeleteAfter time.Duration
	// Settle is how long an answer that got lost may still have an effect.
	Settle time.Duration
}

// become changes the state and remembers since when.
func (a *Account) become(s contract.AccountState, now db.Time) {
	if a.State() != s {
		a.ProvisioningAccount.State, a.SinceAt = string(s), now
	}
}

// plan says what is to be done next, and when.
func (a *Account) plan(todo Todo, order int64, at db.Time) {
	if todo == Put { // what an answer that got lost may still do comes first: nothing is made twice
		at = max(at, a.SettlesAt)
	}
	a.ProvisioningAccount.Todo, a.TodoOrder, a.DueAt, a.Attempts = string(todo), order, at, 0
	a.Reason, a.Detail, a.Other, a.FoundID = "", "", "", ""
}

// Decide takes over what the rule says and what the service should be told,
// given as a digest. Again also retries what stands still because somebody had to
// decide. It reports whether anything is different now.
func (a *Account) Decide(v due.Verdict, wanted string, t Terms, again bool, now db.Time) bool {
	before := *a
	a.ProvisioningAccount.Verdict = string(v)
	if v == due.Due {
		a.decidePut(wanted, again, now)
	} else {
		a.decideClose(v, t, now)
	}
	if a.ProvisioningAccount == before.ProvisioningAccount {
		return false
	}
	a.Version++
	return true
}

func (a *Account) decidePut(wanted string, again bool, now db.Time) {
	same := a.Wanted == wanted
	a.Wanted = wanted
	switch stands := a.Todo() == Nothing && a.Reason != "" && same && !again; {
	case stands:
		return // refused, and nothing has changed since
	case a.State() == contract.AccountReady && a.Sent == wanted && a.Todo() != Nothing:
		a.plan(Nothing, 0, 0) // it was to change, and now it is not
	case a.State() == contract.AccountReady && a.Sent == wanted:
		return
	case a.Todo() == Put && same:
		return // under way
	case a.State() == contract.AccountReady:
		a.plan(Put, orderChange, now)
	default:
		a.become(contract.AccountQueued, now)
		a.plan(Put, orderCreate, now)
	}
}

func (a *Account) decideClose(v due.Verdict, t Terms, now db.Time) {
	switch {
	case a.State() == contract.AccountLeaving && a.Todo() == Delete && v == due.Suspended:
		a.plan(Nothing, 0, 0) // barred for a while is no reason to delete
	case a.State() == contract.AccountLeaving && a.Todo() == Nothing && v != due.Suspended && t.DeleteAfter > 0:
		a.plan(Delete, orderClose, a.SinceAt.Add(t.DeleteAfter))
	case a.State() == contract.AccountLeaving || a.State() == contract.AccountNotDue:
		return
	case !a.Exists():
		a.become(contract.AccountNotDue, now)
		a.plan(Nothing, 0, 0)
		a.Wanted = ""
	default:
		a.become(contract.AccountLeaving, now)
		at := now.Add(t.Keep)
		if v == due.Suspended {
			at = now
		}
		a.plan(Suspend, orderClose, at)
		a.Wanted = ""
	}
}

// Hurry puts what is to be done, or what stands still, in front of the queue. It
// reports whether there is anything to do.
func (a *Account) Hurry(now db.Time) bool {
	todo := a.Todo()
	if todo == Nothing && a.Verdict() == due.Due && (a.State() != contract.AccountReady || a.Sent != a.Wanted) {
		todo = Put
	}
	if todo == Nothing || todo == Delete { // what waits for its day is not hurried
		return false
	}
	if a.State() == contract.AccountBlocked {
		a.become(contract.AccountQueued, now)
	}
	a.plan(todo, orderAsked, now)
	a.Version++
	return true
}

// Adopt notes that an administrator says whose the account is that stands in the
// way, and has it taken over. It reports false when another one is in the way by now.
func (a *Account) Adopt(found string, now db.Time) bool {
	if found == "" || a.FoundID != found || a.Reason != target.AccountDiffers.Code() || a.Verdict() != due.Due {
		return false
	}
	a.AdoptID = found
	return a.Hurry(now)
}

// Drifted notes that the service's account is not what we made it.
func (a *Account) Drifted(missing bool, now db.Time) {
	if missing {
		a.RemoteID = ""
		a.become(contract.AccountQueued, now)
	}
	a.Sent = ""
	a.plan(Put, orderChange, now)
	a.Version++
}

// Outcome is what became of one attempt.
type Outcome struct {
	Work Account // as it was when the attempt began
	// Remote is the identifier in the service, when it is known.
	Remote string
	Failed *target.Failure
	// Making says that the account was being created when it failed.
	Making bool
}

// Settle writes an outcome into the line, which may have changed meanwhile: what
// was decided later counts, and what was learnt is kept.
func (a *Account) Settle(o Outcome, t Terms, now db.Time) {
	a.ExchangedAt = now
	if o.Remote != "" {
		a.RemoteID = o.Remote
	}
	if o.Failed != nil {
		if o.Making && o.Failed.Maybe {
			a.SettlesAt = now.Add(t.Settle)
		}
		if o.Failed.Kind == target.Gone {
			a.RemoteID, a.Sent = "", ""
		}
	} else {
		switch o.Work.Todo() {
		case Put:
			a.Sent, a.SettlesAt = o.Work.Wanted, 0
		case Suspend, Delete:
			a.Sent, a.SettlesAt = "", 0
		}
		if o.Work.Todo() == Delete || o.Work.Todo() == Suspend && o.Remote == "" {
			a.RemoteID = ""
		}
	}
	switch {
	case a.Version != o.Work.Version:
		a.overtaken(now)
	case o.Failed != nil:
		a.failed(o, t, now)
	default:
		a.done(o.Work.Todo(), t, now)
	}
}

// overtaken looks again at a line that was decided anew during the attempt: it may
// have been let off while there was no account, and now there is one.
func (a *Account) overtaken(now db.Time) {
	switch {
	case a.State() == contract.AccountNotDue && a.Exists():
		a.become(contract.AccountLeaving, now)
		a.plan(Suspend, orderClose, now)
	case a.Todo() == Put && a.Sent == a.Wanted && a.Wanted != "":
		a.become(contract.AccountReady, now)
		a.plan(Nothing, 0, 0)
	default:
		return
	}
	a.Version++
}

func (a *Account) done(todo Todo, t Terms, now db.Time) {
	switch todo {
	case Put:
		a.become(contract.AccountReady, now)
		a.plan(Nothing, 0, 0)
	case Suspend:
		a.plan(Nothing, 0, 0)
		switch {
		case a.RemoteID == "":
			a.become(contract.AccountNotDue, now)
		case a.Verdict() != due.Suspended && t.DeleteAfter > 0:
			a.plan(Delete, orderClose, now.Add(t.DeleteAfter))
		}
	case Delete:
		a.become(contract.AccountNotDue, now)
		a.plan(Nothing, 0, 0)
	}
}

func (a *Account) failed(o Outcome, t Terms, now db.Time) {
	f := o.Failed
	a.Reason, a.Detail, a.Other, a.FoundID = f.Reason().Code(), f.Detail, f.Other, f.Found
	switch {
	case f.Kind == target.Busy:
		a.DueAt = now.Add(max(f.After, firstPause))
	case f.Kind.OfEverybody():
		a.Attempts++
		a.DueAt = now.Add(pause(a.Attempts))
	case f.Kind == target.Gone:
		a.Attempts++
		a.Reason, a.Detail = "", "" // it is made again: nothing that somebody has to know
		a.DueAt = now.Add(time.Duration(a.Attempts-1) * firstPause)
	case o.Work.Todo() != Put: // a closure is never forgotten
		a.Attempts++
		a.DueAt = now.Add(time.Hour)
	case f.Kind == target.Partial: // the rest is tried again every night
		a.ProvisioningAccount.Todo, a.Sent = string(Nothing), ""
		a.become(contract.AccountReady, now)
	default:
		a.ProvisioningAccount.Todo = string(Nothing)
		if a.State() != contract.AccountReady { // who has an account keeps it, as it was
			a.become(contract.AccountBlocked, now)
		}
	}
	if o.Making && f.Maybe {
		a.DueAt = max(a.DueAt, a.SettlesAt)
	}
}

// firstPause is how long to wait after a first failure; each further one doubles
// it up to longestPause. A longer outage is the breaker's.
const (
	firstPause   = 10 * time.Second
	longestPause = 10 * time.Minute
)

// pause is how long to wait after the given number of failures. A fifth of it is
// random, so that those who failed together do not come back together.
func pause(failures int64) time.Duration {
	d := firstPause
	for i := int64(1); i < failures && d < longestPause; i++ {
		d *= 2
	}
	d = min(d, longestPause)
	return d - d/10 + rand.N(d/5+1)
}
