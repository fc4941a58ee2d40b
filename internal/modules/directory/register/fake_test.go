package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// people is a register of people that keeps to the contract, in a table, so that
// what a transaction undoes is undone here as well.
type people struct{ d *db.DB }

const peopleTable = `-- +goose Up
CREATE TABLE people_test (id TEXT NOT NULL PRIMARY KEY, login TEXT NOT NULL UNIQUE, mail TEXT NOT NULL UNIQUE, number TEXT NOT NULL, subject TEXT NOT NULL);
-- +goose Down
DROP TABLE people_test;
`

// holders are the logins of who holds rights here.
var holders = []string{"root"}

var taken = fault.Declare(fault.Conflict, "registertest.taken")

func (p people) FindPeople(ctx context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error) {
	column := map[contract.Field]string{contract.FieldLogin: "login", contract.FieldMail: "mail", contract.FieldStudentNumber: "number"}[by]
	found := map[string]campus.PersonID{}
	for some := range slices.Chunk(values, 500) {
		args := make([]any, len(some))
		for i, v := range some {
			args[i] = v
		}
		err := db.Each(ctx, p.d.Read(), "SELECT "+column+", id FROM people_test WHERE "+column+" <> '' AND "+column+" IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
			var v, who string
			err := rows.Scan(&v, &who)
			found[v] = campus.PersonID(who)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (p people) read(ctx context.Context, q db.Querier, who campus.PersonID) (contract.Subject, error) {
	var text string
	var s contract.Subject
	if err := q.QueryRowContext(ctx, "SELECT subject FROM people_test WHERE id = $1", string(who)).Scan(&text); err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

func (p people) KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for some := range slices.Chunk(ids, 500) {
		args := make([]any, len(some))
		for i, v := range some {
			args[i] = string(v)
		}
		err := db.Each(ctx, p.d.Read(), "SELECT id, subject FROM people_test WHERE id IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
			var who, text string
			if err := rows.Scan(&who, &text); err != nil {
				return err
			}
			k := contract.Known{ID: campus.PersonID(who), State: "active"}
			err := json.Unmarshal([]byte(text), &k.Subject)
			k.HoldsRights = slices.Contains(holders, k.Subject.Login)
			k.Subject.Until, k.Subject.Mobile, k.Subject.RecoveryMail = nil, "", ""
			known[k.ID] = k
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (p people) PeopleAfter(context.Context, campus.PersonID, int) ([]contract.Known, error) {
	return nil, errors.ErrUnsupported
}

var malformed = fault.Declare(fault.Invalid, "registertest.malformed")

func (p people) Check(s contract.Subject) error {
	if strings.ContainsAny(s.Login, " é") || !strings.Contains(s.Mail, "@") {
		return malformed
	}
	return nil
}

func (p people) Enrol(ctx context.Context, tx db.Tx, s contract.Subject, _ string) (campus.PersonID, error) {
	who := campus.PersonID(id.New())
	_, err := tx.ExecContext(ctx, "INSERT INTO people_test (id, login, mail, number, subject) VALUES ($1, $2, $3, $4, $5)", string(who), s.Login, s.Mail, s.StudentNumber, jsonText(s))
	if db.IsUnique(err) {
		return "", taken.From(err)
	}
	return who, err
}

func (p people) Amend(ctx context.Context, tx db.Tx, who campus.PersonID, s contract.Subject, fields []contract.Field, _ string) error {
	is, err := p.read(ctx, tx, who)
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch f {
		case contract.FieldLogin:
			is.Login = s.Login
		case contract.FieldMail:
			is.Mail = s.Mail
		case contract.FieldGivenName:
			is.GivenName = s.GivenName
		case contract.FieldFamilyName:
			is.FamilyName = s.FamilyName
		case contract.FieldStudentNumber:
			is.StudentNumber = s.StudentNumber
		case contract.FieldJobTitle:
			is.JobTitle = s.JobTitle
		case contract.FieldAffiliations:
			is.Affiliations = s.Affiliations
		case contract.FieldMobile:
			is.Mobile = s.Mobile
		case contract.FieldRecoveryMail:
			is.RecoveryMail = s.RecoveryMail
		case contract.FieldUntil:
			if is.Until == nil {
				is.Until = map[campus.Kind]time.Time{}
			}
			for k, at := range s.Until {
				is.Until[k] = at
			}
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE people_test SET login = $2, mail = $3, number = $4, subject = $5 WHERE id = $1", string(who), is.Login, is.Mail, is.StudentNumber, jsonText(is))
	if db.IsUnique(err) {
		return taken.From(err)
	}
	return err
}

// paper is a source that the test writes.
type paper struct {
	name    string
	records []source.Record
	partial bool // it breaks off: not everything was handed over
	breaks  error
	cursor  string
	since   string // what it was asked
}

func (p *paper) ID() string { return p.name }

func (p *paper) Read(_ context.Context, since string, each func(source.Record) error) (source.Result, error) {
	p.since = since
	for _, r := range p.records {
		if err := each(r); err != nil {
			return source.Result{}, err
		}
	}
	result := source.Result{Cursor: p.cursor}
	if !p.partial && p.breaks == nil {
		result.Complete = source.Kinds
	}
	return result, p.breaks
}

// line is a record of a person: pairs of a field and its value.
func line(key string, pairs ...string) source.Record {
	r := source.Record{Kind: source.Person, Key: key, Where: "line " + key, Values: map[string][]string{}}
	for i := 0; i < len(pairs); i += 2 {
		r.Values[pairs[i]] = append(r.Values[pairs[i]], pairs[i+1])
	}
	return r
}

// somebody is a student with everything that is needed.
func somebody(n int) source.Record {
	return line(fmt.Sprint("k", n), "login", fmt.Sprint("login", n), "mail", fmt.Sprintf("p%d@valmont.example", n), "family_name", fmt.Sprint("Name", n),
		"given_name", "Ada", "student_number", fmt.Sprint(1000+n), "affiliations", "student|rives|l1|")
}

// plain maps fields by their names.
type plain struct{}

func (plain) Map(r source.Record) (mapping.Entry, []source.Refusal) {
	e := mapping.Entry{Kind: r.Kind, Key: r.Key, Names: r.Names, Where: r.Where, Gone: r.Gone, Unchanged: r.Unchanged, Values: mapping.Values{}}
	for f, v := range r.Values {
		e.Values[mapping.Field(f)] = v
	}
	if e.Values.One("broken") != "" {
		e.Refused = true
		return e, []source.Refusal{{Kind: r.Kind, Key: r.Key, Where: r.Where, Err: malformed}}
	}
	return e, nil
}

// house is an engine with sources that the test writes.
type house struct {
	*Engine
	t      testing.TB
	clock  *clock.Manual
	d      *db.DB
	papers map[string]*paper
	told   []contract.Notice
}

func (h *house) Notify(_ context.Context, _ db.Tx, _ campus.PersonID, n contract.Notice) error {
	h.told = append(h.told, n)
	return nil
}

func testSchema() []db.Migrations {
	return []db.Migrations{
		{Name: jobs.Name, FS: jobs.Migrations()},
		{Name: "directory", FS: stepsOfHere()},
		{Name: "peopletest", FS: fstest.MapFS{"migrations/0001_people.sql": &fstest.MapFile{Data: []byte(peopleTable)}}},
	}
}

// stepsOfHere are the room's first steps: those of the register.
func stepsOfHere() fs.FS { return os.DirFS("..") }

func newHouse(t testing.TB, d *db.DB, now *clock.Manual, sources ...source.Config) *house {
	t.Helper()
	h := &house{t: t, d: d, clock: now, papers: map[string]*paper{}}
	if len(sources) == 0 {
		sources = []source.Config{{ID: "hr"}}
	}
	var feeds []Feed
	for _, c := range sources {
		p := &paper{name: c.ID}
		h.papers[c.ID] = p
		feeds = append(feeds, Feed{Config: c, Mapper: plain{}, Open: func() (source.Reader, error) { return p, nil }})
	}
	texts := sentences(t)
	c := Defaults()
	c.Names = []NameRule{{Login: "{given:1}{family}", Length: 12, Mail: "{given}.{family}@valmont.example"}}
	h.Engine = New(Deps{
		DB: d, Clock: now, Log: slog.New(slog.DiscardHandler), Texts: texts, Zone: time.UTC, Register: people{d}, Notices: h,
		Officers: func(context.Context) ([]campus.PersonID, error) { return []campus.PersonID{"officer"}, nil }, Feeds: feeds,
	}, c)
	return h
}

// each runs a story on both databases.
func each(t *testing.T, story func(t *testing.T, h *house), sources ...source.Config) {
	now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) { story(t, newHouse(t, d, now, sources...)) }, testSchema()...)
}

// read makes a source say records and runs it. The clock moves on before.
func (h *house) read(src string, records ...source.Record) Run {
	h.t.Helper()
	h.clock.Advance(time.Hour)
	h.papers[src].records = records
	r, err := h.Run(h.t.Context(), Order{Source: src, Full: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// person is who has a login.
func (h *house) person(login string) (campus.PersonID, contract.Subject) {
	h.t.Helper()
	found, err := h.Register.FindPeople(h.t.Context(), contract.FieldLogin, []string{login})
	if err != nil || found[login] == "" {
		h.t.Fatalf("nobody has the login %s: %v", login, err)
	}
	s, err := people{h.d}.read(h.t.Context(), h.d.Read(), found[login])
	if err != nil {
		h.t.Fatal(err)
	}
	return found[login], s
}

// count is how many rows a table has.
func (h *house) count(query string) (n int) {
	h.t.Helper()
	if err := h.d.Read().QueryRowContext(h.t.Context(), query).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// want compares figures of a run.
func want(t *testing.T, r Run, state string, creations, changes, departures, conflicts, refusals int64) {
	t.Helper()
	c := r.Counts
	got := [5]int64{c.Creations, c.Changes, c.Departures, c.Conflicts, c.Refusals}
	if r.State != state || got != [5]int64{creations, changes, departures, conflicts, refusals} {
		t.Fatalf("%s: creations, changes, departures, conflicts, refusals %v; want %s %v (%v)", r.State, got, state, [5]int64{creations, changes, departures, conflicts, refusals}, r.Reason)
	}
}

var officer = campus.Viewer{Person: "officer", Rights: []campus.Right{campus.RightDirectory}}

func (p people) RegisteredUntil(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]map[campus.Kind]time.Time, error) {
	all := map[campus.PersonID]map[campus.Kind]time.Time{}
	for _, id := range ids {
		s, err := p.read(ctx, p.d.Read(), id)
		if err != nil {
			return nil, err
		}
		all[id] = s.Until
	}
	return all, nil
}
