// Package tickettest is the desk of the tests: tickets on a real database, and
// pages behind a real server.
package tickettest

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// Start is a Monday morning in November, 10:00 in Paris.
var Start = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// Steps are the tables of the room and of what it leans on.
func Steps() []db.Migrations {
	return []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations(), {Name: "helpdesk", FS: (&helpdesk.Module{}).Migrations()}}
}

// Desk is the register of tickets with one queue, which promises nothing and whose
// mail stays where it is.
type Desk struct {
	T       *testing.T
	Clock   *clock.Manual
	DB      *db.DB
	Tickets *ticket.Tickets
	Queue   ticket.Queue
	Texts   *i18n.Catalogue
	Zone    *time.Location
	Viewer  campus.Viewer // who asks
	Heard   []ticket.Happening
	hearing sync.Mutex // two transactions can speak at once
}

// Each runs a test with a desk on each database.
func Each(t *testing.T, test func(*testing.T, *Desk)) {
	now := clock.At(Start)
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	texts := i18ntest.Load(t, zone, now, (&helpdesk.Module{}).Locales(), web.Locales, ui.Locales, mailer.Locales, files.Locales)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(Start)
		x := &Desk{T: t, Clock: now, DB: d, Tickets: &ticket.Tickets{DB: d}, Texts: texts, Zone: zone}
		x.Tickets.Connect(x, x, x)
		x.Tx(func(tx db.Tx) (err error) {
			x.Queue, err = x.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "accounts", NameFrench: "Comptes", NameEnglish: "Accounts"})
			return err
		})
		test(t, x)
	}, Steps()...)
}

// Place implements ticket.Placer: there is one queue.
func (x *Desk) Place(_ context.Context, _ db.Tx, t *ticket.Ticket) error {
	t.Queue = x.Queue.ID
	return nil
}

// Promise implements ticket.Promiser: nothing is promised.
func (x *Desk) Promise(context.Context, db.Tx, ticket.Ticket, *ticket.Ticket) error { return nil }

// TicketChanged implements ticket.Follower.
func (x *Desk) TicketChanged(_ context.Context, _ db.Tx, h ticket.Happening) error {
	x.hearing.Lock()
	defer x.hearing.Unlock()
	x.Heard = append(x.Heard, h)
	return nil
}

// Tx runs a transaction that has to succeed.
func (x *Desk) Tx(do func(db.Tx) error) {
	x.T.Helper()
	if err := x.DB.InTx(x.T.Context(), do); err != nil {
		x.T.Fatal(err)
	}
}

// By is a person as they act.
func By(role ticket.Role, v campus.Viewer) ticket.Actor {
	return ticket.Actor{Role: role, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}
}

// Open opens a ticket for somebody.
func (x *Desk) Open(who campus.Viewer, subject, body string) ticket.Ticket {
	x.T.Helper()
	var t ticket.Ticket
	x.Tx(func(tx db.Tx) (err error) {
		t, err = x.Tickets.Open(x.T.Context(), tx, By(ticket.Requester, who), ticket.Opening{
			Ticket: ticket.Ticket{
				Channel: ticket.ByPortal, Subject: subject, Locale: campus.French, Requester: who.Person, RequesterName: who.DisplayName(), RequesterMail: who.Mail,
			},
			Message: ticket.Message{Body: body},
		})
		return err
	})
	return t
}

// Change changes a ticket.
func (x *Desk) Change(t ticket.Ticket, by ticket.Actor, do func(*ticket.Work) error) ticket.Ticket {
	x.T.Helper()
	x.Tx(func(tx db.Tx) (err error) {
		t, err = x.Tickets.Change(x.T.Context(), tx, t.ID, by, do)
		return err
	})
	return t
}

// Serve puts pages behind a server, for x.Viewer.
func (x *Desk) Serve(routes func(*web.Router)) *httptest.Server {
	x.T.Helper()
	return pagetest.Serve(x.T, x.Clock, x.Texts, func() campus.Viewer { return x.Viewer }, routes)
}
