package lifecycle

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
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
	told    []campus.PersonID                 // whose change the house was told
	held    map[campus.PersonID]campus.Viewer // rights of people
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
	held := d.held[who]
	p.Rights, p.Mandates = held.Rights, held.Mandates
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
	texts := i18ntest.Load(t, paris, now, web.Locales, ui.Locales, os.DirFS("."))
	d := &desk{t: t, clock: now}
	d.Lifecycle = New(Deps{DB: database, Clock: now, Log: slog.New(slog.DiscardHandler), Texts: texts, Zone: paris, People: d, Sessions: d, Journal: d, Letters: d, Changed: d.changed}, c)
	d.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return d.viewer }, d.Routes)
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
	resp, body := pagetest.Ask(d.t, pagetest.Still(), http.MethodGet, d.server.URL+path, nil)
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
