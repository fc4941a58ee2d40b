package helpdesk

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
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
	// Texts words letters for who has no request.
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
	Mailer   Mailer
	// Dossiers are the rooms that know something about a person. It is a function
	// because the house is complete only after this room was made.
	Dossiers func() []contract.Dossier
	// Acts are the rooms in which something can be done for a person, Seeker finds
	// people by what they say on the telephone.
	Acts   func() []contract.Acts
	Seeker contract.Seeker
	// Services names the programs behind single sign-on.
	Services Services
	// Accounts is the ledger of accounts in other services.
	Accounts contract.ServiceAccounts
	// Catalogue are the rooms that offer services. It is a function because the house
	// is complete only after this room was made.
	Catalogue func() []contract.ServiceProvider
	// SignIns are the stories of sign-ins that people bring along, Proofs the codes by
	// which strangers show that an address is theirs.
	SignIns contract.SignIns
	Proofs  contract.Proofs
	// Help is the public help page.
	Help Help
	// Looks keeps who opened whose file.
	Looks contract.Looks
	// Confirm answers with a page that asks for a fresh proof of who is there, unless
	// there was one in the last minutes: ok is then true and nothing was written.
	Confirm func(w http.ResponseWriter, r *http.Request) (ok bool, err error)
	// InstitutionFrench and InstitutionEnglish sign letters.
	InstitutionFrench, InstitutionEnglish string
}

// Roll says who holds a right.
type Roll interface {
	// HoldersOf are those who hold a right and can use their account.
	HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error)
	// HoldersFor are those who hold it over somebody with one of these affiliations.
	HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error)
}

// Services are the programs behind single sign-on.
type Services interface {
	// ServiceCalled is a service's name in the language of the context, and where it
	// is opened; both are empty for an unknown one.
	ServiceCalled(ctx context.Context, service string) (name, address string)
}

// Help finds answers that were written for everybody.
type Help interface {
	// HelpAbout finds some, the best first, in the language of the context.
	HelpAbout(ctx context.Context, words string) []contract.Hit
}

// Mailer puts mail and short messages in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
	SendSMS(ctx context.Context, tx db.Tx, m mailer.SMS) error
	SendsSMS() bool
}
