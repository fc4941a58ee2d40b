package contract

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Banner is a band on top of the pages: something that many should know now. Its
// texts are in the language of the context it was made in.
type Banner struct {
	ID     string // stable; who puts the banner away is asked about it no more
	Tone   string // info, warn or bad
	Title  string
	Detail string
	URL    string // where there is more; a local address, may be empty
	// Since and Until are what it is about; Until is zero where nobody knows.
	Since, Until time.Time
	// Stays says that nobody can put it away: something is out of order.
	Stays bool
}

// Announcer has banners for the pages.
type Announcer interface {
	// Banners are those for somebody, the most pressing first. A stranger's campus is
	// not known: they get those that concern everybody. It is asked for every page, and
	// answers from memory.
	Banners(context.Context, campus.Viewer) []Banner
}

// ServiceAnnouncer has banners about one service, for the page on which somebody
// signs in to go there.
type ServiceAnnouncer interface {
	// BannersOf are those about a service, the most pressing first. A stranger gets
	// whatever is public, of every campus: where they belong is not known yet. It answers
	// from memory.
	BannersOf(ctx context.Context, v campus.Viewer, service string) []Banner
}

// Explainer has articles that explain reason codes.
type Explainer interface {
	// Explaining finds the published article for everybody that is attached to a reason
	// code, in the language of the context. It is asked when something failed, so it
	// waits for nothing long; ok is false when there is none, or nobody can tell.
	Explaining(ctx context.Context, reason string) (title, url string, ok bool)
}
