package provisioning

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/moodle"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// start is the instant at which every test begins.
var start = time.Date(2026, time.September, 7, 8, 0, 0, 0, time.UTC)

// tables are the schema steps that the room's tests need.
var tables = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "provisioning", FS: migrations}}

// register is the register of people and their groups, in memory.
type register struct {
	contract.Register
	mu     sync.Mutex
	people map[campus.PersonID]contract.Known
	groups map[campus.PersonID][]string
}

func (r *register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[campus.PersonID]contract.Known{}
	for _, id := range ids {
		if k, ok := r.people[id]; ok {
			found[id] = k
		}
	}
	return found, nil
}

func (r *register) FindPeople(_ context.Context, _ contract.Field, values []string) (map[string]campus.PersonID, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]campus.PersonID{}
	for _, k := range r.people {
		for _, v := range values {
			if k.Subject.Login == v {
				found[v] = k.ID
			}
		}
	}
	return found, nil
}

func (r *register) PeopleAfter(_ context.Context, after campus.PersonID, _ int) ([]contract.Known, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []contract.Known
	for id, k := range r.people {
		if id > after {
			list = append(list, k)
		}
	}
	if after != "" {
		return nil, nil // all of them came at once
	}
	return sorted(list), nil
}

func sorted(list []contract.Known) []contract.Known {
	for i := range list {
		for j := i; j > 0 && list[j].ID < list[j-1].ID; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

// GroupCalled gives one group a name.
func (r *register) GroupCalled(_ context.Context, code string) (string, error) {
	return map[string]string{"promo-l2": "Licence 2 Informatique"}[code], nil
}

func (r *register) GroupsOf(_ context.Context, who campus.PersonID) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.groups[who], nil
}

// house is the room with a pretended Moodle and as much of a house around it as
// its pages need.
type house struct {
	t      testing.TB
	db     *db.DB
	clock  *clock.Manual
	people *register
	moodle *pretend.Moodle
	module *Module
	server *web.Server

	lost []string // workers of servers that were killed
	ours int      // servers of this process that run

	mu     sync.Mutex
	viewer campus.Viewer // who asks
}

// each runs a test in a house on either database.
func each(t *testing.T, change func(*TargetConfig), f func(t *testing.T, h *house)) {
	c := clock.At(start)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(start)
		f(t, newHouse(t, d, c, change))
	}, tables...)
}

// one runs a test whose subject is not the database.
func one(t testing.TB, change func(*TargetConfig)) *house {
	c := clock.At(start)
	return newHouse(t, dbtest.OpenAt(t, c, tables...), c, change)
}

func newHouse(t testing.TB, d *db.DB, c *clock.Manual, change func(*TargetConfig)) *house {
	t.Helper()
	h := &house{t: t, db: d, clock: c, people: &register{people: map[campus.PersonID]contract.Known{}, groups: map[campus.PersonID][]string{}}, moodle: pretend.NewMoodle("token", "uv-nf16")}
	server := httptest.NewServer(h.moodle)
	t.Cleanup(server.Close)
	h.module = h.open(server.URL, change)
	texts, err := i18n.Load(time.UTC, c, web.Locales, ui.Locales, fs.FS(locales))
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	h.server = web.New(web.Config{
		BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: c, Texts: texts, Language: campus.English,
		Sign: func(purpose string, data []byte) []byte {
			sum := sha256.Sum256(append([]byte(purpose), data...))
			return sum[:]
		},
		ErrorPage: ui.FailurePage,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.viewer, nil
		},
	})
	h.module.Routes(h.server.Router("provisioning"))
	return h
}

// open makes the room of one server; several may share a database.
func (h *house) open(address string, change func(*TargetConfig)) *Module {
	h.t.Helper()
	target := TargetConfig{
		ID: "moodle", Kind: kindMoodle, NameFrench: "Moodle", URL: address, DecidesEnglish: "the e-learning office",
		Rule: due.Rule{Kinds: []campus.Kind{campus.Student, campus.Teacher}}, Rate: 1000, Timeout: 2 * time.Second,
		Moodle: moodle.Config{Token: "token", Courses: []string{"uv-*"}},
	}
	if change != nil {
		change(&target)
	}
	c := Defaults()
	c.Targets = []TargetConfig{target}
	m, err := New(Deps{
		DB: h.db, Clock: h.clock, Log: slog.New(slog.NewTextHandler(h.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Zone: time.UTC,
		Register: h.people, Roll: h.people, Groups: h.people,
	}, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// run lets the jobs of a room run until the test ends.
func (h *house) run(m *Module) (stop func()) {
	h.t.Helper()
	if h.ours == 0 {
		h.lost = h.atWork()
	}
	h.ours++
	reg := jobs.NewRegistry()
	m.Jobs(reg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(h.db, reg, slog.New(slog.DiscardHandler), jobs.Options{Poll: 10 * time.Millisecond}).Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		h.ours--
	})
	h.t.Cleanup(stop)
	return stop
}

// atWork are the workers that have jobs under way, or had when they were killed.
func (h *house) atWork() (workers []string) {
	h.t.Helper()
	rows, err := h.db.Read().QueryContext(h.t.Context(), "SELECT DISTINCT worker FROM jobs WHERE state = 'running'")
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var worker string
		if err := rows.Scan(&worker); err != nil {
			h.t.Fatal(err)
		}
		workers = append(workers, worker)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return workers
}

// student is somebody who is to have an account.
func student(login string) contract.Known {
	return contract.Known{ID: campus.PersonID("0198-" + login), State: "active", Subject: contract.Subject{
		Login: login, Mail: login + "@valmont.example", GivenName: "Given", FamilyName: strings.ToUpper(login[:1]) + login[1:],
		Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "L-INFO"}},
	}}
}

// put writes somebody into the register and tells the room, as identity does.
func (h *house) put(people ...contract.Known) {
	h.t.Helper()
	h.people.mu.Lock()
	for _, k := range people {
		h.people.people[k.ID] = k
	}
	h.people.mu.Unlock()
	for _, k := range people {
		h.changed(k.ID)
	}
}

func (h *house) changed(who campus.PersonID) {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), func(tx db.Tx) error { return h.module.PersonChanged(h.t.Context(), tx, who) }); err != nil {
		h.t.Fatal(err)
	}
}

// state is how somebody's account stands.
func (h *house) state(login string) contract.AccountState {
	h.t.Helper()
	a, ok, err := h.module.AccountIn(h.english(), campus.PersonID("0198-"+login), "moodle")
	if err != nil || !ok {
		h.t.Fatalf("the account of %s: %t, %v", login, ok, err)
	}
	return a.State
}

// english is a context in which sentences are English.
func (h *house) english() context.Context {
	return i18n.With(h.t.Context(), h.server.Texts.For(campus.English))
}

// eventually waits for something that jobs do.
func (h *house) eventually(what string, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// later moves the clock on while nothing is under way, step by step, until something is
// so. Time does not fly past work that is being done: leases would end in the middle of
// it, on a crowded machine again and again.
func (h *house) later(step time.Duration, what string, ok func() bool) {
	h.t.Helper()
	h.eventually(what, func() bool {
		if !ok() && h.quiet() {
			h.clock.Advance(max(step, h.nextJob()))
		}
		return ok()
	})
}

// quiet reports whether there is nothing to do now: no job is due or under way, and the
// schedules have been asked at this time of the clock.
func (h *house) quiet() bool {
	h.t.Helper()
	const question = `SELECT (SELECT COUNT(*) FROM jobs WHERE state <> 'dead' AND (due_at <= $1 OR state = 'running' AND worker NOT IN {lost})),
	(SELECT COUNT(*) FROM jobs_ticks WHERE name = 'provisioning.wake' AND tick >= $2)`
	now := h.clock.Now()
	args := []any{db.At(now), db.At(now.Truncate(20 * time.Second))}
	for _, worker := range append(h.lost, "nobody") {
		args = append(args, worker)
	}
	var busy, asked int
	query := strings.Replace(question, "{lost}", db.In(len(h.lost)+1, 3), 1)
	if err := h.db.Read().QueryRowContext(h.t.Context(), query, args...).Scan(&busy, &asked); err != nil {
		h.t.Fatal(err)
	}
	return busy == 0 && asked > 0
}

// nextJob is how long it is until the next job is due, such as one whose server was
// killed while its clock was far ahead of ours.
func (h *house) nextJob() time.Duration {
	h.t.Helper()
	var at sql.NullInt64
	if err := h.db.Read().QueryRowContext(h.t.Context(), "SELECT MIN(due_at) FROM jobs WHERE state <> 'dead'").Scan(&at); err != nil {
		h.t.Fatal(err)
	}
	if !at.Valid {
		return 0
	}
	return db.Time(at.Int64).Time().Sub(h.clock.Now())
}

// enter lets somebody ask.
func (h *house) enter(v campus.Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v.Locale = campus.English
	h.viewer = v
}

// get asks for a page.
func (h *house) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:8080"+path, nil))
	return w
}

// post sends a form.
func (h *house) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://localhost:8080"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w
}
