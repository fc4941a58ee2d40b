// Package following shows people their own requests: how far they are, when an
// answer may be expected, what was said. It takes their answers, with an account or
// without.
package following

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Files takes files in and gives them back.
type Files interface {
	Bring(r *http.Request, field string) (attached.Brought, error)
	LayAside(r *http.Request, list []ticket.Attachment) (attached.Tray, error)
	Drop(ctx context.Context, list []ticket.Attachment) error
	ServePublic(w http.ResponseWriter, r *http.Request, t ticket.Ticket, id string) error
}

// Forecaster says honestly when somebody is helped.
type Forecaster interface {
	Outlook(ctx context.Context, t ticket.Ticket) (promise.Outlook, error)
}

// Deps is what the alcove asks of the room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Keys     *crypt.Keyring
	Base     *url.URL
	Texts    *i18n.Catalogue
	Tickets  *ticket.Tickets
	Proving  *proving.Proving
	Proofs   contract.Proofs
	Files    Files
	Forecast Forecaster
	Register contract.Register
	Notices  contract.Notices
	SendsSMS func() bool
}

// Following is the alcove.
type Following struct {
	Deps
	replies *limit.Limiter // by ticket
}

// replyRate bounds how often somebody adds to one request.
var replyRate = limit.Rate{Every: time.Minute, Burst: 15}

// New opens the alcove.
func New(d Deps) *Following {
	f := &Following{Deps: d, replies: limit.New(replyRate, limit.DefaultKeys, d.Clock)}
	d.Proving.On(purpose, f.proved)
	return f
}

// Addresses of the alcove.
const (
	MineURL   = "/helpdesk/mine"
	FollowURL = "/helpdesk/follow"
)

// TicketURL is where the requester of a ticket follows it.
func TicketURL(number string) string { return FollowURL + "/" + number }

// Routes lists the addresses. Those of a ticket are open to strangers, and answer
// only who is its requester or showed that its address is theirs.
func (f *Following) Routes(r *web.Router) {
	r.Handle("GET /helpdesk/mine", f.minePage)
	r.Handle("GET /helpdesk/follow", f.findPage, web.Public)
	r.Handle("POST /helpdesk/follow", f.find, web.Public)
	r.Handle("POST /helpdesk/follow/leave", f.leave, web.Public)
	r.Handle("GET /helpdesk/follow/copy", f.copy, web.Public)
	r.Handle("GET /helpdesk/follow/{number}", f.ticketPage, web.Public)
	r.Handle("GET /helpdesk/follow/{number}/files/{id}", f.file, web.Public)
	r.Handle("POST /helpdesk/follow/{number}/reply", f.reply, web.Public, web.BodyLimit(attached.MaxBody))
	r.Handle("POST /helpdesk/follow/{number}/solved", f.solved, web.Public)
	r.Handle("POST /helpdesk/follow/{number}/reopen", f.reopen, web.Public)
	r.Handle("POST /helpdesk/follow/{number}/rating", f.rate, web.Public)
	r.Handle("GET /helpdesk/letter/{token}", f.letterPage, web.Public)
	r.Handle("POST /helpdesk/letter/{token}", f.openLetter, web.Public)
	r.Handle("GET /helpdesk/letter/{token}/rating", f.letterRatingPage, web.Public)
	r.Handle("POST /helpdesk/letter/{token}/rating", f.rateByLetter, web.Public)
}

// own is the ticket of an address when it is open to who asks, and who they are in
// it. Everybody else is told that there is none, whether or not there is.
func (f *Following) own(r *http.Request) (ticket.Ticket, ticket.Actor, error) {
	number, ok := ticket.ParseNumber(r.PathValue("number"))
	if !ok {
		return ticket.Ticket{}, ticket.Actor{}, ticket.Missing
	}
	t, err := f.Tickets.ByNumber(r.Context(), number)
	if err != nil {
		return ticket.Ticket{}, ticket.Actor{}, err
	}
	if v := web.Viewer(r); v.SignedIn() && v.Person == t.Requester {
		return t, ticket.Actor{Role: ticket.Requester, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}, nil
	}
	if slices.Contains(f.Proving.Granted(r), t.ID) {
		return t, requesterOf(t), nil
	}
	return ticket.Ticket{}, ticket.Actor{}, ticket.Missing
}

// requesterOf is who asked, as they act without having signed in.
func requesterOf(t ticket.Ticket) ticket.Actor {
	return ticket.Actor{Role: ticket.Requester, Person: t.Requester, Name: t.RequesterName, Mail: t.RequesterMail}
}

// nameOf is what an agent is called; empty for nobody, and for who left.
func (f *Following) nameOf(ctx context.Context, who campus.PersonID) (string, error) {
	if who == "" {
		return "", nil
	}
	known, err := f.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return "", err
	}
	p, ok := known[who]
	if !ok {
		return "", nil
	}
	return campus.Viewer{GivenName: p.Subject.GivenName, FamilyName: p.Subject.FamilyName}.DisplayName(), nil
}
