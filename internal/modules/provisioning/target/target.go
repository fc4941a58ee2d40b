// Package target holds the words between the ledger and the connectors: an
// account as it should be in a service, what a connector can do about it, and the
// ways in which it fails.
package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Field names a part of an account that a service may be told.
type Field string

// The parts of an account. The login and the key are always told: without them
// nobody could be recognised.
const (
	Login         Field = "login"
	GivenName     Field = "given_name"
	FamilyName    Field = "family_name"
	Mail          Field = "mail"
	StudentNumber Field = "student_number"
	JobTitle      Field = "job_title"
	Language      Field = "language"
	Affiliation   Field = "affiliation"
	Groups        Field = "groups"
)

// Fields lists every part in the order in which people read them.
var Fields = []Field{Login, GivenName, FamilyName, Mail, StudentNumber, JobTitle, Language, Affiliation, Groups}

// Account is what a service should know of one person. Parts that it is not told
// are empty.
type Account struct {
	// Key never changes: services keep it as their external identifier, and it is
	// how an account is found again after its login changed.
	Key           string   `json:"key"`
	Login         string   `json:"login"`
	GivenName     string   `json:"given_name,omitempty"`
	FamilyName    string   `json:"family_name,omitempty"`
	Mail          string   `json:"mail,omitempty"`
	StudentNumber string   `json:"student_number,omitempty"`
	JobTitle      string   `json:"job_title,omitempty"`
	Language      string   `json:"language,omitempty"`    // BCP 47
	Affiliations  []string `json:"affiliation,omitempty"` // values of eduPersonAffiliation
	// Groups are the codes of the groups that the service keeps as well, in order:
	// only those that the target carries over are in it.
	Groups []string `json:"groups,omitempty"`
	// Occasion counts what was decided about the account. It stays the same while one
	// decision is tried again, and is no part of what the service is told.
	Occasion int64 `json:"-"`
}

// DisplayName is the name as people say it.
func (a Account) DisplayName() string {
	return campus.Viewer{GivenName: a.GivenName, FamilyName: a.FamilyName}.DisplayName()
}

// Only is the account with no more than the given parts.
func (a Account) Only(told []Field) Account {
	keep := func(f Field, text *string) {
		if !slices.Contains(told, f) {
			*text = ""
		}
	}
	keep(GivenName, &a.GivenName)
	keep(FamilyName, &a.FamilyName)
	keep(Mail, &a.Mail)
	keep(StudentNumber, &a.StudentNumber)
	keep(JobTitle, &a.JobTitle)
	keep(Language, &a.Language)
	if !slices.Contains(told, Affiliation) {
		a.Affiliations = nil
	}
	if !slices.Contains(told, Groups) {
		a.Groups = nil
	}
	return a
}

// Digest tells two accounts apart. It is kept instead of what was sent.
func (a Account) Digest() (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// Remote is an account as the service has it.
type Remote struct {
	ID        string // the service's own identifier
	Key       string // ours; empty for an account that we did not make
	Login     string
	Mail      string
	Suspended bool
	// Number is the student or employee number there; empty when it shows none.
	Number string
	// Privileged says what makes the account one that keeps the service itself, as the
	// service puts it; empty when it does not look like one. It is filled in by Find
	// for accounts without a key: those are never taken over then.
	Privileged string
}

// Target is a service in which accounts are kept. Every method may be called
// twice with the same account and is harmless then. Errors are a [*Failure] when
// the connector knows what they mean.
type Target interface {
	// Find looks for somebody's account by our key. A connector that may adopt
	// accounts which have no key yet looks by login after that. ok is false when there
	// is none, and a failure of kind [Taken] says that somebody else's account stands
	// in the way.
	Find(ctx context.Context, a Account) (r Remote, ok bool, err error)
	// At is the account with an identifier of the service; ok is false when there is
	// none. Its Key is empty, or another, when it is not the account of a.
	At(ctx context.Context, id string, a Account) (r Remote, ok bool, err error)
	// Create makes the account, after Find found none, and returns its identifier. It
	// may fail after having created: Find and Change then go on from there.
	Create(ctx context.Context, a Account) (id string, err error)
	// Change makes the account with this identifier what it should be, groups
	// included, and lets its owner in. [Gone] says that it is not there any more.
	Change(ctx context.Context, id string, a Account) error
	// Suspend keeps the owner out and everything else as it is.
	Suspend(ctx context.Context, id string, a Account) error
	// Delete removes the account for good. One that is gone already is no failure.
	Delete(ctx context.Context, id string, a Account) error
	// Probe asks something harmless: the service answers and lets us in, and the
	// detail says what it is.
	Probe(ctx context.Context) (detail string, err error)
}

// Blind is a target that cannot be asked what it has: its accounts are known by our
// key, and an account that may be there is closed as if it was.
type Blind interface{ Blind() }

// Lister is a target whose accounts can be read, for the nightly comparison.
type Lister interface {
	// List hands over every account, ours and others.
	List(ctx context.Context, each func(Remote) error) error
}
