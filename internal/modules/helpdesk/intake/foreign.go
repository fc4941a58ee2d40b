package intake

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// foreign is a ticket of another program, in words that all of them share.
type foreign struct {
	line  int
	queue ticket.Queue // here

	ID        string
	Label     string // what people call it, such as "RT #4711"
	Subject   string
	Queue     string // name there
	State     ticket.State
	stateSaid string
	Priority  ticket.Priority
	Requester person
	Owner     person
	Opened    time.Time
	Changed   time.Time
	Solved    time.Time
	Closed    time.Time
	Spent     time.Duration
	Said      []said
}

// person is somebody as another program knows them. Mail is lower case.
type person struct{ Mail, Name, Phone string }

// said is one message there.
type said struct {
	By       person
	Staff    bool // an agent wrote it
	At       time.Time
	Internal bool
	Body     string
	MailID   string
	Channel  ticket.Channel
	Files    []file
}

// file is an attachment; its content is nil when it was not exported.
type file struct {
	Name    string
	Content []byte
}

// matched is somebody here.
type matched struct {
	ID      campus.PersonID
	Subject contract.Subject
}

// ready is a ticket that only has to be written.
type ready struct {
	line      int
	id, label string
	past      ticket.Past
}

// people finds everybody of whom a batch speaks, by address.
func (x *Intake) people(ctx context.Context, batch []*foreign) (map[string]matched, error) {
	seen := map[string]bool{}
	var mails []string
	add := func(p person) {
		if p.Mail != "" && !seen[p.Mail] {
			seen[p.Mail] = true
			mails = append(mails, p.Mail)
		}
	}
	for _, f := range batch {
		add(f.Requester)
		add(f.Owner)
		for _, s := range f.Said {
			add(s.By)
		}
	}
	found := map[string]matched{}
	if len(mails) == 0 {
		return found, nil
	}
	ids, err := x.Register.FindPeople(ctx, contract.FieldMail, mails)
	if err != nil {
		return nil, fmt.Errorf("find people by their address: %w", err)
	}
	list := make([]campus.PersonID, 0, len(ids))
	for _, who := range ids {
		list = append(list, who)
	}
	known, err := x.Register.KnownPeople(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	for mail, who := range ids {
		found[mail] = matched{who, known[who].Subject}
	}
	return found, nil
}

// prepare makes a ticket of a foreign one, and keeps its files.
func (r *run) prepare(ctx context.Context, f *foreign, people map[string]matched) (ready, error) {
	asker := people[f.Requester.Mail]
	t := ticket.Ticket{
		State: f.State, Priority: f.Priority, Subject: clean(f.Subject, longestSubject), Locale: cmp.Or(asker.Subject.Locale, campus.French), Queue: f.queue.ID, Campus: f.queue.Campus,
		Requester: asker.ID, RequesterName: clean(cmp.Or(fullName(asker), f.Requester.Name), longestSubject), RequesterMail: f.Requester.Mail, RequesterPhone: clean(f.Requester.Phone, 40),
		Assignee: people[f.Owner.Mail].ID, OpenedAt: f.Opened, ChangedAt: f.Changed, SolvedAt: f.Solved, ClosedAt: f.Closed, Spent: f.Spent,
	}
	if strings.TrimSpace(t.Subject) == "" {
		t.Subject = f.Label
	}
	if t.Campus == "" && len(asker.Subject.Affiliations) > 0 {
		t.Campus = asker.Subject.Affiliations[0].Campus
	}
	if t.ChangedAt.IsZero() {
		t.ChangedAt = t.OpenedAt
		for _, s := range f.Said {
			if s.At.After(t.ChangedAt) {
				t.ChangedAt = s.At
			}
		}
	}
	// What is over says when, even where the other program forgot.
	if t.State.Over() && t.SolvedAt.IsZero() {
		t.SolvedAt = cmp.Or(t.ClosedAt, t.ChangedAt)
	}
	if t.State == ticket.Closed && t.ClosedAt.IsZero() {
		t.ClosedAt = cmp.Or(t.ChangedAt, t.SolvedAt)
	}
	switch {
	case !t.State.Over():
		t.SolvedAt, t.ClosedAt = time.Time{}, time.Time{}
		if t.State == ticket.Waiting {
			t.WaitingSince = t.ChangedAt
		}
	case t.SolvedAt.Before(t.OpenedAt):
		t.SolvedAt = t.OpenedAt
	}
	p := ticket.Past{Ticket: t, Facts: []ticket.Fact{{Label: "imported", Content: f.Label}}}
	for _, s := range f.Said {
		m, err := r.message(ctx, f, s, people)
		if err != nil {
			return ready{}, err
		}
		p.Messages = append(p.Messages, m)
	}
	return ready{f.line, f.ID, f.Label, p}, nil
}

func (r *run) message(ctx context.Context, f *foreign, s said, people map[string]matched) (ticket.Message, error) {
	who := people[s.By.Mail]
	m := ticket.Message{
		At: cmp.Or(s.At, f.Opened), Channel: s.Channel, Internal: s.Internal, Body: clean(s.Body, longestBody), MailID: clean(s.MailID, longestSubject),
		By: ticket.Actor{Role: ticket.Other, Person: who.ID, Name: clean(cmp.Or(fullName(who), s.By.Name), longestSubject), Mail: s.By.Mail},
	}
	switch {
	case s.By.Mail != "" && s.By.Mail == f.Requester.Mail && !s.Internal:
		m.By.Role = ticket.Requester
	case s.Staff || s.Internal:
		m.By.Role = ticket.Agent
	}
	parcel := r.Files.Parcel()
	for _, one := range s.Files {
		if one.Content == nil {
			continue
		}
		if err := parcel.Add(ctx, bytes.NewReader(one.Content), clean(one.Name, longestSubject)); err != nil {
			return ticket.Message{}, fmt.Errorf("ticket %s: keep the file %q: %w", f.ID, one.Name, err)
		}
	}
	m.Files = parcel.Files()
	for _, kept := range m.Files {
		if kept.Refused != "" {
			r.unkept(f, kept.Name, kept.Refused)
		} else {
			r.report.Files++
		}
	}
	return m, nil
}

func fullName(m matched) string {
	return strings.TrimSpace(m.Subject.GivenName + " " + m.Subject.FamilyName)
}

// What is kept of a text, in bytes.
const (
	longestSubject = 300
	longestBody    = 200_000
)

// clean is a text as both databases keep it, at most so long.
func clean(text string, most int) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\x00", ""), "�")
	if len(text) <= most {
		return strings.TrimSpace(text)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.TrimSpace(text[:cut]) + " […]"
}

// markup turns HTML into text with the signs that people use in plain mails.
var markup = func() *converter.Converter {
	c := converter.NewConverter(converter.WithPlugins(base.NewBasePlugin(), commonmark.NewCommonmarkPlugin()), converter.WithEscapeMode(converter.EscapeModeDisabled))
	for _, tag := range []string{"img", "style", "title"} {
		c.Register.TagType(tag, converter.TagTypeRemove, converter.PriorityEarly)
	}
	return c
}()

// plain is HTML as text. Without any tag it is taken as it is.
func plain(page string) string {
	if !strings.Contains(page, "<") {
		return page
	}
	text, err := markup.ConvertString(page)
	if err != nil {
		return page // a text that the converter cannot read is better than none
	}
	return text
}

// mailOf is an address in its stored form; what is none is empty.
func mailOf(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if at := strings.LastIndexByte(text, '@'); at <= 0 || at == len(text)-1 || strings.ContainsAny(text, " <>\x00") || len(text) > longestSubject {
		return ""
	}
	return text
}
