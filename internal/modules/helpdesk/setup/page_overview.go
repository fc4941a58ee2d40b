package setup

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// overviewView is where the setup begins.
type overviewView struct {
	Queues, Calendars, Rules, Terms int
	Promised                        bool
	Desks                           []openings.Now
	Running                         string // name of the term under way
	Changes                         []changeView
}

// changeView is one of the latest changes.
type changeView struct {
	ID, What, Name, Who string
	At, Undone          time.Time
}

// latest is how many changes the overview shows.
const latest = 15

func (s *Setup) overviewPage(w http.ResponseWriter, r *http.Request) error {
	ctx, now := r.Context(), s.Clock.Now()
	var view overviewView
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if q.ClosedAt.IsZero() {
			view.Queues++
		}
	}
	if view.Desks, err = s.Calendars.Now(ctx, now); err != nil {
		return err
	}
	view.Calendars = len(view.Desks)
	tables, err := s.Promises.Tables.All(ctx)
	if err != nil {
		return err
	}
	view.Promised = len(tables) > 0
	rules, err := s.Routing.Ordered(ctx)
	if err != nil {
		return err
	}
	view.Rules = len(rules)
	terms, err := s.Calendars.Terms.Shelf.All(ctx)
	if err != nil {
		return err
	}
	view.Terms = len(terms)
	if running, ok, err := s.Calendars.Terms.Running(ctx, now); err != nil {
		return err
	} else if ok {
		view.Running = running.Name.In(i18n.Locale(ctx))
	}
	if view.Changes, err = s.latestChanges(ctx); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, overviewTempl(view))
}

func (s *Setup) latestChanges(ctx context.Context) ([]changeView, error) {
	changes, err := s.history.Latest(ctx, latest)
	if err != nil {
		return nil, err
	}
	var ids []campus.PersonID
	for _, c := range changes {
		if c.By != "" {
			ids = append(ids, c.By)
		}
	}
	names, err := s.names(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]changeView, len(changes))
	for i, c := range changes {
		act := "changed"
		switch {
		case c.New():
			act = "added"
		case c.Removed():
			act = "removed"
		}
		list[i] = changeView{ID: c.ID, What: t(ctx, "changes."+c.Kind+"_"+act), Name: s.nameOf(ctx, c), Who: names[c.By], At: c.At, Undone: c.Undone}
	}
	return list, nil
}

// nameOf is what a setting is called that was changed.
func (s *Setup) nameOf(ctx context.Context, c kept.Change) string {
	doc := c.Becomes
	if c.Removed() {
		doc = c.Was
	}
	var named struct {
		Name    hours.Named `json:"name"`
		Builtin string      `json:"builtin"`
	}
	if c.Kind == promise.Kind {
		if c.Setting == promise.House {
			return t(ctx, "promise.house")
		}
		queue, err := s.Tickets.Queue(ctx, c.Setting)
		if err != nil {
			return "" // removed meanwhile: the change is listed without its name
		}
		return s.queueName(ctx, queue)
	}
	if err := json.Unmarshal(doc, &named); err != nil {
		return ""
	}
	if named.Builtin != "" {
		return i18n.T(ctx, "helpdesk.routing.rule."+named.Builtin)
	}
	return named.Name.In(i18n.Locale(ctx))
}

// names are what people are called; those who are gone are left out.
func (s *Setup) names(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]string, error) {
	known, err := s.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	names := make(map[campus.PersonID]string, len(known))
	for who, k := range known {
		names[who] = campus.Viewer{GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName}.DisplayName()
	}
	return names, nil
}

func (s *Setup) undo(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := s.history.Undo(ctx, tx, web.Viewer(r).Person, r.PathValue("id"))
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.undone")
	return web.SeeOther(w, r, "/helpdesk/setup")
}

func (v overviewView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "changes.title"), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "changes.what")}, {Label: t(ctx, "changes.when")}, {Label: t(ctx, "changes.who")}, {Label: t(ctx, "undo"), Quiet: true},
	}}
	for _, c := range v.Changes {
		what := c.What
		if c.Name != "" {
			what = t(ctx, "changes.named", "what", c.What, "name", c.Name)
		}
		table.Rows = append(table.Rows, []ui.Cell{ui.TextCell(what), ui.BodyCell(ui.When(c.At, i18n.Ago)), ui.TextCell(c.Who), ui.BodyCell(undoTempl(c, what))})
	}
	return table
}
