package sso

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Note implements [gate.Gate]: it keeps an incident for the page of the service and tells its technical
// contact. The person or the service that waits for an answer gets it also when
// this fails, so the failure goes to the log.
func (m *Module) Note(ctx context.Context, i gate.Incident) {
	i.Expected, i.Received = clip(i.Expected), clip(i.Received)
	if err := m.keepIncident(ctx, i); err != nil {
		m.Log.ErrorContext(ctx, "sso incident not kept", "reason", i.Reason.Code(), "error", err)
	}
	if i.Service == nil || i.Quiet || i.Service.Contact == "" || m.Mailer == nil {
		return
	}
	if err := m.tellContact(ctx, i); err != nil {
		m.Log.ErrorContext(ctx, "technical contact not told", "service", i.Service.ID, "reason", i.Reason.Code(), "error", err)
	}
}

// longest is how much of an address an incident keeps.
const longest = 2000

func (m *Module) keepIncident(ctx context.Context, i gate.Incident) error {
	service := ""
	if i.Service != nil {
		service = i.Service.ID
	}
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		key := strings.Join([]string{service, i.Reason.Code(), i.Difference, i.Peer, day(tx.Now())}, "|")
		if i.Service == nil {
			key += "|" + i.Received
		}
		return sqlgen.New(tx).NoteIncident(ctx, sqlgen.NoteIncidentParams{
			ID: id.New(), RepeatKey: id.Hash(key), ServiceID: service, Reason: i.Reason.Code(), Difference: i.Difference,
			Expected: i.Expected, Received: i.Received, TicketAge: i.Age.Microseconds(), Validator: i.Peer, FirstAt: tx.Now(),
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

// tellContact mails the technical contact, at most once a day for each reason.
func (m *Module) tellContact(ctx context.Context, i gate.Incident) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).NoteContactMail(ctx, sqlgen.NoteContactMailParams{
			ServiceID: i.Service.ID, Reason: i.Reason.Code(), Day: day(tx.Now()),
		})
		if err != nil || n == 0 {
			return err
		}
		return m.Mailer.Send(ctx, tx, m.contactMail(i, tx.Now().Time()))
	})
}

// contactMail is the mail in both languages: we do not know the reader's.
func (m *Module) contactMail(i gate.Incident, at time.Time) mailer.Message {
	french, english := m.Texts.For(campus.French), m.Texts.For(campus.English)
	return mailer.Message{
		Kind: i.Reason.Code(), To: i.Service.Contact,
		Subject: cutRunes(french.T("sso.mail.subject", "service", i.Service.Name(campus.French))+" / "+
			english.T("sso.mail.subject", "service", i.Service.Name(campus.English)), 200),
		Text: m.contactText(french, i, at) + "\n\n— English —\n\n" + m.contactText(english, i, at),
	}
}

func (m *Module) contactText(p *i18n.Printer, i gate.Incident, at time.Time) string {
	name := i.Service.Name(p.Locale())
	facts := []any{"service", name, "age", i.Age.Round(time.Second)}
	for key, value := range i.Facts {
		facts = append(facts, key, value)
	}
	lines := []string{
		p.T("sso.mail.opening", "service", name, "at", p.Date(at, i18n.Full)), "",
		p.T(i.Reason.Code()+".message", facts...),
	}
	if i.Difference != "" {
		lines = append(lines, p.T("sso.difference."+i.Difference))
	}
	for _, fact := range []struct{ key, value string }{
		{"sso.incident.expected", i.Expected}, {"sso.incident.received", i.Received}, {"sso.incident.validator", i.Peer},
	} {
		if fact.value != "" {
			lines = append(lines, "  "+p.T(fact.key)+" "+fact.value)
		}
	}
	lines = append(lines, "",
		p.T(i.Reason.Code()+".next", facts...), "",
		p.T("sso.mail.closing", "address", m.BaseURL+"/sso/services/"+i.Service.ID, "code", i.Reason.Code()))
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
