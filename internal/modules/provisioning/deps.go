package provisioning

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Deps is what the room asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Texts *i18n.Catalogue
	Keys  *crypt.Keyring
	Zone  *time.Location // of the institution
	Base  *url.URL       // the address of the house, as people type it
	// Register reads what is known of people; the identity room keeps it.
	Register contract.Register
	// Groups says to which groups and course units people belong; the directory
	// keeps them.
	Groups Groups
	// HTTP reaches the services; nil is the ordinary network.
	HTTP http.RoundTripper
}

// Groups knows who is in which group.
type Groups interface {
	// GroupsOf are the codes of the groups that somebody is in, directly or through
	// another group, in order.
	GroupsOf(ctx context.Context, who campus.PersonID) ([]string, error)
}
