package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// peopleAtOnce is how many outcomes one transaction writes: few enough that nobody
// who signs in meanwhile waits for it.
const peopleAtOnce = 30

// apply carries the plan out, piece by piece. Each piece is planned again on what
// holds now, so that a plan that waited does nothing that is no longer so, and one
// that was interrupted goes on where it stopped.
func (w *work) apply(ctx context.Context) error {
	q := sqlgen.New(w.e.DB.Read())
	for after := int64(-1 << 62); ; {
		if err := w.hold(ctx); err != nil {
			return err
		}
		rows, err := q.PlannedChanges(ctx, sqlgen.PlannedChangesParams{RunID: w.id, Seq: after, Limit: atOnce})
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		// Records that others replace go first, and alone: who replaces them is matched
		// to somebody without a record.
		if n := slices.IndexFunc(rows, func(r sqlgen.DirectoryChange) bool { return r.Seq > 0 }); n > 0 {
			rows = rows[:n]
		}
		after = rows[len(rows)-1].Seq
		list, err := w.again(ctx, rows)
		if err != nil {
			return err
		}
		if err := w.writeAll(ctx, list); err != nil {
			return err
		}
	}
	if err := w.tie(ctx); err != nil {
		return err
	}
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		p := sqlgen.NoteSourceParams{ID: w.feed.Config.ID, Position: w.position, AskedAt: tx.Now()}
		if w.mode == modeFull && w.complete {
			p.FullAt = w.started
		}
		if err := q.NoteSource(ctx, p); err != nil {
			return fmt.Errorf("note the source: %w", err)
		}
		_, err := q.EndRun(ctx, sqlgen.EndRunParams{State: Done, EndedAt: tx.Now(), ID: w.id})
		return err
	})
}

// writersAtOnce is how many transactions of a run are under way together: they share
// the wait for the disk.
const writersAtOnce = 4

// writeAll writes steps in transactions of a few people each, and ends with the first
// error once those under way are over.
func (w *work) writeAll(ctx context.Context, list []*step) error {
	var all sync.WaitGroup
	pieces := slices.Collect(slices.Chunk(list, peopleAtOnce))
	errs := make([]error, len(pieces))
	free := make(chan struct{}, writersAtOnce)
	for i, some := range pieces {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			errs[i] = w.write(ctx, some)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// step is one row of the plan, planned again.
type step struct {
	row sqlgen.DirectoryChange
	now *outcome
	// login and mail are names made by a rule.
	login, mail string
	manager     campus.PersonID
	join, leave []string // groups that somebody's own record names
	members     []campus.PersonID
	nested      []string
	written     *outcome // as it was written
}

// again plans rows on what holds now.
func (w *work) again(ctx context.Context, rows []sqlgen.DirectoryChange) ([]*step, error) {
	list := make([]*step, len(rows))
	var people, others []mapping.Entry
	var peopleAt, othersAt []int
	for i, row := range rows {
		list[i] = &step{row: row}
		entry, err := entryOf(row)
		if err != nil {
			return nil, err
		}
		switch {
		case row.Kind == kindConflict:
			list[i].now = &outcome{entry: entry, kind: kindConflict, person: campus.PersonID(row.PersonID), name: row.Name, reason: faultOf(row.Reason, row.Args)}
			if row.People != "" {
				if err := json.Unmarshal([]byte(row.People), &list[i].now.people); err != nil {
					return nil, fmt.Errorf("read the plan: %w", err)
				}
			}
		case entry.Kind == source.Person:
			people, peopleAt = append(people, entry), append(peopleAt, i)
		default:
			others, othersAt = append(others, entry), append(othersAt, i)
		}
	}
	planned, err := w.e.plan(ctx, w.feed, people, asked{decided: w.decided})
	if err != nil {
		return nil, err
	}
	for i, o := range planned {
		s := list[peopleAt[i]]
		if s.row.Kind == kindTouch && o.kind == kindDeparture { // another record takes its place
			o.kind, o.diffs, o.fields, o.ends = kindTouch, nil, nil, nil
		}
		s.now = o
	}
	rest, err := w.e.planOthers(ctx, w.feed, others)
	if err != nil {
		return nil, err
	}
	byKey := map[string]*outcome{}
	for _, o := range rest {
		byKey[string(o.entry.Kind)+o.entry.Key] = o
	}
	for i, entry := range others {
		s := list[othersAt[i]]
		if s.now = byKey[string(entry.Kind)+entry.Key]; s.now == nil {
			s.now = &outcome{entry: entry, name: s.row.Name}
		}
	}
	if err := w.makeNames(ctx, list); err != nil {
		return nil, err
	}
	return list, w.resolve(ctx, list)
}

// entryOf reads an entry back from the plan.
func entryOf(row sqlgen.DirectoryChange) (mapping.Entry, error) {
	e := mapping.Entry{Kind: source.Kind(row.What), Key: row.SourceKey, Where: row.Place, Gone: row.Said == ""}
	if e.Gone {
		return e, nil
	}
	if err := json.Unmarshal([]byte(row.Said), &e.Values); err != nil {
		return e, fmt.Errorf("read the plan: %w", err)
	}
	if err := json.Unmarshal([]byte(row.Names), &e.Names); err != nil {
		return e, fmt.Errorf("read the plan: %w", err)
	}
	return e, nil
}

// makeNames finds logins and addresses for new people whose source gives none.
func (w *work) makeNames(ctx context.Context, list []*step) error {
	year := w.e.Clock.Now().Year()
	type made struct {
		*wish
		step *step
	}
	var logins, mails []made
	var wishes []*wish
	for _, s := range list {
		if s.now.kind != kindCreation || s.now.entry.Kind != source.Person || s.now.subject.Login != "" {
			continue
		}
		rule, _ := w.e.names.rule(s.now.subject)
		x := &wish{base: fill(rule.login, s.now.subject, s.now.said.One(mapping.FieldEmployeeNumber), "", "", year), length: rule.length}
		logins, wishes = append(logins, made{x, s}), append(wishes, x)
	}
	if err := w.e.give(ctx, nameLogin, wishes); err != nil {
		return err
	}
	for _, m := range logins {
		m.step.login = m.got
	}
	wishes = nil
	for _, s := range list {
		if s.now.kind != kindCreation || s.now.entry.Kind != source.Person || s.now.subject.Mail != "" {
			continue
		}
		rule, _ := w.e.names.rule(s.now.subject)
		login := s.now.subject.Login
		if login == "" {
			login = s.login
		}
		x := &wish{base: fill(rule.mail, s.now.subject, s.now.said.One(mapping.FieldEmployeeNumber), login, "-", year), length: longestLocal, domain: rule.domain}
		mails, wishes = append(mails, made{x, s}), append(wishes, x)
	}
	if err := w.e.give(ctx, nameMail, wishes); err != nil {
		return err
	}
	for _, m := range mails {
		m.step.mail = m.got
	}
	return nil
}

// longestLocal bounds what stands before the @ (RFC 5321 §4.5.3.1.1).
const longestLocal = 64

// resolve finds what the names in entries mean: managers, groups, members.
func (w *work) resolve(ctx context.Context, list []*step) error {
	var names []string
	for _, s := range list {
		o := s.now
		names = append(names, o.after.values[mapping.FieldManager]...)
		names = append(names, o.said[mapping.FieldGroups]...)
		names = append(names, o.old.said[mapping.FieldGroups]...)
		names = append(names, o.said[mapping.FieldMembers]...)
	}
	if len(names) == 0 {
		return nil
	}
	found, err := w.e.aliases(ctx, w.feed.Config.ID, names)
	if err != nil {
		return err
	}
	for _, s := range list {
		s.manager = found[s.now.after.values.One(mapping.FieldManager)].person
		was, is := groupCodes(s.now.old.said[mapping.FieldGroups], found), groupCodes(s.now.said[mapping.FieldGroups], found)
		if s.now.old.gone {
			was = nil
		}
		s.join, s.leave = without(is, was), without(was, is)
		s.members, s.nested = members(s.now.said[mapping.FieldMembers], found)
	}
	return nil
}

// groupCodes are the groups that somebody's own record names. Those that list their
// members themselves are left out; a DN that no group of the source has counts by
// its first value.
func groupCodes(names []string, found map[string]alias) (codes []string) {
	for _, n := range names {
		a, ok := found[n]
		switch {
		case ok && a.kind == source.Group && !a.listed:
			codes = append(codes, a.code)
		case ok:
		case !strings.ContainsRune(n, '='):
			codes = append(codes, n)
		default:
			first, _, _ := strings.Cut(n, ",")
			_, value, _ := strings.Cut(first, "=")
			codes = append(codes, value)
		}
	}
	return codes
}

// without is what of a list is not in another.
func without(list, other []string) (rest []string) {
	for _, v := range list {
		if !slices.Contains(other, v) {
			rest = append(rest, v)
		}
	}
	return rest
}

func members(names []string, found map[string]alias) (people []campus.PersonID, groups []string) {
	people = []campus.PersonID{}
	for _, n := range names {
		switch a := found[n]; {
		case a.person != "":
			people = append(people, a.person)
		case a.kind == source.Group:
			groups = append(groups, a.code)
		}
	}
	return people, groups
}

// write writes steps in one transaction; when one of them fails, each in its own,
// so that the others are written all the same.
func (w *work) write(ctx context.Context, list []*step) error {
	for _, s := range list {
		if err := w.e.putGroup(ctx, w.feed.Config.ID, s); err != nil {
			f := fault.Of(err)
			if f.Reason == fault.Unexpected || ctx.Err() != nil {
				return err
			}
			s.now = (&outcome{entry: s.now.entry, name: s.now.name}).refuse(f)
		}
	}
	err := w.inTx(ctx, list)
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, s := range list {
		fresh, err := w.again(ctx, []sqlgen.DirectoryChange{s.row})
		if err != nil {
			return err
		}
		if err := w.inTx(ctx, fresh); err != nil {
			f := fault.Of(err)
			if f.Reason == fault.Unexpected || ctx.Err() != nil {
				return err
			}
			refused := &step{row: s.row, now: (&outcome{entry: s.now.entry, name: s.now.name}).refuse(f)}
			if err := w.inTx(ctx, []*step{refused}); err != nil {
				return err
			}
			fresh[0] = refused
		}
		s.written = fresh[0].written
	}
	return nil
}

func (w *work) inTx(ctx context.Context, list []*step) error {
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		var c Counts
		for _, s := range list {
			o := *s.now // a second attempt begins where the first did
			if err := w.spend(ctx, tx, &o); err != nil {
				return err
			}
			if err := w.e.put(ctx, tx, w.feed, s, &o); err != nil {
				return fmt.Errorf("write %s: %w", o.entry.Key, err)
			}
			if err := w.settle(ctx, tx, s, &o); err != nil {
				return err
			}
			switch o.kind {
			case kindCreation, kindChange, kindDeparture, kindTouch:
				c.Applied++
			}
			c.count(&outcome{entry: o.entry, kind: s.row.Kind}, -1)
			c.count(&o, 1)
			s.written = &o
		}
		return sqlgen.New(tx).ProgressRun(ctx, sqlgen.ProgressRunParams{
			Applied: c.Applied, Creations: c.Creations, Changes: c.Changes, Departures: c.Departures, Conflicts: c.Conflicts, Refusals: c.Refusals, BeatAt: tx.Now(), ID: w.id,
		})
	})
}

// settle makes a row of the plan a row of the report.
func (w *work) settle(ctx context.Context, tx db.Tx, s *step, o *outcome) error {
	p := sqlgen.SettleChangeParams{RunID: w.id, Seq: s.row.Seq, Kind: o.kind, State: "applied", PersonID: string(o.person), Detail: s.row.Detail}
	switch o.kind {
	case kindConflict, kindRefusal:
		p.State = "told"
	case kindNothing:
		p.Kind = kindTouch
	}
	if len(o.diffs) > 0 {
		p.Detail = jsonText(o.diffs)
	}
	if o.reason != nil {
		p.Reason, p.Args = o.reason.Reason.Code(), argsText(o.reason.Args)
	}
	if err := sqlgen.New(tx).SettleChange(ctx, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// put writes one outcome.
func (e *Engine) put(ctx context.Context, tx db.Tx, feed Feed, s *step, o *outcome) error {
	src, q := feed.Config.ID, sqlgen.New(tx)
	if o.entry.Kind != source.Person {
		return e.putOther(ctx, tx, src, s, o)
	}
	if err := e.missPhoto(ctx, tx, o); err != nil {
		return err
	}
	switch o.kind {
	case kindNothing, kindRefusal:
		return nil
	case kindConflict:
		return q.OpenConflict(ctx, sqlgen.OpenConflictParams{
			ID: id.New(), Source: src, SourceKey: o.entry.Key, Kind: o.reason.Reason.Code(), Args: argsText(o.reason.Args), People: jsonText(o.people),
			Name: o.name, Folded: campus.Fold(o.name + " " + o.entry.Key), Place: o.entry.Where,
			Said: jsonText(kept{o.entry.Values, o.entry.Names}), OpenedAt: tx.Now(),
		})
	case kindCreation:
		if err := e.enrol(ctx, tx, src, s, o); err != nil {
			return err
		}
	default:
		if len(o.fields) > 0 {
			subject := o.subject
			if len(o.ends) > 0 {
				until := map[campus.Kind]time.Time{}
				for k, at := range subject.Until {
					until[k] = at
				}
				for _, k := range o.ends {
					until[k] = o.low.raise(k, tx.Now().Time())
				}
				subject.Until = until
			}
			if err := e.Register.Amend(ctx, tx, o.person, subject, o.fields, src); err != nil {
				return err
			}
			if err := keepNames(ctx, tx, o.person, subject, o.fields); err != nil {
				return err
			}
		}
	}
	if o.entry.Gone {
		if _, err := q.MarkGone(ctx, sqlgen.MarkGoneParams{Source: src, Kind: string(source.Person), SourceKey: o.entry.Key, GoneAt: tx.Now()}); err != nil {
			return fmt.Errorf("mark the record: %w", err)
		}
	} else if err := e.putRecord(ctx, tx, src, o); err != nil {
		return err
	}
	if o.profile && e.Entries != nil {
		if err := e.Entries.PutEntry(ctx, tx, o.person, o.after.values, s.manager, src); err != nil {
			return fmt.Errorf("write the entry: %w", err)
		}
	}
	if e.Groups != nil && len(s.join)+len(s.leave) > 0 && o.kind != kindTouch {
		if err := e.Groups.Move(ctx, tx, o.person, s.join, s.leave, src); err != nil {
			return fmt.Errorf("write the groups: %w", err)
		}
	}
	if err := q.CloseConflict(ctx, sqlgen.CloseConflictParams{Source: src, SourceKey: o.entry.Key, ClosedAt: tx.Now()}); err != nil {
		return fmt.Errorf("close the conflict: %w", err)
	}
	return nil
}

// missPhoto leaves out a picture that was deleted while its plan waited. The record
// then counts as changed at the next reading, which brings it again.
func (e *Engine) missPhoto(ctx context.Context, tx db.Tx, o *outcome) error {
	digest := o.entry.Values.One(mapping.FieldPhoto)
	if digest == "" || e.Photos == nil {
		return nil
	}
	kept, err := e.Photos.Kept(ctx, tx, digest)
	if err != nil || kept {
		return err
	}
	for _, v := range []*mapping.Values{&o.entry.Values, &o.said, &o.after.values} {
		*v = maps.Clone(*v) // a second attempt begins where the first did
		delete(*v, mapping.FieldPhoto)
	}
	return nil
}

// kept is an entry as a conflict keeps it until it is decided.
type kept struct {
	Values mapping.Values
	Names  []string
}

// enrol adds somebody.
func (e *Engine) enrol(ctx context.Context, tx db.Tx, src string, s *step, o *outcome) error {
	subject := o.subject
	if subject.Login == "" {
		subject.Login = s.login
		o.diffs = append(slices.Clone(o.diffs), Diff{Field: contract.FieldLogin, New: one(s.login)})
	}
	if subject.Mail == "" {
		subject.Mail = s.mail
		o.diffs = append(slices.Clone(o.diffs), Diff{Field: contract.FieldMail, New: one(s.mail)})
	}
	if subject.Login == "" {
		return NoLogin
	}
	if subject.Mail == "" {
		return NoMail
	}
	var err error
	if o.person, err = e.Register.Enrol(ctx, tx, subject, src); err != nil {
		return err
	}
	return keepNames(ctx, tx, o.person, subject, []contract.Field{contract.FieldLogin, contract.FieldMail})
}

// keepNames notes which names somebody was given, so that nobody else is.
func keepNames(ctx context.Context, tx db.Tx, who campus.PersonID, s contract.Subject, fields []contract.Field) error {
	q := sqlgen.New(tx)
	for _, n := range []struct {
		field      contract.Field
		kind, name string
	}{{contract.FieldLogin, nameLogin, s.Login}, {contract.FieldMail, nameMail, s.Mail}} {
		if !slices.Contains(fields, n.field) || n.name == "" {
			continue
		}
		if _, err := q.GiveName(ctx, sqlgen.GiveNameParams{Kind: n.kind, Name: n.name, PersonID: string(who), GivenAt: tx.Now()}); err != nil {
			return fmt.Errorf("note the name: %w", err)
		}
	}
	return nil
}

// putRecord keeps what the source says, and since when.
func (e *Engine) putRecord(ctx context.Context, tx db.Tx, src string, o *outcome) error {
	p := sqlgen.UpsertRecordParams{
		Source: src, Kind: string(o.entry.Kind), SourceKey: o.entry.Key, PersonID: string(o.person), EmployeeNumber: o.said.One(mapping.FieldEmployeeNumber),
		Said: jsonText(o.said), Digest: e.digest(o.entry.Values, o.entry.Names), Place: o.entry.Where, FirstAt: tx.Now(), ChangedAt: tx.Now(),
		Brought: o.brought || o.kind == kindCreation, Floor: o.floor.String(),
	}
	if o.old.key != "" {
		p.FirstAt = o.old.first
		since := map[mapping.Field]db.Time{}
		for f, v := range o.said {
			if !slices.Equal(v, o.old.said[f]) {
				since[f] = tx.Now()
			} else if at, ok := o.old.since[f]; ok {
				since[f] = at
			}
		}
		if len(since) > 0 {
			p.Since = jsonText(since)
		}
	}
	q := sqlgen.New(tx)
	if err := q.UpsertRecord(ctx, p); err != nil {
		return fmt.Errorf("keep the record: %w", err)
	}
	if len(o.entry.Names) == 0 && o.old.key == "" {
		return nil
	}
	if o.old.key != "" {
		if err := q.DropAliases(ctx, sqlgen.DropAliasesParams{Source: src, Kind: string(o.entry.Kind), SourceKey: o.entry.Key}); err != nil {
			return fmt.Errorf("keep the names of the record: %w", err)
		}
	}
	for _, name := range o.entry.Names {
		if err := q.AddAlias(ctx, sqlgen.AddAliasParams{Source: src, Name: name, Kind: string(o.entry.Kind), SourceKey: o.entry.Key, PersonID: string(o.person)}); err != nil {
			return fmt.Errorf("keep the names of the record: %w", err)
		}
	}
	return nil
}

// putGroup writes a group, which takes transactions of its own: one with thousands
// of members would hold all others up.
func (e *Engine) putGroup(ctx context.Context, src string, s *step) error {
	o := s.now
	if e.Groups == nil || o.entry.Kind != source.Group {
		return nil
	}
	code := codeOf(o.said, o.entry.Key)
	switch o.kind {
	case kindDeparture:
		return e.Groups.GroupGone(ctx, code, src)
	case kindCreation, kindChange:
		_, listed := o.said[mapping.FieldMembers]
		return e.Groups.PutGroup(ctx, code, o.said, listed, s.members, s.nested, src)
	}
	return nil
}

// putOther writes what a source says of a group or a unit.
func (e *Engine) putOther(ctx context.Context, tx db.Tx, src string, s *step, o *outcome) error {
	if o.kind == kindNothing || o.kind == kindRefusal {
		return nil
	}
	code := codeOf(o.said, o.entry.Key)
	if o.entry.Gone {
		if _, err := sqlgen.New(tx).MarkGone(ctx, sqlgen.MarkGoneParams{Source: src, Kind: string(o.entry.Kind), SourceKey: o.entry.Key, GoneAt: tx.Now()}); err != nil {
			return fmt.Errorf("mark the record: %w", err)
		}
		if o.entry.Kind == source.Unit && e.Units != nil {
			return e.Units.UnitGone(ctx, tx, code, src)
		}
		return nil
	}
	if err := e.putRecord(ctx, tx, src, o); err != nil {
		return err
	}
	if o.entry.Kind == source.Unit && e.Units != nil && o.kind != kindTouch {
		return e.Units.PutUnit(ctx, tx, code, o.said, src)
	}
	return nil
}
