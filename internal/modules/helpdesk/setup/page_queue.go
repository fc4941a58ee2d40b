package setup

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// queuesView lists the queues.
type queuesView struct{ Rows [][]ui.Cell }

func (s *Setup) queuesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	var view queuesView
	for _, q := range queues {
		members, err := s.Tickets.Members(ctx, q.ID)
		if err != nil {
			return err
		}
		underWay, err := s.Promises.UnderWay(ctx, q.ID)
		if err != nil {
			return err
		}
		state := ui.Tag(ui.Good, t(ctx, "queue.open"))
		switch {
		case !q.ClosedAt.IsZero():
			state = ui.Tag("", t(ctx, "queue.closed"))
		case len(members) == 0:
			state = ui.Tag(ui.Warn, t(ctx, "queue.nobody"))
		}
		view.Rows = append(view.Rows, []ui.Cell{
			ui.LinkCell(q.Name(i18n.Locale(ctx)), "/helpdesk/setup/queues/"+q.ID), ui.TextCell(teamName(ctx, q.Team)), ui.TextCell(s.campusName(ctx, q.Campus)),
			ui.TextCell(strconv.Itoa(len(members))), ui.TextCell(strconv.Itoa(underWay)), ui.BodyCell(state),
		})
	}
	return web.Render(w, r, http.StatusOK, queuesTempl(view))
}

// queueView is the page of one queue.
type queueView struct {
	ID                  string
	Queue               ticket.Queue
	Form                url.Values
	Problems            web.Problems
	Campuses, Calendars []ui.Option
	Members             []memberView
	UnderWay            int
	Words               string
	Found               []memberView
}

// memberView is somebody who works in a queue, or could.
type memberView struct {
	Person      campus.PersonID
	Name, Login string
	Gone        bool // no longer in the register
	Right       bool // may answer requests
	Away        time.Time
}

// queue reads the queue of an address; a new one is not kept yet.
func (s *Setup) queue(r *http.Request) (ticket.Queue, error) {
	if r.PathValue("id") == newID {
		return ticket.Queue{Team: routing.General}, nil
	}
	return s.Tickets.Queue(r.Context(), r.PathValue("id"))
}

func (s *Setup) queuePage(w http.ResponseWriter, r *http.Request) error {
	q, err := s.queue(r)
	if err != nil {
		return err
	}
	form := url.Values{"team": {q.Team}, "campus": {q.Campus}, "mail": {q.Mail}, "calendar": {q.Calendar}}
	setNamed(form, "name", hours.Named{French: q.NameFrench, English: q.NameEnglish})
	return s.showQueue(w, r, http.StatusOK, q, form, nil)
}

func (s *Setup) showQueue(w http.ResponseWriter, r *http.Request, status int, q ticket.Queue, form url.Values, problems web.Problems) error {
	ctx := r.Context()
	view := queueView{ID: r.PathValue("id"), Queue: q, Form: form, Problems: problems, Campuses: s.campuses(ctx), Words: strings.TrimSpace(r.URL.Query().Get("q"))}
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		view.Calendars = append(view.Calendars, ui.Option{Value: plan.ID, Label: plan.Of.Name.In(i18n.Locale(ctx))})
	}
	if q.ID != "" {
		members, err := s.Tickets.Members(ctx, q.ID)
		if err != nil {
			return err
		}
		if view.UnderWay, err = s.Promises.UnderWay(ctx, q.ID); err != nil {
			return err
		}
		away, err := s.Routing.Absences(ctx, q.ID, s.Clock.Now())
		if err != nil {
			return err
		}
		if view.Members, err = s.members(ctx, members); err != nil {
			return err
		}
		for i := range view.Members {
			view.Members[i].Away = away[view.Members[i].Person]
		}
		if view.Found, err = s.search(ctx, view.Words, members); err != nil {
			return err
		}
	}
	return web.Render(w, r, status, queueTempl(view))
}

// agents are those who may answer requests, everywhere or of one campus at least.
func (s *Setup) agents(ctx context.Context) ([]campus.PersonID, error) {
	var anywhere []campus.Affiliation
	for _, p := range s.Places.Campuses() {
		anywhere = append(anywhere, campus.Affiliation{Campus: p.Code})
	}
	return s.Roll.HoldersFor(ctx, campus.RightHelpdesk, anywhere)
}

// members says who people are, and whether they may answer requests at all.
func (s *Setup) members(ctx context.Context, ids []campus.PersonID) ([]memberView, error) {
	agents, err := s.agents(ctx)
	if err != nil {
		return nil, err
	}
	known, err := s.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]memberView, len(ids))
	for i, who := range ids {
		k, there := known[who]
		list[i] = memberView{
			Person: who, Name: campus.Viewer{GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName}.DisplayName(), Login: k.Subject.Login, Gone: !there,
			Right: slices.Contains(agents, who),
		}
		if !there {
			list[i].Name = i18n.T(ctx, "helpdesk.event.somebody")
		}
	}
	slices.SortFunc(list, func(a, b memberView) int { return strings.Compare(campus.Fold(a.Name), campus.Fold(b.Name)) })
	return list, nil
}

// mostFound is how many people a search shows.
const mostFound = 12

// search finds agents by what their names, logins and addresses hold, and whoever has
// exactly this login or address: somebody without the right is found too, and shown as
// such. Without words, it offers agents.
func (s *Setup) search(ctx context.Context, words string, but []campus.PersonID) ([]memberView, error) {
	agents, err := s.agents(ctx)
	if err != nil {
		return nil, err
	}
	known, err := s.Register.KnownPeople(ctx, agents)
	if err != nil {
		return nil, err
	}
	var ids []campus.PersonID
	folded := campus.Fold(words)
	for who, k := range known {
		if strings.Contains(campus.Fold(k.Subject.GivenName+" "+k.Subject.FamilyName+" "+k.Subject.Login+" "+k.Subject.Mail), folded) && !slices.Contains(but, who) {
			ids = append(ids, who)
		}
	}
	exact, err := s.exactly(ctx, words)
	if err != nil {
		return nil, err
	}
	if exact != "" && !slices.Contains(ids, exact) && !slices.Contains(but, exact) {
		ids = append(ids, exact)
	}
	list, err := s.members(ctx, ids)
	return list[:min(len(list), mostFound)], err
}

// exactly is who has a login or an address; nobody when nobody has.
func (s *Setup) exactly(ctx context.Context, words string) (campus.PersonID, error) {
	typed := strings.ToLower(strings.TrimSpace(words))
	if typed == "" {
		return "", nil
	}
	for _, by := range []contract.Field{contract.FieldLogin, contract.FieldMail} {
		found, err := s.Register.FindPeople(ctx, by, []string{typed})
		if err != nil {
			return "", err
		}
		if found[typed] != "" {
			return found[typed], nil
		}
	}
	return "", nil
}

// code is what the code of a team looks like.
var code = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// mail is what the address of a mailbox looks like, as far as a typing mistake shows.
var mail = regexp.MustCompile(`^[^\s@<>",;]+@[^\s@<>",;]+\.[^\s@<>",;.]+$`)

func (s *Setup) keepQueue(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := s.queue(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	name := in.named("name", true)
	q.NameFrench, q.NameEnglish, q.Campus, q.Team, q.Calendar, q.Mail = name.French, name.English, s.campus(in), in.line("team"), in.line("calendar"), strings.ToLower(in.line("mail"))
	if !code.MatchString(q.Team) {
		in.wrong("team", "team")
	}
	if q.Calendar != "" {
		if _, err := s.Calendars.Plans.One(ctx, q.Calendar); err != nil {
			in.wrong("calendar", "choose")
		}
	}
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	switch {
	case q.Mail == "":
	case len(q.Mail) > 254 || !mail.MatchString(q.Mail):
		in.wrong("mail", "mail")
	case slices.ContainsFunc(queues, func(other ticket.Queue) bool { return other.Mail == q.Mail && other.ID != q.ID }):
		in.wrong("mail", "mail_taken")
	}
	if in.problems.Any() {
		return s.showQueue(w, r, http.StatusUnprocessableEntity, q, in.Values, in.problems)
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		q, err = s.Tickets.KeepQueue(ctx, tx, q)
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.queue.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/queues/"+q.ID)
}

// member changes something about a member of a queue, and leads back to it.
func (s *Setup) member(w http.ResponseWriter, r *http.Request, flash string, do func(ctx context.Context, tx db.Tx, in *input, queue string, who campus.PersonID) error) error {
	ctx := r.Context()
	q, err := s.Tickets.Queue(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	who := campus.PersonID(in.Get("person"))
	known, err := s.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	members, err := s.Tickets.Members(ctx, q.ID)
	if err != nil {
		return err
	}
	if _, there := known[who]; !there && !slices.Contains(members, who) {
		in.wrong("q", "person")
		return s.showQueue(w, r, http.StatusUnprocessableEntity, q, in.Values, in.problems)
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error { return do(ctx, tx, in, q.ID, who) }); err != nil {
		return err
	}
	web.Flash(w, r, flash)
	return web.SeeOther(w, r, "/helpdesk/setup/queues/"+q.ID+"#members")
}

func (s *Setup) join(w http.ResponseWriter, r *http.Request) error {
	return s.member(w, r, "helpdesk.setup.queue.joined", func(ctx context.Context, tx db.Tx, _ *input, queue string, who campus.PersonID) error {
		_, err := s.Tickets.Join(ctx, tx, queue, who)
		return err
	})
}

func (s *Setup) leave(w http.ResponseWriter, r *http.Request) error {
	return s.member(w, r, "helpdesk.setup.queue.left", func(ctx context.Context, tx db.Tx, _ *input, queue string, who campus.PersonID) error {
		_, err := s.Tickets.Leave(ctx, tx, queue, who)
		return err
	})
}

// away says until which day somebody is given nothing in turn; without a day, that
// they are back.
func (s *Setup) away(w http.ResponseWriter, r *http.Request) error {
	return s.member(w, r, "helpdesk.setup.queue.away_kept", func(ctx context.Context, tx db.Tx, in *input, queue string, who campus.PersonID) error {
		until := time.Time{}
		if d, err := hours.ParseDate(in.line("until")); err == nil && in.Get("back") == "" {
			y, m, day := d.Time().Date()
			until = time.Date(y, m, day+1, 0, 0, 0, 0, s.Zone) // the last day counts
		}
		return s.Routing.Away(ctx, tx, queue, who, until)
	})
}

// closeView asks what becomes of the requests of a queue that closes.
type closeView struct {
	Queue    ticket.Queue
	Name     string
	UnderWay int
	Others   []ui.Option
	Problems web.Problems
}

func (s *Setup) closePage(w http.ResponseWriter, r *http.Request) error {
	return s.showClose(w, r, http.StatusOK, nil)
}

func (s *Setup) showClose(w http.ResponseWriter, r *http.Request, status int, problems web.Problems) error {
	ctx := r.Context()
	q, err := s.Tickets.Queue(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	underWay, err := s.Promises.UnderWay(ctx, q.ID)
	if err != nil {
		return err
	}
	return web.Render(w, r, status, closeTempl(closeView{Queue: q, Name: s.queueName(ctx, q), UnderWay: underWay, Others: s.queueOptions(ctx, queues, q.ID), Problems: problems}))
}

// moveTickets moves what is under way in a closed queue to another one.
type moveTickets struct {
	From string          `json:"from"`
	To   string          `json:"to"`
	By   campus.PersonID `json:"by"`
}

// JobName is the job's name.
func (moveTickets) JobName() string { return "helpdesk.setup.move" }

func (s *Setup) closeQueue(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := s.Tickets.Queue(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	underWay, err := s.Promises.UnderWay(ctx, q.ID)
	if err != nil {
		return err
	}
	to := in.Get("to")
	heir := slices.ContainsFunc(s.queueOptions(ctx, queues, q.ID), func(o ui.Option) bool { return o.Value == to })
	if underWay > 0 && !heir {
		in.wrong("to", "heir")
		return s.showClose(w, r, http.StatusUnprocessableEntity, in.problems)
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		q.ClosedAt = tx.Now().Time()
		if _, err := s.Tickets.KeepQueue(ctx, tx, q); err != nil {
			return err
		}
		if !heir {
			return nil
		}
		return jobs.Enqueue(ctx, tx, moveTickets{q.ID, to, web.Viewer(r).Person})
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.queue.was_closed")
	return web.SeeOther(w, r, "/helpdesk/setup/queues")
}

// move moves the requests of a queue that was closed. Run twice, it finds none.
func (s *Setup) move(ctx context.Context, a moveTickets) error {
	for {
		list, err := s.Promises.Under(ctx, a.From, 100)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, one := range list {
			if err := s.DB.InTx(ctx, func(tx db.Tx) error {
				_, err := s.Tickets.Change(ctx, tx, one, ticket.Actor{Role: ticket.House, Person: a.By}, func(w *ticket.Work) error {
					w.Move(a.To, ticket.Because{Key: "helpdesk.setup.because_closed"})
					return nil
				})
				return err
			}); err != nil {
				return err
			}
		}
	}
}

func (s *Setup) openQueue(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := s.Tickets.Queue(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	q.ClosedAt = time.Time{}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := s.Tickets.KeepQueue(ctx, tx, q)
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.queue.was_opened")
	return web.SeeOther(w, r, "/helpdesk/setup/queues/"+q.ID)
}
