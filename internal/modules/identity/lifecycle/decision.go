package lifecycle

import (
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
)

// Decision is what somebody, or a rule, decided about an account.
type Decision struct {
	ID        string
	Person    campus.PersonID
	State     account.State // what the account becomes
	Base      account.State // what it goes back to: invited or active
	Reason    ReasonConfig  // as it stood in the list when it was chosen
	Note      string        // for the secretariat alone
	Rule      string        // code of the rule that decided; empty for a person
	DecidedBy campus.PersonID
	DecidedAt time.Time
	From      time.Time
	Until     time.Time // instant of the end; zero for none
	DeletedAt time.Time // when the data are due for deletion; zero for never
	ToldAt    time.Time // when the person was written to
	LiftedBy  campus.PersonID
	LiftedAt  time.Time
	LiftNote  string
}

// Standing reports whether the decision counts at an instant.
func (d Decision) Standing(now time.Time) bool {
	return d.LiftedAt.IsZero() && !d.From.After(now) && (d.Until.IsZero() || d.Until.After(now) || d.State == account.Expiring)
}

// Open reports whether the decision counts, or will.
func (d Decision) Open() bool { return d.LiftedAt.IsZero() }

// weight orders the states: a closing wins over a suspension, and that over an
// announced end.
func weight(s account.State) int {
	switch s {
	case account.Closed:
		return 3
	case account.Suspended:
		return 2
	case account.Expiring:
		return 1
	default:
		return 0
	}
}

// strongest is the decision that makes an account what it is at an instant; ok
// is false when none does.
func strongest(list []Decision, now time.Time) (strong Decision, ok bool) {
	for _, d := range list {
		if d.Standing(now) && weight(d.State) > weight(strong.State) {
			strong, ok = d, true
		}
	}
	return strong, ok
}

// Standing is how somebody's account stands, in the words that may be said to
// them once they have proved who they are.
type Standing struct {
	State      account.State
	Reason     string // code of the institution's list; empty when nobody decided
	ReasonText string // in the reader's language; empty when the person may not read it
	ByRule     bool   // a rule decided, not a person
	Office     string // who can mend it
	Contact    string // how to reach that office; may be empty
	Appeal     string // how to contest it; may be empty
	Since      time.Time
	Until      time.Time // last moment, on the last day; zero for no end; for an ending account, of its use
	DeletedAt  time.Time // when the data are due for deletion; zero for never
}
