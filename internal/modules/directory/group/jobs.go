package group

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/group/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Roll reads everybody, for a rule that is new.
type Roll interface {
	// PeopleAfter are the next people by identifier, at most so many.
	PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error)
}

// applyRules looks again at those whose affiliations may have changed.
type applyRules struct{}

// JobName is "directory.apply_rules".
func (applyRules) JobName() string { return "directory.apply_rules" }

// fillGroup finds everybody whom a rule admits.
type fillGroup struct{ Code string }

// JobName is "directory.fill_group".
func (fillGroup) JobName() string { return "directory.fill_group" }

func enqueueFill(ctx context.Context, tx db.Tx, code string) error {
	return jobs.Enqueue(ctx, tx, fillGroup{Code: code}, jobs.UniqueKey(code), jobs.Priority(-1))
}

// tellMembers says that the groups of people changed.
type tellMembers struct{ People []campus.PersonID }

// JobName is "directory.tell_members".
func (tellMembers) JobName() string { return "directory.tell_members" }

func enqueueTell(ctx context.Context, tx db.Tx, people []campus.PersonID) error {
	return jobs.Enqueue(ctx, tx, tellMembers{People: people})
}

// Jobs registers those of the groups.
func (g *Groups) Jobs(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, _ applyRules) error { return g.ApplyRules(ctx) }, jobs.Policy{})
	jobs.Handle(r, func(ctx context.Context, j fillGroup) error { return g.Fill(ctx, j.Code) }, jobs.Policy{})
	jobs.Handle(r, func(ctx context.Context, j tellMembers) error {
		return g.DB.InTx(ctx, func(tx db.Tx) error { return g.tell(ctx, tx, j.People) })
	}, jobs.Policy{})
}

// PersonChanged notes that the rules have to look at somebody again. They do so in a
// job: the register shows the change only after its transaction.
func (g *Groups) PersonChanged(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	if err := sqlgen.New(tx).MarkDue(ctx, sqlgen.MarkDueParams{PersonID: string(who), ChangedAt: tx.Now()}); err != nil {
		return fmt.Errorf("note that rules look at %s: %w", who, err)
	}
	return jobs.Enqueue(ctx, tx, applyRules{}, jobs.UniqueKey("all"))
}

// ApplyRules brings the groups by rule to what the register says of those who
// changed.
func (g *Groups) ApplyRules(ctx context.Context) error {
	for {
		q := sqlgen.New(g.DB.Read())
		due, err := q.Due(ctx, batch)
		if err != nil || len(due) == 0 {
			return err
		}
		rules, err := g.rules(ctx)
		if err != nil {
			return err
		}
		ids := make([]campus.PersonID, len(due))
		for i, d := range due {
			ids[i] = campus.PersonID(d.PersonID)
		}
		known, err := g.Register.KnownPeople(ctx, ids)
		if err != nil {
			return fmt.Errorf("apply the rules of groups: %w", err)
		}
		err = g.DB.InTx(ctx, func(tx db.Tx) error {
			q := sqlgen.New(tx)
			for _, d := range due {
				if err := g.apply(ctx, tx, rules, campus.PersonID(d.PersonID), known); err != nil {
					return err
				}
				// One who changed again meanwhile stays due.
				if err := q.NotDue(ctx, sqlgen.NotDueParams{PersonID: d.PersonID, ChangedAt: d.ChangedAt}); err != nil {
					return fmt.Errorf("end looking at %s: %w", d.PersonID, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// apply puts one person into the groups whose rules admit them, and takes them out
// of the others.
func (g *Groups) apply(ctx context.Context, tx db.Tx, rules map[string]Rule, who campus.PersonID, known map[campus.PersonID]contract.Known) error {
	direct, err := sqlgen.New(tx).DirectGroups(ctx, string(who))
	if err != nil {
		return fmt.Errorf("list the groups of %s: %w", who, err)
	}
	for code, rule := range rules {
		in := slices.Contains(direct, code)
		switch admitted := belongs(rule, known[who]); {
		case admitted && !in:
			err = g.Change(ctx, tx, code, []campus.PersonID{who}, nil)
		case !admitted && in:
			err = g.Change(ctx, tx, code, nil, []campus.PersonID{who})
		}
		if err != nil && !errors.Is(err, Missing) { // deleted meanwhile
			return err
		}
	}
	return nil
}

// closed is the state of an account that is no more; its person belongs nowhere.
const closed = "closed"

func belongs(r Rule, k contract.Known) bool {
	return k.State != "" && k.State != closed && r.Admits(k.Subject.Affiliations)
}

func (g *Groups) rules(ctx context.Context) (map[string]Rule, error) {
	rows, err := sqlgen.New(g.DB.Read()).RuleGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the rules of groups: %w", err)
	}
	rules := make(map[string]Rule, len(rows))
	for _, row := range rows {
		var r Rule
		if err := json.Unmarshal([]byte(row.Rule), &r); err != nil {
			return nil, fmt.Errorf("read the rule of group %s: %w", row.Code, err)
		}
		rules[row.Code] = r
	}
	return rules, nil
}

// page is how many people are read at once.
const page = 2000

// Fill makes the members of a group by rule those whom its rule admits.
func (g *Groups) Fill(ctx context.Context, code string) error {
	group, err := g.ByCode(ctx, code)
	if errors.Is(err, Missing) {
		return nil // deleted meanwhile
	}
	if err != nil || group.Kind != ByRule {
		return err
	}
	var people []campus.PersonID
	for after := campus.PersonID(""); ; {
		some, err := g.Roll.PeopleAfter(ctx, after, page)
		if err != nil {
			return fmt.Errorf("fill group %s: %w", code, err)
		}
		for _, k := range some {
			if after = k.ID; belongs(group.Rule, k) {
				people = append(people, k.ID)
			}
		}
		if len(some) < page {
			break
		}
	}
	if err := g.fill(ctx, code, people); err != nil && !errors.Is(err, Missing) {
		return err
	}
	return nil
}
