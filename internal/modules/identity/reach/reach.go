// Package reach knows how to reach people outside the portal: their mobile
// number and recovery address, whether these are really theirs, and from when
// they count. It writes the letters with codes and warnings.
package reach

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
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
	Journal Journal
	// Texts words letters in the language of who gets them.
	Texts *i18n.Catalogue
	// BaseURL is where letters lead to.
	BaseURL *url.URL
	// NameFrench and NameEnglish are the institution's, under every letter.
	NameFrench, NameEnglish string
	// Demo opens the demo phone.
	Demo bool
}

// Journal keeps what happens with accounts; package journal implements it.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Reach is every person's ways to be reached. It is safe for concurrent use.
type Reach struct {
	Deps
	config Config
	asked  *limit.Limiter // messages to new numbers and addresses, by person
}

// New makes the alcove for a configuration that Check accepts.
func New(d Deps, c Config) *Reach {
	return &Reach{Deps: d, config: c, asked: limit.New(askedRate, 0, d.Clock)}
}

// askedRate bounds how many messages one person can have sent to numbers that
// are not known to be theirs: text messages cost money, and there are those who
// earn it by causing them.
var askedRate = limit.Rate{Every: 10 * time.Minute, Burst: 10}

// keepRemoved is how long a number that was removed is still known, so that a
// question about last month's change can be answered. What its owner refused
// stays: the record may bring it again.
const keepRemoved = 90 * 24 * time.Hour

// Jobs forgets what was removed long ago.
func (x *Reach) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_points", 24*time.Hour, x.forget)
}

func (x *Reach) forget(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).PrunePoints(ctx, tx.Now().Add(-keepRemoved))
		return err
	})
}

// Routes lists every address of the alcove. The page of "It was not me" is open
// to strangers, because its link comes by mail; the demo phone exists only in
// the demo.
func (x *Reach) Routes(r *web.Router) {
	r.Handle("GET /identity/contacts", x.listPage)
	r.Handle("GET /identity/contacts/new", x.newPage)
	r.Handle("POST /identity/contacts/new", x.addPoint)
	r.Handle("GET /identity/contacts/still", x.stillPage)
	r.Handle("POST /identity/contacts/still", x.stillMine)
	r.Handle("GET /identity/contacts/{id}/code", x.codePage)
	r.Handle("POST /identity/contacts/{id}/code", x.checkCode)
	r.Handle("POST /identity/contacts/{id}/send", x.sendCode)
	r.Handle("GET /identity/contacts/{id}/remove", x.removePage)
	r.Handle("POST /identity/contacts/{id}/remove", x.removePoint)
	r.Handle("POST /identity/contacts/{id}/refuse", x.refusePoint)
	r.Handle("GET /identity/contact-change/{token}", x.changePage, web.Public)
	r.Handle("POST /identity/contact-change/{token}", x.refuseChange, web.Public)
	if x.Demo {
		r.Handle("GET "+DemoPhoneURL, x.demoPhone, web.Public)
	}
}
