package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
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
