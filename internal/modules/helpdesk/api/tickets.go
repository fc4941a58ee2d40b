package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Requester is who asks.
type Requester struct {
	Name  string `json:"name,omitempty"`
	Mail  string `json:"mail"`
	Phone string `json:"phone,omitempty"`
}

// Ticket is a ticket as programs read it.
type Ticket struct {
	Number    string     `json:"number"`
	Version   int64      `json:"version"`
	URL       string     `json:"url"`
	State     string     `json:"state"`
	Priority  string     `json:"priority"`
	Channel   string     `json:"channel"`
	Subject   string     `json:"subject"`
	Requester Requester  `json:"requester"`
	Campus    string     `json:"campus,omitempty"`
	Area      string     `json:"area"`
	Service   string     `json:"service,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Queue     string     `json:"queue"`
	Assigned  bool       `json:"assigned"`
	Assignee  string     `json:"assignee,omitempty"` // address of the agent
	OpenedAt  time.Time  `json:"opened_at"`
	ChangedAt time.Time  `json:"changed_at"`
	Answered  *time.Time `json:"answered_at,omitempty"`
	Solved    *time.Time `json:"solved_at,omitempty"`
	AnswerDue *time.Time `json:"answer_due_at,omitempty"`
	SolveDue  *time.Time `json:"solve_due_at,omitempty"`
	Messages  []Message  `json:"messages,omitempty"`
}

// Message is something that was said.
type Message struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Name     string    `json:"name,omitempty"`
	Internal bool      `json:"internal,omitempty"`
	Body     string    `json:"body"`
	Files    []string  `json:"files,omitempty"`
}

// Queue is a queue.
type Queue struct {
	ID      string `json:"id"`
	Team    string `json:"team"`
	Campus  string `json:"campus,omitempty"`
	French  string `json:"name_fr"`
	English string `json:"name_en"`
}

// QueueList is all queues in reach.
type QueueList struct {
	Items []Queue `json:"items"`
}

func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// agents are the addresses of those who have tickets, by one question.
func (a *API) agents(ctx context.Context, list ...ticket.Ticket) (map[campus.PersonID]string, error) {
	var ids []campus.PersonID
	for _, t := range list {
		if t.Assignee != "" && !slices.Contains(ids, t.Assignee) {
			ids = append(ids, t.Assignee)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	known, err := a.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read who has tickets: %w", err)
	}
	mails := make(map[campus.PersonID]string, len(known))
	for who, k := range known {
		mails[who] = k.Subject.Mail
	}
	return mails, nil
}

func (a *API) told(t ticket.Ticket, agents map[campus.PersonID]string) Ticket {
	return Ticket{
		Number: t.Number, Version: t.Version, URL: a.Base.JoinPath("helpdesk", "tickets", t.Number).String(), State: string(t.State), Priority: t.Priority.Key(), Channel: string(t.Channel), Subject: t.Subject,
		Requester: Requester{t.RequesterName, t.RequesterMail, t.RequesterPhone}, Campus: t.Campus, Area: string(t.Area), Service: t.Service, Reason: t.Reason, Queue: t.Queue, Assigned: t.Assignee != "", Assignee: agents[t.Assignee],
		OpenedAt: t.OpenedAt.UTC(), ChangedAt: t.ChangedAt.UTC(), Answered: moment(t.AnsweredAt), Solved: moment(t.SolvedAt), AnswerDue: moment(t.AnswerDue), SolveDue: moment(t.SolveDue),
	}
}

// find reads the ticket of the address. What is out of reach is not there.
func (a *API) find(v visit) (ticket.Ticket, error) {
	number, ok := ticket.ParseNumber(v.PathValue("number"))
	if !ok {
		return ticket.Ticket{}, ticket.Missing
	}
	t, err := a.Tickets.ByNumber(v.Context(), number)
	if err == nil && !v.token.Has(t) {
		err = ticket.Missing
	}
	return t, err
}

// answer sends a ticket with its thread.
func (a *API) answer(w http.ResponseWriter, ctx context.Context, status int, t ticket.Ticket, internal bool) error {
	thread, err := a.Tickets.Thread(ctx, t.ID)
	if err != nil {
		return err
	}
	if !internal {
		thread = thread.Public()
	}
	agents, err := a.agents(ctx, t)
	if err != nil {
		return err
	}
	out := a.told(t, agents)
	for _, m := range thread.Messages {
		said := Message{At: m.At.UTC(), By: string(m.By.Role), Name: m.By.Name, Internal: m.Internal, Body: m.Body}
		for _, f := range m.Files {
			said.Files = append(said.Files, f.Name)
		}
		out.Messages = append(out.Messages, said)
	}
	w.Header().Set("ETag", etag(t.Version))
	return send(w, status, out)
}

func (a *API) get(w http.ResponseWriter, v visit) error {
	t, err := a.find(v)
	if err != nil {
		return err
	}
	internal := v.URL.Query().Get("internal") == "1"
	if !internal && v.Header.Get("If-None-Match") == etag(t.Version) {
		w.Header().Set("ETag", etag(t.Version))
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return a.answer(w, v.Context(), http.StatusOK, t, internal)
}

// by is how a program acts: as the desk, under its own name.
func (v visit) by() ticket.Actor { return ticket.Actor{Role: ticket.Agent, Name: v.token.Label} }

// inReach refuses a ticket that would leave what the token reaches.
func (v visit) inReach(t ticket.Ticket) error {
	if !v.token.Has(t) {
		return v.outOfReach()
	}
	return nil
}

func (v visit) outOfReach() error { return OutOfReach.With(fault.Args{"label": v.token.Label}) }

func (a *API) queues(w http.ResponseWriter, v visit) error {
	all, err := a.Tickets.Queues(v.Context())
	if err != nil {
		return err
	}
	out := QueueList{Items: []Queue{}}
	for _, q := range all {
		if q.ClosedAt.IsZero() && v.token.HasQueue(q) {
			out.Items = append(out.Items, Queue{q.ID, q.Team, q.Campus, q.NameFrench, q.NameEnglish})
		}
	}
	return send(w, http.StatusOK, out)
}
