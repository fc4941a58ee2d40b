package register

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// sourceView is one source as its page shows it.
type sourceView struct {
	ID, Name, Kind string
	People         int64
	Last           *Run
	Next           time.Time
	NextWords      string
	CanRead        bool
}

// sourcesView is the page of sources.
type sourcesView struct {
	Sources   []sourceView
	Held      []heldView
	Conflicts int64
}

// heldView is a run that waits for somebody.
type heldView struct{ Name, Why, URL string }

func (e *Engine) sourcesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	view := sourcesView{}
	q := sqlgen.New(e.DB.Read())
	rows, err := q.LastRuns(ctx)
	if err != nil {
		return fmt.Errorf("read the last runs: %w", err)
	}
	last := map[string]Run{}
	for _, row := range rows {
		last[row.Source] = e.runOf(ctx, row)
	}
	for _, f := range e.Feeds {
		s := sourceView{ID: f.Config.ID, Name: f.Config.Name(i18n.Locale(ctx)), Kind: t(ctx, "kind_of."+f.Config.Kind), CanRead: f.Open != nil && !f.Config.Off}
		if s.People, err = q.CountLive(ctx, f.Config.ID); err != nil {
			return fmt.Errorf("count people: %w", err)
		}
		if run, ok := last[f.Config.ID]; ok {
			s.Last = &run
		}
		if s.Next, err = e.NextRun(ctx, f); err != nil {
			return err
		}
		switch {
		case f.Config.Off:
			s.NextWords = t(ctx, "off")
		case f.Config.Pushed():
			s.NextWords = t(ctx, "by_push")
		case s.Next.IsZero():
			s.NextWords = t(ctx, "by_hand")
		}
		view.Sources = append(view.Sources, s)
	}
	held, err := e.HeldRuns(ctx)
	if err != nil {
		return err
	}
	for _, run := range held {
		view.Held = append(view.Held, heldView{Name: e.SourceName(ctx, run.Source), Why: Words(ctx, run.Reason), URL: "/directory/runs/" + run.ID})
	}
	if view.Conflicts, err = q.CountOpenConflicts(ctx); err != nil {
		return fmt.Errorf("count conflicts: %w", err)
	}
	return web.Render(w, r, http.StatusOK, sourcesTempl(view))
}

func (v sourceView) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{{Label: t(ctx, "people"), Text: fmt.Sprint(v.People)}}
	if v.Last == nil {
		facts = append(facts, ui.Fact{Label: t(ctx, "last"), Text: t(ctx, "never")})
	} else {
		facts = append(facts, ui.Fact{Label: t(ctx, "last"), Body: lastRun(*v.Last)})
	}
	if v.NextWords != "" {
		return append(facts, ui.Fact{Label: t(ctx, "next_run"), Text: v.NextWords})
	}
	return append(facts, ui.Fact{Label: t(ctx, "next_run"), Body: ui.When(v.Next, i18n.Full)})
}

// tone is the colour of a state.
func (r Run) tone() ui.Tone {
	switch r.State {
	case Done:
		return ui.Good
	case Held:
		return ui.Warn
	case Failed:
		return ui.Bad
	default:
		return ""
	}
}

func (e *Engine) askRun(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	src := r.PathValue("id")
	how := form.Get("how")
	if err := e.Ask(r.Context(), web.Viewer(r), src, how == "dry", how == "full"); err != nil {
		return err
	}
	web.Flash(w, r, "directory.register.asked", "name", e.SourceName(r.Context(), src))
	return web.SeeOther(w, r, "/directory/sources")
}

// Cards tell those who keep the directory what waits for them.
func (e *Engine) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	if !v.Can(campus.RightDirectory) {
		return nil, nil
	}
	held, err := e.HeldRuns(ctx)
	if err != nil {
		return nil, err
	}
	open, err := sqlgen.New(e.DB.Read()).CountOpenConflicts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count conflicts: %w", err)
	}
	if len(held) == 0 && open == 0 {
		return nil, nil
	}
	card := contract.Card{ID: "directory.sources", Rank: 0, Title: t(ctx, "card.title"), Link: contract.Link{Label: t(ctx, "title"), URL: "/directory/sources"}}
	for _, r := range held {
		card.Rows = append(card.Rows, contract.CardRow{
			Title: t(ctx, "card.held", "name", e.SourceName(ctx, r.Source)), Detail: Words(ctx, r.Reason), URL: "/directory/runs/" + r.ID, Tag: i18n.T(ctx, "directory.register.state.held"), Tone: "warn",
		})
	}
	if open > 0 {
		card.Rows = append(card.Rows, contract.CardRow{Title: t(ctx, "card.conflicts", "count", open), URL: "/directory/conflicts"})
	}
	return []contract.Card{card}, nil
}
