package privacy

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Deps is what the room asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Texts *i18n.Catalogue
	Files files.Store
	Keys  *crypt.Keyring
	Zone  *time.Location // of the institution
	Base  *url.URL       // the address of the house, as people type it
	// Register reads what is known of people; the identity room keeps it.
	Register contract.Register
	Notices  contract.Notices
	Mailer   Mailer
	// Confirm answers with a page that asks for a fresh proof of who is there, and
	// then leads back, unless there was one in the last minutes: ok is then true and
	// nothing was written.
	Confirm func(w http.ResponseWriter, r *http.Request) (ok bool, err error)
	// Rooms are all rooms of the house: each declares what it holds. It is a
	// function because the house is complete only after this room was made.
	Rooms func() []contract.Module
	// InstitutionFrench and InstitutionEnglish name who answers for the data.
	InstitutionFrench, InstitutionEnglish string
}

// Mailer puts a mail in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}
