package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/identitytest"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// schemas are the tables of the room and of the jobs that it enqueues.
var schemas = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "identity", FS: os.DirFS("..")}}

// desk is the alcove with neighbours that remember what they were asked.
type desk struct {
	*Lifecycle
	t       *testing.T
	clock   *clock.Manual
	server  *httptest.Server
	viewer  campus.Viewer
	mu      sync.Mutex
	ended   []campus.PersonID
	events  []journal.Event
	letters []reach.Letter
	told    []campus.PersonID // whose change the house was told
}

func (d *desk) EndSessionsOf(_ context.Context, _ db.Tx, who campus.PersonID, _ string) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, who)
	return 1, nil
}

func (d *desk) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
	return nil
}

func (d *desk) changed(_ context.Context, _ db.Tx, who campus.PersonID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, who)
	return nil
}

func (d *desk) Tell(_ context.Context, _ db.Tx, _ account.Person, l reach.Letter) error {
	d.letters = append(d.letters, l)
	return nil
}

func (d *desk) PersonByID(ctx context.Context, who campus.PersonID) (account.Person, error) {
	p := account.Person{ID: who, Locale: campus.English}
	err := d.DB.Read().QueryRowContext(ctx, "SELECT login, given_name, family_name, state FROM identity_people WHERE id = $1", string(who)).
		Scan(&p.Login, &p.GivenName, &p.FamilyName, &p.State)
	if err != nil {
		return account.Person{}, AccountMissing
	}
	list := []account.Person{p}
	err = d.affiliate(ctx, list)
	return list[0], err
}

func (d *desk) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	return d.PersonByID(ctx, campus.PersonID("p-"+login))
}

// paris is the zone of the tests: its days are not those of UTC.
var paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return zone
}()

// november is when the tests begin: Monday 23 November 2026, 00:30 in Paris,
// which is still Sunday in UTC.
func november() *clock.Manual {
	return clock.At(time.Date(2026, 11, 23, 0, 30, 0, 0, paris))
}

func open(t *testing.T, now *clock.Manual, database *db.DB, c Config) *desk {
	t.Helper()
	texts, err := i18n.Load(paris, now, web.Locales, ui.Locales, os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, clock: now}
	d.Lifecycle = New(Deps{DB: database, Clock: now, Log: slog.New(slog.DiscardHandler), Texts: texts, Zone: paris, People: d, Sessions: d, Journal: d, Letters: d, Changed: d.changed}, c)
	d.server = identitytest.Serve(t, now, texts, func() campus.Viewer { return d.viewer }, d.Routes)
	d.viewer = d.as("sec", campus.RightSecretariat)
	return d
}

// as is somebody with rights, who is also in the register.
func (d *desk) as(login string, rights ...campus.Right) campus.Viewer {
	d.t.Helper()
	return campus.Viewer{Person: d.add(login, account.Active, campus.Staff), Login: login, Rights: rights, Session: "s-" + login}
}

func (d *desk) add(login string, s account.State, kinds ...campus.Kind) campus.PersonID {
	d.t.Helper()
	who := "p-" + login
	err := d.DB.InTx(d.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(d.t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, 'en', 'system', 1, 1) ON CONFLICT DO NOTHING`,
			who, login, login+"@valmont.example", "Ana", "Ünal "+login, "N"+login, campus.Fold("Ünal "+login+" Ana"), string(s))
		for _, k := range kinds {
			if err == nil {
				_, err = tx.ExecContext(d.t.Context(), "INSERT INTO identity_affiliations (person_id, kind, campus, programme, unit) VALUES ($1, $2, '', '', '') ON CONFLICT DO NOTHING", who, string(k))
			}
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return campus.PersonID(who)
}

func (d *desk) state(who campus.PersonID) account.State {
	d.t.Helper()
	p, err := d.PersonByID(d.t.Context(), who)
	if err != nil {
		d.t.Fatal(err)
	}
	return p.State
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// deliver sends the letters of decisions, as the job does when its time comes.
func (d *desk) deliver(who campus.PersonID) {
	d.t.Helper()
	list, err := d.Decisions(d.t.Context(), who)
	d.must(err)
	for _, x := range list {
		for range 2 { // a job may run twice
			d.must(d.tellDecision(d.t.Context(), TellDecision{x.ID, who}))
			if !x.LiftedAt.IsZero() {
				d.must(d.tellLifted(d.t.Context(), TellLifted{x.ID, who}))
			}
		}
	}
}

func (d *desk) get(path string) (int, string) {
	d.t.Helper()
	resp, body := identitytest.Ask(d.t, identitytest.Still(), http.MethodGet, d.server.URL+path, nil)
	return resp.StatusCode, body
}

func (d *desk) post(path string, form url.Values) (int, string) {
	d.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(d.server.URL+path, form)
	d.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	d.must(err)
	return resp.StatusCode, string(body)
}

func each(t *testing.T, c Config, test func(t *testing.T, d *desk)) {
	now := november()
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) { test(t, open(t, now, database, c)) }, schemas...)
}

func one(t *testing.T) *desk {
	now := november()
	return open(t, now, dbtest.OpenAt(t, now, schemas...), Defaults())
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}

func TestASuspensionEndsSessionsAtOnceAndTellsThePersonLater(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		lina := d.add("lina", account.Active, campus.Student)
		taken, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "unpaid_fees", Note: "seen with the bursar", Was: account.Active})
		d.must(err)
		if got := d.state(lina); got != account.Suspended {
			t.Errorf("the account is %s", got)
		}
		if len(d.ended) != 1 || d.ended[0] != lina {
			t.Errorf("sessions ended for %v", d.ended)
		}
		if len(d.events) != 1 || d.events[0].Kind != "identity.account_suspended" || d.events[0].Actor != d.viewer.Person {
			t.Errorf("the journal says %+v", d.events)
		}
		if strings.Contains(fmt.Sprint(d.events), "bursar") {
			t.Error("the secretariat's note is in the person's journal")
		}
		if len(d.letters) != 0 {
			t.Error("a letter left before the time for undoing was over")
		}
		d.deliver(lina)
		if len(d.letters) != 1 || d.letters[0].Kind != "account_suspended" || d.letters[0].URL != "/identity/account" || !strings.Contains(fmt.Sprint(d.letters[0].Args), "fees have not been paid") {
			t.Errorf("letters: %+v", d.letters)
		}
		if strings.Contains(fmt.Sprint(d.letters), "bursar") {
			t.Error("the secretariat's note is in the letter")
		}
		s, err := d.Standing(t.Context(), lina)
		d.must(err)
		if s.State != account.Suspended || s.Reason != "unpaid_fees" || s.Office == "" {
			t.Errorf("standing: %+v", s)
		}
		d.must(d.Lift(t.Context(), d.viewer, lina, taken.ID, "paid", journal.Event{}))
		d.deliver(lina)
		if last := d.letters[len(d.letters)-1]; d.state(lina) != account.Active || last.Kind != "account_reopened" || last.URL != "/identity/account" || len(d.letters) != 2 {
			t.Errorf("after lifting: %s, letters %+v", d.state(lina), d.letters)
		}
		if err := d.Lift(t.Context(), d.viewer, lina, taken.ID, "", journal.Event{}); !errors.Is(err, Lifted) {
			t.Errorf("lifting twice: %v", err)
		}
	})
}

func TestOnlyTheSecretariatDecidesAndLifts(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active)
	taken, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "discipline"})
	d.must(err)
	for _, right := range []campus.Right{campus.RightAdmin, campus.RightHelpdesk, campus.RightNews} {
		other := d.as("other-"+string(right), right)
		if _, err := d.Decide(t.Context(), other, lina, Order{State: account.Closed, Reason: "left"}); !errors.Is(err, Reserved) {
			t.Errorf("%s closes: %v", right, err)
		}
		if err := d.Lift(t.Context(), other, lina, taken.ID, "", journal.Event{}); !errors.Is(err, Reserved) {
			t.Errorf("%s lifts: %v", right, err)
		}
		if err := d.Undo(t.Context(), other, lina, taken.ID, journal.Event{}); !errors.Is(err, Reserved) {
			t.Errorf("%s undoes: %v", right, err)
		}
		d.viewer = other
		for _, path := range []string{"", ".csv", "/rules", "/due", "/" + string(lina), "/" + string(lina) + "/reopen", "/" + string(lina) + "/close"} {
			if status, _ := d.get("/identity/accounts" + path); status != http.StatusForbidden {
				t.Errorf("%s reads /identity/accounts%s: %d", right, path, status)
			}
		}
		for _, act := range []string{"suspend", "close", "expire", "reopen", "undo"} {
			if status, _ := d.post("/identity/accounts/"+string(lina)+"/"+act, url.Values{"reason": {"left"}, "decision": {taken.ID}}); status != http.StatusForbidden {
				t.Errorf("%s posts %s: %d", right, act, status)
			}
		}
	}
	if got := d.state(lina); got != account.Suspended {
		t.Errorf("the account is %s", got)
	}
}

func TestNobodyDecidesAboutThemselves(t *testing.T) {
	d := one(t)
	if _, err := d.Decide(t.Context(), d.viewer, d.viewer.Person, Order{State: account.Closed, Reason: "left"}); !errors.Is(err, Oneself) {
		t.Errorf("got %v", err)
	}
	if _, body := d.get("/identity/accounts/" + string(d.viewer.Person)); strings.Contains(body, "/suspend") {
		t.Error("the page offers to suspend oneself")
	}
}

func TestTwoWindowsDecideOnce(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		lina := d.add("lina", account.Active)
		var wg sync.WaitGroup
		results := make([]error, 6)
		for i := range results {
			wg.Go(func() {
				_, results[i] = d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "security", Was: account.Active})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, Changed) {
				t.Errorf("got %v", err)
			}
		}
		list, err := d.Decisions(t.Context(), lina)
		d.must(err)
		if won != 1 || len(list) != 1 {
			t.Errorf("%d won, %d decisions stand", won, len(list))
		}
	})
}

func TestAnUndoneDecisionWritesToNobody(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active)
	taken, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Closed, Reason: "duplicate"})
	d.must(err)
	colleague := d.as("colleague", campus.RightSecretariat)
	if err := d.Undo(t.Context(), colleague, lina, taken.ID, journal.Event{}); !errors.Is(err, UndoTooLate) {
		t.Errorf("a colleague undoes: %v", err)
	}
	d.must(d.Undo(t.Context(), d.viewer, lina, taken.ID, journal.Event{}))
	d.deliver(lina)
	if len(d.letters) != 0 || d.state(lina) != account.Active {
		t.Errorf("letters %+v, state %s", d.letters, d.state(lina))
	}
	taken, err = d.Decide(t.Context(), d.viewer, lina, Order{State: account.Closed, Reason: "duplicate"})
	d.must(err)
	d.clock.Advance(UndoTime)
	if err := d.Undo(t.Context(), d.viewer, lina, taken.ID, journal.Event{}); !errors.Is(err, UndoTooLate) {
		t.Errorf("after the time: %v", err)
	}
}

func TestASuspensionEndsAtTheEndOfItsLastDayInTheInstitutionsZone(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.clock.Set(november().Now())
		lina := d.add("lina", account.Active)
		status, body := d.post("/identity/accounts/"+string(lina)+"/suspend", url.Values{"reason": {"unpaid_fees"}, "until": {"2026-11-24"}, "was": {"active"}})
		if status != http.StatusSeeOther {
			t.Fatalf("%d: %s", status, body)
		}
		s, err := d.Standing(t.Context(), lina)
		d.must(err)
		if got := s.Until.In(paris).Format(dayLayout); got != "2026-11-24" {
			t.Errorf("the person is told %s", got)
		}
		d.clock.Set(time.Date(2026, 11, 24, 23, 59, 0, 0, paris))
		d.must(d.applyDue(t.Context()))
		if got := d.state(lina); got != account.Suspended {
			t.Errorf("on the last evening: %s", got)
		}
		d.clock.Set(time.Date(2026, 11, 25, 0, 0, 0, 0, paris))
		d.must(d.applyDue(t.Context()))
		if got := d.state(lina); got != account.Active {
			t.Errorf("after midnight: %s", got)
		}
	})
}

func TestADecisionForLaterWaitsForItsDay(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.clock.Set(november().Now())
		lina := d.add("lina", account.Active)
		d.post("/identity/accounts/"+string(lina)+"/close", url.Values{"reason": {"left"}, "from": {"2026-12-01"}, "was": {"active"}})
		if got := d.state(lina); got != account.Active {
			t.Errorf("before its day: %s", got)
		}
		d.clock.Set(time.Date(2026, 12, 1, 0, 0, 1, 0, paris))
		d.must(d.applyDue(t.Context()))
		d.must(d.applyDue(t.Context()))
		if got := d.state(lina); got != account.Closed {
			t.Errorf("on its day: %s", got)
		}
		s, err := d.Standing(t.Context(), lina)
		d.must(err)
		if want := time.Date(2027, 12, 1, 0, 0, 0, 0, paris); !s.DeletedAt.Equal(want) {
			t.Errorf("deletion on %s, want %s", s.DeletedAt, want)
		}
	})
}

func TestDaysLeftAreDaysOfTheCalendar(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, paris)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, c := range map[string]struct {
		now, end string
		want     int
	}{
		"the last day is one":                        {"2026-11-23 00:30", "2026-11-24 00:00", 1},
		"the hour does not matter":                   {"2026-11-23 23:59", "2026-11-24 00:00", 1},
		"a week across the end of summer time":       {"2026-10-22 12:00", "2026-10-29 00:00", 7},
		"a week across the beginning of summer time": {"2026-03-26 12:00", "2026-04-02 00:00", 7},
	} {
		if got := daysLeft(at(c.now), at(c.end), paris); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// leaving is a configuration whose rule for students is switched on.
func leaving() Config {
	c := Defaults()
	c.Rules = []RuleConfig{{Code: "students", Kinds: []campus.Kind{campus.Student}, WaitDays: 10, GraceDays: 90, NoticeDays: []int{60, 30, 7}, Reason: "registration_ended", Enabled: true}}
	return c
}

func (d *desk) register(who campus.PersonID, kind campus.Kind, until time.Time) {
	d.t.Helper()
	d.must(d.DB.InTx(d.t.Context(), func(tx db.Tx) error { return Register(d.t.Context(), tx, who, kind, until, "test") }))
}

func TestTheRuleTouchesThoseWhoAreNoLongerRegisteredAndNobodyElse(t *testing.T) {
	each(t, leaving(), func(t *testing.T, d *desk) {
		d.clock.Set(november().Now())
		now := d.clock.Now()
		gone := now.AddDate(0, 0, -20)
		left := d.add("left", account.Active, campus.Student)
		d.register(left, campus.Student, gone)
		late := d.add("late", account.Active, campus.Student)
		d.register(late, campus.Student, now.AddDate(0, 0, -3))
		teaches := d.add("teaches", account.Active, campus.Student, campus.Teacher)
		d.register(teaches, campus.Student, gone)
		employed := d.add("employed", account.Active, campus.Student)
		d.register(employed, campus.Student, gone)
		d.register(employed, campus.Staff, time.Time{})
		unknown := d.add("unknown", account.Active, campus.Student)
		blocked := d.add("blocked", account.Suspended, campus.Student)
		d.register(blocked, campus.Student, gone)
		steps, err := d.Plan(t.Context(), leaving().Rules[0], now)
		d.must(err)
		if len(steps) != 1 || steps[0].Person != left || steps[0].Act != Announce {
			t.Fatalf("the plan is %+v", steps)
		}
		d.must(d.runRules(t.Context()))
		d.must(d.runRules(t.Context()))
		if got := d.state(left); got != account.Expiring {
			t.Errorf("who has left: %s", got)
		}
		for _, who := range []campus.PersonID{late, teaches, employed, unknown} {
			if got := d.state(who); got != account.Active {
				t.Errorf("%s: %s", who, got)
			}
		}
		d.deliver(left)
		if len(d.letters) != 1 || d.letters[0].Kind != "account_expiring" {
			t.Errorf("letters: %+v", d.letters)
		}
		day := func(n int) { // n days after the announcement
			d.clock.Set(now.AddDate(0, 0, n))
			d.must(d.runRules(t.Context()))
			d.must(d.remind(t.Context()))
			d.must(d.remind(t.Context()))
			d.must(d.applyDue(t.Context()))
		}
		for n := 1; n <= 90; n++ {
			if n == 61 || n == 62 {
				continue // two nights without a server: one notice, not three
			}
			day(n)
		}
		if got := d.state(left); got != account.Expiring || len(d.letters) != 4 {
			t.Errorf("on the last day: %s, %d letters", got, len(d.letters))
		}
		day(91)
		d.deliver(left)
		if got := d.state(left); got != account.Closed || d.letters[len(d.letters)-1].Kind != "account_closed" {
			t.Errorf("after the last day: %s, %+v", got, d.letters)
		}
		d.register(left, campus.Student, d.clock.Now().AddDate(1, 0, 0))
		day(92)
		if got := d.state(left); got != account.Closed {
			t.Errorf("the rule itself reopened a closed account: %s", got)
		}
		if _, body := d.get("/identity/accounts/rules"); !strings.Contains(body, string(left)) {
			t.Error("the page does not name who is registered again")
		}
	})
}

func TestTheRuleTakesItsAnnouncementBackWhenSomebodyRegistersAgain(t *testing.T) {
	now := november()
	d := open(t, now, dbtest.OpenAt(t, now, schemas...), leaving())
	lina := d.add("lina", account.Active, campus.Student)
	d.register(lina, campus.Student, now.Now().AddDate(0, 0, -30))
	d.must(d.runRules(t.Context()))
	d.register(lina, campus.Student, now.Now().AddDate(1, 0, 0))
	d.must(d.runRules(t.Context()))
	if got := d.state(lina); got != account.Active {
		t.Errorf("the account is %s", got)
	}
}

func TestWhatASourceNoLongerSpeaksOfIsFoundHoweverMuchItIs(t *testing.T) {
	d := one(t)
	const people = 300 // with two registrations each, more than a page
	d.must(d.DB.InTx(t.Context(), func(tx db.Tx) error {
		for i := range people {
			who := campus.PersonID(fmt.Sprintf("p-%03d", i))
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, '', '', '', '', '', 'active', '', '', 1, 1)`, string(who), string(who), string(who)+"@valmont.example")
			for _, k := range []campus.Kind{campus.Student, campus.Staff} {
				if err == nil {
					err = Register(t.Context(), tx, who, k, time.Time{}, "import")
				}
			}
			if err != nil {
				return err
			}
		}
		if err := Register(t.Context(), tx, "p-000", campus.Student, d.clock.Now(), "import"); err != nil { // over already
			return err
		}
		return Register(t.Context(), tx, "p-001", campus.Student, time.Time{}, "command line") // somebody else's word
	}))
	gone, err := d.Missing(t.Context(), "import", func(who campus.PersonID, k campus.Kind) bool { return who == "p-002" && k == campus.Staff })
	d.must(err)
	if len(gone) != 2*people-3 || gone[0] != (Gone{"p-000", "p-000", campus.Staff}) {
		t.Errorf("%d registrations, the first is %+v", len(gone), gone[0])
	}
}

func TestARuleThatIsOffShowsWhatItWouldDoAndDoesNothing(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active, campus.Student)
	d.register(lina, campus.Student, d.clock.Now().AddDate(0, -6, 0))
	d.must(d.runRules(t.Context()))
	if got := d.state(lina); got != account.Active {
		t.Errorf("the account is %s", got)
	}
	if _, body := d.get("/identity/accounts/rules"); !strings.Contains(body, "It would touch 1 account tonight") || !strings.Contains(body, "Ünal lina") {
		t.Error("the preview does not name her")
	} else if !strings.Contains(body, "Rule for students") || !strings.Contains(body, "Rule for teachers and staff") || strings.Contains(body, "identity.lifecycle") || strings.Contains(body, "at_most") {
		t.Error("the rules go by names of the configuration")
	}
}

func TestARuleThatWouldTouchTooManyTouchesNobody(t *testing.T) {
	c := leaving()
	c.Rules[0].AtMost = 2
	now := november()
	d := open(t, now, dbtest.OpenAt(t, now, schemas...), c)
	for i := range 3 {
		who := d.add(fmt.Sprintf("s%d", i), account.Active, campus.Student)
		d.register(who, campus.Student, now.Now().AddDate(0, -6, 0))
	}
	if err := d.runRules(t.Context()); !errors.Is(err, RuleStopped) {
		t.Errorf("got %v", err)
	}
	if got := d.state("p-s0"); got != account.Active {
		t.Errorf("the account is %s", got)
	}
}

func TestASearchSaysHowPeopleBelongToTheInstitution(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.add("lina", account.Active, campus.Student, campus.Staff)
		d.add("omar", account.Active)
		list, err := d.Search(t.Context(), Filter{Words: "unal"}, 10, 0)
		d.must(err)
		if len(list) < 2 || len(list[0].Affiliations) != 2 || list[0].Affiliations[1].Kind != campus.Student || len(list[1].Affiliations) != 0 {
			t.Errorf("found %+v", list)
		}
		none, err := d.Search(t.Context(), Filter{Words: "nobody"}, 10, 0)
		if err != nil || len(none) != 0 {
			t.Errorf("found %+v, %v", none, err)
		}
	})
}

func TestTheListIsSearchedAndSentAsATable(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.add("lina", account.Active, campus.Student)
		d.add("omar", account.Closed, campus.Staff)
		for name, c := range map[string]struct {
			query string
			want  string
			not   string
		}{
			"by part of a name, without its accent": {"?q=unal+lin", "p-lina", "p-omar"},
			"by login":                              {"?q=OMAR", "p-omar", "p-lina"},
			"by student number":                     {"?q=Nlina", "p-lina", "p-omar"},
			"by state":                              {"?state=closed", "p-omar", "p-lina"},
			"by kind":                               {"?kind=student", "p-lina", "p-omar"},
			"a sign of LIKE means itself":           {"?q=%25", "No account matches", "p-lina"},
			"a page that does not exist is the last one": {"?page=99", "p-lina", "No account matches"},
		} {
			status, body := d.get("/identity/accounts" + c.query)
			if status != http.StatusOK || !strings.Contains(body, c.want) || strings.Contains(body, c.not) {
				t.Errorf("%s: status %d, %q expected and %q not", name, status, c.want, c.not)
			}
			if strings.Contains(body, "⟦") {
				t.Errorf("%s: a label is missing", name)
			}
		}
		if _, body := d.get("/identity/accounts.csv?state=closed"); strings.Count(body, "\n") != 2 || !strings.Contains(body, "omar") {
			t.Errorf("the file is %q", body)
		}
	})
	for typed, want := range map[string]string{"=1+1": "'=1+1", "Ünal": "Ünal", "": "", "-x": "'-x"} {
		if got := plain(typed); got != want {
			t.Errorf("%q is written as %q", typed, got)
		}
	}
}

func TestEveryPageIsWordedInBothLanguages(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active, campus.Student)
	d.register(lina, campus.Student, d.clock.Now().AddDate(0, -6, 0))
	old := d.add("old", account.Active)
	taken, err := d.Decide(t.Context(), d.viewer, old, Order{State: account.Closed, Reason: "security", Note: "n"})
	d.must(err)
	d.must(d.Lift(t.Context(), d.viewer, old, taken.ID, "back", journal.Event{}))
	_, err = d.Decide(t.Context(), d.viewer, old, Order{State: account.Closed, Reason: "left"})
	d.must(err)
	for _, l := range campus.Locales {
		d.viewer.Locale = l
		for _, path := range []string{"", "/rules", "/due", "/p-lina", "/p-old", "/p-lina/suspend", "/p-lina/close", "/p-lina/expire", "/p-old/reopen"} {
			status, body := d.get("/identity/accounts" + path)
			if status != http.StatusOK || strings.Contains(body, "⟦") || strings.Contains(body, "<no value>") {
				_, content, _ := strings.Cut(body, "<main")
				t.Errorf("%s in %s: %d %.600s", path, l, status, content)
			}
		}
	}
	status, body := d.post("/identity/accounts/p-lina/expire", url.Values{"reason": {"nonsense"}, "until": {"2020-01-01"}, "note": {strings.Repeat("x", maxNote+1)}})
	if status != http.StatusUnprocessableEntity || strings.Contains(body, "⟦") || d.state(lina) != account.Active {
		t.Errorf("a wrong form: %d", status)
	}
}

func TestAReasonThatThePersonMayNotReadIsNotInItsStanding(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active)
	_, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "security"})
	d.must(err)
	s, err := d.Standing(i18n.With(t.Context(), d.Texts.For(campus.English)), lina)
	d.must(err)
	if s.ReasonText != "" || !strings.Contains(s.Why(i18n.With(t.Context(), d.Texts.For(campus.English))), "office") {
		t.Errorf("standing: %+v", s)
	}
	d.deliver(lina)
	if strings.Contains(fmt.Sprint(d.letters), "examination") {
		t.Error("the letter tells the hidden reason")
	}
}

func TestTheConfigurationOfRulesIsChecked(t *testing.T) {
	c := Defaults()
	if p := c.Check(); len(p) != 0 {
		t.Errorf("the defaults: %v", p)
	}
	c.Reasons, c.Rules = defaultReasons, defaultRules
	if p := c.Check(); len(p) != 0 {
		t.Errorf("the built-in lists: %v", p)
	}
	c.Reasons = append([]ReasonConfig{{Code: "No Code"}}, defaultReasons...)
	c.Rules = []RuleConfig{{Code: "x1", Kinds: []campus.Kind{"alumni"}, GraceDays: 3, NoticeDays: []int{10}, Reason: "nothing"}}
	var all bytes.Buffer
	for _, p := range c.Check() {
		fmt.Fprintln(&all, p)
	}
	for _, key := range []string{"reasons[0].code", "reasons[0].text_fr", "reasons[0].office_fr", "rules[0].kinds", "rules[0].reason", "rules[0].grace_days", "rules[0].notice_days"} {
		if !strings.Contains(all.String(), key) {
			t.Errorf("%s is not told in:\n%s", key, all.String())
		}
	}
}

func TestEveryReasonHasItsSentences(t *testing.T) {
	d := one(t)
	for _, r := range fault.All() {
		if !strings.HasPrefix(r.Code(), "identity.lifecycle_") {
			continue
		}
		for _, l := range campus.Locales {
			if d.Texts.Raw(l, r.Code()+".message") == "" || d.Texts.Raw(l, r.Code()+".next") == "" {
				t.Errorf("%s lacks words in %s", r.Code(), l)
			}
		}
	}
}
