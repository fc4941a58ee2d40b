package privacy

import (
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
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
	Texts *i18n.Catalogue
	Files files.Store
	Keys  *crypt.Keyring
	Zone  *time.Location // of the institution
	Base  *url.URL       // the address of the house, as people type it
	// Register reads what is known of people; the identity room keeps it.
	Register contract.Register
	Notices  contract.Notices
	// Rooms are all rooms of the house: each declares what it holds. It is a
	// function because the house is complete only after this room was made.
	Rooms func() []contract.Module
	// InstitutionFrench and InstitutionEnglish name who answers for the data.
	InstitutionFrench, InstitutionEnglish string
}
