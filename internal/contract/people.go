package contract

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Subject is what the institution's sources say of one person, as far as the
// register of people keeps it.
type Subject struct {
	Login         string
	Mail          string // institutional address
	GivenName     string
	FamilyName    string
	StudentNumber string // empty for those who do not study
	JobTitle      string
	Locale        campus.Locale // of who has not chosen a language yet
	Affiliations  []campus.Affiliation
	// Until is when each tie ends, by kind of affiliation; a zero time has no end.
	Until        map[campus.Kind]time.Time
	Mobile       string // number given at registration, in international form
	RecoveryMail string // private address given at registration
}

// Field names a part of a Subject.
type Field string

// The parts of a Subject.
const (
	FieldLogin         Field = "login"
	FieldMail          Field = "mail"
	FieldGivenName     Field = "given_name"
	FieldFamilyName    Field = "family_name"
	FieldStudentNumber Field = "student_number"
	FieldJobTitle      Field = "job_title"
	FieldLocale        Field = "locale"
	FieldAffiliations  Field = "affiliations"
	FieldUntil         Field = "until"
	FieldMobile        Field = "mobile"
	FieldRecoveryMail  Field = "recovery_mail"
)

// Known is a person of the register.
type Known struct {
	ID      campus.PersonID
	Subject Subject
	State   string // invited, active, expiring, suspended or closed
	// HoldsRights is set for who may do something beyond what everybody may, over
	// everybody or over some.
	HoldsRights bool
}

// Register is the register of people, which the identity room keeps, as the
// directory writes it. Errors are faults with a reason that names what is wrong
// with a value, such as a login that somebody else has.
type Register interface {
	// FindPeople says who has each of the values: of FieldLogin, FieldMail or
	// FieldStudentNumber, in their stored form. Values that nobody has are left out.
	FindPeople(ctx context.Context, by Field, values []string) (map[string]campus.PersonID, error)
	// KnownPeople reads many people at once; those who are not there are left out.
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]Known, error)
	// RegisteredUntil says when each tie of people ends, by kind; a zero time has no
	// end, and a tie of which nobody said anything is left out.
	RegisteredUntil(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]map[campus.Kind]time.Time, error)
	// Check is the first thing wrong with the values of somebody to be enrolled,
	// apart from what others have already. It writes nothing.
	Check(s Subject) error
	// Enrol adds a person, who then activates the account. Source is who said so.
	Enrol(ctx context.Context, tx db.Tx, s Subject, source string) (campus.PersonID, error)
	// Amend makes the named fields those of s, and leaves the others.
	Amend(ctx context.Context, tx db.Tx, who campus.PersonID, s Subject, fields []Field, source string) error
}

// PersonFollower is told what changed about somebody: their names, addresses,
// state, affiliations, rights or groups. It runs in the transaction of the
// change, so it only takes note; a job does the work.
type PersonFollower interface {
	PersonChanged(ctx context.Context, tx db.Tx, who campus.PersonID) error
}

// Dossier is implemented by a room that knows something about a person which
// others may have to look up: the person page and the help desk show it.
type Dossier interface {
	// About makes the cards on one person, only of what the viewer may see; none for
	// a viewer without a right. Each card costs one query that an index answers.
	About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]Card, error)
}

// AccountState is how far somebody's account in a service is.
type AccountState string

// The states of an account in a service.
const (
	AccountNotDue  AccountState = "not_due" // no rule gives this person one
	AccountQueued  AccountState = "queued"  // due, and not there yet
	AccountReady   AccountState = "ready"
	AccountBlocked AccountState = "blocked" // something stands in the way
	AccountLeaving AccountState = "leaving" // about to be closed, or closed
)

// ServiceAccount is somebody's account in a service that Amphi provisions. Its
// sentences are in the language of the context.
type ServiceAccount struct {
	Service string // identifier in the register of services
	State   AccountState
	Since   time.Time
	// Estimate is when it will be ready, of a queued one; zero when nobody can tell.
	Estimate time.Time
	// Rule says by which rule it is due or not, and Decides who can change that.
	Rule, Decides string
	LastExchange  time.Time // with the service; zero for none
	// Message says what the person has to know, Next what to do, and Code is the
	// reason code of what stands in the way; empty when all is well.
	Message, Next, Code string
}

// ServiceAccounts is the ledger of accounts in other services. The provisioning
// room implements it.
type ServiceAccounts interface {
	// AccountIn is somebody's account in a service; ok is false when Amphi does not
	// provision the service.
	AccountIn(ctx context.Context, who campus.PersonID, service string) (a ServiceAccount, ok bool, err error)
}
