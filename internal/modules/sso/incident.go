package sso

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// incident is something that went wrong between a service and us.
type incident struct {
	service    *registry.Service // nil: an address that is not registered
	reason     *fault.Reason
	difference cas.Difference
	expected   string // address that the ticket was issued for
	received   string // address that it was validated for
	age        time.Duration
	validator  string // network address that asked
	quiet      bool   // not yet worth a mail
}

// note keeps an incident for the page of the service and tells its technical
// contact. The person or the service that waits for an answer gets it also when
// this fails, so the failure goes to the log.
func (m *Module) note(ctx context.Context, i incident) {
	i.expected, i.received = clip(i.expected), clip(i.received)
	if err := m.keepIncident(ctx, i); err != nil {
		m.Log.ErrorContext(ctx, "sso incident not kept", "reason", i.reason.Code(), "error", err)
	}
	if i.service == nil || i.quiet || i.service.Contact == "" || m.Mailer == nil {
		return
	}
	if err := m.tellContact(ctx, i); err != nil {
		m.Log.ErrorContext(ctx, "technical contact not told", "service", i.service.ID, "reason", i.reason.Code(), "error", err)
	}
}

// longest is how much of an address an incident keeps.
const longest = 2000

func (m *Module) keepIncident(ctx context.Context, i incident) error {
	service := ""
	if i.service != nil {
		service = i.service.ID
	}
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		key := strings.Join([]string{service, i.reason.Code(), string(i.difference), i.validator, day(tx.Now())}, "|")
		if i.service == nil {
			key += "|" + i.received
		}
		return sqlgen.New(tx).NoteIncident(ctx, sqlgen.NoteIncidentParams{
			ID: id.New(), RepeatKey: id.Hash(key), ServiceID: service, Reason: i.reason.Code(), Difference: string(i.difference),
			Expected: i.expected, Received: i.received, TicketAge: i.age.Microseconds(), Validator: i.validator, FirstAt: tx.Now(),
		})
	})
}

func day(t db.Time) string { return t.Time().Format(time.DateOnly) }

// clip makes a text that somebody else sent one line of bounded length: no byte
// that a database refuses, no line that a mail would seem to say itself, nothing
// that turns the direction of what follows.
func clip(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), longest)], "\uFFFD")
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// noteTicket keeps what was wrong with a ticket that we know.
func (m *Module) noteTicket(ctx context.Context, s *registry.Service, t sqlgen.SsoTicket, reason *fault.Reason, q question, d cas.Difference) {
	m.note(ctx, incident{
		service: s, reason: reason, difference: d, expected: t.ServiceUrl, received: q.services[0],
		age: db.At(m.Clock.Now()).Sub(t.IssuedAt), validator: q.from.String(),
	})
}

// noteUnknownTicket keeps that somebody asked about a ticket that we never
// issued, when the service that it was asked for is one of ours.
func (m *Module) noteUnknownTicket(ctx context.Context, x *registry.Index, q question) {
	address, err := cas.ParseServiceURL(q.services[0])
	if err != nil {
		return
	}
	if s := x.Match(address); s != nil {
		// Anybody can ask for a ticket of their invention: no mail for that.
		m.note(ctx, incident{service: s, reason: TicketUnknown, received: q.services[0], validator: q.from.String(), quiet: true})
	}
}

// noteUnknownService keeps that people are sent to us by an address that is not
// registered. Anybody can cause this, so each network address may only so often.
func (m *Module) noteUnknownService(ctx context.Context, address cas.ServiceURL, from string) {
	if _, ok := m.unknowns.Allow(from); ok {
		m.note(ctx, incident{reason: ServiceUnknown, received: address.Origin()})
	}
}

// tellContact mails the technical contact, at most once a day for each reason.
func (m *Module) tellContact(ctx context.Context, i incident) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).NoteContactMail(ctx, sqlgen.NoteContactMailParams{
			ServiceID: i.service.ID, Reason: i.reason.Code(), Day: day(tx.Now()),
		})
		if err != nil || n == 0 {
			return err
		}
		return m.Mailer.Send(ctx, tx, m.contactMail(i, tx.Now().Time()))
	})
}

// contactMail is the mail in both languages: we do not know the reader's.
func (m *Module) contactMail(i incident, at time.Time) mailer.Message {
	french, english := m.Texts.For(campus.French), m.Texts.For(campus.English)
	return mailer.Message{
		Kind: i.reason.Code(), To: i.service.Contact,
		Subject: cutRunes(french.T("sso.mail.subject", "service", i.service.Name(campus.French))+" / "+
			english.T("sso.mail.subject", "service", i.service.Name(campus.English)), 200),
		Text: m.contactText(french, i, at) + "\n\n— English —\n\n" + m.contactText(english, i, at),
	}
}

func (m *Module) contactText(p *i18n.Printer, i incident, at time.Time) string {
	name := i.service.Name(p.Locale())
	lines := []string{
		p.T("sso.mail.opening", "service", name, "at", p.Date(at, i18n.Full)), "",
		p.T(i.reason.Code()+".message", "service", name, "count", m.config.LoopTickets, "lifetime", m.config.TicketLifetime, "age", i.age.Round(time.Second)),
	}
	if i.difference != cas.Same {
		lines = append(lines, p.T("sso.difference."+string(i.difference)))
	}
	for _, fact := range []struct{ key, value string }{
		{"sso.incident.expected", i.expected}, {"sso.incident.received", i.received}, {"sso.incident.validator", i.validator},
	} {
		if fact.value != "" {
			lines = append(lines, "  "+p.T(fact.key)+" "+fact.value)
		}
	}
	lines = append(lines, "",
		p.T(i.reason.Code()+".next", "service", name, "lifetime", m.config.TicketLifetime), "",
		p.T("sso.mail.closing", "address", m.BaseURL+"/sso/services/"+i.service.ID, "code", i.reason.Code()))
	return strings.Join(lines, "\n")
}

func cutRunes(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

// Incident is one entry of a service's page.
type Incident struct {
	Service, Reason    string
	Difference         cas.Difference
	Expected, Received string
	Age                time.Duration
	Validator          string
	Times              int64
	First, Last        time.Time
}

// incidents lists the latest incidents of a service; "" lists the addresses that
// are not registered.
func (m *Module) incidents(ctx context.Context, service string, most int32) ([]Incident, error) {
	rows, err := sqlgen.New(m.DB.Read()).ServiceIncidents(ctx, sqlgen.ServiceIncidentsParams{ServiceID: service, Limit: most})
	if err != nil {
		return nil, fmt.Errorf("list incidents of %q: %w", service, err)
	}
	list := make([]Incident, len(rows))
	for i, row := range rows {
		list[i] = Incident{
			Service: row.ServiceID, Reason: row.Reason, Difference: cas.Difference(row.Difference), Expected: row.Expected, Received: row.Received,
			Age: time.Duration(row.TicketAge) * time.Microsecond, Validator: row.Validator, Times: row.Times,
			First: row.FirstAt.Time(), Last: row.LastAt.Time(),
		}
	}
	return list, nil
}
