package recovery

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
)

func TestThePagesOfAgentsAreForTheHelpDeskAlone(t *testing.T) {
	h := one(t)
	q := h.begin()
	routes := map[string][]string{
		"GET":  {"", "/new?person=p-lina", "/" + q.ID},
		"POST": {"", "/" + q.ID + "/approve", "/" + q.ID + "/refuse", "/" + q.ID + "/give"},
	}
	for name, v := range map[string]campus.Viewer{
		"an administrator": {Person: "p-x", Rights: []campus.Right{campus.RightAdmin}},
		"the secretariat":  {Person: "p-x", Rights: []campus.Right{campus.RightSecretariat}},
		"a student":        {Person: "p-x"},
		"a stranger":       {},
	} {
		h.viewer = v
		for method, paths := range routes {
			for _, path := range paths {
				status, _, location := h.do(method, "/identity/support/recoveries"+path, url.Values{"person": {"p-lina"}, "words": {"x"}, "documents": {"passport"}, "where": {"desk"}})
				if status != http.StatusForbidden && status != http.StatusUnauthorized && !strings.HasPrefix(location, "/login") {
					t.Errorf("%s: %s %s: %d", name, method, path, status)
				}
			}
		}
	}
	if now, _ := h.Request(t.Context(), q.ID); now.First.Given() || now.Ended != "" {
		t.Errorf("something was done: %+v", now)
	}
}

func TestOnlyAProvedPasswordAsksForOneself(t *testing.T) {
	h := one(t)
	h.viewer = campus.Viewer{}
	if status, body, _ := h.do("GET", "/identity/recovery", nil); status != http.StatusOK || strings.Contains(body, "<form method=\"post\" action=\"/identity/recovery\"") {
		t.Errorf("a stranger's ladder: %d", status)
	}
	if status, _, _ := h.do("POST", "/identity/recovery", url.Values{}); status != http.StatusUnauthorized {
		t.Errorf("a stranger asks: %d", status)
	}
	h.actor = entry.Actor{Person: h.lina, Attempt: "a", At: "K7F-3Q9", ProvedAt: h.clock.Now()}
	if _, body, _ := h.do("GET", "/identity/recovery", nil); !strings.Contains(body, `action="/identity/recovery"`) {
		t.Error("the ladder does not offer to ask")
	}
	for range 2 { // twice leads to the same one
		status, _, location := h.do("POST", "/identity/recovery", url.Values{"at": {"K7F-3Q9"}})
		if status != http.StatusSeeOther || !strings.HasPrefix(location, "/identity/recovery/") {
			t.Errorf("asking: %d %s", status, location)
		}
	}
	if len(h.letters) != 1 {
		t.Errorf("%d letters", len(h.letters))
	}
}

func TestEveryPageIsWordedInBothLanguages(t *testing.T) {
	missing := regexp.MustCompile(`⟦[^⟧]*⟧`)
	h := one(t)
	h.actor = entry.Actor{Person: h.lina, Attempt: "a", At: "K7F-3Q9", ProvedAt: h.clock.Now()}
	look := func(when string, paths ...string) {
		t.Helper()
		for _, l := range campus.Locales {
			h.viewer.Locale = l
			for _, path := range paths {
				status, body, _ := h.do("GET", path, nil)
				if status != http.StatusOK || missing.MatchString(body) || strings.Contains(body, "<no value>") {
					t.Errorf("%s, %s in %s: %d %v", when, path, l, status, missing.FindAllString(body, 3))
				}
			}
		}
	}
	q := h.begin()
	pages := []string{"/identity/recovery", h.FollowURL(q.ID), h.letters[0].URL, "/identity/support/recoveries", "/identity/support/recoveries/" + q.ID, "/identity/support/recoveries/new?person=p-lina"}
	look("asked for", pages...)
	h.must(h.approve(h.ana, q))
	look("vouched", pages...)
	h.viewer = h.bob
	look("vouched, for the other agent", pages...)
	h.must(h.approve(h.bob, q))
	look("waiting", pages...)
	h.clock.Advance(Defaults().Delay)
	look("ready", pages...)
	status, body, _ := h.do("POST", "/identity/support/recoveries/"+q.ID+"/give", url.Values{})
	link := regexp.MustCompile(`/identity/recovery/open/[\w-]+`).FindString(body)
	if status != http.StatusOK || link == "" || missing.MatchString(body) {
		t.Fatalf("giving: %d", status)
	}
	look("given", append(pages, link)...)
	h.must(h.Refuse(t.Context(), h.bob, q.ID, "<b>no document</b>", journal.Event{}))
	look("refused", pages...)
	if _, body, _ := h.do("GET", h.FollowURL(q.ID), nil); !strings.Contains(body, "&lt;b&gt;no document") {
		t.Error("the words of the refusal are not on the person's page, or not as text")
	}
	for _, form := range []url.Values{{}, {"documents": {"a forged one"}, "where": {"desk"}}, {"documents": {"passport"}, "where": {"moon"}}} {
		other := one(t)
		q := other.begin()
		if status, _, _ := other.do("POST", "/identity/support/recoveries/"+q.ID+"/approve", form); status != http.StatusUnprocessableEntity {
			t.Errorf("approving with %v: %d", form, status)
		}
	}
}
