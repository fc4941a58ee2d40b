package identity

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Deps is what the room asks of the house.
type Deps struct {
	DB     *db.DB
	Keys   *crypt.Keyring
	Clock  clock.Clock
	Log    *slog.Logger
	Texts  *i18n.Catalogue
	Mailer *mailer.Mailer
	Base   *url.URL       // the address of the house, as people type it
	Zone   *time.Location // of the institution
	// NameFrench and NameEnglish are the institution's.
	NameFrench, NameEnglish string
	// Announcers have banners about the service that a sign-in leads to; nil for none.
	// It is a function because the house is complete only after this room was made.
	Announcers func() []contract.ServiceAnnouncer
	// Places names campuses and programmes; nil leaves codes.
	Places place.Names
	// Demo opens pages that show what would leave by mail and by phone.
	Demo bool
	// Scene is what the sign-in page says beside the form on a wide screen.
	Scene Scene
}

// Doors knows the services that a sign-in leads to.
type Doors interface {
	// Destination says which service a local address leads to. ok is false for a
	// page of ours.
	Destination(ctx context.Context, next string) (d contract.Destination, ok bool)
	// Farewell is the local address of a page that says what the end of a session
	// closed elsewhere; "" when it had opened nothing.
	Farewell(ctx context.Context, session string) (string, error)
}

// SessionFollower does what must happen elsewhere when a session ends, such as
// signing the person out of services. It runs in the transaction that ends it.
type SessionFollower interface {
	SessionEnded(ctx context.Context, tx db.Tx, session string) error
	// PersonShutOut ends what somebody else may have opened as this person, and what
	// outlives sessions: the account was closed, or its password set anew. The
	// session that except names, "" for none, goes on.
	PersonShutOut(ctx context.Context, tx db.Tx, who campus.PersonID, except string) error
}

// Scene is a short message of the institution, in both languages.
type Scene struct {
	TitleFrench, TitleEnglish   string
	DetailFrench, DetailEnglish string
}
