package following

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// purpose names following among what waits for a code.
const purpose = "follow"

// mostFound is how many requests a proof opens at once.
const mostFound = 15

// findView is the page on which a request is found by who asked without signing in.
type findView struct {
	Number, Contact string
	SMS, None       bool
	SignedIn        bool
	Open            []ticket.Ticket // to this browser
	Problems        web.Problems
}

func (f *Following) findPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	view := findView{Number: clip(q.Get("number")), SMS: f.SendsSMS(), None: q.Get("none") != "", SignedIn: web.Viewer(r).SignedIn()}
	for _, one := range f.Proving.Granted(r) {
		t, err := f.Tickets.ByID(r.Context(), one)
		if errors.Is(err, ticket.Missing) {
			continue
		}
		if err != nil {
			return err
		}
		view.Open = append(view.Open, t)
	}
	return web.Render(w, r, http.StatusOK, findTempl(view))
}

// clip keeps what may be a number out of an address.
func clip(text string) string {
	const longest = 20
	return strings.ToValidUTF8(text[:min(len(text), longest)], "")
}

// wanted is what waits for the code.
type wanted struct{ Number string }

// find sends a code to an address, whether or not there is a request of it: what
// there is, is told to whoever reads the code there.
func (f *Following) find(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := findView{Number: strings.TrimSpace(values.Get("number")), Contact: strings.TrimSpace(values.Get("contact")), SMS: f.SendsSMS(), SignedIn: web.Viewer(r).SignedIn()}
	number := ""
	if view.Number != "" {
		var ok bool
		if number, ok = ticket.ParseNumber(view.Number); !ok {
			view.Problems.Add("number", "helpdesk.following.problem.number")
		}
	}
	to, err := f.Proofs.ReadContact(view.Contact)
	var why *fault.Fault
	var reason *fault.Reason
	switch {
	case view.Contact == "":
		view.Problems.Add("contact", "helpdesk.following.problem.contact_missing")
	case errors.As(err, &why):
		view.Problems.Add("contact", why.Reason.Code()+".message", web.Pairs(why.Args)...)
	case errors.As(err, &reason):
		view.Problems.Add("contact", reason.Code()+".message")
	case err != nil:
		return err
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, findTempl(view))
	}
	err = f.Proving.Begin(w, r, purpose, to, wanted{number})
	if refused := fault.Of(err); err != nil && refused.Reason.Kind() == fault.Busy {
		web.Note(r, refused)
		view.Problems.Add("contact", refused.Reason.Code()+".message", web.Pairs(refused.Args)...)
		return web.Render(w, r, refused.Reason.Kind().Status(), findTempl(view))
	}
	return err
}

// proved opens the requests of an address to the browser of who reads its mail.
func (f *Following) proved(ctx context.Context, _ db.Tx, p proving.Proved) (to string, tickets []string, err error) {
	var want wanted
	if err := json.Unmarshal(p.Begun, &want); err != nil {
		return "", nil, fmt.Errorf("read what is to be followed: %w", err)
	}
	if want.Number != "" {
		t, err := f.Tickets.ByNumber(ctx, want.Number)
		if errors.Is(err, ticket.Missing) || err == nil && !belongs(t, p) {
			return FollowURL + "?none=1", nil, nil
		}
		return TicketURL(t.Number), []string{t.ID}, err
	}
	list, err := f.of(ctx, p)
	if err != nil {
		return "", nil, err
	}
	if len(list) == 0 {
		return FollowURL + "?none=1", nil, nil
	}
	for _, t := range list[:min(len(list), mostFound)] {
		tickets = append(tickets, t.ID)
	}
	return FollowURL, tickets, nil
}

// of lists the requests of who proved an address, the newest first.
func (f *Following) of(ctx context.Context, p proving.Proved) ([]ticket.Ticket, error) {
	if p.Person != "" {
		mail := p.Contact.Value
		if p.Contact.Phone {
			mail = ""
		}
		return f.OfPerson(ctx, p.Person, mail)
	}
	if p.Contact.Phone {
		return nil, nil // a number alone finds nothing: it comes with the number of a request
	}
	return f.Tickets.OfMail(ctx, strings.ToLower(p.Contact.Value))
}

// belongs reports whether a request is of who proved an address.
func belongs(t ticket.Ticket, p proving.Proved) bool {
	switch {
	case p.Person != "" && t.Requester == p.Person:
		return true
	case p.Contact.Phone:
		return t.RequesterPhone == p.Contact.Value
	default:
		return t.RequesterMail != "" && strings.EqualFold(t.RequesterMail, p.Contact.Value)
	}
}

// leave closes the requests to this browser.
func (f *Following) leave(w http.ResponseWriter, r *http.Request) error {
	f.Proving.Revoke(w, r)
	return web.SeeOther(w, r, FollowURL)
}

func (v findView) contactLabel(ctx context.Context) string {
	if v.SMS {
		return i18n.T(ctx, "helpdesk.following.contact")
	}
	return i18n.T(ctx, "helpdesk.following.contact_mail")
}
