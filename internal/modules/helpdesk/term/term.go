// Package term is the start of a term as one thing that is planned ahead: longer
// hours, more people, a word to everybody and what the guided diagnosis asks about
// first. All of it begins and ends by itself.
package term

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// Kind is the kind of setting that terms are.
const Kind = "term"

// Term is the start of one term.
type Term struct {
	hours.Span
	Name hours.Named `json:"name"`
	// Weeks are the opening hours meanwhile, by calendar; a calendar that is not there
	// keeps its own.
	Weeks map[string]hours.Week `json:"weeks,omitempty"`
	// Banner is said to everybody; empty for nothing.
	Banner hours.Named `json:"banner"`
	// Ask is what the guided diagnosis asks about first.
	Ask []ticket.Area `json:"ask,omitempty"`
	// Ended is set when somebody ended it before its last day.
	Ended bool `json:"ended,omitempty"`
}

// Period is what the term makes of a calendar's hours; ok is false when nothing.
func (t Term) Period(calendar string) (p hours.Period, ok bool) {
	week, ok := t.Weeks[calendar]
	return hours.Period{Span: t.Span, Name: t.Name, Week: week}, ok && !t.Ended
}

// Runs reports whether it is on at an instant.
func (t Term) Runs(at time.Time, zone *time.Location) bool {
	return !t.Ended && t.Has(hours.DateIn(at, zone))
}

// Terms are all that are planned, under way or over.
type Terms struct {
	Shelf *kept.Shelf[Term]
	Zone  *time.Location // of the institution
}

// Running is the term that begins just now; of several, the one that began last. Ok
// is false on an ordinary day.
func (t *Terms) Running(ctx context.Context, at time.Time) (running Term, ok bool, err error) {
	items, err := t.Shelf.All(ctx)
	if err != nil {
		return Term{}, false, err
	}
	for _, item := range items {
		if item.Of.Runs(at, t.Zone) && (!ok || item.Of.Span.First >= running.Span.First) {
			running, ok = item.Of, true
		}
	}
	return running, ok, nil
}
