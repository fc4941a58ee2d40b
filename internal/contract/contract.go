// Package contract is the socket wall: what a room of the house is, and what it
// may plug in. The front hall (internal/app) finds the optional sockets once, at
// start, by type assertion.
package contract

import (
	"context"
	"io/fs"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Module is one room of the house.
type Module interface {
	// Name is stable and lower case; it prefixes the room's URLs, tables,
	// reasons and jobs.
	Name() string
	// Migrations holds the room's schema steps, in a folder named migrations; it
	// is empty when the room has no tables.
	Migrations() fs.FS
	// Locales holds locales/fr.toml and locales/en.toml, and those of its alcoves.
	Locales() fs.FS
	// Routes registers every address of the room.
	Routes(*web.Router)
}

// CardProvider puts cards on the home page.
type CardProvider interface {
	Cards(context.Context, campus.Viewer) ([]Card, error)
}

// Card is a small sheet on somebody's home: what to do or know now. Its texts
// are in the language of the context it was made in.
type Card struct {
	ID    string // "<room>.<card>", for ordering and for tests
	Title string
	// Rank orders cards, lowest first: 0 what is lost if nothing is done, 10 what
	// is next, 20 what one opens, 30 how one is doing.
	Rank int
	// Aside cards stand in the narrow column on a desk screen.
	Aside bool
	Link  Link // "See all"; may be empty
	Rows  []CardRow
	// Empty is said when there are no rows: what will appear here, and why it is
	// empty.
	Empty string
}

// CardRow is one line of a card.
type CardRow struct {
	Title, Detail, URL string
	Tag                string // short state, such as "ready"
	Tone               string // good, warn, bad or "" for the tag
}

// Link is a labelled address.
type Link struct{ Label, URL string }

// Searcher answers the one search box for its room.
type Searcher interface {
	// Search returns the room's best hits for the words, at most about ten, best
	// first, and only what the viewer may see.
	Search(ctx context.Context, v campus.Viewer, words string) ([]Hit, error)
}

// Hit is one answer of the search box.
type Hit struct {
	Group, Title, Detail, URL, Icon string
}

// ServiceProvider offers services for the catalogue.
type ServiceProvider interface {
	Services(context.Context, campus.Viewer) ([]Service, error)
}

// Service is something that people open: a room of ours, or a program that other
// people wrote and that we sign them in to.
type Service struct {
	ID           string // stable
	Name         string
	Description  string
	Category     string
	Icon         string // name in the ui icon set
	LogoURL      string // replaces the icon when set
	URL          string
	Keywords     []string
	State        string // short, such as "ready"; may be empty
	Tone         string
	OpensOutside bool // leaves the house
}

// Destination is the service that a sign-in leads to.
type Destination struct {
	Service string   // stable identifier in the register of services
	Name    string   // in the language of the context it was made in
	Origins []string // where its redirects end
}

// Departure is somebody about to enter a service, as the sign-in needs to know.
type Departure struct {
	Service string // stable identifier in the register of services
	Name    string // in the reader's language
	Address string // where the service's answer will go; a loop is told by it
	Back    string // local address that leads there again
	// Factor asks for a second factor in this session, FreshFactor for one of the
	// last minutes; without them the institution's policy decides.
	Factor, FreshFactor bool
	// Passive shows no page: what would have come first is only reported.
	Passive bool
	// Loop is set when the service sends its people round in circles: a page says so
	// instead of entering it once more.
	Loop *Loop
}

// Loop is what is known of a service that sends somebody back at once.
type Loop struct {
	Reason string // code of the reason that names the cause; its sentences want service and turns
	Turns  int    // how often in a row
	// Clean says that cookies of this browser may be the cause, so that beginning
	// anew can mend it.
	Clean bool
}

// Navigator adds entries to the main navigation.
type Navigator interface {
	Nav(context.Context, campus.Viewer) []NavItem
}

// NavItem is one entry of the main navigation.
type NavItem struct {
	Label, URL, Icon string
	Count            int
	Group            int  // entries of one group stand together: 0 studies, 1 tools, 2 administration, 9 help
	Tab              bool // also in the bar at the bottom of a phone, which holds four
}

// HealthChecker says how the room is.
type HealthChecker interface {
	Health(context.Context) []health.Check
}

// Listener is a room that answers programs besides the web server's.
type Listener interface {
	// Listen answers until the context ends. It returns at once when the
	// configuration asks for nothing, and an error when it cannot listen: the house
	// then does not open.
	Listen(context.Context) error
}

// JobOwner registers the room's jobs.
type JobOwner interface {
	Jobs(*jobs.Registry)
}

// Notices is how a room tells somebody something: in the portal, and by the
// channels that the person chose. The portal implements it.
type Notices interface {
	Notify(ctx context.Context, tx db.Tx, to campus.PersonID, n Notice) error
}

// Notice is one notification. Texts are given in both languages because the
// reader's choice may change before it is read.
type Notice struct {
	Room          string
	Key           string // unique per person when set: a second notice with it replaces the first
	TitleFrench   string
	TitleEnglish  string
	DetailFrench  string
	DetailEnglish string
	URL           string
	Icon          string
	Tone          string // good, warn, bad or ""
}
