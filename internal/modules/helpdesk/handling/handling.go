// Package handling is a ticket as agents work on it: the conversation, who asked,
// and all that can be done about it without leaving the page.
package handling

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Services names the programs behind single sign-on.
type Services interface {
	// ServiceCalled is a service's name in the language of the context, and where it is
	// opened; both are empty for an unknown one.
	ServiceCalled(ctx context.Context, service string) (name, address string)
}

// Contacts reads addresses and numbers.
type Contacts interface {
	// ReadContact reads an address or a number however it is typed. The error is of kind
	// Invalid and says what is wrong with it.
	ReadContact(typed string) (contract.Contact, error)
}

// Deps is what the alcove asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Keys     *crypt.Keyring
	Texts    *i18n.Catalogue
	Zone     *time.Location
	Base     *url.URL // the address of the house, for what is inserted into answers
	Tickets  *ticket.Tickets
	Files    *attached.Attached
	Register contract.Register
	Seeker   contract.Seeker
	Proofs   Contacts
	Places   place.Names
	Services Services
	Looks    contract.Looks
	Notices  contract.Notices
	// AgentsOf are those who may handle the tickets of a campus.
	AgentsOf func(ctx context.Context, code string) ([]campus.PersonID, error)
	// Dossiers are the rooms that know something about a person, and Acts those in which
	// something can be done for one.
	Dossiers func() []contract.Dossier
	// Answers are articles that agents may read about something; nil for none.
	Answers func(ctx context.Context, w diagnosis.Wanted) ([]diagnosis.Suggestion, error)
	// OutageTitled names an incident that many have, in the language of the context; nil
	// where there are none.
	OutageTitled func(ctx context.Context, outage string) (string, error)
	Acts         func() []contract.Acts
}

// Handling is the alcove.
type Handling struct{ Deps }

// New opens it.
func New(d Deps) *Handling { return &Handling{d} }

// Routes lists the addresses of the alcove. Each asks again whether the viewer may
// handle the ticket that it names.
func (h *Handling) Routes(r *web.Router) {
	agents := web.NeedsSomewhere(campus.RightHelpdesk)
	r.Handle("GET /helpdesk/tickets/{number}", h.ticketPage, agents)
	r.Handle("POST /helpdesk/tickets/{number}/messages", h.write, agents, web.BodyLimit(attached.MaxBody))
	r.Handle("POST /helpdesk/tickets/{number}/template", h.insertTemplate, agents, web.BodyLimit(attached.MaxBody))
	r.Handle("POST /helpdesk/tickets/{number}/draft", h.keepDraft, agents)
	r.Handle("POST /helpdesk/tickets/{number}/state", h.changeState, agents)
	r.Handle("POST /helpdesk/tickets/{number}/place", h.changePlace, agents)
	r.Handle("POST /helpdesk/tickets/{number}/mine", h.takeMyself, agents)
	r.Handle("POST /helpdesk/tickets/{number}/watch", h.watch, agents)
	r.Handle("POST /helpdesk/tickets/{number}/undo", h.undo, agents)
	r.Handle("POST /helpdesk/tickets/{number}/called", h.calledBack, agents)
	r.Handle("GET "+callbacksURL, h.callbacksPage, agents)
	r.Handle("GET /helpdesk/tickets/{number}/merge", h.mergePage, agents)
	r.Handle("POST /helpdesk/tickets/{number}/merge", h.merge, agents)
	r.Handle("POST /helpdesk/tickets/{number}/link", h.link, agents)
	r.Handle("POST /helpdesk/tickets/{number}/unlink", h.unlink, agents)
	r.Handle("GET /helpdesk/tickets/{number}/messages/{message}/split", h.splitPage, agents)
	r.Handle("POST /helpdesk/tickets/{number}/messages/{message}/split", h.split, agents)
	r.Handle("GET /helpdesk/tickets/{number}/messages/{message}/redact", h.redactPage, agents)
	r.Handle("POST /helpdesk/tickets/{number}/messages/{message}/redact", h.redact, agents)
	r.Handle("GET /helpdesk/tickets/{number}/acts/{act}", h.actPage, agents)
	r.Handle("POST /helpdesk/tickets/{number}/acts/{act}", h.act, agents)
	r.Handle("GET /helpdesk/tickets/new", h.newPage, agents)
	r.Handle("POST /helpdesk/tickets/new", h.open, agents)
	desks := web.Needs(campus.RightDesks)
	r.Handle("GET /helpdesk/setup/templates", h.templatesPage, desks)
	r.Handle("GET /helpdesk/setup/templates/{id}", h.templatePage, desks)
	r.Handle("POST /helpdesk/setup/templates/{id}", h.keepTemplate, desks)
	r.Handle("POST /helpdesk/setup/templates/{id}/delete", h.dropTemplate, desks)
}

// mine reads the ticket of an address, for an agent who may handle it. Others are
// told that there is none.
func (h *Handling) mine(r *http.Request) (ticket.Ticket, error) {
	return h.handled(r, r.PathValue("number"))
}

func (h *Handling) handled(r *http.Request, number string) (ticket.Ticket, error) {
	t, err := h.Tickets.ByNumber(r.Context(), number)
	if err != nil {
		return ticket.Ticket{}, err
	}
	if !ticket.MayHandle(web.Viewer(r), t) {
		return ticket.Ticket{}, ticket.Missing
	}
	return t, nil
}

// agent is the viewer as who acts.
func agent(r *http.Request) ticket.Actor {
	v := web.Viewer(r)
	return ticket.Actor{Role: ticket.Agent, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}
}

// callbacksURL lists the calls to be made.
const callbacksURL = "/helpdesk/tickets/callbacks"

// URL is the address of a ticket for agents.
func URL(number string) string { return "/helpdesk/tickets/" + number }

// change changes a ticket for an agent who read this version of it; 0 is any.
func (h *Handling) change(r *http.Request, t ticket.Ticket, version int64, do func(context.Context, db.Tx, *ticket.Work) error) (ticket.Ticket, error) {
	var after ticket.Ticket
	ctx := r.Context()
	err := h.DB.InTx(ctx, func(tx db.Tx) (err error) {
		after, err = h.Tickets.Change(ctx, tx, t.ID, agent(r), func(w *ticket.Work) error {
			if err := w.Expect(version); err != nil {
				return err
			}
			return do(ctx, tx, w)
		})
		return err
	})
	return after, err
}
