package bulk

import (
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Most is how many people one order may have.
const Most = 5000

const (
	// freshFor is how long a preview can be acted on.
	freshFor = 24 * time.Hour
	// undoFor is how long an act can be taken back as one, counted from its end.
	undoFor = 30 * 24 * time.Hour
	// keepFor is how long the report of an act is kept.
	keepFor = 400 * 24 * time.Hour
)

// State is how far an order is.
type State string

// The states of an order.
const (
	Preparing State = "preparing" // its list is being written
	Preview   State = "preview"   // shown, nothing done
	Running   State = "running"
	Done      State = "done"
	Undoing   State = "undoing"
	Undone    State = "undone"
	Dropped   State = "dropped" // given up before it began
)

// UnderWay reports whether the order is being carried out or taken back.
func (s State) UnderWay() bool { return s == Running || s == Undoing }

// Outcome is what becomes of one person of an order.
type Outcome string

// The outcomes.
const (
	Planned  Outcome = "planned" // would change
	LeftOut  Outcome = "left"    // would not, and why
	Changed  Outcome = "done"    // changed
	Refused  Outcome = "refused" // was to change and did not, and why
	TakenOff Outcome = "undone"  // changed and taken back
	Kept     Outcome = "kept"    // changed and could not be taken back, and why
)

// Outcomes lists the outcomes in the order of the tabs.
var Outcomes = []Outcome{Planned, Changed, Refused, TakenOff, Kept, LeftOut}

const (
	actReopen = "reopen"
	actExtend = "extend"
)

// Order is one act on many accounts.
type Order struct {
	ID     string
	Act    string // one of lifecycle.Acts
	Reason string // code of the institution's list; empty for reopen and extend
	Note   string // for the secretariat alone
	From   time.Time
	Until  time.Time   // end of what is decided, or of the registrations
	Kind   campus.Kind // of the registrations that are extended
	Chosen string      // the filter, as an address carries it
	Ticked bool        // the people were ticked one by one
	State  State
	// Listed is how many people the list has, Changes how many of them would change.
	Listed, Changes int
	AskedBy         campus.PersonID
	AskedAt         time.Time
	StartedAt       time.Time
	EndedAt         time.Time
	UndoneBy        campus.PersonID
	UndoneAt        time.Time
	// Event is the address and the browser that the order, or its taking back,
	// came from.
	Event journal.Event
}

// Line is one person of an order.
type Line struct {
	Place    int // in the list
	Person   campus.PersonID
	WasState account.State // as the preview showed it
	WasUntil time.Time     // end of the registration as the preview showed it
	// Decision is the one that is lifted, or the one that was taken.
	Decision string
	Outcome  Outcome
	Why      string // reason code of who does not change
}

// Readable reports whether somebody may open the order: whoever asked for it, and
// the secretariat of the whole institution.
func (o Order) Readable(by campus.Viewer) bool {
	return o.AskedBy == by.Person || by.Can(campus.RightSecretariat)
}

// Undoable reports whether the order can be taken back.
func (o Order) Undoable(now time.Time) bool {
	return o.State == Done && now.Sub(o.EndedAt) < undoFor
}

// facts are what is known about somebody when the list is made.
type facts struct {
	held       string    // the decision that makes the account what it is; "" for none
	registered bool      // in the kind that is extended
	ends       time.Time // that registration; zero for no end
}

// foresee says what the order would do to somebody.
func (o Order) foresee(by campus.Viewer, p account.Person, f facts) Line {
	l := Line{Person: p.ID, WasState: p.State, WasUntil: f.ends, Outcome: Planned}
	left := func(why *fault.Reason) Line {
		l.Outcome, l.Why = LeftOut, why.Code()
		return l
	}
	switch {
	case p.ID == by.Person:
		return left(lifecycle.Oneself)
	case !by.CanFor(campus.RightSecretariat, p.Affiliations):
		return left(lifecycle.Elsewhere)
	}
	switch o.Act {
	case actReopen:
		l.Decision = f.held
		if !lifecycle.Held(p.State) {
			return left(lifecycle.Impossible)
		}
	case actExtend:
		if !f.registered {
			return left(lifecycle.Unregistered)
		}
		if f.ends.IsZero() || !o.Until.After(f.ends) {
			return left(lifecycle.RegisteredLonger)
		}
	default:
		if !lifecycle.Possible(p.State, lifecycle.Becomes(o.Act)) {
			return left(lifecycle.Impossible)
		}
	}
	return l
}
