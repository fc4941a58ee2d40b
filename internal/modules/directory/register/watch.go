package register

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Late: a source was not read for longer than its schedule allows.
var Late = fault.Declare(fault.Unavailable, "directory.register.late")

// Health says of each source that is read by a schedule how its last reading went.
func (e *Engine) Health(ctx context.Context) []health.Check {
	var checks []health.Check
	for _, f := range e.Feeds {
		if f.Config.Every <= 0 || f.Config.Off || f.Open == nil {
			continue
		}
		checks = append(checks, health.Run(ctx, "directory."+f.Config.ID, func(ctx context.Context) (string, error) { return e.howIs(ctx, f) }))
	}
	return checks
}

// howIs says how a source is: its last run was neither held nor broken off, and is
// not two intervals old.
func (e *Engine) howIs(ctx context.Context, f Feed) (string, error) {
	runs, _, err := e.Runs(ctx, f.Config.ID, 1, 1)
	if err != nil {
		return "", err
	}
	state, err := e.sourceState(ctx, f.Config.ID)
	if err != nil {
		return "", err
	}
	if len(runs) == 0 || state.AskedAt.IsZero() {
		return "not read yet", nil
	}
	if age := e.Clock.Now().Sub(state.AskedAt.Time()); age > 2*f.Config.Every {
		return "", Late.With(fault.Args{"source": f.Config.ID, "age": age})
	}
	if r := runs[0]; r.Reason != nil && !r.Dry {
		return "", r.Reason
	}
	return fmt.Sprintf("%d records, %s", runs[0].Counts.Read, runs[0].State), nil
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
