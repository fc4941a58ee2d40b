package register

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// waysIn are the fields by which somebody gets into an account, or back into it: codes
// for a new password go to these addresses. Whoever may change them has the account.
var waysIn = []contract.Field{contract.FieldLogin, contract.FieldMail, contract.FieldMobile, contract.FieldRecoveryMail}

// eachWayIn hands over the ways into somebody's account that an outcome changes, until
// stop says so.
func (o *outcome) eachWayIn(stop func(Diff) bool) bool {
	return slices.ContainsFunc(o.diffs, func(d Diff) bool {
		return slices.Contains(waysIn, d.Field) && slices.Contains(o.fields, d.Field) && stop(d)
	})
}

// opens reports whether the source changes a way into the account of somebody who is
// known. What others say in its place, when it leaves, is no word of its own.
func (o *outcome) opens() bool {
	return (o.kind == kindChange || o.kind == kindDeparture) && !o.entry.Gone && o.eachWayIn(func(Diff) bool { return true })
}

// protected finds a change by which somebody's rights would go to somebody else. No
// decision lets it pass: those who decide here may hold fewer.
func (p *planner) protected(o *outcome) (f *fault.Fault) {
	if p.known[o.person].HoldsRights {
		o.eachWayIn(func(d Diff) bool {
			f = reasonWith(HoldsRights, fault.Args{"field": string(d.Field), "value": fault.Private(strings.Join(d.New, " "))})
			return true
		})
	}
	return f
}

// foreign finds a way in that a source would change although the person is not its own:
// entered by hand, or brought by a source that it does not outrank.
func (p *planner) foreign(o *outcome) (f *fault.Fault) {
	if p.decided {
		return nil
	}
	o.eachWayIn(func(d Diff) bool {
		if p.mayChange(o, d) {
			return false
		}
		f = reasonWith(NotItsOwn, fault.Args{"field": string(d.Field), "value": fault.Private(strings.Join(d.New, " "))})
		return true
	})
	return f
}

// keepWaysIn leaves the ways into an account as they are.
func (o *outcome) keepWaysIn() {
	o.diffs = slices.DeleteFunc(o.diffs, func(d Diff) bool { return slices.Contains(waysIn, d.Field) && slices.Contains(o.fields, d.Field) })
	o.fields = slices.DeleteFunc(o.fields, func(f contract.Field) bool { return slices.Contains(waysIn, f) })
}

// mayChange says whether the source whose word would come into force may change a way in.
func (p *planner) mayChange(o *outcome, d Diff) bool {
	f := d.Field
	winner, holder := o.after.from[f], o.before.from[f]
	if !slices.Equal(one(o.before.values.One(f)), d.Old) { // what is in force was entered by hand
		holder = ""
	}
	if winner == "" || winner == holder || p.pinned[o.person][f] == winner || p.e.ranks.outranks(f, winner, holder) {
		return true
	}
	if feed, err := p.e.feed(winner); err == nil && feed.Config.TakesOver {
		return true
	}
	return p.brought(o.person, winner)
}

// owned finds a number that is another source's to give, and that nobody has said of this
// person. Whoever could give themselves a colleague's number would be taken for them by
// the services that go by it. What the source said before its limits were written stays.
func (p *planner) owned(o *outcome) *fault.Fault {
	for _, f := range source.Ownable {
		v := o.said.One(mapping.Field(f))
		if v == "" || v == o.old.said.One(mapping.Field(f)) || p.e.mayGive(p.feed.Config, f) {
			continue
		}
		if o.person != "" && (v == o.before.values.One(mapping.Field(f)) || f == string(contract.FieldStudentNumber) && v == p.known[o.person].Subject.StudentNumber) {
			continue
		}
		return reasonWith(NumberOwned, fault.Args{"field": f, "value": fault.Private(v)})
	}
	return nil
}

// mayGive reports whether a source may say a number: it owns it, or nobody does.
func (e *Engine) mayGive(c source.Config, field string) bool {
	return slices.Contains(c.Owns, field) || !slices.ContainsFunc(e.Feeds, func(f Feed) bool { return slices.Contains(f.Config.Owns, field) })
}

// brought reports whether a source brought somebody into the register.
func (p *planner) brought(who campus.PersonID, src string) bool {
	return slices.ContainsFunc(p.all[who], func(r record) bool { return r.source == src && r.brought })
}

// outranks reports whether a source has precedence over another for a field because
// somebody said so, and not because of its name. No source is "".
func (r ranks) outranks(f mapping.Field, a, b string) bool {
	list := r.first[f]
	if i, j := slices.Index(list, a), slices.Index(list, b); i >= 0 && j < 0 {
		return true
	} else if i < 0 && j >= 0 || b == "" {
		return false
	}
	return r.priority[a] < r.priority[b]
}

// floors are when ties that were entered by hand end at the earliest, by kind; a zero
// time is no end.
type floors map[campus.Kind]time.Time

// raise is an end that is not before the floor.
func (f floors) raise(k campus.Kind, at time.Time) time.Time {
	low, there := f[k]
	if there && (low.IsZero() || !at.IsZero() && at.Before(low)) {
		return low
	}
	return at
}

// String is how floors are stored.
func (f floors) String() string {
	if len(f) == 0 {
		return ""
	}
	var list []string
	for k, at := range f {
		list = append(list, formatUntil(k, at))
	}
	slices.Sort(list)
	return jsonText(list)
}

func floorsOf(text string) (floors, error) {
	if text == "" {
		return nil, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	f := floors{}
	for _, one := range list {
		k, at := parseUntil(one)
		f[k] = at
	}
	return f, nil
}

// floor is what no source ends of somebody: what earlier records found there, and what
// this one finds when it speaks of somebody for the first time.
func (p *planner) floor(o *outcome) (own, all floors) {
	all = floors{}
	said := map[campus.Kind]bool{}
	for _, r := range p.all[o.person] {
		for k, at := range r.floor {
			all[k] = all.raise(k, at)
		}
		for _, text := range r.said[contract.FieldAffiliations] {
			if a, ok := mapping.ParseAffiliation(text); ok {
				said[a.Kind] = true
			}
		}
	}
	if o.old.key != "" || p.feed.Config.TakesOver {
		return o.old.floor, all
	}
	own = floors{}
	for _, a := range p.known[o.person].Subject.Affiliations {
		end, registered := p.until[o.person][a.Kind]
		if said[a.Kind] || registered && !end.IsZero() && !end.After(p.now) {
			continue // a source gave it, or it is over
		}
		own[a.Kind], all[a.Kind] = end, end
	}
	return own, all
}

// inForce reports whether one of the ends of ties is still to come.
func inForce(ends []string, now time.Time) bool {
	return slices.ContainsFunc(ends, func(text string) bool {
		_, at := parseUntil(text)
		return at.IsZero() || at.After(now)
	})
}

// The budgets of a source: what it may do so much of only before somebody looks.
const (
	budgetWaysIn    = "ways_in"   // changing logins, addresses and numbers, by whatever way
	budgetCreations = "creations" // pushing people whom nobody knew
)

// heldBy is the question that a budget makes of what is beyond it.
func heldBy(budget string) *fault.Reason {
	if budget == budgetCreations {
		return CreationHeld
	}
	return IdentityHeld
}

// spent is how much a source did lately, and how much it may.
type spent struct{ hour, day, mostHour, mostDay int64 }

// over is the period in hours, and its count, when so many more are too many; 0 when
// they are not.
func (s spent) over(more int64) (hours, count int64) {
	switch {
	case s.day+more > s.mostDay:
		return 24, s.day + more
	case s.hour+more > s.mostHour:
		return 1, s.hour + more
	}
	return 0, 0
}

// spent reads what is left of a budget of the source. Granted says that somebody has
// lifted it for now.
func (w *work) spent(ctx context.Context, q *sqlgen.Queries, budget string, now db.Time) (s spent, granted bool, err error) {
	src := w.feed.Config.ID
	n, err := q.Granted(ctx, sqlgen.GrantedParams{Source: src, Budget: budget, UntilAt: now})
	if err != nil || n > 0 {
		return s, n > 0, err
	}
	live, err := q.CountLive(ctx, src)
	if err != nil {
		return s, false, err
	}
	if s.mostHour, s.mostDay = w.feed.Config.IdentityBudget(live); budget == budgetCreations {
		s.mostHour, s.mostDay = w.feed.Config.CreationBudget(live)
	}
	if s.hour, err = q.Spent(ctx, sqlgen.SpentParams{Source: src, Budget: budget, MinuteAt: now.Add(-time.Hour)}); err != nil {
		return s, false, err
	}
	s.day, err = q.Spent(ctx, sqlgen.SpentParams{Source: src, Budget: budget, MinuteAt: now.Add(-24 * time.Hour)})
	return s, false, err
}

// spend counts an outcome against the budget of the source that it uses. What is pushed
// beyond it becomes a question, and stays one until somebody decides, also when there is
// budget again. What somebody has let pass does not count.
func (w *work) spend(ctx context.Context, tx db.Tx, o *outcome) error {
	budget := ""
	switch {
	case w.decided:
	case o.opens():
		budget = budgetWaysIn
	case o.kind == kindCreation && o.entry.Kind == source.Person && w.mode == modePush:
		budget = budgetCreations
	}
	if budget == "" {
		return nil
	}
	src, q := w.feed.Config.ID, sqlgen.New(tx)
	if w.mode == modePush {
		if err := q.LockSource(ctx, src); err != nil {
			return fmt.Errorf("count what a source did: %w", err)
		}
		s, granted, err := w.spent(ctx, q, budget, tx.Now())
		if err != nil {
			return fmt.Errorf("count what a source did: %w", err)
		}
		kinds, err := q.KindOfConflict(ctx, sqlgen.KindOfConflictParams{Source: src, SourceKey: o.entry.Key})
		if err != nil {
			return fmt.Errorf("read the question: %w", err)
		}
		hours, count := s.over(1)
		if !granted && (hours > 0 || slices.Contains(kinds, heldBy(budget).Code())) {
			return w.hold1(ctx, tx, o, budget, max(hours, 1), max(count, s.hour+1))
		}
	}
	if err := q.Spend(ctx, sqlgen.SpendParams{Source: src, Budget: budget, MinuteAt: db.At(tx.Now().Time().Truncate(time.Minute))}); err != nil {
		return fmt.Errorf("count what a source did: %w", err)
	}
	return nil
}

// hold1 makes one outcome a question. Those who keep the directory are told of the first.
func (w *work) hold1(ctx context.Context, tx db.Tx, o *outcome, budget string, hours, count int64) error {
	why := heldBy(budget)
	n, err := sqlgen.New(tx).CountConflictsOfKind(ctx, sqlgen.CountConflictsOfKindParams{Source: w.feed.Config.ID, Kind: why.Code()})
	if err != nil {
		return fmt.Errorf("count questions: %w", err)
	}
	var about []campus.PersonID
	if o.person != "" {
		about = []campus.PersonID{o.person}
	}
	o.conflict(reasonWith(why, fault.Args{"source": w.feed.Config.ID, "people": count, "hours": hours}), about)
	if n > 0 {
		return nil
	}
	what := "identities"
	if budget == budgetCreations {
		what = budgetCreations
	}
	return w.tell(ctx, tx, what, "/directory/conflicts", o.reason)
}

// identityBrake says why a plan changes too many ways in to be carried out unseen.
func (w *work) identityBrake(ctx context.Context) (*fault.Fault, error) {
	if w.waysIn == 0 {
		return nil, nil
	}
	s, granted, err := w.spent(ctx, sqlgen.New(w.e.DB.Read()), budgetWaysIn, db.At(w.e.Clock.Now()))
	if err != nil {
		return nil, fmt.Errorf("count what a source did: %w", err)
	}
	if hours, count := s.over(w.waysIn); hours > 0 && !granted {
		return reasonWith(TooManyIdentities, fault.Args{"source": w.feed.Config.ID, "people": count, "hours": hours}), nil
	}
	return nil, nil
}

// PassHeld takes over what a source pushed beyond a budget.
type PassHeld struct {
	Source string          `json:"source"`
	Budget string          `json:"budget,omitempty"` // empty means the ways into accounts
	By     campus.PersonID `json:"by"`
}

// JobName is the job's name.
func (PassHeld) JobName() string { return "directory.pass_held" }

// grantTime is how long a source may do as much as it wants, when somebody said so.
const grantTime = 24 * time.Hour

// LetPass lifts a budget of a source for a day, and takes over what waits because of it.
func (e *Engine) LetPass(ctx context.Context, by campus.Viewer, src, budget string) error {
	if err := may(by); err != nil {
		return err
	}
	if _, err := e.feed(src); err != nil {
		return err
	}
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		err := sqlgen.New(tx).Grant(ctx, sqlgen.GrantParams{Source: src, Budget: budget, GrantedBy: string(by.Person), GrantedAt: tx.Now(), UntilAt: tx.Now().Add(grantTime)})
		if err != nil {
			return fmt.Errorf("lift the budget of a source: %w", err)
		}
		if err := e.note(ctx, tx, by, "", BudgetLifted, map[string]string{"source": src, "budget": budget}); err != nil {
			return err
		}
		return enqueue(ctx, tx, PassHeld{Source: src, Budget: budget, By: by.Person})
	})
}

// passHeld is the job.
func (e *Engine) passHeld(ctx context.Context, a PassHeld) error {
	budget := cmp.Or(a.Budget, budgetWaysIn)
	for after := ""; ; {
		list, err := sqlgen.New(e.DB.Read()).OpenConflictsOfKind(ctx, sqlgen.OpenConflictsOfKindParams{Source: a.Source, Kind: heldBy(budget).Code(), After: after})
		if err != nil {
			return fmt.Errorf("list questions: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		after = list[len(list)-1]
		take := e.passChanges
		if budget == budgetCreations {
			take = e.passCreations
		}
		if err := take(ctx, a, list); err != nil {
			return err
		}
	}
}

// passChanges decides about questions, one by one, for who let them pass.
func (e *Engine) passChanges(ctx context.Context, a PassHeld, questions []string) error {
	by := campus.Viewer{Person: a.By, Rights: []campus.Right{campus.RightDirectory}}
	for _, id := range questions {
		c, err := e.ConflictByID(ctx, id)
		if err != nil {
			return err
		}
		if !c.Closed.IsZero() || len(c.People) == 0 {
			continue // somebody was faster
		}
		if _, err := e.Decide(ctx, by, id, Same, c.People[0]); err != nil && fault.Of(err).Reason != ConflictSettled {
			return err
		}
	}
	return nil
}

// passCreations pushes records anew, together: there is no budget now. What is a
// question for another reason stays one.
func (e *Engine) passCreations(ctx context.Context, a PassHeld, questions []string) error {
	feed, err := e.feed(a.Source)
	if err != nil {
		return err
	}
	var entries []mapping.Entry
	for _, id := range questions {
		c, err := e.ConflictByID(ctx, id)
		if err != nil {
			return err
		}
		if c.Closed.IsZero() {
			entries = append(entries, c.entry())
		}
	}
	_, err = e.pushEntries(ctx, feed, entries, "", false)
	return err
}

// heldByBudget is how much of each source waits because of a budget.
func (e *Engine) heldByBudget(ctx context.Context, budget string) ([]sqlgen.HeldBySourceRow, error) {
	rows, err := sqlgen.New(e.DB.Read()).HeldBySource(ctx, heldBy(budget).Code())
	if err != nil {
		return nil, fmt.Errorf("count questions: %w", err)
	}
	return rows, nil
}
