package api

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
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

// List is one page of tickets.
type List struct {
	Items []Ticket `json:"items"`
	// After begins the next page; it is empty on the last.
	After string `json:"after,omitempty"`
}

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

// Change is what is to change; what is left out stays.
type Change struct {
	State    string `json:"state,omitempty"` // open, waiting, solved or closed
	Priority string `json:"priority,omitempty"`
	Queue    string `json:"queue,omitempty"`
	// Assignee is the address of an agent who may handle the ticket; empty takes it from
	// whoever has it.
	Assignee *string `json:"assignee,omitempty"`
}

// Saying is something to say.
type Saying struct {
	Body     string `json:"body"`
	Internal bool   `json:"internal,omitempty"`
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

// Bounds of a page and of texts.
const (
	usualPage, largestPage = 50, 200
	longestSubject         = 300
	longestBody            = 100_000
	longestSearch          = 120
)

// list answers with tickets, in the order of their last change: forward from a time
// for programs that keep up, otherwise the newest first.
func (a *API) list(w http.ResponseWriter, v visit) error {
	limit, err := v.number("limit", usualPage, largestPage)
	if err != nil {
		return err
	}
	q := v.URL.Query()
	for name := range q {
		if strings.ContainsRune(q.Get(name), 0) {
			return Unfit.With(fault.Args{"field": name})
		}
	}
	conditions, args := []string{"1 = 1"}, []any{}
	arg := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	in := func(column string, values []string) {
		first := len(args) + 1
		for _, value := range values {
			args = append(args, value)
		}
		conditions = append(conditions, column+" IN "+db.In(len(values), first))
	}
	if len(v.token.Queues) > 0 {
		in("queue_id", v.token.Queues)
	}
	if len(v.token.Campuses) > 0 {
		in("campus", v.token.Campuses)
	}
	for name, column := range map[string]string{"state": "state", "queue": "queue_id", "campus": "campus", "area": "area", "service": "service"} {
		if value := q.Get(name); value != "" {
			in(column, strings.Split(value, ","))
		}
	}
	if text := q.Get("priority"); text != "" {
		p, err := priority(text)
		if err != nil {
			return err
		}
		conditions = append(conditions, "priority = "+arg(int(p)))
	}
	if address := q.Get("assignee"); address != "" {
		found, err := a.Register.FindPeople(v.Context(), contract.FieldMail, []string{strings.ToLower(address)})
		if err != nil {
			return fmt.Errorf("find an agent: %w", err)
		}
		who := found[strings.ToLower(address)]
		if who == "" {
			return Unfit.With(fault.Args{"field": "assignee"})
		}
		conditions = append(conditions, "assignee_id = "+arg(string(who)))
	}
	if typed := q.Get("q"); strings.TrimSpace(typed) != "" {
		if len(typed) > longestSearch {
			return Unfit.With(fault.Args{"field": "q"})
		}
		terms, err := a.Words.Terms(v.Context(), typed)
		if err != nil {
			return err
		}
		if len(terms) == 0 { // only what stands in every text
			return Unfit.With(fault.Args{"field": "q"})
		}
		for _, term := range terms {
			if len(term.Words) == 0 {
				return send(w, http.StatusOK, List{Items: []Ticket{}})
			}
			first := len(args) + 1
			for _, word := range term.Words {
				args = append(args, word)
			}
			conditions = append(conditions, "id IN (SELECT ticket_id FROM helpdesk_words WHERE word IN "+db.In(len(term.Words), first)+")")
		}
	}
	forward := q.Get("changed_since") != ""
	if forward {
		since, err := time.Parse(time.RFC3339, q.Get("changed_since"))
		if err != nil {
			return Unfit.With(fault.Args{"field": "changed_since"})
		}
		conditions = append(conditions, "changed_at >= "+arg(int64(db.At(since))))
	}
	order, sign := "changed_at DESC, id DESC", "<"
	if forward {
		order, sign = "changed_at, id", ">"
	}
	if after := q.Get("after"); after != "" {
		when, last, ok := strings.Cut(after, ".")
		at, err := strconv.ParseInt(when, 10, 64)
		if !ok || err != nil {
			return Unfit.With(fault.Args{"field": "after"})
		}
		conditions = append(conditions, "(changed_at, id) "+sign+" ("+arg(at)+", "+arg(last)+")")
	}
	var ids []string
	err = db.Each(v.Context(), a.DB.Read(), "SELECT id FROM helpdesk_tickets WHERE "+strings.Join(conditions, " AND ")+" ORDER BY "+order+" LIMIT "+strconv.Itoa(limit+1), args, func(rows *sql.Rows) error {
		var one string
		err := rows.Scan(&one)
		ids = append(ids, one)
		return err
	})
	if err != nil {
		return fmt.Errorf("list tickets: %w", err)
	}
	page := List{Items: []Ticket{}}
	more := len(ids) > limit
	// Those that were deleted a moment ago are left out.
	tickets, err := a.Tickets.ByIDs(v.Context(), ids[:min(limit, len(ids))])
	if err != nil {
		return err
	}
	agents, err := a.agents(v.Context(), tickets...)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		page.Items = append(page.Items, a.told(t, agents))
	}
	if more && len(tickets) > 0 {
		last := tickets[len(tickets)-1]
		page.After = strconv.FormatInt(int64(db.At(last.ChangedAt)), 10) + "." + last.ID
	}
	return send(w, http.StatusOK, page)
}

func priority(text string) (ticket.Priority, error) {
	for _, p := range ticket.Priorities {
		if p.Key() == text {
			return p, nil
		}
	}
	return 0, Unfit.With(fault.Args{"field": "priority"})
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
		return OutOfReach.With(fault.Args{"label": v.token.Label})
	}
	return nil
}

func (a *API) openQueue(ctx context.Context, queue string) error {
	q, err := a.Tickets.Queue(ctx, queue)
	if errors.Is(err, ticket.QueueGone) || err == nil && !q.ClosedAt.IsZero() {
		return Unfit.With(fault.Args{"field": "queue"})
	}
	return err
}

// opening checks what is asked for, and finds who asks.
func (a *API) opening(ctx context.Context, o Opening) (ticket.Ticket, ticket.Actor, error) {
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
		if err := a.openQueue(ctx, o.Queue); err != nil {
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
	if len(key) > longestKey || strings.ContainsRune(key, 0) {
		return Unfit.With(fault.Args{"field": "Idempotency-Key"})
	}
	t, by, err := a.opening(ctx, o)
	if err != nil {
		return err
	}
	var opened ticket.Ticket
	status := http.StatusCreated
	err = a.DB.InTx(ctx, func(tx db.Tx) error {
		status = http.StatusCreated
		if key != "" {
			var hash, before string
			err := tx.QueryRowContext(ctx, "SELECT body_hash, ticket_id FROM helpdesk_api_keys WHERE token_id = $1 AND key = $2", v.token.ID, key).Scan(&hash, &before)
			if err == nil && hash != id.Hash(string(body)) {
				return KeyUsed
			}
			if err == nil {
				status = http.StatusOK
				if opened, err = a.Tickets.Change(ctx, tx, before, by, func(*ticket.Work) error { return nil }); err != nil {
					return err
				}
				return v.inReach(opened)
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("look for the key of an opening: %w", err)
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
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", root+"/tickets/"+opened.Number)
	return a.answer(w, ctx, status, opened, false)
}

// alter changes the ticket of the address when it is the version that the program
// names (RFC 9110 §13.1.1).
func (a *API) alter(w http.ResponseWriter, v visit, status int, do func(*ticket.Work) error) error {
	found, err := a.find(v)
	if err != nil {
		return err
	}
	ctx := v.Context()
	var t ticket.Ticket
	err = a.DB.InTx(ctx, func(tx db.Tx) (err error) {
		t, err = a.Tickets.Change(ctx, tx, found.ID, v.by(), func(work *ticket.Work) error {
			if !v.token.Has(work.Ticket) { // moved away since it was read
				return ticket.Missing
			}
			if want := v.Header.Get("If-Match"); want != "" && want != "*" && want != etag(work.Ticket.Version) {
				return Stale.With(fault.Args{"version": work.Ticket.Version})
			}
			if err := do(work); err != nil {
				return err
			}
			return v.inReach(work.Ticket)
		})
		return err
	})
	if err != nil {
		return err
	}
	return a.answer(w, ctx, status, t, false)
}

// assignee finds the agent with an address. Who may not handle the ticket gets none.
func (a *API) assignee(v visit, address string) (campus.PersonID, error) {
	t, err := a.find(v)
	if err != nil {
		return "", err
	}
	address = strings.ToLower(strings.TrimSpace(address))
	found, err := a.Register.FindPeople(v.Context(), contract.FieldMail, []string{address})
	if err != nil {
		return "", fmt.Errorf("find an agent: %w", err)
	}
	may, err := a.Roll.HoldersFor(v.Context(), campus.RightHelpdesk, []campus.Affiliation{{Campus: t.Campus}})
	if err != nil {
		return "", fmt.Errorf("list the agents: %w", err)
	}
	if who := found[address]; who != "" && slices.Contains(may, who) {
		return who, nil
	}
	return "", Unfit.With(fault.Args{"field": "assignee"})
}

func (a *API) change(w http.ResponseWriter, v visit) error {
	var c Change
	if _, err := v.read(&c); err != nil {
		return err
	}
	var p ticket.Priority
	if c.Priority != "" {
		var err error
		if p, err = priority(c.Priority); err != nil {
			return err
		}
	}
	if c.Queue != "" {
		if err := a.openQueue(v.Context(), c.Queue); err != nil {
			return err
		}
	}
	var who campus.PersonID
	if c.Assignee != nil && *c.Assignee != "" {
		var err error
		if who, err = a.assignee(v, *c.Assignee); err != nil {
			return err
		}
	}
	return a.alter(w, v, http.StatusOK, func(work *ticket.Work) error {
		if p != 0 {
			work.Prioritise(p)
		}
		if c.Queue != "" {
			work.Move(c.Queue)
		}
		if c.Assignee != nil {
			work.Assign(who)
		}
		switch ticket.State(c.State) {
		case "":
			return nil
		case ticket.Open:
			if work.Ticket.State == ticket.Solved || work.Ticket.State == ticket.Closed {
				work.Reopen()
				return nil
			}
			return work.Take()
		case ticket.Waiting:
			return work.Wait()
		case ticket.Solved:
			return work.Solve()
		case ticket.Closed:
			return work.Close()
		}
		return Unfit.With(fault.Args{"field": "state"})
	})
}

func (a *API) say(w http.ResponseWriter, v visit) error {
	var s Saying
	if _, err := v.read(&s); err != nil {
		return err
	}
	if strings.TrimSpace(s.Body) == "" || len(s.Body) > longestBody {
		return Unfit.With(fault.Args{"field": "body"})
	}
	return a.alter(w, v, http.StatusCreated, func(work *ticket.Work) error {
		m := ticket.Message{Body: strings.TrimSpace(s.Body), Channel: ticket.ByAPI}
		if s.Internal {
			work.Note(m)
		} else {
			work.Say(m)
		}
		return nil
	})
}

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
