package recovery

import (
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/ui"
)

// Approval is what one agent vouches for.
type Approval struct {
	By        campus.PersonID
	At        time.Time
	Documents string // codes of the list, parted by spaces
	InPerson  bool   // seen at the desk, not from afar
}

// Given reports whether the approval was given.
func (a Approval) Given() bool { return a.By != "" }

// Request is one supervised recovery.
type Request struct {
	ID       string
	Person   campus.PersonID
	OpenedBy campus.PersonID // an agent, or the person
	OpenedAt time.Time
	Words    string // of who opened it
	Incident string // code of the sign-in that it began with; may be empty
	First    Approval
	Second   Approval
	ReadyAt  time.Time // when a code can be given
	GivenBy  campus.PersonID
	GivenAt  time.Time
	Ended    string // "", done, refused, stopped or lapsed
	EndedBy  campus.PersonID
	EndedAt  time.Time
	EndWords string
}

// State says where a recovery stands.
type State string

// The states of a recovery, in their order.
const (
	Asked   State = "asked"   // nobody has approved
	Vouched State = "vouched" // one agent has
	Waiting State = "waiting" // both have, and time must pass
	Ready   State = "ready"   // a code can be given
	Given   State = "given"   // it was, and can be used
	Done    State = "done"    // it was used
	Refused State = "refused" // by an agent
	Stopped State = "stopped" // by the owner of the account
	Lapsed  State = "lapsed"  // nobody finished it
)

// State says where the recovery stands at an instant.
func (q Request) State(now time.Time, codeLasts time.Duration) State {
	switch {
	case q.Ended != "":
		return State(q.Ended)
	case !q.First.Given():
		return Asked
	case !q.Second.Given():
		return Vouched
	case now.Before(q.ReadyAt):
		return Waiting
	case q.GivenAt.IsZero() || now.Sub(q.GivenAt) >= codeLasts:
		return Ready
	default:
		return Given
	}
}

// MayApprove reports whether an agent's approval would count.
func (q Request) MayApprove(agent campus.PersonID) bool {
	return q.Ended == "" && agent != q.Person && q.First.By != agent && !q.Second.Given()
}

func requestOf(r sqlgen.IdentitySupervised) Request {
	return Request{
		ID: r.ID, Person: campus.PersonID(r.PersonID), OpenedBy: campus.PersonID(r.OpenedBy), OpenedAt: r.OpenedAt.Time(), Words: r.Words, Incident: r.Incident,
		First:   Approval{campus.PersonID(r.FirstBy), r.FirstAt.Time(), r.FirstDocuments, r.FirstInPerson},
		Second:  Approval{campus.PersonID(r.SecondBy), r.SecondAt.Time(), r.SecondDocuments, r.SecondInPerson},
		ReadyAt: r.ReadyAt.Time(), GivenBy: campus.PersonID(r.GivenBy), GivenAt: r.GivenAt.Time(),
		Ended: r.Ended, EndedBy: campus.PersonID(r.EndedBy), EndedAt: r.EndedAt.Time(), EndWords: r.EndedWords,
	}
}

// tone is the colour of a state.
func (s State) tone() ui.Tone {
	switch s {
	case Done, Ready, Given:
		return ui.Good
	case Refused, Stopped:
		return ui.Bad
	case Asked, Vouched, Waiting:
		return ui.Warn
	default:
		return ""
	}
}
