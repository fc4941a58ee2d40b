package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the journal keeps about people, for how long the
// configuration says. The head of the chain is about nobody.
func (j *Journal) Holdings(ctx context.Context) []contract.Holding {
	stays := i18n.T(ctx, "identity.journal.holding.kept")
	return []contract.Holding{contract.Held(ctx, "identity_journal", "identity.journal.holding", "days", int(j.config.Keep/(24*time.Hour))).
		On(contract.LegitimateInterests, contract.DataConnection, contract.DataSecurity, contract.DataDecisions).
		Erased(contract.Keep("person_id", stays), contract.Keep("actor_id", stays))}
}

// exportedEvents are the events that somebody gets: those of their account, and
// what they did with the accounts of others, who are not named.
type exportedEvents struct {
	Own    []exportedEvent `json:"about_my_account"`
	Others []exportedEvent `json:"done_by_me_elsewhere"`
}

// exportedEvent is one event. By is "self", "agent" or, for Amphi itself and for
// strangers, empty: agents are named only to those who look into misuse.
type exportedEvent struct {
	At      time.Time         `json:"at"`
	Kind    string            `json:"kind"`
	By      string            `json:"by,omitempty"`
	Address string            `json:"address"`
	Agent   string            `json:"browser"`
	Facts   map[string]string `json:"facts,omitempty"`
}

// ExportOf writes journal.json: what the journal holds about one person.
func (j *Journal) ExportOf(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(j.db.Read())
	rows, err := q.AllOfPerson(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the journal of %s: %w", who, err)
	}
	own, err := entries(rows)
	if err != nil {
		return err
	}
	done, err := q.DoneToOthers(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read what %s did: %w", who, err)
	}
	all := exportedEvents{Own: make([]exportedEvent, len(own)), Others: make([]exportedEvent, len(done))}
	for i, e := range own {
		all.Own[i] = exportedEvent{e.At, e.Kind, doer(e.Event), e.Address, e.Agent, e.Facts}
	}
	for i, e := range done {
		all.Others[i] = exportedEvent{At: e.At.Time(), Kind: e.Kind, By: "self", Address: e.Address, Agent: e.Agent}
	}
	return a.JSON("journal.json", all)
}

// doer says who did something, without a name.
func doer(e Event) string {
	switch e.Actor {
	case "":
		return ""
	case e.Person:
		return "self"
	default:
		return "agent"
	}
}
