// Package activation opens accounts: somebody who is in the register proves who
// they are, on a phone or a computer, and chooses their first password. Students
// begin with what stands on their registration certificate, staff and guests
// with a letter that an agent sends.
package activation

import (
	"context"
	"log/slog"
	"net/url"
	"regexp"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Register is the list of people, as far as activation changes it.
type Register interface {
	// Activate makes an invited account active. It fails with [NotInvited] when
	// the account is in any other state at that moment, so that of two devices
	// only one wins.
	Activate(ctx context.Context, tx db.Tx, who campus.PersonID) error
	// AddPerson stores a person and returns the identifier made for them.
	AddPerson(ctx context.Context, tx db.Tx, p account.Person) (campus.PersonID, error)
}

// Factors knows second factors.
type Factors interface {
	// HasFactor reports whether somebody has a second factor already.
	HasFactor(ctx context.Context, who campus.PersonID) (bool, error)
}

// Passwords keeps passwords and their rules; see renewal.
type Passwords interface {
	Fields(p account.Person, loginField string, problems web.Problems) renewal.NewPasswordProps
	Problems(ctx context.Context, p account.Person, plain, again string) (web.Problems, error)
	// Hash is slow, and never called inside a transaction.
	Hash(ctx context.Context, plain string) (renewal.Secret, error)
	// Store writes the event into the journal as well.
	Store(ctx context.Context, tx db.Tx, p account.Person, s renewal.Secret, e journal.Event) error
}

// Reach is the ways to reach people.
type Reach interface {
	Normal(c reach.Channel, typed string) (string, error)
	Points(ctx context.Context, who campus.PersonID) ([]reach.Point, error)
	Sent(ctx context.Context, at reach.Point, kind string) (reach.Sent, error)
	SendCode(ctx context.Context, tx db.Tx, to account.Person, at reach.Point, kind, plain string, lasts time.Duration) error
	Tell(ctx context.Context, tx db.Tx, to account.Person, l reach.Letter) error
	// Verified notes that a point is really its owner's.
	Verified(ctx context.Context, tx db.Tx, to account.Person, pointID string, e journal.Event) error
}

// Mailer puts messages into the outbox.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
	SendSMS(ctx context.Context, tx db.Tx, m mailer.SMS) error
}

// Journal keeps what happens with accounts.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Endings knows when and why accounts end.
type Endings interface {
	// EndOn makes an account end at this instant.
	EndOn(ctx context.Context, tx db.Tx, who campus.PersonID, at time.Time) error
	// Standing tells why an account cannot be used.
	Standing(ctx context.Context, who campus.PersonID) (lifecycle.Standing, error)
}

// Deps is what activation asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Texts    *i18n.Catalogue // letters are written in the language of who reads them
	Base     *url.URL        // the address that people type; printed on the sheet and in letters
	People   account.People
	Register Register
	Door     entry.Door
	Factors  Factors
	Endings  Endings

	Codes     *code.Store
	Reach     Reach
	Mailer    Mailer
	Passwords Passwords
	Journal   Journal

	// MailDomains are those of institutional addresses, such as
	// etu.univ.example, the commonest first; none means any.
	MailDomains []string
	// NameFrench and NameEnglish are the institution's: under every letter, and
	// on the printed sheet. The English one may be empty.
	NameFrench, NameEnglish string
}

// Activation is the alcove. It is safe for concurrent use.
type Activation struct {
	Deps
	config  Config
	form    *regexp.Regexp // of a student number
	network *limit.Limiter // beginnings by network
	number  *limit.Limiter // beginnings by student number and by address, from one network
	all     *limit.Limiter // the same from all networks together
}

// New makes the alcove for a configuration that Check accepts.
func New(d Deps, c Config) *Activation {
	return &Activation{
		Deps: d, config: c, form: regexp.MustCompile(`^(?:` + c.StudentNumber + `)$`),
		network: limit.New(limit.Rate{Every: c.NetworkEvery, Burst: c.NetworkBurst}, 0, d.Clock),
		number:  limit.New(limit.Rate{Every: c.Every, Burst: c.Burst}, 0, d.Clock),
		all:     limit.New(limit.Rate{Every: c.Every / elsewhere, Burst: c.Burst * elsewhere}, 0, d.Clock),
	}
}

// Jobs forgets activations and invitations long after their end.
func (x *Activation) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_activations", 24*time.Hour, x.forget)
}
