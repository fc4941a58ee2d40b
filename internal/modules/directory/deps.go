package directory

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Deps is what the room asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Texts words letters and reports for who has no request.
	Texts *i18n.Catalogue
	Files files.Store
	Keys  *crypt.Keyring
	Zone  *time.Location // of the institution
	Base  *url.URL       // the address of the house, as people type it
	// Register is the register of people; the identity room keeps it.
	Register contract.Register
	Roll     Roll
	Notices  contract.Notices
	Places   place.Names
	// Followers learn whose groups changed. It is a function because the house is
	// complete only after this room was made.
	Followers func() []contract.PersonFollower
	// Dossiers are the rooms that know something about a person.
	Dossiers func() []contract.Dossier
	// Apps checks the passwords of programs that read the directory.
	Apps contract.AppPasswords
	// Looks keeps who opened whose file.
	Looks contract.Looks
	// Confirm answers with a page that asks for a fresh proof of who is there, unless
	// there was one in the last minutes: ok is then true and nothing was written.
	Confirm func(w http.ResponseWriter, r *http.Request) (ok bool, err error)
	// Journal keeps who let programs push into the sources, and what those who keep the
	// directory decide; nil keeps nothing.
	Journal Journal
}

// Journal is the journal of security.
type Journal interface {
	push.Journal
	register.Journal
}

// Roll is the register of people, read from one end to the other.
type Roll interface {
	// PeopleAfter are the next people by identifier, at most so many.
	PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error)
	// HoldersOf are those who hold a right over everybody and can use their account.
	HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error)
	// HoldersFor are those who hold a right over somebody with these affiliations and
	// can use their account: first those whose mandate covers one of them, then those
	// who hold it over everybody.
	HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error)
}
