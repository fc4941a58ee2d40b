// Package asking is where everybody asks: a search, the guide that comes before a
// request, and the request that is filled in already.
package asking

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Files takes in the files of a form.
type Files interface {
	Bring(r *http.Request, field string) (attached.Brought, error)
	LayAside(r *http.Request, list []ticket.Attachment) (attached.Tray, error)
	Drop(ctx context.Context, list []ticket.Attachment) error
}

// Help finds answers that were written for everybody.
type Help interface {
	HelpAbout(ctx context.Context, words string) []contract.Hit
}

// Services names the programs behind single sign-on.
type Services interface {
	ServiceCalled(ctx context.Context, service string) (name, address string)
}

// Deps is what the alcove asks of the room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Tickets  *ticket.Tickets
	Proving  *proving.Proving
	Files    Files
	SignIns  contract.SignIns
	Proofs   contract.Proofs
	Register contract.Register
	Accounts contract.ServiceAccounts
	Services Services
	// Catalogue are the rooms that offer services.
	Catalogue func() []contract.ServiceProvider
	Help      Help
	// Desks says which desks are open now.
	Desks func(ctx context.Context) ([]openings.Now, error)
	// Foremost are the areas that the guide names first these days.
	Foremost func(ctx context.Context) ([]ticket.Area, error)
	// Suggesters know what else may answer: knowledge, running incidents.
	Suggesters []diagnosis.Suggester
	// SendsSMS says whether a code can go to a telephone.
	SendsSMS func() bool
}

// Asking is the alcove.
type Asking struct {
	Deps
	uploads *limit.Limiter // files of strangers, by network
	own     *limit.Limiter // files of who has signed in, by person
}

// uploadRate bounds how often one network brings files before anybody showed who
// they are: a campus is one network, a robot is too. ownRate does for one person, whose
// form may come back as often as they like.
var (
	uploadRate = limit.Rate{Every: 30 * time.Second, Burst: 60}
	ownRate    = limit.Rate{Every: time.Minute, Burst: 15}
)

// New opens the alcove.
func New(d Deps) *Asking {
	a := &Asking{Deps: d, uploads: limit.New(uploadRate, limit.DefaultKeys, d.Clock), own: limit.New(ownRate, limit.DefaultKeys, d.Clock)}
	d.Proving.On(purpose, a.proved)
	return a
}

// Addresses of the alcove.
const (
	URL      = "/helpdesk"
	askURL   = "/helpdesk/ask"
	writeURL = "/helpdesk/ask/write"
)

// Routes lists the addresses. Everybody may ask; what they are shown is about
// themselves or about nobody.
func (a *Asking) Routes(r *web.Router) {
	r.Handle("GET /helpdesk", a.startPage, web.Public)
	r.Handle("GET /helpdesk/ask", a.guidePage, web.Public)
	r.Handle("GET /helpdesk/ask/{way...}", a.guidePage, web.Public)
	r.Handle("GET /helpdesk/ask/write", a.writePage, web.Public)
	r.Handle("POST /helpdesk/ask/write", a.write, web.Public, web.BodyLimit(maxBody))
}

// about is what a way through the guide carries along in its addresses.
type about struct {
	Code    string // incident code; "none" when it is not about that
	Service string // identifier in the register of services
	// Reason is the code of a failure that somebody read on a page, Request the
	// identifier of the request that met it.
	Reason, Request string
}

func aboutOf(q url.Values) about {
	const longest = 80 // bytes
	short := func(name string) string {
		if text := q.Get(name); len(text) <= longest {
			return text
		}
		return ""
	}
	return about{short("code"), short("service"), short("reason"), short("request")}
}

// values are what an address carries of it, with pairs of name and value.
func (b about) values(pairs ...string) url.Values {
	q := url.Values{}
	for _, pair := range [][2]string{{"code", b.Code}, {"service", b.Service}, {"reason", b.Reason}, {"request", b.Request}} {
		if pair[1] != "" {
			q.Set(pair[0], pair[1])
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// address is a local path with what it carries.
func (b about) address(path string, pairs ...string) string {
	if q := b.values(pairs...); len(q) > 0 {
		return path + "?" + q.Encode()
	}
	return path
}

// campusOf is the campus to which a person's requests belong: that of their first
// affiliation that names one.
func campusOf(list []campus.Affiliation) string {
	for _, a := range list {
		if a.Campus != "" {
			return a.Campus
		}
	}
	return ""
}
