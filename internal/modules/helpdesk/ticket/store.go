package ticket

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Tickets keeps tickets. It is complete once Connect was called.
type Tickets struct {
	DB        *db.DB
	placer    Placer
	promiser  Promiser
	followers []Follower
}

// Connect plugs in what finds the place of a ticket, what promises times, and who
// follows changes.
func (x *Tickets) Connect(p Placer, times Promiser, followers ...Follower) {
	x.placer, x.promiser, x.followers = p, times, followers
}

// ByID reads a ticket, or answers [Missing].
func (x *Tickets) ByID(ctx context.Context, ticket string) (Ticket, error) {
	return byID(ctx, x.DB.Read(), ticket)
}

// ByNumber reads a ticket by its tracking number, or answers [Missing].
func (x *Tickets) ByNumber(ctx context.Context, number string) (Ticket, error) {
	return found(sqlgen.New(x.DB.Read()).TicketByNumber(ctx, number))
}

// Of lists the newest tickets of a person, at most a thousand.
func (x *Tickets) Of(ctx context.Context, who campus.PersonID) ([]Ticket, error) {
	return listed(sqlgen.New(x.DB.Read()).TicketsOf(ctx, sqlgen.TicketsOfParams{RequesterID: string(who), Most: most}))
}

// OpenOf lists the newest tickets of a person that are not over, at most so many.
func (x *Tickets) OpenOf(ctx context.Context, who campus.PersonID, most int32) ([]Ticket, error) {
	return listed(sqlgen.New(x.DB.Read()).OpenTicketsOf(ctx, sqlgen.OpenTicketsOfParams{RequesterID: string(who), Most: most}))
}

// OfMail lists the newest tickets of an address, at most a thousand.
func (x *Tickets) OfMail(ctx context.Context, address string) ([]Ticket, error) {
	return listed(sqlgen.New(x.DB.Read()).TicketsOfMail(ctx, sqlgen.TicketsOfMailParams{RequesterMail: address, Most: most}))
}

const most = 1000

// Thread is all that belongs to a ticket, oldest first.
type Thread struct {
	Messages []Message
	Events   []Event
	Facts    []Fact
}

// Thread reads it. What is internal is there too: pages for the requester leave it
// out by [Thread.Public].
func (x *Tickets) Thread(ctx context.Context, ticket string) (Thread, error) {
	q := sqlgen.New(x.DB.Read())
	said, err := q.Messages(ctx, ticket)
	if err != nil {
		return Thread{}, fmt.Errorf("read messages: %w", err)
	}
	beside, err := q.Attachments(ctx, ticket)
	if err != nil {
		return Thread{}, fmt.Errorf("read attachments: %w", err)
	}
	happened, err := q.Events(ctx, ticket)
	if err != nil {
		return Thread{}, fmt.Errorf("read events: %w", err)
	}
	known, err := q.Facts(ctx, ticket)
	if err != nil {
		return Thread{}, fmt.Errorf("read facts: %w", err)
	}
	var t Thread
	at := make(map[string]int, len(said))
	for i, row := range said {
		at[row.ID] = i
		t.Messages = append(t.Messages, Message{
			ID: row.ID, Ticket: row.TicketID, At: row.SaidAt.Time(),
			By:      Actor{Role(row.Author), campus.PersonID(row.AuthorID), row.AuthorName, row.AuthorMail},
			Channel: Channel(row.Channel), Internal: row.Internal != 0, Body: row.Body, Folded: row.Folded, MailID: row.MailID, Redacted: row.RedactedAt.Time(),
		})
	}
	for _, row := range beside {
		if i, ok := at[row.MessageID]; ok {
			t.Messages[i].Files = append(t.Messages[i].Files, attachmentOf(row))
		}
	}
	for _, row := range happened {
		e := Event{ID: row.ID, Ticket: row.TicketID, At: row.HappenedAt.Time(), By: Actor{Role: Role(row.Actor), Person: campus.PersonID(row.ActorID)}, Kind: row.Kind}
		if err := json.Unmarshal([]byte(row.Facts), &e.Facts); err != nil {
			return Thread{}, fmt.Errorf("read the event %s: %w", row.ID, err)
		}
		t.Events = append(t.Events, e)
	}
	for _, row := range known {
		t.Facts = append(t.Facts, Fact{row.Label, row.Content})
	}
	return t, nil
}

// Public is the thread without what agents say among themselves.
func (t Thread) Public() Thread {
	p := Thread{Facts: t.Facts}
	for _, m := range t.Messages {
		if !m.Internal {
			p.Messages = append(p.Messages, m)
		}
	}
	for _, e := range t.Events {
		switch e.Kind {
		case "opened", "state", "moved", "assigned", "rated":
			p.Events = append(p.Events, e)
		}
	}
	return p
}

// Attachment reads one file of a ticket, or answers [Missing].
func (x *Tickets) Attachment(ctx context.Context, ticket, attachment string) (Attachment, error) {
	row, err := sqlgen.New(x.DB.Read()).AttachmentByID(ctx, sqlgen.AttachmentByIDParams{TicketID: ticket, ID: attachment})
	if errors.Is(err, sql.ErrNoRows) {
		return Attachment{}, Missing
	}
	if err != nil {
		return Attachment{}, fmt.Errorf("read an attachment: %w", err)
	}
	return attachmentOf(row), nil
}

func attachmentOf(row sqlgen.HelpdeskAttachment) Attachment {
	return Attachment{ID: row.ID, Message: row.MessageID, Name: row.Name, MediaType: row.MediaType, Size: row.Size, Ref: row.FileRef, Refused: row.Refused}
}

func byID(ctx context.Context, q sqlgen.DBTX, ticket string) (Ticket, error) {
	return found(sqlgen.New(q).TicketByID(ctx, ticket))
}

func found(row sqlgen.HelpdeskTicket, err error) (Ticket, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Ticket{}, Missing
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("read a ticket: %w", err)
	}
	return ticketOf(row)
}

func listed(rows []sqlgen.HelpdeskTicket, err error) ([]Ticket, error) {
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	list := make([]Ticket, 0, len(rows))
	for _, row := range rows {
		t, err := ticketOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func ticketOf(row sqlgen.HelpdeskTicket) (Ticket, error) {
	t := Ticket{
		ID: row.ID, Number: row.Number, State: State(row.State), Priority: Priority(row.Priority), Channel: Channel(row.Channel), Subject: row.Subject, Locale: campus.Locale(row.Locale),
		Requester: campus.PersonID(row.RequesterID), RequesterName: row.RequesterName, RequesterMail: row.RequesterMail, RequesterPhone: row.RequesterPhone, ProvedAt: row.ProvedAt.Time(),
		Campus: row.Campus, Area: Area(row.Area), Service: row.Service, Reason: row.Reason, IncidentCode: row.IncidentCode, Leaf: row.Leaf,
		Queue: row.QueueID, Assignee: campus.PersonID(row.AssigneeID), Outage: row.OutageID, MergedInto: row.MergedInto, SplitFrom: row.SplitFrom,
		OpenedAt: row.OpenedAt.Time(), ChangedAt: row.ChangedAt.Time(), AnsweredAt: row.AnsweredAt.Time(), SolvedAt: row.SolvedAt.Time(), ClosedAt: row.ClosedAt.Time(),
		WaitingSince: row.WaitingAt.Time(), PostponedUntil: row.PostponedAt.Time(), AnswerDue: row.AnswerDueAt.Time(), SolveDue: row.SolveDueAt.Time(),
		Paused: time.Duration(row.Paused) * time.Microsecond, Escalated: int(row.Escalated), Reopened: int(row.Reopened), Spent: time.Duration(row.Spent) * time.Microsecond,
		Messages: int(row.Messages), LastBy: Role(row.LastBy), Rating: Rating(row.Rating), RatingWords: row.RatingWords, RatedAt: row.RatedAt.Time(), Version: row.Version, Tags: strings.Fields(row.Tags),
	}
	if err := json.Unmarshal([]byte(row.Routed), &t.Routed); err != nil {
		return Ticket{}, fmt.Errorf("read why the ticket %s is where it is: %w", row.ID, err)
	}
	return t, nil
}

func rowOf(t Ticket) (sqlgen.HelpdeskTicket, error) {
	routed, err := json.Marshal(t.Routed)
	if err != nil {
		return sqlgen.HelpdeskTicket{}, fmt.Errorf("keep why a ticket is where it is: %w", err)
	}
	return sqlgen.HelpdeskTicket{
		ID: t.ID, Number: t.Number, State: string(t.State), Priority: int64(t.Priority), Channel: string(t.Channel), Subject: t.Subject, Locale: string(t.Locale),
		RequesterID: string(t.Requester), RequesterName: t.RequesterName, RequesterMail: t.RequesterMail, RequesterPhone: t.RequesterPhone, ProvedAt: db.At(t.ProvedAt),
		Campus: t.Campus, Area: string(t.Area), Service: t.Service, Reason: t.Reason, IncidentCode: t.IncidentCode, Leaf: t.Leaf,
		QueueID: t.Queue, AssigneeID: string(t.Assignee), Routed: string(routed), OutageID: t.Outage, MergedInto: t.MergedInto, SplitFrom: t.SplitFrom,
		OpenedAt: db.At(t.OpenedAt), ChangedAt: db.At(t.ChangedAt), AnsweredAt: db.At(t.AnsweredAt), SolvedAt: db.At(t.SolvedAt), ClosedAt: db.At(t.ClosedAt),
		WaitingAt: db.At(t.WaitingSince), PostponedAt: db.At(t.PostponedUntil), AnswerDueAt: db.At(t.AnswerDue), SolveDueAt: db.At(t.SolveDue),
		Paused: t.Paused.Microseconds(), Escalated: int64(t.Escalated), Reopened: int64(t.Reopened), Spent: t.Spent.Microseconds(),
		Messages: int64(t.Messages), LastBy: string(t.LastBy), Rating: int64(t.Rating), RatingWords: t.RatingWords, RatedAt: db.At(t.RatedAt), Version: t.Version, Tags: strings.Join(t.Tags, " "),
	}, nil
}

// keep writes what a work left: the ticket, what was said, what happened.
func keep(ctx context.Context, tx db.Tx, w *Work) error {
	q := sqlgen.New(tx)
	row, err := rowOf(w.Ticket)
	if err != nil {
		return err
	}
	if w.before.ID == "" {
		err = q.InsertTicket(ctx, sqlgen.InsertTicketParams(row))
	} else {
		var n int64
		if n, err = q.UpdateTicket(ctx, sqlgen.UpdateTicketParams(row)); err == nil && n == 0 {
			return Changed
		}
	}
	if err != nil {
		return fmt.Errorf("keep a ticket: %w", err)
	}
	if err := keepTags(ctx, q, w); err != nil {
		return err
	}
	for _, m := range w.messages {
		if err := keepMessage(ctx, q, m); err != nil {
			return err
		}
	}
	for _, e := range w.events {
		facts, err := json.Marshal(e.Facts)
		if err != nil {
			return fmt.Errorf("keep an event: %w", err)
		}
		if err := q.InsertEvent(ctx, sqlgen.InsertEventParams{
			ID: e.ID, TicketID: e.Ticket, HappenedAt: db.At(e.At), Actor: string(e.By.Role), ActorID: string(e.By.Person), Kind: e.Kind, Facts: string(facts),
		}); err != nil {
			return fmt.Errorf("keep an event: %w", err)
		}
	}
	if err := hide(ctx, q, w.Ticket.ID, w.now, w.redactions); err != nil {
		return err
	}
	for i, f := range w.facts {
		if err := q.InsertFact(ctx, sqlgen.InsertFactParams{TicketID: w.Ticket.ID, Position: int64(i), Label: f.Label, Content: f.Content}); err != nil {
			return fmt.Errorf("keep a fact: %w", err)
		}
	}
	return nil
}

func keepMessage(ctx context.Context, q *sqlgen.Queries, m Message) error {
	var internal int64
	if m.Internal {
		internal = 1
	}
	if err := q.InsertMessage(ctx, sqlgen.InsertMessageParams{
		ID: m.ID, TicketID: m.Ticket, SaidAt: db.At(m.At), Author: string(m.By.Role), AuthorID: string(m.By.Person), AuthorName: m.By.Name, AuthorMail: m.By.Mail,
		Channel: string(m.Channel), Internal: internal, Body: m.Body, Folded: m.Folded, MailID: m.MailID,
	}); err != nil {
		return fmt.Errorf("keep a message: %w", err)
	}
	for _, f := range m.Files {
		if err := q.InsertAttachment(ctx, sqlgen.InsertAttachmentParams{
			ID: f.ID, TicketID: m.Ticket, MessageID: m.ID, Name: f.Name, MediaType: f.MediaType, Size: f.Size, FileRef: f.Ref, Refused: f.Refused,
		}); err != nil {
			return fmt.Errorf("keep an attachment: %w", err)
		}
	}
	return nil
}

// freeNumber draws tracking numbers until one is free: with a million tickets, one
// draw in nine is taken.
func freeNumber(ctx context.Context, tx db.Tx) (string, error) {
	for range 50 {
		number := newNumber()
		taken, err := sqlgen.New(tx).NumberTaken(ctx, number)
		if err != nil {
			return "", fmt.Errorf("look for a free tracking number: %w", err)
		}
		if taken == 0 {
			return number, nil
		}
	}
	return "", errors.New("no free tracking number in fifty draws")
}
