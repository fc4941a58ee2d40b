package api

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Opening asks for a ticket.
type Opening struct {
	Subject   string    `json:"subject"`
	Body      string    `json:"body"`
	Requester Requester `json:"requester"`
	Queue     string    `json:"queue,omitempty"` // without it the rules decide
	Priority  string    `json:"priority,omitempty"`
	Campus    string    `json:"campus,omitempty"`
	Area      string    `json:"area,omitempty"`
	Service   string    `json:"service,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// openQueue is a queue that takes tickets in.
func (a *API) openQueue(ctx context.Context, queue string) (ticket.Queue, error) {
	q, err := a.Tickets.Queue(ctx, queue)
	if errors.Is(err, ticket.QueueGone) || err == nil && !q.ClosedAt.IsZero() {
		return ticket.Queue{}, Unfit.With(fault.Args{"field": "queue"})
	}
	return q, err
}

// mayPlaceIn refuses a queue that takes nothing in, and one out of the token's reach.
func (a *API) mayPlaceIn(v visit, queue string) error {
	q, err := a.openQueue(v.Context(), queue)
	if err == nil && !v.token.HasQueue(q) {
		err = v.outOfReach()
	}
	return err
}

// opening checks what is asked for, and finds who asks.
func (a *API) opening(v visit, o Opening) (ticket.Ticket, ticket.Actor, error) {
	ctx := v.Context()
	unfit := func(field string) (ticket.Ticket, ticket.Actor, error) {
		return ticket.Ticket{}, ticket.Actor{}, Unfit.With(fault.Args{"field": field})
	}
	address, err := mail.ParseAddress(o.Requester.Mail)
	switch {
	case strings.TrimSpace(o.Subject) == "" || len(o.Subject) > longestSubject:
		return unfit("subject")
	case strings.TrimSpace(o.Body) == "" || len(o.Body) > longestBody:
		return unfit("body")
	case err != nil || len(o.Requester.Mail) > longestSubject:
		return unfit("requester.mail")
	case len(o.Requester.Name) > longestSubject:
		return unfit("requester.name")
	case len(o.Requester.Phone) > 40:
		return unfit("requester.phone")
	case o.Area != "" && !slices.Contains(ticket.Areas, ticket.Area(o.Area)):
		return unfit("area")
	case len(o.Service) > 100:
		return unfit("service")
	case len(o.Reason) > 100:
		return unfit("reason")
	}
	t := ticket.Ticket{
		Channel: ticket.ByAPI, Subject: o.Subject, Locale: campus.French, RequesterName: o.Requester.Name, RequesterMail: strings.ToLower(address.Address), RequesterPhone: o.Requester.Phone,
		Campus: o.Campus, Area: ticket.Area(o.Area), Service: o.Service, Reason: o.Reason, Queue: o.Queue,
	}
	if o.Priority != "" {
		if t.Priority, err = priority(o.Priority); err != nil {
			return ticket.Ticket{}, ticket.Actor{}, err
		}
	}
	if o.Queue != "" {
		if err := a.mayPlaceIn(v, o.Queue); err != nil {
			return ticket.Ticket{}, ticket.Actor{}, err
		}
	}
	if o.Campus != "" && !slices.ContainsFunc(a.Places.Campuses(), func(p place.Place) bool { return p.Code == o.Campus }) {
		return unfit("campus")
	}
	found, err := a.Register.FindPeople(ctx, contract.FieldMail, []string{t.RequesterMail})
	if err != nil {
		return ticket.Ticket{}, ticket.Actor{}, fmt.Errorf("find who asks: %w", err)
	}
	if who := found[t.RequesterMail]; who != "" {
		known, err := a.Register.KnownPeople(ctx, []campus.PersonID{who})
		if err != nil {
			return ticket.Ticket{}, ticket.Actor{}, fmt.Errorf("read who asks: %w", err)
		}
		s := known[who].Subject
		t.Requester, t.RequesterName = who, strings.TrimSpace(s.GivenName+" "+s.FamilyName)
		if s.Locale != "" {
			t.Locale = s.Locale
		}
		if t.Campus == "" && len(s.Affiliations) > 0 {
			t.Campus = s.Affiliations[0].Campus
		}
	}
	return t, ticket.Actor{Role: ticket.Requester, Person: t.Requester, Name: t.RequesterName, Mail: t.RequesterMail}, nil
}

// longestKey bounds an Idempotency-Key, in bytes.
const longestKey = 200

func (a *API) create(w http.ResponseWriter, v visit) error {
	ctx := v.Context()
	var o Opening
	body, err := v.read(&o)
	if err != nil {
		return err
	}
	key := v.Header.Get("Idempotency-Key")
	if len(key) > longestKey || !isText(key) {
		return Unfit.With(fault.Args{"field": "Idempotency-Key"})
	}
	t, by, err := a.opening(v, o)
	if err != nil {
		return err
	}
	var opened ticket.Ticket
	status := http.StatusCreated
	open := func(tx db.Tx) error {
		status = http.StatusCreated
		if key != "" {
			before, err := keyOf(ctx, tx, v.token.ID, key, id.Hash(string(body)))
			if err != nil {
				return err
			}
			if before != "" {
				status = http.StatusOK
				if opened, err = a.Tickets.Change(ctx, tx, before, by, func(*ticket.Work) error { return nil }); err != nil {
					return err
				}
				return v.inReach(opened)
			}
		}
		var err error
		if opened, err = a.Tickets.Open(ctx, tx, by, ticket.Opening{Ticket: t, Message: ticket.Message{Body: strings.TrimSpace(o.Body), Channel: ticket.ByAPI}}); err != nil {
			return err
		}
		if err := v.inReach(opened); err != nil {
			return err
		}
		if key == "" {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_api_keys (token_id, key, body_hash, ticket_id, made_at) VALUES ($1, $2, $3, $4, $5)", v.token.ID, key, id.Hash(string(body)), opened.ID, tx.Now()); err != nil {
			return fmt.Errorf("keep the key of an opening: %w", err)
		}
		return nil
	}
	if err = a.DB.InTx(ctx, open); key != "" && db.IsUnique(err) { // it came twice at once: the other one opened it
		err = a.DB.InTx(ctx, open)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", root+"/tickets/"+opened.Number)
	return a.answer(w, ctx, status, opened, false)
}

// keyOf answers the ticket that was opened with a key; empty for a key that is new.
func keyOf(ctx context.Context, tx db.Tx, token, key, hash string) (ticket string, err error) {
	var before string
	err = tx.QueryRowContext(ctx, "SELECT body_hash, ticket_id FROM helpdesk_api_keys WHERE token_id = $1 AND key = $2", token, key).Scan(&before, &ticket)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look for the key of an opening: %w", err)
	case before != hash:
		return "", KeyUsed
	}
	return ticket, nil
}
