package provisioning

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
	// Roll reads the register from one end to the other.
	Roll Roll
	// Groups says to which groups and course units people belong; the directory
	// keeps them.
	Groups Groups
	// Places gives campuses and programmes their names.
	Places place.Names
	// Catalogue names services; nil leaves them as the configuration of their target
	// calls them.
	Catalogue Catalogue
	// Looks keeps who opened whose file; nil keeps nothing.
	Looks contract.Looks
	// HTTP reaches the services; nil is the ordinary network.
	HTTP http.RoundTripper
	// Pretended says that the services are not there: the demo's pages tell so.
	Pretended bool
}

// Roll is the register of people, read from one end to the other.
type Roll interface {
	// PeopleAfter are the next people by identifier, at most so many.
	PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error)
}

// Groups knows who is in which group.
type Groups interface {
	// GroupsOf are the codes of the groups that somebody is in, directly or through
	// another group, in order.
	GroupsOf(ctx context.Context, who campus.PersonID) ([]string, error)
	// GroupCalled is the name of a group; empty when it has none, or is gone.
	GroupCalled(ctx context.Context, code string) (string, error)
}

// Catalogue knows the services that people open.
type Catalogue interface {
	// ServiceCalled is the name of a service in the language of the context, and where
	// people open it; both are empty for one that is not registered.
	ServiceCalled(ctx context.Context, service string) (name, address string)
}
