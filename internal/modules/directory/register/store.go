package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// atOnce bounds the list of one statement, and how many records are planned
// together.
const atOnce = 400

const recordColumns = "source, source_key, person_id, said, since, digest, place, first_at, gone_at, brought, floor"

func scanRecord(rows *sql.Rows) (record, error) {
	var r record
	var person, said, since, floor string
	var gone db.Time
	if err := rows.Scan(&r.source, &r.key, &person, &said, &since, &r.digest, &r.place, &r.first, &gone, &r.brought, &floor); err != nil {
		return r, err
	}
	r.person, r.gone = campus.PersonID(person), !gone.IsZero()
	if err := json.Unmarshal([]byte(said), &r.said); err != nil {
		return r, fmt.Errorf("read record %s of %s: %w", r.key, r.source, err)
	}
	var err error
	if r.floor, err = floorsOf(floor); err != nil {
		return r, fmt.Errorf("read record %s of %s: %w", r.key, r.source, err)
	}
	if since != "" {
		if err := json.Unmarshal([]byte(since), &r.since); err != nil {
			return r, fmt.Errorf("read record %s of %s: %w", r.key, r.source, err)
		}
	}
	return r, nil
}

// recordsByKey reads what a source said of some keys.
func (e *Engine) recordsByKey(ctx context.Context, q db.Querier, src string, kind source.Kind, keys []string) (map[string]record, error) {
	found := map[string]record{}
	for some := range slices.Chunk(keys, atOnce) {
		args := []any{src, string(kind)}
		for _, k := range some {
			args = append(args, k)
		}
		err := db.Each(ctx, q, "SELECT "+recordColumns+" FROM directory_records WHERE source = $1 AND kind = $2 AND source_key IN "+db.In(len(some), 3), args, func(rows *sql.Rows) error {
			r, err := scanRecord(rows)
			found[r.key] = r
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
	}
	return found, nil
}

// recordsOf reads what all sources say of some people.
func (e *Engine) recordsOf(ctx context.Context, q db.Querier, people []campus.PersonID) (map[campus.PersonID][]record, error) {
	found := map[campus.PersonID][]record{}
	for some := range slices.Chunk(people, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = string(id)
		}
		err := db.Each(ctx, q, "SELECT "+recordColumns+" FROM directory_records WHERE person_id <> '' AND person_id IN "+db.In(len(some), 1), args, func(rows *sql.Rows) error {
			r, err := scanRecord(rows)
			found[r.person] = append(found[r.person], r)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
	}
	return found, nil
}

// byEmployeeNumber finds the people of whom some source says a number.
func (e *Engine) byEmployeeNumber(ctx context.Context, numbers []string) (map[string][]campus.PersonID, error) {
	found := map[string][]campus.PersonID{}
	for some := range slices.Chunk(numbers, atOnce) {
		args := make([]any, len(some))
		for i, n := range some {
			args[i] = n
		}
		err := db.Each(ctx, e.DB.Read(), "SELECT DISTINCT employee_number, person_id FROM directory_records WHERE employee_number <> '' AND employee_number IN "+db.In(len(some), 1), args, func(rows *sql.Rows) error {
			var number, who string
			err := rows.Scan(&number, &who)
			found[number] = append(found[number], campus.PersonID(who))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("find people by employee number: %w", err)
		}
	}
	return found, nil
}

// verdict is a decision about a record.
type verdict struct {
	is     string // same, apart or ignore
	person campus.PersonID
}

func (e *Engine) verdicts(ctx context.Context, src string, keys []string) (map[string]verdict, error) {
	found := map[string]verdict{}
	for some := range slices.Chunk(keys, atOnce) {
		args := []any{src}
		for _, k := range some {
			args = append(args, k)
		}
		err := db.Each(ctx, e.DB.Read(), "SELECT source_key, verdict, person_id FROM directory_verdicts WHERE source = $1 AND source_key IN "+db.In(len(some), 2), args, func(rows *sql.Rows) error {
			var key, is, who string
			err := rows.Scan(&key, &is, &who)
			found[key] = verdict{is, campus.PersonID(who)}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read decisions: %w", err)
		}
	}
	return found, nil
}

// pins are the fields that somebody gave to a source.
func (e *Engine) pins(ctx context.Context, people []campus.PersonID) (map[campus.PersonID]map[mapping.Field]string, error) {
	found := map[campus.PersonID]map[mapping.Field]string{}
	for some := range slices.Chunk(people, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = string(id)
		}
		err := db.Each(ctx, e.DB.Read(), "SELECT person_id, field, source FROM directory_pins WHERE person_id IN "+db.In(len(some), 1), args, func(rows *sql.Rows) error {
			var who, field, src string
			if err := rows.Scan(&who, &field, &src); err != nil {
				return err
			}
			id := campus.PersonID(who)
			if found[id] == nil {
				found[id] = map[mapping.Field]string{}
			}
			found[id][mapping.Field(field)] = src
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read pins: %w", err)
		}
	}
	return found, nil
}

// alias is what records of a source call another one.
type alias struct {
	kind   source.Kind
	key    string
	person campus.PersonID
	code   string // of a group
	listed bool   // the group lists its members itself
}

// aliases finds what the names of a source mean.
func (e *Engine) aliases(ctx context.Context, src string, list []string) (map[string]alias, error) {
	found := map[string]alias{}
	slices.Sort(list)
	for some := range slices.Chunk(slices.Compact(list), atOnce) {
		args := []any{src}
		for _, n := range some {
			args = append(args, n)
		}
		err := db.Each(ctx, e.DB.Read(), `SELECT a.name, a.kind, a.source_key, r.person_id, CASE WHEN a.kind = 'group' THEN r.said ELSE '' END
			FROM directory_aliases a JOIN directory_records r ON r.source = a.source AND r.kind = a.kind AND r.source_key = a.source_key
			WHERE a.source = $1 AND r.gone_at = 0 AND a.name IN `+db.In(len(some), 2), args, func(rows *sql.Rows) error {
			var name, kind, key, who, said string
			if err := rows.Scan(&name, &kind, &key, &who, &said); err != nil {
				return err
			}
			a := alias{kind: source.Kind(kind), key: key, person: campus.PersonID(who)}
			if said != "" {
				var v mapping.Values
				if err := json.Unmarshal([]byte(said), &v); err != nil {
					return fmt.Errorf("read group %s of %s: %w", key, src, err)
				}
				a.code = codeOf(v, key)
				_, a.listed = v[mapping.FieldMembers]
			}
			found[name] = a
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("find what names mean: %w", err)
		}
	}
	return found, nil
}

// codeOf is what a group or unit is known by: its code, or else its key.
func codeOf(v mapping.Values, key string) string {
	if code := v.One(mapping.FieldCode); code != "" {
		return code
	}
	return key
}

// jsonText writes what is known to be writable.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("directory: %T cannot be written: %v", v, err)) // texts, numbers and maps of them can
	}
	return string(text)
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
