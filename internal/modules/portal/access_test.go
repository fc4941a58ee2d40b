package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
)

// TestEveryAddressLetsInWhomItShould walks every route as every face. A route
// that is not listed here fails the test.
func TestEveryAddressLetsInWhomItShould(t *testing.T) {
	const missing = "00000000-0000-7000-8000-000000000000"
	const (
		everybody  = "everybody"
		signedIn   = "signed in"
		publishers = "publishers"
	)
	doors := map[string]string{
		"GET /{$}": signedIn, "GET /search": signedIn,
		"GET /portal/services": signedIn, "GET /portal/services/{id}/open": signedIn,
		"POST /portal/services/{id}/pin": signedIn, "POST /portal/services/{id}/unpin": signedIn, "POST /portal/services/{id}/move": signedIn,
		"GET /portal/news": signedIn, "GET /portal/news.rss": everybody,
		"GET /portal/desk": publishers, "GET /portal/desk/new": publishers, "POST /portal/desk/new": publishers,
		"GET /portal/desk/{id}": publishers, "POST /portal/desk/{id}": publishers, "POST /portal/desk/{id}/steps/{step}": publishers,
		"GET /portal/desk/{id}/delete": publishers, "POST /portal/desk/{id}/delete": publishers,
		"GET /portal/notifications": signedIn, "POST /portal/notifications/read-all": signedIn,
		"GET /portal/notifications/{id}/open": signedIn, "POST /portal/notifications/{id}/mark": signedIn,
		"GET /portal/profile": signedIn, "POST /portal/preferences": signedIn,
		"GET /portal/help": everybody, "GET /portal/help/{id}": everybody, "GET /portal/accessibility": everybody,
		"POST /portal/language": everybody, "GET /language/{tag}": everybody,
		// These two decide by article; see the test of public news.
		"GET /portal/news/{id}": everybody, "GET /portal/news/pictures/{id}": everybody,
	}
	h := open(t)
	for _, route := range h.server.Routes() {
		door, known := doors[route.Pattern]
		if !known {
			t.Errorf("nobody said whom %s lets in", route.Pattern)
			continue
		}
		delete(doors, route.Pattern)
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = strings.NewReplacer("{$}", "", "{id}", missing, "{step}", "publish", "{tag}", "fr").Replace(path)
		for _, v := range campustest.Everyone() {
			var p *page
			if method == "GET" {
				p = h.as(v).get(path)
			} else {
				p = h.as(v).post(path, url.Values{})
			}
			refused := p.status == http.StatusUnauthorized || p.status == http.StatusForbidden || strings.HasPrefix(p.location, "/login")
			wanted := door == signedIn && !v.SignedIn() || door == publishers && !v.Can(campus.RightNews)
			if route.Pattern == "GET /portal/news/{id}" && !v.SignedIn() {
				wanted = true // a stranger is sent to the door from what is not public
			}
			if refused != wanted {
				t.Errorf("%s answers %d (%s) to %q", route.Pattern, p.status, p.location, v.Login)
			}
		}
	}
	for pattern := range doors {
		t.Errorf("there is no route %s", pattern)
	}
}

func TestAStrangerIsSentToTheDoorAndComesBack(t *testing.T) {
	h := open(t).as(campus.Viewer{})
	h.get("/").leadsTo("/login")
	h.get("/portal/services?q=x").leadsTo("/login?next=%2Fportal%2Fservices%3Fq%3Dx")
}

func TestAStrangerCannotTellWhichArticlesExist(t *testing.T) {
	h := open(t)
	public := h.article("public", func(c *news.Content) { c.Public = true })
	inside := h.article("inside", nil)
	h.as(campus.Viewer{})
	h.get("/portal/news/"+public).is(200).says("La bibliothèque ouvre", "Jusqu’à 23 h.")
	h.get("/portal/news/" + inside).leadsTo("/login?next=%2Fportal%2Fnews%2F" + inside)
	h.get("/portal/news/00000000-0000-7000-8000-000000000000").leadsTo("/login?next=%2Fportal%2Fnews%2F00000000-0000-7000-8000-000000000000")
	h.as(campustest.Lina()).get("/portal/news/" + inside).is(200)
}

func TestAnotherSiteCannotActInOnesName(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/portal/notifications/read-all", "/portal/services/sso.moodle/pin", "/portal/preferences", "/portal/language"} {
		r := newPost(path, url.Values{"language": {"en"}, "appearance": {"dark"}})
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		h.ask(r).is(http.StatusForbidden)
	}
	if len(h.chosen) != 0 {
		t.Errorf("another site chose %v", h.chosen)
	}
}
