package mandate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schemas = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "identity", FS: os.DirFS("..")}}

var nobodyThere = fault.Declare(fault.NotFound, "identity.mandate_nobody_there")

// office is the alcove with neighbours that remember what they were told.
type office struct {
	*Mandates
	t       *testing.T
	server  *httptest.Server
	viewer  campus.Viewer
	events  []journal.Event
	changed []campus.PersonID
	doubted bool // the door wants a fresh proof
}

func (o *office) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	o.events = append(o.events, e)
	return nil
}

func (o *office) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	if login, ok := strings.CutPrefix(string(who), "p-"); ok {
		return account.Person{ID: who, Login: login, GivenName: "Ana", FamilyName: login}, nil
	}
	return account.Person{}, nobodyThere
}

func (o *office) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	if login == "nobody" {
		return account.Person{}, nobodyThere
	}
	return o.PersonByID(ctx, campus.PersonID("p-"+login))
}

func (o *office) Confirm(w http.ResponseWriter, _ *http.Request) (bool, error) {
	if o.doubted {
		w.WriteHeader(http.StatusTeapot)
	}
	return !o.doubted, nil
}

func each(t *testing.T, test func(*testing.T, *office)) {
	now := clock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) {
		texts, err := i18n.Load(time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
		if err != nil {
			t.Fatal(err)
		}
		o := &office{t: t}
		o.Mandates = New(Deps{DB: database, People: o, Journal: o, Door: o, Places: place.Fixed{OfCampuses: []place.Place{{Code: "port", English: "Harbour"}}},
			Changed: func(_ context.Context, _ db.Tx, who campus.PersonID) error {
				o.changed = append(o.changed, who)
				return nil
			}})
		o.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return o.viewer }, o.Routes)
		for _, login := range []string{"nadia", "priscille", "clerk"} {
			o.tx(func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, 'Ana', $2, '', '', $2, 'active', 'en', 'system', 1, 1)`, "p-"+login, login, login+"@valmont.example")
				return err
			})
		}
		o.viewer = campus.Viewer{Person: "p-nadia", Login: "nadia", Rights: []campus.Right{campus.RightAdmin}, Session: "s"}
		test(t, o)
	}, schemas...)
}

func (o *office) tx(do func(db.Tx) error) {
	o.t.Helper()
	if err := o.DB.InTx(o.t.Context(), do); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) holds(of campus.Right) (list []string) {
	o.t.Helper()
	held, total, err := o.list(o.t.Context(), of, 50, 0)
	if err != nil || int(total) != len(held) {
		o.t.Fatalf("%d of %d: %v", len(held), total, err)
	}
	for _, h := range held {
		list = append(list, h.Person.Login+" "+string(h.Right)+" "+h.Campus+h.Programme+h.Unit)
	}
	return list
}

func TestARightIsGivenAndTakenOnceAndTheJournalSaysSo(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		law := campus.Mandate{Right: campus.RightSecretariat, Campus: "port", Programme: "L1-DROIT"}
		for range 2 {
			o.tx(func(tx db.Tx) error { return o.Give(t.Context(), tx, "p-clerk", law, journal.Event{Actor: "p-nadia"}) })
		}
		if got := o.holds(""); !slices.Equal(got, []string{"clerk secretariat portL1-DROIT"}) {
			t.Errorf("held: %q", got)
		}
		o.tx(func(tx db.Tx) error { return o.Take(t.Context(), tx, "p-clerk", law, journal.Event{Actor: "p-nadia"}) })
		err := o.DB.InTx(t.Context(), func(tx db.Tx) error { return o.Take(t.Context(), tx, "p-clerk", law, journal.Event{}) })
		if fault.Of(err).Reason != Missing {
			t.Errorf("taken twice: %v", err)
		}
		var kinds []string
		for _, e := range o.events {
			kinds = append(kinds, e.Kind+" "+e.Facts["within"])
		}
		if !slices.Equal(kinds, []string{"identity.right_given port L1-DROIT", "identity.right_taken port L1-DROIT"}) || len(o.changed) != 2 {
			t.Errorf("the journal has %q, the house was told %d times", kinds, len(o.changed))
		}
	})
}

func TestTheLastAdministratorKeepsTheRight(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		admin := campus.Mandate{Right: campus.RightAdmin}
		for _, who := range []campus.PersonID{"p-nadia", "p-priscille"} {
			o.tx(func(tx db.Tx) error { return o.Give(t.Context(), tx, who, admin, journal.Event{}) })
		}
		o.tx(func(tx db.Tx) error { return o.Take(t.Context(), tx, "p-priscille", admin, journal.Event{}) })
		err := o.DB.InTx(t.Context(), func(tx db.Tx) error { return o.Take(t.Context(), tx, "p-nadia", admin, journal.Event{}) })
		if fault.Of(err).Reason != LastAdmin {
			t.Errorf("the last one: %v", err)
		}
		if got := o.holds(campus.RightAdmin); !slices.Equal(got, []string{"nadia admin "}) {
			t.Errorf("held: %q", got)
		}
	})
}

// quiet is a journal that keeps nothing.
type quiet struct{}

func (quiet) Write(context.Context, db.Tx, journal.Event) error { return nil }

func TestTwoWhoTakeTheRightFromEachOtherAtOnceLeaveOneAdministrator(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		admin := campus.Mandate{Right: campus.RightAdmin}
		both := []campus.PersonID{"p-nadia", "p-priscille"}
		for _, who := range both {
			o.tx(func(tx db.Tx) error { return o.Give(t.Context(), tx, who, admin, journal.Event{}) })
		}
		deps := o.Deps
		deps.Journal = quiet{}
		deps.Changed = func(context.Context, db.Tx, campus.PersonID) error {
			time.Sleep(100 * time.Millisecond) // both have counted, unless one waits for the other
			return nil
		}
		slow, ended := New(deps), make(chan error, len(both))
		for _, who := range both {
			go func() {
				ended <- o.DB.InTx(t.Context(), func(tx db.Tx) error { return slow.Take(t.Context(), tx, who, admin, journal.Event{}) })
			}()
		}
		refused := 0
		for range both {
			if err := <-ended; fault.Of(err).Reason == LastAdmin {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if held := o.holds(campus.RightAdmin); refused != 1 || len(held) != 1 {
			t.Errorf("%d were refused, and %q administer", refused, held)
		}
	})
}

func TestAMandateThatCannotBeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		m    campus.Mandate
		want *fault.Reason
	}{
		"no such right":                {campus.Mandate{Right: "root"}, RightForm},
		"an administrator of a campus": {campus.Mandate{Right: campus.RightAdmin, Campus: "port"}, NeverWithin},
		"a code with a bar":            {campus.Mandate{Right: campus.RightHelpdesk, Unit: "A|B"}, ScopeForm},
		"a code with a space":          {campus.Mandate{Right: campus.RightHelpdesk, Unit: "A "}, ScopeForm},
	} {
		if err := check(c.m); fault.Of(err).Reason != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAdministratorGivesAndTakesRightsOnThePage(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ask := func(method, path string, pairs ...string) (int, string) {
			resp, body := pagetest.Ask(t, pagetest.Still(), method, o.server.URL+path, pagetest.Form(pairs...))
			return resp.StatusCode, body
		}
		if status, _ := ask("POST", "/identity/rights/give", "login", "nobody", "right", "helpdesk"); status != http.StatusUnprocessableEntity {
			t.Errorf("a right for nobody: %d", status)
		}
		if status, body := ask("POST", "/identity/rights/give", "login", "clerk", "right", "helpdesk", "campus", "port"); status != http.StatusSeeOther {
			t.Fatalf("giving answers %d: %s", status, body)
		}
		if _, body := ask("GET", "/identity/rights"); !strings.Contains(body, "Harbour") || !strings.Contains(body, "clerk") {
			t.Errorf("the list lacks what was given")
		}
		form := []string{"person", "p-clerk", "right", "helpdesk", "campus", "port"}
		if status, _ := ask("POST", "/identity/rights/take", form...); status != http.StatusSeeOther {
			t.Errorf("taking answers %d", status)
		}
		if got := o.holds(""); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
		o.doubted = true
		for _, path := range []string{"/identity/rights/give", "/identity/rights/take"} {
			if status, _ := ask("POST", path, "login", "clerk", "right", "admin", "person", "p-clerk"); status != http.StatusTeapot {
				t.Errorf("%s without a fresh proof: %d", path, status)
			}
		}
		o.viewer.Rights = []campus.Right{campus.RightSecretariat}
		for _, path := range []string{"GET /identity/rights", "GET /identity/rights/give", "GET /identity/rights/take", "POST /identity/rights/give", "POST /identity/rights/take"} {
			method, address, _ := strings.Cut(path, " ")
			if status, _ := ask(method, address); status != http.StatusForbidden {
				t.Errorf("%s is open to who administers nothing: %d", path, status)
			}
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}
