package device

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var schema = []db.Migrations{{Name: "identity", FS: os.DirFS("..")}}

var (
	lina = account.Person{ID: "lina", Login: "lmartin", Mail: "lina@valmont.example", Locale: campus.English}
	hugo = account.Person{ID: "hugo", Login: "hpetit", Mail: "hugo@valmont.example", Locale: campus.French}
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)

// house is the alcove behind a web server, with neighbours of a few lines.
type house struct {
	*Devices
	t       *testing.T
	clock   *clock.Manual
	texts   *i18n.Catalogue
	web     *web.Server
	from    netip.Addr
	viewer  campus.PersonID
	letters []reach.Letter
	events  []journal.Event
}

func (h *house) Tell(_ context.Context, _ db.Tx, _ account.Person, l reach.Letter) error {
	h.letters = append(h.letters, l)
	return nil
}

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.events = append(h.events, e)
	return nil
}

func each(t *testing.T, test func(t *testing.T, h *house), change ...func(*Config)) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
		c := Defaults()
		for _, f := range change {
			f(&c)
		}
		h := &house{t: t, clock: now, from: netip.MustParseAddr("192.0.2.7")}
		h.texts = i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
		h.Devices = New(Deps{DB: d, Clock: now, Post: h, Journal: h, Texts: h.texts}, c)
		base, _ := url.Parse("https://ent.valmont.example")
		h.web = web.New(web.Config{
			BaseURL: base, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: now, Texts: h.texts, Language: campus.English,
			Sign: func(string, []byte) []byte { return []byte("signed") },
			Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
				return campus.Viewer{Person: h.viewer, Session: "s", Locale: campus.English}, nil
			},
			Prepare: func(_ http.ResponseWriter, r *http.Request) context.Context {
				return ui.WithShell(r.Context(), ui.Shell{Viewer: web.Viewer(r)})
			},
			ErrorPage: ui.FailurePage, ClientAddr: func(*http.Request) netip.Addr { return h.from },
		})
		h.Routes(h.web.Router("identity"))
		// The end of a sign-in, as the room does it.
		h.web.Router("test").Handle("GET /sign-in", h.signIn, web.Public)
		h.web.Router("test").Handle("GET /known", h.isKnown, web.Public)
		h.in(func(tx db.Tx) error {
			for _, p := range []account.Person{lina, hugo} {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
					VALUES ($1, $2, $3, '', '', '', '', '', 'active', '', '', 1, 1)`, string(p.ID), p.Login, p.Mail)
				if err != nil {
					return err
				}
			}
			return nil
		})
		test(t, h)
	}, schema...)
}

func (h *house) in(f func(tx db.Tx) error) {
	h.t.Helper()
	if err := h.DB.InTx(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// signIn remembers the browser twice in its transaction, as one that runs again.
func (h *house) signIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	who := lina
	if q.Get("who") == "hugo" {
		who = hugo
	}
	s := See(r)
	s.Shared, s.Trust, s.Expected = q.Has("shared"), q.Has("trust"), q.Has("expected")
	s.Place = place.Place{English: "Nancy", French: "Nancy"}
	again := errors.New("run again")
	run := func(fail error) (d Device, err error) {
		err = h.DB.InTx(r.Context(), func(tx db.Tx) (err error) {
			if d, err = h.Remember(r.Context(), tx, who, s); err != nil {
				return err
			}
			return fail
		})
		return d, err
	}
	told := len(h.letters)
	if _, err := run(again); !errors.Is(err, again) {
		return err
	}
	h.letters = h.letters[:told] // undone with the transaction
	d, err := run(nil)
	if err != nil {
		return err
	}
	h.Keep(w, r, d)
	_, err = io.WriteString(w, d.ID)
	return err
}

func (h *house) isKnown(w http.ResponseWriter, r *http.Request) error {
	d, known, err := h.Of(r, campus.PersonID(r.URL.Query().Get("who")))
	if err != nil {
		return err
	}
	switch {
	case !known:
		_, err = io.WriteString(w, "new")
	case d.Trusted(h.clock.Now()):
		_, err = io.WriteString(w, "trusted")
	default:
		_, err = io.WriteString(w, "known")
	}
	return err
}

// browser keeps one cookie.
type browser struct {
	h      *house
	agent  string
	cookie *http.Cookie
}

func (b *browser) do(method, path string) *httptest.ResponseRecorder {
	b.h.t.Helper()
	r := httptest.NewRequest(method, "https://ent.valmont.example"+path, nil)
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Accept", "text/html")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.h.web.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-"+cookie {
			if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != int(maxCookie/time.Second) {
				b.h.t.Errorf("the cookie is %v", c)
			}
			b.cookie = c
		}
	}
	return w
}

func (b *browser) signIn(query string) (device string) {
	b.h.t.Helper()
	w := b.do(http.MethodGet, "/sign-in?"+query)
	if w.Code != http.StatusOK {
		b.h.t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func (b *browser) is(who account.Person, want string) {
	b.h.t.Helper()
	if got := b.do(http.MethodGet, "/known?who="+string(who.ID)).Body.String(); got != want {
		b.h.t.Errorf("the browser is %s to %s, want %s", got, who.ID, want)
	}
}

func TestABrowserIsKnownFromItsFirstSignInOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := &browser{h: h, agent: firefox}
		b.is(lina, "new")
		first := b.signIn("")
		b.is(lina, "known")
		b.is(hugo, "new")
		if again := b.signIn(""); again != first {
			t.Error("the same browser is another device")
		}
		(&browser{h: h, agent: firefox}).is(lina, "new")
		(&browser{h: h, agent: firefox, cookie: &http.Cookie{Name: "__Host-" + cookie, Value: "made-up"}}).is(lina, "new")
		if len(h.letters) != 1 || h.letters[0].Kind != "new_device" {
			t.Errorf("letters %+v", h.letters)
		}
		h.clock.Advance(Defaults().Keep + time.Second)
		b.is(lina, "new")
		b.signIn("")
		b.is(lina, "known")
	})
}

func TestSeveralPeopleShareABrowserAndNotTheirTrust(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := &browser{h: h, agent: firefox}
		b.signIn("who=lina&trust")
		planted := *b // somebody keeps a copy of the cookie
		b.signIn("who=hugo")
		b.is(lina, "trusted")
		b.is(hugo, "known")
		planted.is(lina, "new")
		planted.is(hugo, "new")
	})
}

func TestTrustEndsByTimeAndByAChangeOfPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, phone := &browser{h: h, agent: firefox}, &browser{h: h, agent: iphone}
		b.signIn("trust")
		phone.signIn("trust")
		other := &browser{h: h, agent: firefox}
		other.signIn("who=hugo&trust")
		if len(h.events) == 0 || h.events[0].Kind != "identity.device_trusted" || h.events[0].Person != lina.ID {
			t.Errorf("events %+v", h.events)
		}
		h.clock.Advance(30*24*time.Hour - time.Second)
		b.is(lina, "trusted")
		b.signIn("") // does not prolong it
		h.clock.Advance(time.Second)
		b.is(lina, "known")
		b.signIn("trust")
		phone.signIn("trust")
		other.signIn("who=hugo&trust")
		h.in(func(tx db.Tx) error {
			n, err := h.EndTrust(t.Context(), tx, lina.ID)
			if n != 2 {
				t.Errorf("the trust in %d browsers ended", n)
			}
			return err
		})
		b.is(lina, "known")
		phone.is(lina, "known")
		other.is(hugo, "trusted")
	})
}

func TestAnInstitutionMayForbidTrust(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := &browser{h: h, agent: firefox}
		b.signIn("trust")
		b.is(lina, "known")
		if h.TrustFor() != 0 || len(h.events) != 0 {
			t.Error("trust is offered")
		}
	}, func(c *Config) { c.Trust = 0 })
}

func TestASharedComputerIsNeverRemembered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := &browser{h: h, agent: firefox}
		if device := b.signIn("shared&trust"); device != "" || b.cookie != nil || len(h.letters) != 0 {
			t.Error("a shared computer is remembered")
		}
		b.signIn("trust")
		b.signIn("shared") // its owner thinks better of it
		b.is(lina, "new")
	})
}

func TestANewBrowserIsAnnouncedWithItsNameAndPlace(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		(&browser{h: h, agent: iphone}).signIn("")
		(&browser{h: h, agent: firefox}).signIn("who=hugo")
		for i, want := range [][]string{{"Safari on iOS", "Nancy (192.0.2.7)", "9:00"}, {"Firefox sous Linux", "Nancy (192.0.2.7)", "22 novembre à"}} {
			l := h.letters[i]
			said := h.texts.For([]campus.Locale{campus.English, campus.French}[i]).T("identity.letter.new_device.text", l.Args...)
			for _, w := range want {
				if !strings.Contains(said, w) {
					t.Errorf("no %q in %s", w, said)
				}
			}
			if strings.Contains(said, "{") || l.URL != "/identity/devices" || l.Urgent {
				t.Errorf("%+v says %s", l, said)
			}
		}
		// A browser that keeps no cookies is announced once a day, in each network.
		for range 5 {
			(&browser{h: h, agent: iphone}).signIn("")
		}
		if len(h.letters) != 2 {
			t.Errorf("%d letters", len(h.letters))
		}
		h.from = netip.MustParseAddr("203.0.113.9")
		(&browser{h: h, agent: iphone}).signIn("")
		h.clock.Advance(25 * time.Hour)
		(&browser{h: h, agent: iphone}).signIn("")
		(&browser{h: h, agent: firefox}).signIn("expected")
		if len(h.letters) != 4 {
			t.Errorf("%d letters", len(h.letters))
		}
	})
}

func TestTheListHoldsTheNewestBrowsersOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := &browser{h: h, agent: firefox}
		first.signIn("")
		for range most {
			h.clock.Advance(time.Minute)
			(&browser{h: h, agent: firefox}).signIn("")
		}
		list, err := h.List(t.Context(), lina.ID)
		if err != nil || len(list) != most {
			t.Errorf("%d devices, %v", len(list), err)
		}
		first.is(lina, "new")
		h.clock.Advance(Defaults().Keep + time.Hour)
		if err := h.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list, err := h.List(t.Context(), lina.ID); err != nil || len(list) != 0 {
			t.Errorf("%d devices are left, %v", len(list), err)
		}
	})
}

func TestPeopleSeeAndForgetTheirOwnBrowsers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, phone, his := &browser{h: h, agent: firefox}, &browser{h: h, agent: iphone}, &browser{h: h, agent: firefox}
		b.signIn("trust")
		phoneID, hisID := phone.signIn(""), his.signIn("who=hugo")
		for _, path := range []string{"/identity/devices", "/identity/devices/" + phoneID + "/forget", "/identity/devices/forget-all"} {
			method := http.MethodPost
			if path == "/identity/devices" {
				method = http.MethodGet
			}
			if w := b.do(method, path); w.Code == http.StatusOK || !strings.HasPrefix(w.Header().Get("Location"), "/login") && w.Code != http.StatusUnauthorized {
				t.Errorf("a stranger at %s: %d", path, w.Code)
			}
		}
		phone.is(lina, "known")
		h.viewer = lina.ID
		page := b.do(http.MethodGet, "/identity/devices").Body.String()
		for _, want := range []string{"Firefox on Linux", "Safari on iOS", "this browser", "Second factor not asked until", "Nancy (192.0.2.7)"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q on the page", want)
			}
		}
		if w := b.do(http.MethodPost, "/identity/devices/"+hisID+"/forget"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), Missing.Code()) {
			t.Errorf("somebody else's browser: %d", w.Code)
		}
		his.is(hugo, "known")
		if w := b.do(http.MethodPost, "/identity/devices/"+phoneID+"/forget"); w.Code != http.StatusSeeOther {
			t.Errorf("forgetting: %d", w.Code)
		}
		phone.is(lina, "new")
		b.is(lina, "trusted")
		if w := b.do(http.MethodPost, "/identity/devices/"+phoneID+"/forget"); w.Code != http.StatusNotFound {
			t.Errorf("in another tab, again: %d", w.Code)
		}
		b.do(http.MethodPost, "/identity/devices/forget-all")
		b.is(lina, "new")
		his.is(hugo, "known")
		if page := b.do(http.MethodGet, "/identity/devices").Body.String(); !strings.Contains(page, "Your browsers will be listed here") {
			t.Error("the empty list says nothing")
		}
		kinds := []string{}
		for _, e := range h.events {
			kinds = append(kinds, e.Kind)
		}
		if !slices.Equal(kinds, []string{"identity.device_trusted", "identity.device_trusted", "identity.device_forgotten", "identity.device_forgotten"}) {
			t.Errorf("events %v", kinds) // trusted twice: the first transaction was undone
		}
	})
}

func TestHeadersThatAreNoTextAreStored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, agent := range []string{"", "\xff\xfe", strings.Repeat("é", 5000)} {
			b := &browser{h: h, agent: agent}
			b.signIn("")
			b.is(lina, "known")
		}
	})
}

func TestTheConfigurationIsChecked(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		keys   []string
	}{
		{"the defaults", Defaults(), nil},
		{"no trust", Config{Keep: 24 * time.Hour}, nil},
		{"trust for years", Config{Trust: 1000 * 24 * time.Hour, Keep: maxCookie}, []string{"trust", "keep"}},
		{"trust longer than memory", Config{Trust: 60 * 24 * time.Hour, Keep: 30 * 24 * time.Hour}, []string{"keep"}},
		{"longer than browsers keep a cookie", Config{Keep: maxCookie + 1}, []string{"keep"}},
		{"trust below nothing", Config{Trust: -1, Keep: 24 * time.Hour}, []string{"trust"}},
	} {
		var keys []string
		for _, p := range c.config.Check() {
			keys = append(keys, p.Key)
		}
		if !slices.Equal(keys, c.keys) {
			t.Errorf("%s: %v, want %v", c.name, keys, c.keys)
		}
	}
}

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}
