// Package knowledge is what the desk knows: articles in two languages, suggested to
// who is about to ask, and written out of the answers that agents give.
package knowledge

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// State is how far an article is.
type State string

// The states.
const (
	Draft     State = "draft"
	Published State = "published"
	Retired   State = "retired"
)

// Article is one answer. Its bodies are Markdown.
type Article struct {
	ID, Slug string
	State    State
	Internal bool // for agents alone
	Title    hours.Named
	Body     hours.Named
	Reasons  []string // reason codes that it explains
	Services []string // identifiers in the register of services
	Leaves   []string // leaves of the guided diagnosis
	Ticket   string   // identifier of the ticket that it was written from
	// Version counts changes: who writes names the one that they read.
	Version   int64
	ChangedAt time.Time
	ChangedBy campus.PersonID

	Viewed, Helped, Unhelped int64
}

// mayRead reports whether somebody may: what is published for everybody, and all of
// it for those who work at the desk.
func (a Article) mayRead(v campus.Viewer) bool {
	return worksHere(v) || a.State == Published && !a.Internal
}

// worksHere reports whether somebody is an agent or runs the desk.
func worksHere(v campus.Viewer) bool {
	return v.CanSomewhere(campus.RightHelpdesk) || v.Can(campus.RightDesks)
}

// Opinion is what a reader said of an article.
type Opinion struct {
	At     time.Time
	Helped bool
	Words  string
}

// Services names the programs behind single sign-on.
type Services interface {
	ServiceCalled(ctx context.Context, service string) (name, address string)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Tickets  *ticket.Tickets
	Register contract.Register
	Services Services
	// Catalogue are the rooms that offer services.
	Catalogue func() []contract.ServiceProvider
}

// Knowledge is the alcove.
type Knowledge struct {
	Deps
	shelf    shelf
	views    views
	opinions *limit.Limiter // of strangers, by network
}

var _ diagnosis.Suggester = (*Knowledge)(nil)

// New opens the alcove.
func New(d Deps) *Knowledge {
	return &Knowledge{Deps: d, opinions: limit.New(limit.Rate{Every: 10 * time.Second, Burst: 60}, limit.DefaultKeys, d.Clock)}
}

// Addresses of the alcove.
const (
	URL     = "/helpdesk/knowledge"
	deskURL = "/helpdesk/articles"
)

// Routes lists the addresses. Everybody reads what is published for everybody; agents
// write, and those who run the desk decide what is published.
func (k *Knowledge) Routes(r *web.Router) {
	r.Handle("GET /helpdesk/knowledge", k.listPage, web.Public)
	r.Handle("GET /helpdesk/knowledge/suggest", k.suggestPart, web.Public)
	r.Handle("GET /helpdesk/knowledge/{slug}", k.articlePage, web.Public)
	r.Handle("POST /helpdesk/knowledge/{slug}/helped", k.helped, web.Public)

	agents, desks := web.NeedsSomewhere(campus.RightHelpdesk, campus.RightDesks), web.Needs(campus.RightDesks)
	r.Handle("GET /helpdesk/articles", k.deskPage, agents)
	r.Handle("GET /helpdesk/articles/{id}", k.writePage, agents)
	r.Handle("POST /helpdesk/articles/{id}", k.keep, agents)
	r.Handle("POST /helpdesk/articles/{id}/state", k.changeState, desks)
}

// Jobs registers the jobs of the alcove.
func (k *Knowledge) Jobs(r *jobs.Registry) {
	r.Every("helpdesk.knowledge.views", time.Minute, k.countViews)
}

// reasonCalled is the declared reason with a code, or nil.
func reasonCalled(code string) *fault.Reason {
	all := fault.All()
	if i := slices.IndexFunc(all, func(r *fault.Reason) bool { return r.Code() == code }); i >= 0 {
		return all[i]
	}
	return nil
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.knowledge."+key, pairs...)
}
