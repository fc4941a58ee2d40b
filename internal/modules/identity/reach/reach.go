// Package reach knows how to reach people outside the portal: their mobile
// number and recovery address, whether these are really theirs, and from when
// they count. It writes the letters with codes and warnings.
package reach

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB     *db.DB
	Clock  clock.Clock
	Log    *slog.Logger
	People account.People
	Codes  *code.Store
	Door   entry.Door
	Mailer *mailer.Mailer
	// Notices tells people in the portal; nil keeps to mail and text messages.
	Notices contract.Notices
	// Texts words letters in the language of who gets them.
	Texts *i18n.Catalogue
	// BaseURL is where letters lead to.
	BaseURL *url.URL
	// NameFrench and NameEnglish are the institution's, under every letter.
	NameFrench, NameEnglish string
	// Demo opens the demo phone.
	Demo bool
}

// Reach is every person's ways to be reached. It is safe for concurrent use.
type Reach struct {
	Deps
	config Config
}

// New makes the alcove for a configuration that Check accepts.
func New(d Deps, c Config) *Reach { return &Reach{Deps: d, config: c} }

// keepRemoved is how long a number that was removed is still known, so that a
// question about last month's change can be answered. What its owner refused
// stays: the record may bring it again.
const keepRemoved = 90 * 24 * time.Hour

// Jobs forgets what was removed long ago.
func (x *Reach) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_points", 24*time.Hour, func(ctx context.Context) error {
		return x.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := sqlgen.New(tx).PrunePoints(ctx, tx.Now().Add(-keepRemoved))
			return err
		})
	})
}

// Routes lists every address of the alcove. The page of "It was not me" is open
// to strangers, because its link comes by mail; the demo phone exists only in
// the demo.
func (x *Reach) Routes(r *web.Router) {
}

// Points lists the live points of somebody, the institutional address first.
// The error is identity.person_missing for nobody.
func (x *Reach) Points(ctx context.Context, who campus.PersonID) ([]Point, error) {
	panic("reach: not written yet")
}

// Record takes a value from the registration record over. The first one of
// somebody who has confirmed nothing yet counts at once. Any other warns its
// owner on every channel and counts after [Config.ChangeDelay]; the one that it
// replaces counts until then. A value that its owner refused is not taken over
// again. Call it as often as the record is read: what is known changes nothing.
func (x *Reach) Record(ctx context.Context, tx db.Tx, who campus.PersonID, channel Channel, value string) error {
	panic("reach: not written yet")
}

// SendCode sends a code to a point, in the caller's transaction. The sentences
// are identity.letter.<kind>.subject, .text and .sms with {code}; those that
// are missing are worded generally. Its errors, besides those of the database,
// are [TooSoon], mailer.SMSOff and mailer.TooManySMS, which are for people to
// read.
func (x *Reach) SendCode(ctx context.Context, tx db.Tx, to account.Person, at Point, kind, plain string, lasts time.Duration) error {
	panic("reach: not written yet")
}

// Letter is something that somebody must know. Its sentences are
// identity.letter.<Kind>.subject, .text (paragraphs parted by an empty line),
// .action (the label of the button, when URL is set) and .sms (when Urgent).
type Letter struct {
	Kind string
	Args []any // facts for the sentences, as i18n takes them
	// URL is a local path; what it leads to must not act on GET.
	URL string
	// Urgent sends a text message as well.
	Urgent bool
}

// Tell sends a letter by mail to the institutional and the verified recovery
// addresses, by text message to the phones when it is urgent, and as a notice
// in the portal.
func (x *Reach) Tell(ctx context.Context, tx db.Tx, to account.Person, l Letter) error {
	panic("reach: not written yet")
}

// Reminder reports whether somebody should be asked if their number and
// addresses are still theirs.
func (x *Reach) Reminder(ctx context.Context, who campus.PersonID, now time.Time) (bool, error) {
	panic("reach: not written yet")
}
