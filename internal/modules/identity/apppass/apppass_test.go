package apppass

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
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

var closed = fault.Declare(fault.Forbidden, "identity.app_password_closed_account")

// ring is the alcove with neighbours that remember what they were told.
type ring struct {
	*Passwords
	entry.Door // nil but for Confirm
	t          *testing.T
	clock      *clock.Manual
	server     *httptest.Server
	viewer     campus.Viewer
	events     []string
	letters    []string
	doubted    bool
	closed     bool
	held       campus.Viewer // rights of everybody
}

func (r *ring) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	r.events = append(r.events, e.Kind)
	return nil
}

func (r *ring) Tell(_ context.Context, _ db.Tx, _ account.Person, l reach.Letter) error {
	r.letters = append(r.letters, l.Kind)
	return nil
}

func (r *ring) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	return account.Person{ID: who, Login: strings.TrimPrefix(string(who), "p-")}, nil
}

func (r *ring) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	return r.PersonByID(ctx, campus.PersonID("p-"+login))
}

func (r *ring) Confirm(w http.ResponseWriter, _ *http.Request) (bool, error) {
	if r.doubted {
		w.WriteHeader(http.StatusTeapot)
	}
	return !r.doubted, nil
}

func each(t *testing.T, test func(*testing.T, *ring)) {
	now := clock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) {
		r := &ring{t: t, clock: now}
		r.Passwords = New(Deps{DB: database, Clock: now, People: r, Journal: r, Post: r, Door: r, Server: "https://ent.valmont.example",
			Viewer: func(_ context.Context, who campus.PersonID) (campus.Viewer, error) {
				if r.closed {
					return campus.Viewer{}, closed
				}
				return campus.Viewer{Person: who, Rights: r.held.Rights, Mandates: r.held.Mandates}, nil
			}})
		texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
		r.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return r.viewer }, r.Routes)
		for _, login := range []string{"lina", "omar"} {
			err := database.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, 'Ana', $2, '', '', $2, 'active', 'en', 'system', 1, 1)`, "p-"+login, login, login+"@valmont.example")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		r.viewer = campus.Viewer{Person: "p-lina", Login: "lina", Session: "s"}
		test(t, r)
	}, schemas...)
}

func (r *ring) ask(method, path string, form url.Values) (int, string) {
	r.t.Helper()
	resp, body := pagetest.Ask(r.t, pagetest.Still(), method, r.server.URL+path, form)
	return resp.StatusCode, body
}

var secretForm = regexp.MustCompile(`[a-km-np-z2-9]{6}(-[a-km-np-z2-9]{6}){3}`)

// made is the secret of a password that lina made on the page.
func (r *ring) made() string {
	r.t.Helper()
	status, body := r.ask(http.MethodPost, "/identity/app-passwords/new", url.Values{"label": {"My phone"}, "purposes": {"contacts"}})
	secret := secretForm.FindString(body)
	if status != http.StatusOK || secret == "" {
		r.t.Fatalf("making one answers %d", status)
	}
	return secret
}

var home = netip.MustParseAddr("192.0.2.7")

func TestAPasswordOpensWhatItWasMadeForInItsOwnersNameOnly(t *testing.T) {
	each(t, func(t *testing.T, r *ring) {
		secret := r.made()
		for name, c := range map[string]struct {
			login, password string
			purpose         contract.AppPurpose
			want            *fault.Reason
		}{
			"as it was shown":              {"lina", secret, contract.AppContacts, nil},
			"by the institutional address": {"Lina@Valmont.example", secret, contract.AppContacts, nil},
			"in capitals, without hyphens": {"lina", strings.ToUpper(strings.ReplaceAll(secret, "-", "")), contract.AppContacts, nil},
			"in another’s name":            {"omar", secret, contract.AppContacts, Wrong},
			"for something else":           {"lina", secret, "mail", Wrong},
			"another one":                  {"lina", newSecret(), contract.AppContacts, Wrong},
			"none":                         {"lina", "", contract.AppContacts, Wrong},
		} {
			v, err := r.ByAppPassword(t.Context(), c.login, c.password, c.purpose, home)
			if c.want == nil && (err != nil || v.Person != "p-lina") || c.want != nil && fault.Of(err).Reason != c.want {
				t.Errorf("%s: %q, %v", name, v.Person, err)
			}
		}
		if !slices.Equal(r.events, []string{"identity.app_password_made"}) || !slices.Equal(r.letters, []string{"app_password_made"}) {
			t.Errorf("the journal has %q, letters %q", r.events, r.letters)
		}
		r.closed = true
		if _, err := r.ByAppPassword(t.Context(), "lina", secret, contract.AppContacts, home); fault.Of(err).Reason != closed {
			t.Errorf("with a closed account: %v", err)
		}
	})
}

func TestAPasswordIsShownOnceAndEndedAlone(t *testing.T) {
	each(t, func(t *testing.T, r *ring) {
		secret, other := r.made(), r.made()
		if _, body := r.ask(http.MethodGet, "/identity/app-passwords", nil); secretForm.MatchString(body) || !strings.Contains(body, "My phone") || !strings.Contains(body, "never used") {
			t.Error("the list shows a secret, or not what there is")
		}
		if _, err := r.ByAppPassword(t.Context(), "lina", secret, contract.AppContacts, home); err != nil {
			t.Fatal(err)
		}
		list, err := r.list(t.Context(), "p-lina")
		if err != nil || len(list) != 2 {
			t.Fatalf("%d passwords: %v", len(list), err)
		}
		i := slices.IndexFunc(list, func(p Password) bool { return !p.LastUsedAt.IsZero() })
		used := list[i]
		if used.Network != "192.0.2.7" {
			t.Errorf("used from %q", used.Network)
		}
		r.viewer.Person = "p-omar"
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if status, _ := r.ask(method, "/identity/app-passwords/"+used.ID+"/end", nil); status != http.StatusNotFound {
				t.Errorf("another person’s %s answers %d", method, status)
			}
		}
		r.viewer.Person = "p-lina"
		if status, _ := r.ask(http.MethodPost, "/identity/app-passwords/"+used.ID+"/end", nil); status != http.StatusSeeOther {
			t.Errorf("ending it answers %d", status)
		}
		if _, err := r.ByAppPassword(t.Context(), "lina", secret, contract.AppContacts, home); fault.Of(err).Reason != Wrong {
			t.Errorf("after its end: %v", err)
		}
		if _, err := r.ByAppPassword(t.Context(), "lina", other, contract.AppContacts, home); err != nil {
			t.Errorf("the other one: %v", err)
		}
		r.letters = nil
		if err := r.DB.InTx(t.Context(), func(tx db.Tx) error { return r.EndAll(t.Context(), tx, "p-lina") }); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ByAppPassword(t.Context(), "lina", other, contract.AppContacts, home); fault.Of(err).Reason != Wrong {
			t.Errorf("after the end of all: %v", err)
		}
		if !slices.Equal(r.letters, []string{"app_passwords_ended"}) {
			t.Errorf("the owner is told %q", r.letters)
		}
	})
}

func TestANetworkThatGuessesIsToldToWaitAndLocksNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, r *ring) {
		secret := r.made()
		guess := func() error {
			_, err := r.ByAppPassword(t.Context(), "lina", newSecret(), contract.AppContacts, home)
			return err
		}
		var last error
		for range guesses.Burst + 1 {
			last = guess()
		}
		if fault.Of(last).Reason != Slowed {
			t.Errorf("after many guesses: %v", last)
		}
		if _, err := r.ByAppPassword(t.Context(), "lina", secret, contract.AppContacts, home); err != nil {
			t.Errorf("the right one, from the same network: %v", err)
		}
		r.clock.Advance(guesses.Every)
		if err := guess(); fault.Of(err).Reason != Wrong {
			t.Errorf("a guess later: %v", err)
		}
	})
}

func TestAPasswordBringsNoRightsAlong(t *testing.T) {
	each(t, func(t *testing.T, r *ring) {
		r.held = campus.Viewer{Rights: []campus.Right{campus.RightDirectory}, Mandates: []campus.Mandate{{Right: campus.RightSecretariat, Campus: "rives"}}}
		v, err := r.ByAppPassword(t.Context(), "lina", r.made(), contract.AppContacts, home)
		if err != nil || v.Person != "p-lina" || len(v.Rights)+len(v.Mandates) > 0 {
			t.Errorf("a lost telephone holds %v and %v: %v", v.Rights, v.Mandates, err)
		}
	})
}

func TestNobodyMakesAPasswordWithoutAFreshProofANameAndAPurpose(t *testing.T) {
	each(t, func(t *testing.T, r *ring) {
		for name, form := range map[string]url.Values{
			"no name": {"purposes": {"contacts"}}, "no purpose": {"label": {"x"}}, "an unknown purpose": {"label": {"x"}, "purposes": {"everything"}},
			"a long name": {"label": {strings.Repeat("é", maxLabel+1)}, "purposes": {"contacts"}},
		} {
			if status, _ := r.ask(http.MethodPost, "/identity/app-passwords/new", form); status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, status)
			}
		}
		r.doubted = true
		if status, _ := r.ask(http.MethodPost, "/identity/app-passwords/new", url.Values{"label": {"x"}, "purposes": {"contacts"}}); status != http.StatusTeapot {
			t.Errorf("without a fresh proof: %d", status)
		}
		r.doubted = false
		for range mostEach {
			r.made()
		}
		if status, _ := r.ask(http.MethodPost, "/identity/app-passwords/new", url.Values{"label": {"x"}, "purposes": {"contacts"}}); status != http.StatusConflict {
			t.Errorf("one more than anybody may have: %d", status)
		}
		r.viewer = campus.Viewer{}
		if status, _ := r.ask(http.MethodGet, "/identity/app-passwords", nil); status != http.StatusSeeOther {
			t.Errorf("a stranger: %d", status)
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}
