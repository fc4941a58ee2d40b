package consent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var (
	start  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	schema = []db.Migrations{{Name: "sso", FS: os.DirFS("..")}}
	paper  = registry.Service{
		ID: "paper", NameFrench: "Revues", NameEnglish: "Journals", Protocol: registry.SAML, Consent: true, Owner: "Publisher", Contact: "help@paper.example",
		Attributes: []registry.Attribute{registry.DisplayName, registry.Mail, registry.Affiliation}, Required: []registry.Attribute{registry.DisplayName}, ReasonEnglish: "To count readers.", ReasonFrench: "Pour compter.",
	}
	wiki = registry.Service{ID: "wiki", NameFrench: "Wiki", Protocol: registry.CAS, Attributes: []registry.Attribute{registry.Mail}}
)

// house is the alcove behind a web server, with a registry of two services.
type house struct {
	*Consent
	t      *testing.T
	clock  *clock.Manual
	server *web.Server
	viewer campus.Viewer
	// withdrawn are the services whose access was ended.
	withdrawn []string
	// recorded are the events of the journal.
	recorded []string
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		h := &house{t: t, clock: now, viewer: lina()}
		texts, err := i18n.Load(time.UTC, now, web.Locales, ui.Locales, os.DirFS("../registry"), os.DirFS("."))
		if err != nil {
			t.Fatal(err)
		}
		h.Consent = New(Deps{DB: d, Services: h, Destination: func(_ context.Context, next string) (contract.Destination, bool) {
			return contract.Destination{Origins: []string{"https://paper.example"}}, strings.HasPrefix(next, "/saml")
		}, Withdrawn: func(_ context.Context, _ db.Tx, who campus.PersonID, service string) error {
			h.withdrawn = append(h.withdrawn, string(who)+" "+service)
			return nil
		}, Refusal: func(who campus.PersonID, s *registry.Service, back string) (string, bool) {
			return back + "&refused=" + s.ID + "-" + string(who), strings.HasPrefix(back, "/saml/continue")
		}, Journal: h})
		base, err := url.Parse("https://ent.valmont.example")
		if err != nil {
			t.Fatal(err)
		}
		h.server = web.New(web.Config{
			BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: now, Texts: texts, Language: campus.English,
			Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
			ErrorPage:    ui.FailurePage,
		})
		h.Routes(h.server.Router("sso"))
		test(t, h)
	}, schema...)
}

func lina() campus.Viewer {
	v := campustest.Lina()
	v.Locale = campus.English
	return v
}

func (h *house) Registry(context.Context) (*registry.Index, error) {
	return registry.NewIndex([]registry.Service{paper, wiki}), nil
}

func (h *house) Record(_ context.Context, _ db.Tx, _ *http.Request, kind string, facts map[string]string) error {
	h.recorded = append(h.recorded, kind+" "+facts["service"]+" "+facts["attributes"])
	return nil
}

func (h *house) Releasable(_ context.Context, s *registry.Service, _ campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	var all []gate.Attribute
	for _, a := range wanted {
		all = append(all, gate.Attribute{Name: a, Values: []string{"value of " + string(a)}})
	}
	return all, nil
}

func (h *house) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, "https://ent.valmont.example"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w
}

func (h *house) missing(s *registry.Service, since time.Time, attributes ...registry.Attribute) bool {
	h.t.Helper()
	_, missing := h.allowed(s, since, attributes...)
	return missing
}

func (h *house) allowed(s *registry.Service, since time.Time, attributes ...registry.Attribute) ([]registry.Attribute, bool) {
	h.t.Helper()
	allowed, missing, err := h.Allowed(h.t.Context(), h.viewer.Person, s, attributes, since)
	if err != nil {
		h.t.Fatal(err)
	}
	return allowed, missing
}

// agree answers a question about some attributes, and lets some of them go.
func (h *house) agree(told string, also ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.ask("POST", "/sso/consent", url.Values{"service": {"paper"}, "told": {told}, "also": also, "back": {"/saml/sso?x=1"}, "answer": {"yes"}})
}

func (h *house) tell(s *registry.Service, attributes ...registry.Attribute) {
	h.t.Helper()
	if err := h.Told(h.t.Context(), h.viewer.Person, s, attributes); err != nil {
		h.t.Fatal(err)
	}
}

func TestConsentIsAskedOnceAndAgainWhenTheSetGrows(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		name, mail := registry.DisplayName, registry.Mail
		if h.missing(&wiki, time.Time{}, mail) {
			t.Error("a service of the institution asks")
		}
		if !h.missing(&paper, time.Time{}, name) || !h.missing(&paper, time.Time{}) {
			t.Error("a service that wants consent does not ask")
		}
		w := h.ask("POST", "/sso/consent", url.Values{"service": {"paper"}, "told": {"displayName"}, "back": {"/saml/sso?x=1"}, "answer": {"yes"}})
		if w.Code != 303 || w.Header().Get("Location") != "/saml/sso?x=1" {
			t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
		}
		if h.missing(&paper, time.Time{}, name) || h.missing(&paper, time.Time{}) {
			t.Error("what was agreed to is asked again")
		}
		if !h.missing(&paper, time.Time{}, name, mail) {
			t.Error("a set that grew is not asked for")
		}
		if h.missing(&paper, start, name) {
			t.Error("a consent given at the moment of the question does not count")
		}
		if !h.missing(&paper, start.Add(time.Second), name) {
			t.Error("a service that asks anew is not heard")
		}
		h.viewer = campustest.Paul()
		if !h.missing(&paper, time.Time{}, name) {
			t.Error("one person's consent is another's")
		}
	})
}

func TestWhatAServiceDoesNotNeedCanBeLeftOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		name, mail, affiliation := registry.DisplayName, registry.Mail, registry.Affiliation
		question := AskURL("paper", []registry.Attribute{name, mail}, "/saml/sso?x=1")
		page := h.ask("GET", question, nil).Body.String()
		if !strings.Contains(page, `name="also" value="mail" checked`) || strings.Contains(page, `name="also" value="displayName"`) {
			t.Error("what is needed can be unticked, or what is not cannot")
		}
		h.agree("displayName mail") // nothing ticked: the name is needed and goes
		if allowed, missing := h.allowed(&paper, time.Time{}, name, mail); missing || !slices.Equal(allowed, []registry.Attribute{name}) {
			t.Errorf("it may be told %v, and %t", allowed, missing)
		}
		if allowed, missing := h.allowed(&paper, time.Time{}, name, mail, affiliation); !missing || slices.Contains(allowed, affiliation) {
			t.Error("a set that grew is not asked for")
		}
		page = h.ask("GET", AskURL("paper", []registry.Attribute{name, mail, affiliation}, "/saml/sso?x=1"), nil).Body.String()
		if strings.Contains(page, `value="mail" checked`) || !strings.Contains(page, `value="eduPersonAffiliation" checked`) {
			t.Error("asked again, what was left out is ticked")
		}
		h.agree("mail eduPersonAffiliation", "eduPersonAffiliation")
		if allowed, missing := h.allowed(&paper, time.Time{}, name, mail, affiliation); missing || !slices.Equal(allowed, []registry.Attribute{name, affiliation}) {
			t.Errorf("it may be told %v, and %t", allowed, missing)
		}
		needy := paper
		needy.Required = []registry.Attribute{name, mail}
		if allowed, missing := h.allowed(&needy, time.Time{}, name, mail); !missing || slices.Contains(allowed, mail) {
			t.Error("what is needed now is not asked for again")
		}
		page = h.ask("GET", "/sso/consents", nil).Body.String()
		for _, want := range []string{"You left out", "Mail address", "You agreed to"} {
			if !strings.Contains(page, want) {
				t.Errorf("the list lacks %q", want)
			}
		}
		h.ask("POST", "/sso/consents/paper/revoke", url.Values{})
		if d, err := h.disclosure(t.Context(), h.DB.Read(), h.viewer.Person, "paper"); err != nil || len(d.Agreed)+len(d.LeftOut) > 0 {
			t.Errorf("after it was taken back: %+v, %v", d, err)
		}
	})
}

func TestWhereTheInstitutionAsksNobodyNothingCanBeLeftOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		page := h.ask("GET", AskURL("wiki", []registry.Attribute{registry.Mail}, "/oidc/authorize?x=1"), nil).Body.String()
		if strings.Contains(page, `type="checkbox"`) || !strings.Contains(page, "belongs to the institution") {
			t.Error(page)
		}
		h.ask("POST", "/sso/consent", url.Values{"service": {"wiki"}, "told": {"mail"}, "back": {"/oidc/authorize?x=1"}, "answer": {"yes"}})
		if allowed, missing := h.allowed(&wiki, start, registry.Mail); missing || len(allowed) != 1 {
			t.Errorf("it may be told %v, and %t", allowed, missing)
		}
	})
}

func TestARefusalSendsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, answer := range []string{"no", ""} {
			w := h.ask("POST", "/sso/consent", url.Values{"service": {"paper"}, "told": {"mail"}, "also": {"mail"}, "back": {"/cas/login?service=x"}, "answer": {answer}})
			if w.Code != 200 || !strings.Contains(w.Body.String(), "Nothing was sent.") || !strings.Contains(w.Body.String(), `href="/cas/login?service=x"`) || !h.missing(&paper, time.Time{}, registry.Mail) {
				t.Errorf("answer %q: %d", answer, w.Code)
			}
			w = h.ask("POST", "/sso/consent", url.Values{"service": {"paper"}, "told": {"mail"}, "back": {"/saml/continue?request=x"}, "answer": {answer}})
			if to := w.Header().Get("Location"); w.Code != 303 || to != "/saml/continue?request=x&refused=paper-"+string(h.viewer.Person) || !h.missing(&paper, time.Time{}, registry.Mail) {
				t.Errorf("answer %q: %d to %q", answer, w.Code, to)
			}
		}
	})
}

func TestEveryDecisionStandsInTheJournal(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.ask("POST", "/sso/consent", url.Values{"service": {"paper"}, "told": {"mail"}, "back": {"/"}, "answer": {"no"}})
		h.agree("displayName mail", "mail")
		h.ask("POST", "/sso/consents/paper/revoke", url.Values{})
		h.ask("POST", "/sso/consents/paper/revoke", url.Values{}) // nothing to take back
		want := []string{"identity.consent_refused Journals ", "identity.consent_given Journals Identifier, Display name, Mail address", "identity.consent_taken_back Journals "}
		if !slices.Equal(h.recorded, want) {
			t.Errorf("%q", h.recorded)
		}
	})
}

func TestTheQuestionShowsTheValuesAndAsksForNoMoreThanTheEntryReleases(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		w := h.ask("GET", AskURL("paper", []registry.Attribute{registry.Mail, registry.StudentNumber}, "/saml/sso?x=1"), nil)
		page := w.Body.String()
		for _, want := range []string{"value of mail", "To count readers.", "Publisher", `value="/saml/sso?x=1"`, `value="mail"`} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if w.Code != 200 || strings.Contains(page, "supannEtuId") || strings.Contains(page, "⟦") {
			t.Errorf("%d %s", w.Code, page)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "https://paper.example") {
			t.Errorf("the form may not lead to the service: %s", policy)
		}
		if page := h.ask("GET", AskURL("paper", nil, "//evil.example/"), nil).Body.String(); strings.Contains(page, "evil.example") {
			t.Error("the answer leads to another site")
		}
		if w := h.ask("GET", "/sso/consent?service=nothing", nil); w.Code != 404 {
			t.Errorf("an unknown service gets %d", w.Code)
		}
	})
}

func TestWhatAServiceWasToldIsListedAlsoWithoutConsent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(&wiki, registry.Mail)
		h.tell(&paper, registry.DisplayName)
		h.clock.Advance(time.Hour)
		h.tell(&paper, registry.Mail)
		gone := registry.Service{ID: "gone", NameFrench: "Ancien", NameEnglish: "Gone"}
		h.tell(&gone)
		list, err := h.Disclosures(t.Context(), h.viewer.Person)
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		i := slices.IndexFunc(list, func(d Disclosure) bool { return d.Service == "paper" })
		if d := list[i]; !slices.Equal(d.Told, []registry.Attribute{registry.DisplayName, registry.Mail}) || !d.FirstAt.Equal(start) || !d.LastAt.Equal(start.Add(time.Hour)) {
			t.Errorf("%+v", d)
		}
		page := h.ask("GET", "/sso/consents", nil).Body.String()
		for _, want := range []string{"Journals", "To count readers.", "help@paper.example", "Wiki", "Gone", "has left the institution"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(page, "⟦") || strings.Contains(page, "Take my consent back") {
			t.Error(page)
		}
		h.viewer = campustest.Paul()
		if page := h.ask("GET", "/sso/consents", nil).Body.String(); strings.Contains(page, "Journals") {
			t.Error("one person's list is shown to another")
		}
	})
}

func TestAVisitThatTellsNothingNewIsWrittenOnceADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		last := func() time.Time {
			d, err := h.disclosure(t.Context(), h.DB.Read(), h.viewer.Person, "wiki")
			if err != nil {
				t.Fatal(err)
			}
			return d.LastAt
		}
		h.tell(&wiki, registry.Mail)
		h.clock.Advance(time.Hour)
		if h.tell(&wiki, registry.Mail); !last().Equal(start) {
			t.Error("the same day was written twice")
		}
		h.clock.Advance(24 * time.Hour)
		if h.tell(&wiki, registry.Mail); !last().Equal(start.Add(25 * time.Hour)) {
			t.Error("the next day was not written")
		}
	})
}

func TestAConsentIsTakenBackByItsOwnerAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.ask("POST", "/sso/consent", url.Values{"service": {"paper"}, "told": {"mail"}, "also": {"mail"}, "back": {"/"}, "answer": {"yes"}})
		h.viewer = campustest.Paul()
		if w := h.ask("POST", "/sso/consents/paper/revoke", url.Values{}); w.Code != 404 {
			t.Errorf("somebody else gets %d", w.Code)
		}
		h.viewer = lina()
		if h.missing(&paper, time.Time{}, registry.Mail) {
			t.Fatal("somebody else took the consent back")
		}
		if w := h.ask("POST", "/sso/consents/paper/revoke", url.Values{}); w.Code != 303 || !h.missing(&paper, time.Time{}, registry.Mail) {
			t.Errorf("%d", w.Code)
		}
		if want := string(lina().Person) + " paper"; len(h.withdrawn) != 1 || h.withdrawn[0] != want {
			t.Errorf("the access that ended is %q", h.withdrawn)
		}
		err := h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Revoke(t.Context(), tx, h.viewer.Person, "paper") })
		if !errors.Is(err, ConsentMissing) {
			t.Errorf("a second time: %v", err)
		}
	})
}

func TestStrangersSignInFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer = campus.Viewer{}
		for _, route := range h.server.Routes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			var form url.Values
			if method == "POST" {
				form = url.Values{"service": {"paper"}, "answer": {"yes"}}
			}
			w := h.ask(method, strings.Replace(path, "{service}", "paper", 1), form)
			if asked := w.Code == 401 || w.Code == 303 && strings.HasPrefix(w.Header().Get("Location"), "/login"); !asked {
				t.Errorf("%s: %d", route.Pattern, w.Code)
			}
		}
	})
}

func TestAYearWithoutAVisitIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(&wiki, registry.Mail)
		h.clock.Advance(Kept / 2)
		h.tell(&paper, registry.Mail)
		h.clock.Advance(Kept/2 + time.Hour)
		if err := h.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := h.Disclosures(t.Context(), h.viewer.Person)
		if err != nil || len(list) != 1 || list[0].Service != "paper" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestAPersonGetsTheirDisclosures(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(&wiki, registry.Mail)
		var file bytes.Buffer
		archive := &contract.Archive{Create: func(string) (io.Writer, error) { return &file, nil }}
		if err := h.Export(t.Context(), h.viewer.Person, archive); err != nil || !strings.Contains(file.String(), `"wiki"`) {
			t.Errorf("%s, %v", file.String(), err)
		}
	})
}

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}
