package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/trace/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

const (
	lookEvery = time.Minute
	// window is how far back a service is judged: long enough for several people to
	// come by, short enough that its team hears of it before they call.
	window = 10 * time.Minute
)

// What a service does with its answers, in the eyes of somebody who reads them
// all. One person may close a tab or press back; several in ten minutes do not.
const (
	fewestPeople = 2
	// unusedShare is the share of answers, in percent, from which on those that
	// nobody came for are the service's fault. A service whose server cannot reach us
	// leaves all of them, one of four servers behind a balancer a quarter.
	unusedShare = 20
	// backTurns is how often within the window somebody is sent to one address before
	// that counts as sent back.
	backTurns = 3
	// backShare is the share of people, in percent.
	backShare = 20
)

// look judges what services did in the last minutes, and notes those that break.
func (x *Trace) look(ctx context.Context) error {
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return err
	}
	now := x.DB.Now()
	if err := x.lookForUnused(ctx, index, now); err != nil {
		return err
	}
	return x.lookForReturns(ctx, index, now)
}

// lookForUnused finds tickets that were never validated and codes that were never
// redeemed.
func (x *Trace) lookForUnused(ctx context.Context, index *registry.Index, now db.Time) error {
	rows, err := sqlgen.New(x.DB.Read()).UnusedAnswers(ctx, sqlgen.UnusedAnswersParams{Since: now.Add(-window), Now: now})
	if err != nil {
		return fmt.Errorf("look for answers that nobody came for: %w", err)
	}
	for _, row := range rows {
		s := index.Get(row.ServiceID)
		if s == nil || db.Time(row.LatestAt) <= now.Add(-lookEvery) { // none since we looked last
			continue
		}
		i := gate.Incident{
			Service: s, Reason: AnswersUnused, Expected: row.Address, Facts: fault.Args{"unused": row.Unused, "issued": row.Issued, "window": window},
			Quiet: row.People < fewestPeople || 100*row.Unused < unusedShare*row.Issued,
		}
		x.Gate.Note(ctx, i)
		if !i.Quiet {
			x.Log.WarnContext(ctx, "a service does not come for its answers", "service", s.ID, "issued", row.Issued, "unused", row.Unused)
		}
	}
	return nil
}

// lookForReturns finds services that take an answer and send people back for
// another one: the sign of an assertion that they refuse without telling us.
func (x *Trace) lookForReturns(ctx context.Context, index *registry.Index, now db.Time) error {
	rows, err := sqlgen.New(x.DB.Read()).ReturnedPeople(ctx, sqlgen.ReturnedPeopleParams{Since: now.Add(-window), Turns: backTurns})
	if err != nil {
		return fmt.Errorf("look for people who are sent back: %w", err)
	}
	for _, row := range rows {
		s := index.Get(row.ServiceID)
		if s == nil || row.Back < fewestPeople || 100*row.Back < backShare*row.People || db.Time(row.LatestAt) <= now.Add(-lookEvery) {
			continue
		}
		x.Gate.Note(ctx, gate.Incident{
			Service: s, Reason: PeopleReturned, Expected: row.Address, Facts: fault.Args{"back": row.Back, "people": row.People, "window": window},
		})
		x.Log.WarnContext(ctx, "a service sends its people back", "service", s.ID, "people", row.People, "back", row.Back)
	}
	return nil
}
