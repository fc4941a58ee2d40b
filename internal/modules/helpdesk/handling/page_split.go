package handling

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// maxSubject is how long a subject may be, in characters.
const maxSubject = 200

// splitView is the page on which a message becomes a ticket of its own.
type splitView struct {
	ticket.Ticket
	Message  ticket.Message
	Subject  string
	Problems web.Problems
}

// message reads the message of the address.
func (h *Handling) message(r *http.Request, t ticket.Ticket) (ticket.Message, ticket.Thread, error) {
	thread, err := h.Tickets.Thread(r.Context(), t.ID)
	if err != nil {
		return ticket.Message{}, thread, err
	}
	for _, m := range thread.Messages {
		if m.ID == r.PathValue("message") {
			return m, thread, nil
		}
	}
	return ticket.Message{}, thread, MessageGone
}

// splits reports whether a message can become a ticket: somebody asked something in
// it.
func splits(m ticket.Message) bool {
	return !m.Internal && (m.By.Role == ticket.Requester || m.By.Role == ticket.Other)
}

// toSplit reads a message that can become a ticket.
func (h *Handling) toSplit(r *http.Request) (ticket.Ticket, ticket.Message, error) {
	t, err := h.mine(r)
	if err != nil {
		return t, ticket.Message{}, err
	}
	m, _, err := h.message(r, t)
	if err == nil && !splits(m) {
		err = MessageGone
	}
	return t, m, err
}

func (h *Handling) splitPage(w http.ResponseWriter, r *http.Request) error {
	t, m, err := h.toSplit(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, splitTempl(splitView{Ticket: t, Message: m, Subject: t.Subject}))
}

// split makes a ticket of a message, with copies of its files. The message stays
// where it was said.
func (h *Handling) split(w http.ResponseWriter, r *http.Request) error {
	t, m, err := h.toSplit(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := splitView{Ticket: t, Message: m, Subject: campus.OneLine(values.Get("subject"))}
	if view.Problems = checkSubject(view.Subject); view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, splitTempl(view))
	}
	ctx := r.Context()
	copies, err := h.Files.Copy(ctx, m.Files)
	if err != nil {
		return err
	}
	var made ticket.Ticket
	_, err = h.change(r, t, 0, func(ctx context.Context, tx db.Tx, work *ticket.Work) (err error) {
		asked := ticket.Ticket{
			Channel: m.Channel, Subject: view.Subject, Locale: t.Locale, Campus: t.Campus, Area: t.Area, Priority: t.Priority, SplitFrom: t.ID,
			Requester: t.Requester, RequesterName: t.RequesterName, RequesterMail: t.RequesterMail, RequesterPhone: t.RequesterPhone, ProvedAt: t.ProvedAt,
		}
		if m.By.Role == ticket.Other { // somebody in copy asked something of their own
			asked.Requester, asked.RequesterName, asked.RequesterMail, asked.RequesterPhone, asked.ProvedAt = m.By.Person, m.By.Name, m.By.Mail, "", time.Time{}
		}
		by := m.By
		by.Role = ticket.Requester
		made, err = h.Tickets.Open(ctx, tx, by, ticket.Opening{Ticket: asked, Message: ticket.Message{Channel: m.Channel, Body: m.Body, Folded: m.Folded, Files: append([]ticket.Attachment{}, copies...)}})
		if err != nil {
			return err
		}
		if _, err := h.Tickets.Change(ctx, tx, made.ID, work.By(), func(w *ticket.Work) error {
			w.Happened("split_from", "number", ticket.Spoken(t.Number))
			return nil
		}); err != nil {
			return err
		}
		work.Happened("split_to", "number", ticket.Spoken(made.Number))
		return nil
	})
	if err != nil {
		return errors.Join(err, h.Files.Drop(ctx, copies))
	}
	web.Flash(w, r, "helpdesk.handling.done.split")
	return web.SeeOther(w, r, URL(made.Number))
}

func checkSubject(subject string) (problems web.Problems) {
	switch {
	case subject == "":
		problems.Add("subject", "helpdesk.handling.problem.subject_missing")
	case utf8.RuneCountInString(subject) > maxSubject:
		problems.Add("subject", "helpdesk.handling.problem.subject_long", "limit", maxSubject)
	}
	return problems
}
