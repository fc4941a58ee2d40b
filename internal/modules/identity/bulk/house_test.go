package bulk

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schemas = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "identity", FS: os.DirFS("..")}}

// office is the alcove with a real desk beside it, and other neighbours that
// remember what they were asked.
type office struct {
	*Bulk
	t      *testing.T
	now    *clock.Manual
	server *httptest.Server
	viewer campus.Viewer
	people map[campus.PersonID]account.Person // officers: what the register says of their rights
	ended  []campus.PersonID
	events []journal.Event
	asked  int  // how often somebody had to prove who is there
	absent bool // and did not
	broken campus.PersonID
}

func (o *office) EndSessionsOf(_ context.Context, _ db.Tx, who campus.PersonID, _ string) (int, error) {
	if who == o.broken {
		return 0, os.ErrClosed
	}
	o.ended = append(o.ended, who)
	return 1, nil
}

func (o *office) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	o.events = append(o.events, e)
	return nil
}

func (o *office) Tell(context.Context, db.Tx, account.Person, reach.Letter) error { return nil }

func (o *office) Confirm(w http.ResponseWriter, r *http.Request) (bool, error) {
	o.asked++
	if o.absent {
		return false, web.SeeOther(w, r, "/login")
	}
	return true, nil
}

var errNobody = fault.Declare(fault.NotFound, "identity.bulk_test_nobody")

func (o *office) PersonByID(ctx context.Context, who campus.PersonID) (account.Person, error) {
	list, err := o.Accounts.PeopleOf(ctx, []campus.PersonID{who})
	if err != nil || len(list) == 0 {
		return account.Person{}, errNobody
	}
	p := list[0]
	p.Rights, p.Mandates = o.people[who].Rights, o.people[who].Mandates
	return p, nil
}

func (o *office) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	return o.PersonByID(ctx, campus.PersonID("p-"+login))
}

func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

func open(t *testing.T, now *clock.Manual, database *db.DB) *office {
	t.Helper()
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."), os.DirFS("../lifecycle"))
	o := &office{t: t, now: now, people: map[campus.PersonID]account.Person{}}
	places := place.Fixed{OfProgrammes: []place.Place{{Code: "L1-DROIT", French: "Licence 1 Droit", English: "Law, first year"}}}
	desk := lifecycle.New(lifecycle.Deps{
		DB: database, Clock: now, Log: slog.New(slog.DiscardHandler), Texts: texts, Zone: time.UTC, People: o, Sessions: o, Journal: o, Letters: o, Places: places,
		Changed: func(context.Context, db.Tx, campus.PersonID) error { return nil },
	}, lifecycle.Defaults())
	o.Bulk = New(Deps{DB: database, Clock: now, Zone: time.UTC, People: o, Accounts: desk, Places: places, Door: o})
	o.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return o.viewer }, func(r *web.Router) { o.Routes(r); desk.Routes(r) })
	o.viewer = o.officer("sec", nil, campus.RightSecretariat)
	return o
}

// officer is somebody with rights, who is also in the register.
func (o *office) officer(login string, mandates []campus.Mandate, rights ...campus.Right) campus.Viewer {
	o.t.Helper()
	who := o.add(login, account.Active, campus.Affiliation{Kind: campus.Staff})
	o.people[who] = account.Person{Rights: rights, Mandates: mandates}
	return campus.Viewer{Person: who, Login: login, Rights: rights, Mandates: mandates, Session: "s-" + login}
}

func (o *office) add(login string, s account.State, ties ...campus.Affiliation) campus.PersonID {
	o.t.Helper()
	who := campus.PersonID("p-" + login)
	o.must(o.DB.InTx(o.t.Context(), func(tx db.Tx) error {
		made, err := tx.ExecContext(o.t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, 'Ana', $4, '', '', $5, $6, 'en', 'system', 1, 1) ON CONFLICT (id) DO NOTHING`, string(who), login, login+"@valmont.example", "Ünal "+login, campus.Fold("Ünal "+login+" Ana"), string(s))
		if err != nil {
			return err
		}
		if n, err := made.RowsAffected(); err != nil || n == 0 { // added by a process before
			return err
		}
		for _, a := range ties {
			if err == nil {
				_, err = tx.ExecContext(o.t.Context(), "INSERT INTO identity_affiliations (person_id, kind, campus, programme, unit) VALUES ($1, $2, $3, $4, $5)", string(who), string(a.Kind), a.Campus, a.Programme, a.Unit)
			}
		}
		return err
	}))
	return who
}

// law adds students of one programme.
func (o *office) law(s account.State, logins ...string) (ids []campus.PersonID) {
	for _, login := range logins {
		ids = append(ids, o.add(login, s, campus.Affiliation{Kind: campus.Student, Campus: "port", Programme: "L1-DROIT"}))
	}
	return ids
}

func (o *office) state(who campus.PersonID) account.State {
	o.t.Helper()
	list, err := o.Accounts.PeopleOf(o.t.Context(), []campus.PersonID{who})
	o.must(err)
	return list[0].State
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// inLaw are the accounts of the programme.
var inLaw = Choice{Filter: lifecycle.Filter{Programme: "L1-DROIT"}}

// prepared makes an order and reads it.
func (o *office) prepared(by campus.Viewer, what Order, c Choice) Order {
	o.t.Helper()
	id, err := o.Prepare(o.t.Context(), by, what, c)
	o.must(err)
	made, err := o.Order(o.t.Context(), by, id)
	o.must(err)
	return made
}

// run does the job of an order and reads the order again.
func (o *office) run(id string) Order {
	o.t.Helper()
	for range 2 { // a job may run twice
		o.must(o.carryOut(o.t.Context(), carryOut{id}))
	}
	made, err := o.byID(o.t.Context(), id)
	o.must(err)
	return made
}

// outcomes are what became of the people of an order, by login: "lina:done".
func (o *office) outcomes(id string) string {
	o.t.Helper()
	lines, err := o.lines(o.t.Context(), campus.Viewer{Rights: []campus.Right{campus.RightSecretariat}}, id, "", Most, 0)
	o.must(err)
	var parts []string
	for _, l := range lines {
		part := l.Login + ":" + string(l.Outcome)
		if l.Why != "" {
			part += "(" + strings.TrimPrefix(l.Why, "identity.lifecycle_") + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

func (o *office) get(path string) (int, string) {
	o.t.Helper()
	resp, body := pagetest.Ask(o.t, pagetest.Still(), http.MethodGet, o.server.URL+path, nil)
	return resp.StatusCode, body
}

func (o *office) post(path string, form url.Values) (status int, body, location string) {
	o.t.Helper()
	resp, body := pagetest.Ask(o.t, pagetest.Still(), http.MethodPost, o.server.URL+path, form)
	return resp.StatusCode, body, resp.Header.Get("Location")
}

func each(t *testing.T, test func(t *testing.T, o *office)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) {
		now.Set(sunday().Now())
		test(t, open(t, now, database))
	}, schemas...)
}

func single(t *testing.T) *office {
	now := sunday()
	return open(t, now, dbtest.OpenAt(t, now, schemas...))
}
