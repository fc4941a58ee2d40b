package register

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Conflict is a record about which somebody has to decide.
type Conflict struct {
	ID, Source, Key string
	Reason          *fault.Fault
	People          []campus.PersonID // whom it is about
	Name, Place     string
	Values          mapping.Values // what the record says
	Opened          time.Time
	Closed          time.Time // zero while it waits
	Decision        string    // same, apart, ignore; empty when it went away by itself
	DecidedBy       campus.PersonID
	names           []string
}

// The decisions about a conflict.
const (
	Same   = verdictSame   // the record is a person who is known
	Apart  = verdictApart  // it is somebody else, who gets none of the values that others have
	Ignore = verdictIgnore // the record is not taken
)

// ConflictByID reads one conflict.
func (e *Engine) ConflictByID(ctx context.Context, conflictID string) (Conflict, error) {
	row, err := sqlgen.New(e.DB.Read()).ConflictByID(ctx, conflictID)
	if errors.Is(err, sql.ErrNoRows) {
		return Conflict{}, ConflictMissing
	}
	if err != nil {
		return Conflict{}, fmt.Errorf("read the conflict: %w", err)
	}
	return conflictOf(row)
}

func conflictOf(row sqlgen.DirectoryConflict) (Conflict, error) {
	c := Conflict{
		ID: row.ID, Source: row.Source, Key: row.SourceKey, Reason: faultOf(row.Kind, row.Args), Name: row.Name, Place: row.Place,
		Opened: row.OpenedAt.Time(), Closed: row.ClosedAt.Time(), Decision: row.Decision, DecidedBy: campus.PersonID(row.DecidedBy),
	}
	var k kept
	if err := errors.Join(json.Unmarshal([]byte(row.Said), &k), json.Unmarshal([]byte(row.People), &c.People)); err != nil {
		return c, fmt.Errorf("read conflict %s: %w", row.ID, err)
	}
	c.Values, c.names = k.Values, k.Names
	return c, nil
}

// Decide settles a conflict for good: the decision holds for later runs as well. The
// record is taken over at once, when it is to be. What then becomes of it is
// returned, such as a reason for which it is still not taken.
func (e *Engine) Decide(ctx context.Context, by campus.Viewer, conflictID, decision string, person campus.PersonID) (Pushed, error) {
	if err := may(by); err != nil {
		return Pushed{}, err
	}
	c, err := e.ConflictByID(ctx, conflictID)
	if err != nil {
		return Pushed{}, err
	}
	switch {
	case !slices.Contains([]string{Same, Apart, Ignore}, decision), decision == Same && !slices.Contains(c.People, person):
		return Pushed{}, ConflictMissing
	case decision != Same:
		person = ""
	}
	feed, err := e.feed(c.Source)
	if err != nil {
		return Pushed{}, err
	}
	if decision == Apart {
		if ok, err := e.mayBeApart(ctx, c); err != nil || !ok {
			return Pushed{}, errors.Join(err, ConflictMissing)
		}
	}
	err = e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.DecideConflict(ctx, sqlgen.DecideConflictParams{ID: c.ID, ClosedAt: tx.Now(), Decision: decision, DecidedBy: string(by.Person)})
		if err != nil {
			return fmt.Errorf("decide about a conflict: %w", err)
		}
		if n == 0 {
			return ConflictSettled
		}
		about := campus.PersonID("")
		if len(c.People) == 1 {
			about = c.People[0]
		}
		if err := e.note(ctx, tx, by, cmp.Or(person, about), QuestionDecided, map[string]string{"source": c.Source, "decision": decision, "reason": c.Reason.Reason.Code()}); err != nil {
			return err
		}
		if decision == Same && c.aboutChange() || decision == Apart && c.Reason.Reason == CreationHeld { // of this change, and not of whose record it is
			return nil
		}
		return q.SetVerdict(ctx, sqlgen.SetVerdictParams{Source: c.Source, SourceKey: c.Key, Verdict: decision, PersonID: string(person), DecidedBy: string(by.Person), DecidedAt: tx.Now()})
	})
	if err != nil || decision == Ignore {
		return Pushed{Key: c.Key}, err
	}
	steps, err := e.pushEntries(ctx, feed, []mapping.Entry{c.entry()}, by.Person, false)
	if err != nil {
		return Pushed{}, err
	}
	p := Pushed{Key: c.Key, Person: steps[0].now.person}
	if steps[0].now.reason != nil {
		p.Err = steps[0].now.reason
	}
	return p, nil
}

// entry is the record as it was pushed or read.
func (c Conflict) entry() mapping.Entry {
	return mapping.Entry{Kind: source.Person, Key: c.Key, Names: c.names, Where: c.Place, Values: c.Values}
}

// aboutChange reports whether the question is whether a change is right, and not whose
// record it is.
func (c Conflict) aboutChange() bool {
	return c.Reason.Reason == IdentityHeld || c.Reason.Reason == NotItsOwn
}

// mayBeApart reports whether a record may turn out to be somebody else: one that is
// known to be somebody's stays theirs when only a change of it is in question.
func (e *Engine) mayBeApart(ctx context.Context, c Conflict) (bool, error) {
	if !c.aboutChange() {
		return true, nil
	}
	known, err := e.recordsByKey(ctx, e.DB.Read(), c.Source, source.Person, []string{c.Key})
	return known[c.Key].person == "", err
}

// Said is one value that a source gives.
type Said struct {
	Source string
	Values []string
	Since  time.Time
	Wins   bool // it is the one in force
	Pinned bool // because somebody said so
}

// Provenance is what all sources say of one field of somebody.
type Provenance struct {
	Field mapping.Field
	Said  []Said
	// Joined fields take what every source says.
	Joined bool
}

// Origins says of everything that the sources say of somebody who says it, since
// when, and which of them wins.
func (e *Engine) Origins(ctx context.Context, who campus.PersonID) ([]Provenance, error) {
	all, err := e.recordsOf(ctx, e.DB.Read(), []campus.PersonID{who})
	if err != nil {
		return nil, err
	}
	pins, err := e.pins(ctx, []campus.PersonID{who})
	if err != nil {
		return nil, err
	}
	records := slices.DeleteFunc(all[who], func(r record) bool { return r.gone })
	slices.SortFunc(records, func(a, b record) int { return e.ranks.byPriority(a.source, b.source) })
	m := e.ranks.merge(records, pins[who])
	fields := map[mapping.Field]*Provenance{}
	for _, r := range records {
		for _, f := range r.said.Fields() {
			if len(r.said[f]) == 0 {
				continue
			}
			p := fields[f]
			if p == nil {
				p = &Provenance{Field: f, Joined: slices.Contains(joined, f)}
				fields[f] = p
			}
			p.Said = append(p.Said, Said{
				Source: r.source, Values: r.said[f], Since: r.sinceWhen(f).Time(),
				Wins: p.Joined || m.from[f] == r.source || m.from[f] == "", Pinned: pins[who][f] == r.source,
			})
		}
	}
	list := make([]Provenance, 0, len(fields))
	for _, p := range fields {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Provenance) int { return compareFields(a.Field, b.Field) })
	return list, nil
}

// Pin gives a source the last word on one field of somebody, or takes it back when
// the source is empty. The person is brought into step at once.
func (e *Engine) Pin(ctx context.Context, by campus.Viewer, who campus.PersonID, f mapping.Field, src string) error {
	if err := may(by); err != nil {
		return err
	}
	err := e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := e.note(ctx, tx, by, who, ValuePinned, map[string]string{"source": src, "field": string(f)}); err != nil {
			return err
		}
		if src == "" {
			return q.DropPin(ctx, sqlgen.DropPinParams{PersonID: string(who), Field: string(f)})
		}
		return q.SetPin(ctx, sqlgen.SetPinParams{PersonID: string(who), Field: string(f), Source: src, PinnedBy: string(by.Person), PinnedAt: tx.Now()})
	})
	if err != nil {
		return fmt.Errorf("give a source the last word: %w", err)
	}
	return e.realign(ctx, by, who)
}

// realign merges the records of somebody anew and writes what changes.
func (e *Engine) realign(ctx context.Context, by campus.Viewer, who campus.PersonID) error {
	all, err := e.recordsOf(ctx, e.DB.Read(), []campus.PersonID{who})
	if err != nil {
		return err
	}
	for _, r := range all[who] {
		feed, err := e.feed(r.source)
		if err != nil || r.gone {
			continue // a source that the configuration no longer has
		}
		_, err = e.pushEntries(ctx, feed, []mapping.Entry{{Kind: source.Person, Key: r.key, Where: r.place, Values: r.said}}, by.Person, true)
		return err
	}
	return nil
}
