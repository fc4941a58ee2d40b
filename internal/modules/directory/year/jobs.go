package year

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/year/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// prepareYear lists whom a change concerns.
type prepareYear struct {
	Year string `json:"year"`
}

// JobName is the job's name.
func (prepareYear) JobName() string { return "directory.prepare_year" }

// carryOut applies a change, or takes it back: its state says which.
type carryOut struct {
	Year string `json:"year"`
}

// JobName is the job's name.
func (carryOut) JobName() string { return "directory.change_year" }

// Jobs registers the jobs of the alcove.
func (y *Years) Jobs(reg *jobs.Registry) {
	jobs.Handle(reg, y.prepare, jobs.Policy{Timeout: time.Hour})
	jobs.Handle(reg, y.carryOut, jobs.Policy{Timeout: 2 * time.Hour})
}

// peopleAtOnce is how many people one transaction touches.
const peopleAtOnce = 40

// prepare goes through everybody. It begins anew when it was interrupted.
func (y *Years) prepare(ctx context.Context, a prepareYear) error {
	change, err := y.ByID(ctx, a.Year)
	if err != nil || change.State != Preparing {
		return err
	}
	if err := y.DB.InTx(ctx, func(tx db.Tx) error { _, err := sqlgen.New(tx).ClearPeople(ctx, a.Year); return err }); err != nil {
		return fmt.Errorf("clear the list: %w", err)
	}
	counts := map[string]int64{}
	for after := campus.PersonID(""); ; {
		people, err := y.Roll.PeopleAfter(ctx, after, 500)
		if err != nil {
			return err
		}
		if len(people) == 0 {
			break
		}
		after = people[len(people)-1].ID
		rows, err := y.lines(ctx, change, people)
		if err != nil {
			return err
		}
		for _, r := range rows {
			counts[r.Kind]++
		}
		for some := range slices.Chunk(rows, peopleAtOnce) {
			err := y.DB.InTx(ctx, func(tx db.Tx) error {
				for _, r := range some {
					if err := sqlgen.New(tx).AddPerson(ctx, r); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("list people: %w", err)
			}
		}
	}
	return y.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).Prepared(ctx, sqlgen.PreparedParams{ID: a.Year, Promotions: counts[promotion], Departures: counts[departure], Arrivals: counts[arrival]})
		return err
	})
}

// lines are what a change makes of some people.
func (y *Years) lines(ctx context.Context, change Year, people []contract.Known) ([]sqlgen.AddPersonParams, error) {
	var ids []campus.PersonID
	for _, p := range people {
		ids = append(ids, p.ID)
	}
	until, err := y.Register.RegisteredUntil(ctx, ids)
	if err != nil {
		return nil, err
	}
	var rows []sqlgen.AddPersonParams
	for _, p := range people {
		if p.State == "closed" {
			continue
		}
		was := tiesOf(p, until[p.ID])
		kind, becomes := change.Moves.step(was, change.Ends)
		studies := slices.ContainsFunc(p.Subject.Affiliations, func(a campus.Affiliation) bool { return a.Kind == campus.Student })
		if kind == "" && p.State == "invited" && studies {
			kind = arrival
		}
		if kind == "" {
			continue
		}
		before, err1 := json.Marshal(was)
		after, err2 := json.Marshal(becomes)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("write ties: %w", err)
		}
		name := strings.TrimSpace(p.Subject.GivenName + " " + p.Subject.FamilyName)
		rows = append(rows, sqlgen.AddPersonParams{
			YearID: change.ID, PersonID: string(p.ID), Kind: kind, State: "planned", Name: name, Folded: campus.Fold(name + " " + p.Subject.Login),
			Was: string(before), Becomes: string(after),
		})
	}
	return rows, nil
}

func tiesOf(p contract.Known, until map[campus.Kind]time.Time) ties {
	t := ties{Until: untilText(until)}
	for _, a := range p.Subject.Affiliations {
		t.Affiliations = append(t.Affiliations, mapping.FormatAffiliation(a))
	}
	slices.Sort(t.Affiliations)
	return t
}

// carryOut goes through the list of a change. It goes on where it stopped.
func (y *Years) carryOut(ctx context.Context, a carryOut) error {
	change, err := y.ByID(ctx, a.Year)
	if err != nil {
		return err
	}
	from, to := "planned", "applied"
	switch change.State {
	case Applying:
	case Undoing:
		from, to = "applied", "undone"
	default:
		return nil // another run of this job was faster
	}
	q := sqlgen.New(y.DB.Read())
	for after := ""; ; {
		rows, err := q.Waiting(ctx, sqlgen.WaitingParams{YearID: a.Year, State: from, PersonID: after})
		if err != nil {
			return fmt.Errorf("read the list: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		after = rows[len(rows)-1].PersonID
		for some := range slices.Chunk(rows, peopleAtOnce) {
			if err := y.move(ctx, change, some, from, to); err != nil {
				return err
			}
		}
	}
	return y.DB.InTx(ctx, func(tx db.Tx) error { _, err := sqlgen.New(tx).Finish(ctx, a.Year); return err })
}

// move changes some people in one transaction. Whoever is no longer as the list has
// them is left alone.
func (y *Years) move(ctx context.Context, change Year, rows []sqlgen.DirectoryYearPerson, from, to string) error {
	ids := make([]campus.PersonID, len(rows))
	for i, r := range rows {
		ids[i] = campus.PersonID(r.PersonID)
	}
	known, err := y.Register.KnownPeople(ctx, ids)
	if err != nil {
		return err
	}
	until, err := y.Register.RegisteredUntil(ctx, ids)
	if err != nil {
		return err
	}
	return y.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		var done, skipped int64
		for i, r := range rows {
			var was, becomes ties
			if err := errors.Join(json.Unmarshal([]byte(r.Was), &was), json.Unmarshal([]byte(r.Becomes), &becomes)); err != nil {
				return fmt.Errorf("read the list: %w", err)
			}
			if change.State == Undoing {
				was, becomes = becomes, was
			}
			state := to
			p, there := known[ids[i]]
			is := tiesOf(p, until[ids[i]])
			same := there && slices.Equal(is.Affiliations, was.Affiliations) && is.Until == was.Until
			if !same {
				state = "skipped"
			}
			n, err := q.Mark(ctx, sqlgen.MarkParams{NewState: state, YearID: change.ID, PersonID: r.PersonID, OldState: from})
			if err != nil {
				return fmt.Errorf("mark the list: %w", err)
			}
			if n == 0 {
				continue // another run of this job was faster
			}
			if !same {
				skipped++
				continue
			}
			done++
			if err := y.amend(ctx, tx, ids[i], was, becomes); err != nil {
				return err
			}
		}
		return q.Progress(ctx, sqlgen.ProgressParams{ID: change.ID, Done: done, Skipped: skipped})
	})
}

// amend makes somebody's ties what the list says.
func (y *Years) amend(ctx context.Context, tx db.Tx, who campus.PersonID, was, becomes ties) error {
	s := mapping.Values{contract.FieldAffiliations: becomes.Affiliations}.Subject()
	var fields []contract.Field
	if !slices.Equal(was.Affiliations, becomes.Affiliations) {
		fields = append(fields, contract.FieldAffiliations)
	}
	if was.Until != becomes.Until {
		s.Until = map[campus.Kind]time.Time{campus.Student: untilTime(becomes.Until)}
		fields = append(fields, contract.FieldUntil)
	}
	if len(fields) == 0 {
		return nil
	}
	return y.Register.Amend(ctx, tx, who, s, fields, "change of year")
}
