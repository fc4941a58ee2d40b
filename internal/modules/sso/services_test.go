package sso

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/logo"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

func nextcloud() registry.Service {
	return registry.Service{
		ID: "nextcloud", NameFrench: "Nextcloud", DescriptionFrench: "Vos fichiers", Patterns: []string{"https://nuage.valmont.example/apps"},
		Protocol: registry.CAS, Home: "https://nuage.valmont.example/", Keywords: []string{"fichiers"}, Contact: "nuage@valmont.example",
		Audience: campus.Audience{Kinds: []campus.Kind{campus.Student}, Campuses: []string{"rives"}}, Attributes: []registry.Attribute{registry.Mail},
	}
}

func TestAServiceIsAddedChangedClosedAndDeleted(t *testing.T) {
	const address = "https://nuage.valmont.example/apps/user_cas/login"
	each(t, func(t *testing.T, h *house) {
		ctx, alix := t.Context(), campustest.Alix()
		if err := h.module.AddService(ctx, alix, nextcloud()); err != nil {
			t.Fatal(err)
		}
		if err := h.module.AddService(ctx, alix, nextcloud()); !errors.Is(err, ServiceTaken) {
			t.Errorf("twice: %v", err)
		}
		h.enter(lina())
		h.check(address, h.ticketFor(address))
		x, err := h.module.services(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := *x.Get("nextcloud"); !slices.Equal(got.Patterns, nextcloud().Patterns) || !slices.Equal(got.Keywords, nextcloud().Keywords) ||
			!slices.Equal(got.Attributes, nextcloud().Attributes) || !slices.Equal(got.Audience.Campuses, []string{"rives"}) {
			t.Errorf("%+v", got)
		}
		changed := nextcloud()
		changed.Audience.Campuses = []string{"elsewhere"}
		if err := h.module.EditService(ctx, alix, changed); err != nil {
			t.Fatal(err)
		}
		if w := h.get(loginURL(address)); w.Code != http.StatusForbidden {
			t.Errorf("after the change: %d", w.Code)
		}
		if err := h.module.DisableService(ctx, alix, "nextcloud", true); err != nil {
			t.Fatal(err)
		}
		if w := h.get(loginURL(address)); w.Code != http.StatusServiceUnavailable {
			t.Errorf("closed: %d", w.Code)
		}
		if err := h.module.DeleteService(ctx, alix, "nextcloud"); err != nil {
			t.Fatal(err)
		}
		if w := h.get(loginURL(address)); w.Code != http.StatusNotFound {
			t.Errorf("deleted: %d", w.Code)
		}
		if err := h.module.DeleteService(ctx, alix, "nextcloud"); !errors.Is(err, ServiceMissing) {
			t.Errorf("deleted twice: %v", err)
		}
		if err := h.module.DeleteService(ctx, alix, "moodle"); !errors.Is(err, ServiceReadOnly) {
			t.Errorf("a service of the configuration: %v", err)
		}
	})
}

func TestAnotherServersChangeIsSeenWithinSeconds(t *testing.T) {
	h := one(t)
	other := newHouse(t, h.db, h.clock)
	if _, err := other.module.services(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.module.AddService(t.Context(), campustest.Alix(), nextcloud()); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(lookAgain)
	x, err := other.module.services(t.Context())
	if err != nil || x.Get("nextcloud") == nil {
		t.Errorf("%v", err)
	}
}

func TestOnlyAdministratorsKeepTheRegistry(t *testing.T) {
	h := one(t)
	for _, v := range campustest.Everyone() {
		if v.Can(campus.RightAdmin) {
			continue
		}
		for name, err := range map[string]error{
			"add": h.module.AddService(t.Context(), v, nextcloud()), "edit": h.module.EditService(t.Context(), v, nextcloud()),
			"close": h.module.DisableService(t.Context(), v, "moodle", true), "delete": h.module.DeleteService(t.Context(), v, "moodle"),
		} {
			if !errors.Is(err, AdministratorsOnly) {
				t.Errorf("%s may %s: %v", v.Login, name, err)
			}
		}
		h.enter(v)
		if !v.SignedIn() {
			continue
		}
		for _, route := range h.server.Routes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			if !strings.HasPrefix(path, "/sso/") || strings.HasPrefix(path, logo.Path) || strings.HasPrefix(path, "/sso/consent") || path == farewellPath || path == "/sso/account" || strings.HasSuffix(path, "/trace") { // for all who sign in
				continue
			}
			path = strings.Replace(path, "{id}", "moodle", 1)
			w := h.get(path)
			if method == http.MethodPost {
				w = h.post(path, url.Values{})
			}
			if w.Code != http.StatusForbidden {
				t.Errorf("%s gets %d at %s", v.Login, w.Code, route.Pattern)
			}
		}
	}
}

func TestTheAdministratorsPagesDoTheSame(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	form := url.Values{
		"id": {"nextcloud"}, "name_fr": {"Nextcloud"}, "protocol": {"cas"}, "patterns": {"https://nuage.valmont.example\nhttps://*.nuage.valmont.example/x"},
		"attributes": {"mail", "displayName"}, "audience.kinds": {"student", "staff"}, "contact": {"nuage@valmont.example"}, "single_logout": {"on"}, "keywords": {"a, b"},
	}
	bad := url.Values{"id": {"Next cloud"}, "protocol": {"cas"}, "patterns": {"https://a@b/\nnuage*"}, "contact": {"nobody"}, "attributes": {"password"}, "name_fr": {"Mon nuage"}}
	w := h.post("/sso/services", bad)
	page := failure(w)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(page, "Mon nuage") || !strings.Contains(page, "https://a@b/") || strings.Contains(page, "⟦") {
		t.Errorf("%d %s", w.Code, page)
	}
	if w := h.post("/sso/services", form); w.Header().Get("Location") != "/sso/services/nextcloud" {
		t.Fatalf("%d %s", w.Code, failure(w))
	}
	if w := h.post("/sso/services", form); w.Code != http.StatusConflict {
		t.Errorf("the same id again: %d", w.Code)
	}
	x, err := h.module.services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := x.Get("nextcloud"); s == nil || len(s.Patterns) != 2 || len(s.Attributes) != 2 || s.NoSingleLogout || len(s.Keywords) != 2 || len(s.Audience.Kinds) != 2 {
		t.Fatalf("%+v", s)
	}
	form.Set("name_fr", "Nuage")
	form.Del("single_logout")
	if w := h.post("/sso/services/nextcloud", form); w.Header().Get("Location") != "/sso/services/nextcloud" {
		t.Fatalf("%d %s", w.Code, failure(w))
	}
	for _, path := range []string{
		"/sso/services", "/sso/services?q=nuage", "/sso/services?q=zzz", "/sso/services?page=99", "/sso/services/new?pattern=https://a.fr",
		"/sso/services/nextcloud", "/sso/services/nextcloud/edit", "/sso/services/nextcloud/delete", "/sso/services/moodle",
	} {
		w := h.get(path)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "⟦") || !strings.Contains(w.Body.String(), "<h1>") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if page := failure(h.get("/sso/services/nextcloud")); !strings.Contains(page, "Nuage") || !strings.Contains(page, "http://localhost:8080/cas/login") {
		t.Error(page)
	}
	for _, step := range []struct {
		path, to string
		code     int
	}{
		{"/sso/services/nextcloud/close", "/sso/services/nextcloud", 303}, {"/sso/services/nextcloud/open", "/sso/services/nextcloud", 303},
		{"/sso/services/nextcloud/delete", "/sso/services", 303}, {"/sso/services/nextcloud/delete", "", 404}, {"/sso/services/moodle/close", "", 409},
		{"/sso/services/moodle", "", 409},
	} {
		if w := h.post(step.path, url.Values{}); w.Code != step.code || w.Header().Get("Location") != step.to {
			t.Errorf("%s: %d %s", step.path, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestTheServicesPageExplainsIncidents(t *testing.T) {
	h := one(t)
	h.enter(lina())
	h.check("http://moodle.valmont.example/login/index.php?authCAS=CAS", h.ticketFor(moodle))
	h.get(loginURL("https://unknown.example/app?secret=1"))
	h.enter(campustest.Alix())
	page := failure(h.get("/sso/services/moodle"))
	for _, want := range []string{"The scheme differs", moodle, "http://moodle.valmont.example/login", "192.0.2.1", "sso.ticket_of_another"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	if list := failure(h.get("/sso/services")); !strings.Contains(list, "https://unknown.example") || strings.Contains(list, "secret=1") || !strings.Contains(list, "1 problem") {
		t.Error(list)
	}
	cards, err := h.module.Cards(h.context(campus.English), campustest.Alix())
	if err != nil || len(cards) != 1 || len(cards[0].Rows) != 1 || cards[0].Rows[0].Title != "Moodle" {
		t.Errorf("%+v, %v", cards, err)
	}
	if cards, err := h.module.Cards(h.context(campus.English), lina()); err != nil || len(cards) != 0 {
		t.Errorf("%+v, %v", cards, err)
	}
}

func TestTheCatalogueHoldsWhatThePersonMayOpen(t *testing.T) {
	h := one(t)
	names := func(v campus.Viewer) (names []string) {
		services, err := h.module.Services(h.context(campus.English), v)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range services {
			names = append(names, s.Name)
		}
		return names
	}
	if got := names(lina()); !slices.Equal(got, []string{"Moodle", "Library"}) {
		t.Errorf("a student sees %v", got)
	}
	if got := names(campustest.Paul()); !slices.Equal(got, []string{"Moodle"}) {
		t.Errorf("a teacher sees %v", got)
	}
	hits, err := h.module.Search(h.context(campus.English), campustest.Alix(), "biblio")
	if err != nil || len(hits) != 1 || hits[0].URL != "/sso/services/library" {
		t.Errorf("%+v, %v", hits, err)
	}
	if hits, err := h.module.Search(h.context(campus.English), lina(), "biblio"); err != nil || len(hits) != 0 {
		t.Errorf("%+v, %v", hits, err)
	}
	if len(h.module.Nav(h.context(campus.French), campustest.Alix())) != 1 || len(h.module.Nav(h.context(campus.French), lina())) != 0 {
		t.Error("the way to the registry is not for administrators alone")
	}
}

func TestAPersonGetsWhatWeHoldAboutThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		h.check(moodle, h.ticketFor(moodle))
		h.get("/cas/logout")
		h.clock.Advance(time.Second)
		var file bytes.Buffer
		archive := &contract.Archive{Create: func(string) (io.Writer, error) { return &file, nil }}
		if err := h.module.Export(t.Context(), lina().Person, archive); err != nil {
			t.Fatal(err)
		}
		if text := file.String(); strings.Count(text, `"moodle"`) != 3 || strings.Contains(text, "ST-") {
			t.Error(text)
		}
		for _, holding := range h.module.Holdings(h.context(campus.French)) {
			if strings.Contains(holding.What+holding.Why+holding.Basis+holding.Until, "⟦") {
				t.Errorf("%+v", holding)
			}
		}
	})
}
