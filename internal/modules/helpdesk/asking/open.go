package asking

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// purpose names requests among what waits for a code.
const purpose = "ask"

// mostHourly bounds how many requests one person opens in an hour.
const mostHourly = 10

// ticketURL is where a ticket is followed.
func ticketURL(number string) string { return "/helpdesk/follow/" + number }

// openFor opens the request of somebody who has signed in.
func (a *Asking) openFor(w http.ResponseWriter, r *http.Request, b begun) error {
	ctx, v := r.Context(), web.Viewer(r)
	if err := a.fewEnough(a.Tickets.Of(ctx, v.Person)); err != nil {
		return err
	}
	asked := ticket.Ticket{
		Requester: v.Person, RequesterName: v.DisplayName(), RequesterMail: v.Mail, Campus: campusOf(v.Affiliations),
	}
	var made ticket.Ticket
	by := ticket.Actor{Role: ticket.Requester, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}
	if err := a.DB.InTx(ctx, func(tx db.Tx) (err error) {
		t := asked // the closure may run twice
		t.ProvedAt = tx.Now().Time()
		made, err = a.open(ctx, tx, by, t, b)
		return err
	}); err != nil {
		return err
	}
	done := "helpdesk.asking.done"
	if b.Masked > 0 {
		done = "helpdesk.asking.done_masked"
	}
	web.Flash(w, r, done, "number", ticket.Spoken(made.Number))
	return web.SeeOther(w, r, ticketURL(made.Number))
}

// proved opens the request of somebody who showed that an address is theirs. When it
// belongs to somebody, it is their request.
func (a *Asking) proved(ctx context.Context, tx db.Tx, p proving.Proved) (to string, tickets []string, err error) {
	var b begun
	if err := json.Unmarshal(p.Begun, &b); err != nil {
		return "", nil, fmt.Errorf("read a request that was begun: %w", err)
	}
	t := ticket.Ticket{RequesterName: b.Name, ProvedAt: tx.Now().Time()}
	if p.Contact.Phone {
		t.RequesterPhone = p.Contact.Value
	} else {
		t.RequesterMail = p.Contact.Value
	}
	if p.Person != "" {
		known, err := a.Register.KnownPeople(ctx, []campus.PersonID{p.Person})
		if err != nil {
			return "", nil, err
		}
		if who, ok := known[p.Person]; ok {
			t.Requester, t.RequesterName = who.ID, strings.TrimSpace(who.Subject.GivenName+" "+who.Subject.FamilyName)
			t.Campus = campusOf(who.Subject.Affiliations)
		}
	}
	if t.RequesterName == "" {
		t.RequesterName = p.Contact.Value
	}
	by := ticket.Actor{Role: ticket.Requester, Person: t.Requester, Name: t.RequesterName, Mail: t.RequesterMail}
	if t, err = a.open(ctx, tx, by, t, b); err != nil {
		return "", nil, err
	}
	opened := "yes"
	if b.Masked > 0 {
		opened = "masked"
	}
	return ticketURL(t.Number) + "?opened=" + opened, []string{t.ID}, nil
}

// open opens a request that somebody wrote. Rules of the desk find its place.
func (a *Asking) open(ctx context.Context, tx db.Tx, by ticket.Actor, t ticket.Ticket, b begun) (ticket.Ticket, error) {
	t.Channel, t.Subject, t.Locale = ticket.ByPortal, b.Subject, b.Locale
	t.Area, t.Service, t.Reason, t.IncidentCode, t.Leaf = b.Area, b.Service, b.Reason, b.Incident, b.Leaf
	return a.Tickets.Open(ctx, tx, by, ticket.Opening{Ticket: t, Message: ticket.Message{Body: b.Body, Files: b.Files}, Facts: b.Facts})
}

// fewEnough refuses who opens requests without end.
func (a *Asking) fewEnough(list []ticket.Ticket, err error) error {
	if err != nil {
		return err
	}
	now, n := a.Clock.Now(), 0
	var oldest time.Time
	for _, t := range list {
		if now.Sub(t.OpenedAt) < time.Hour {
			n++
			oldest = t.OpenedAt
		}
	}
	if n >= mostHourly {
		return TooMany.With(fault.Args{"wait": oldest.Add(time.Hour).Sub(now)})
	}
	return nil
}
