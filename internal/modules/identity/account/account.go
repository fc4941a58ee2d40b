// Package account holds the words for one person's account: who it belongs to
// and whether it can be used. It does no input or output.
package account

import (
	"context"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// State says whether an account can be used.
type State string

// The states of an account, in the order in which it goes through them.
const (
	Invited   State = "invited"   // in the register, not activated yet
	Active    State = "active"    // in use
	Expiring  State = "expiring"  // in use, and its owner was told when it ends
	Suspended State = "suspended" // blocked by a decision, for a time
	Closed    State = "closed"    // over; data stay until their date
)

// States lists every state.
var States = []State{Invited, Active, Expiring, Suspended, Closed}

// Usable reports whether an account in this state may be signed in to.
func (s State) Usable() bool { return s == Active || s == Expiring }

// Person is one human being as the institution knows them.
type Person struct {
	ID            campus.PersonID
	Login         string
	Mail          string // institutional address
	GivenName     string
	FamilyName    string
	StudentNumber string // empty for those who do not study
	JobTitle      string // function within the institution; empty for students
	State         State
	Locale        campus.Locale // empty until the person chooses
	Appearance    string
	Affiliations  []campus.Affiliation
	Rights        []campus.Right   // over everybody
	Mandates      []campus.Mandate // over some
}

// DisplayName is the name as people say it: given name, then family name.
func (p Person) DisplayName() string { return strings.TrimSpace(p.GivenName + " " + p.FamilyName) }

// Viewer is the person as an audience rule sees them, outside any session.
func (p Person) Viewer() campus.Viewer {
	return campus.Viewer{
		Person: p.ID, Login: p.Login, GivenName: p.GivenName, FamilyName: p.FamilyName, Mail: p.Mail,
		Affiliations: p.Affiliations, Rights: p.Rights, Mandates: p.Mandates, Locale: p.Locale, Appearance: p.Appearance,
	}
}

// People finds accounts. The identity room implements it for its alcoves.
type People interface {
	// PersonByID returns one person, or identity.person_missing.
	PersonByID(context.Context, campus.PersonID) (Person, error)
	// PersonByLogin returns the person with this login or institutional mail
	// address, or identity.person_missing.
	PersonByLogin(ctx context.Context, login string) (Person, error)
}
