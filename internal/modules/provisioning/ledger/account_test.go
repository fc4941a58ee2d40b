package ledger

import (
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var (
	noon  = db.At(time.Date(2026, time.September, 7, 12, 0, 0, 0, time.UTC))
	terms = Terms{Keep: time.Hour, DeleteAfter: 48 * time.Hour, Settle: time.Minute}
)

// ready is somebody's account as it is once it was made.
func ready() Account {
	a := Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	a.Settle(Outcome{Work: a, Remote: "42"}, terms, noon)
	return a
}

// expect compares what matters of a line.
func expect(t *testing.T, a Account, state contract.AccountState, todo Todo, due db.Time) {
	t.Helper()
	if a.State() != state || a.Todo() != todo || todo != Nothing && a.DueAt != due {
		t.Errorf("%s, to do %q at %s; want %s, %q at %s", a.State(), a.Todo(), a.DueAt.Time(), state, todo, due.Time())
	}
}

func TestALineGoesFromQueuedToReadyAndLeavesInSteps(t *testing.T) {
	a := Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	expect(t, a, contract.AccountQueued, Put, noon)
	a.Settle(Outcome{Work: a, Remote: "42"}, terms, noon)
	expect(t, a, contract.AccountReady, Nothing, 0)
	if a.Decide(due.Due, "v1", terms, true, noon) {
		t.Error("the same decision again is a change")
	}
	a.Decide(due.Due, "v2", terms, false, noon)
	expect(t, a, contract.AccountReady, Put, noon) // who has an account keeps it while it changes
	a.Decide(due.Due, "v1", terms, false, noon)
	expect(t, a, contract.AccountReady, Nothing, 0) // and back again
	a.Decide(due.Outside, "", terms, false, noon)
	expect(t, a, contract.AccountLeaving, Suspend, noon.Add(time.Hour))
	a.Settle(Outcome{Work: a, Remote: "42"}, terms, noon.Add(time.Hour))
	expect(t, a, contract.AccountLeaving, Delete, noon.Add(49*time.Hour))
	a.Decide(due.Due, "v1", terms, false, noon.Add(2*time.Hour))
	expect(t, a, contract.AccountQueued, Put, noon.Add(2*time.Hour)) // back in time
}

func TestASuspensionIsNeverFollowedByADeletion(t *testing.T) {
	a := ready()
	a.Decide(due.Suspended, "", terms, false, noon)
	expect(t, a, contract.AccountLeaving, Suspend, noon) // at once: it may be an attack
	a.Settle(Outcome{Work: a, Remote: "42"}, terms, noon)
	expect(t, a, contract.AccountLeaving, Nothing, 0)
	a.Decide(due.Closed, "", terms, false, noon.Add(time.Hour))
	expect(t, a, contract.AccountLeaving, Delete, noon.Add(48*time.Hour))
	a.Decide(due.Suspended, "", terms, false, noon.Add(2*time.Hour))
	expect(t, a, contract.AccountLeaving, Nothing, 0)
}

func TestWhoNeverHadAnAccountNeedsNoClosing(t *testing.T) {
	a := Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	a.Decide(due.Outside, "", terms, false, noon)
	expect(t, a, contract.AccountNotDue, Nothing, 0)
}

func TestALostAnswerIsWaitedForWhateverIsDecidedMeanwhile(t *testing.T) {
	lost := &target.Failure{Kind: target.Down, Maybe: true}
	a := Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	a.Settle(Outcome{Work: a, Failed: lost, Making: true}, terms, noon)
	expect(t, a, contract.AccountQueued, Put, noon.Add(time.Minute))
	a.Decide(due.Due, "v2", terms, false, noon)
	expect(t, a, contract.AccountQueued, Put, noon.Add(time.Minute))
	a.Hurry(noon)
	expect(t, a, contract.AccountQueued, Put, noon.Add(time.Minute))
	a.Decide(due.Outside, "", terms, false, noon)
	expect(t, a, contract.AccountLeaving, Suspend, noon.Add(time.Hour)) // it may be there
}

func TestWhatWasDecidedDuringAnAttemptCounts(t *testing.T) {
	a := Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	attempt := a
	a.Decide(due.Outside, "", terms, false, noon) // let off, while the account is being made
	a.Settle(Outcome{Work: attempt, Remote: "42"}, terms, noon)
	expect(t, a, contract.AccountLeaving, Suspend, noon)

	a = Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	attempt = a
	a.Decide(due.Due, "v2", terms, false, noon)
	a.Settle(Outcome{Work: attempt, Remote: "42"}, terms, noon)
	expect(t, a, contract.AccountQueued, Put, noon) // with what is new
	if a.RemoteID != "42" {
		t.Error("what was learnt is forgotten")
	}
}

func TestEachKindOfFailureHasItsOwnConsequence(t *testing.T) {
	for name, c := range map[string]struct {
		kind  target.Kind
		state contract.AccountState
		todo  Todo
	}{
		"the service is away":            {target.Down, contract.AccountQueued, Put},
		"the service is busy":            {target.Busy, contract.AccountQueued, Put},
		"our access is refused":          {target.Denied, contract.AccountQueued, Put},
		"the data are refused":           {target.Refused, contract.AccountBlocked, Nothing},
		"the place is taken":             {target.Taken, contract.AccountBlocked, Nothing},
		"a course is missing":            {target.Partial, contract.AccountReady, Nothing},
		"the account has gone meanwhile": {target.Gone, contract.AccountQueued, Put},
	} {
		a := Account{}
		a.Decide(due.Due, "v1", terms, false, noon)
		a.Settle(Outcome{Work: a, Failed: &target.Failure{Kind: c.kind}}, terms, noon)
		if a.State() != c.state || a.Todo() != c.todo {
			t.Errorf("%s: %s, to do %q", name, a.State(), a.Todo())
		}
		if c.todo == Put && c.kind != target.Gone && !a.DueAt.After(noon) {
			t.Errorf("%s: tried again at once", name)
		}
	}
}

func TestWhatWasRefusedStandsUntilSomethingChangesOrTheNightComes(t *testing.T) {
	a := Account{}
	a.Decide(due.Due, "v1", terms, false, noon)
	a.Settle(Outcome{Work: a, Failed: &target.Failure{Kind: target.Refused}}, terms, noon)
	if a.Decide(due.Due, "v1", terms, false, noon); a.State() != contract.AccountBlocked {
		t.Error("tried again although nothing has changed")
	}
	b := a
	if b.Decide(due.Due, "v2", terms, false, noon); b.State() != contract.AccountQueued {
		t.Error("other data are not tried")
	}
	if a.Decide(due.Due, "v1", terms, true, noon); a.State() != contract.AccountQueued {
		t.Error("not tried in the night")
	}
}

func TestAClosureIsNeverForgotten(t *testing.T) {
	a := ready()
	a.Decide(due.Closed, "", terms, false, noon)
	a.Settle(Outcome{Work: a, Remote: "42", Failed: &target.Failure{Kind: target.Refused}}, terms, noon.Add(time.Hour))
	expect(t, a, contract.AccountLeaving, Suspend, noon.Add(2*time.Hour))
}

func TestPausesGrowAndEnd(t *testing.T) {
	last := time.Duration(0)
	for failures := int64(1); failures < 5; failures++ {
		d := pause(failures)
		if d < last {
			t.Errorf("after %d failures %s, before %s", failures, d, last)
		}
		last = d
	}
	if d := pause(1000); d > longestPause+longestPause/5 {
		t.Errorf("after very many: %s", d)
	}
}
