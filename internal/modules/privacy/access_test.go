package privacy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
)

// TestEveryAddressLetsInWhomItShould walks every route as every face. A route that
// is not listed here fails the test.
func TestEveryAddressLetsInWhomItShould(t *testing.T) {
	const (
		signedIn = "signed in"
		officers = "officers"
	)
	doors := map[string]string{
		"GET /privacy": signedIn, "GET /privacy/export": signedIn, "POST /privacy/export": signedIn,
		"POST /privacy/export/{id}/file": signedIn, "POST /privacy/export/{id}/delete": signedIn,
		"GET /privacy/requests/new": signedIn, "POST /privacy/requests": signedIn, "GET /privacy/requests/{id}": signedIn,
		"POST /privacy/requests/{id}/reply": signedIn, "POST /privacy/requests/{id}/withdraw": signedIn,
		"GET /privacy/desk": officers, "GET /privacy/desk/{id}": officers, "POST /privacy/desk/{id}/take": officers, "POST /privacy/desk/{id}/ask": officers,
		"POST /privacy/desk/{id}/extend": officers, "POST /privacy/desk/{id}/answer": officers,
		"GET /privacy/desk/{id}/decide": officers, "POST /privacy/desk/{id}/decide": officers, "POST /privacy/desk/{id}/erase": officers,
		"GET /privacy/due": officers, "GET /privacy/due/{id}": officers, "POST /privacy/due/{id}/let": officers, "POST /privacy/due/{id}/dismiss": officers,
		"GET /privacy/holds": officers, "POST /privacy/holds": officers, "POST /privacy/holds/{id}/lift": officers,
		"GET /privacy/looks": officers, "GET /privacy/proofs": officers, "GET /privacy/register": officers, "GET /privacy/register.csv": officers, "GET /privacy/register.json": officers,
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
		path = strings.ReplaceAll(path, "{id}", "00000000-0000-7000-8000-000000000000")
		for _, v := range append(campustest.Everyone(), officer()) {
			var p *page
			if method == "GET" {
				p = h.as(v).get(path)
			} else {
				p = h.as(v).post(path, url.Values{})
			}
			refused := p.status == http.StatusUnauthorized || p.status == http.StatusForbidden || strings.HasPrefix(p.location, "/login")
			if wanted := !v.SignedIn() || door == officers && !v.Can(campus.RightPrivacy); refused != wanted {
				t.Errorf("%s answers %d (%s) to %q", route.Pattern, p.status, p.location, v.Login)
			}
		}
	}
	for pattern := range doors {
		t.Errorf("there is no route %s", pattern)
	}
}

func TestNobodyReachesTheCopyOfSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		copied := h.copyOf(campustest.Lina())
		for _, v := range append(campustest.Everyone(), officer()) {
			if v.Person == campustest.Lina().Person || !v.SignedIn() {
				continue
			}
			h.as(v).post("/privacy/export/"+copied+"/file", nil).is(http.StatusNotFound)
			h.post("/privacy/export/"+copied+"/delete", nil).is(http.StatusNotFound)
		}
		if p := h.as(campustest.Lina()).post("/privacy/export/"+copied+"/file", nil); p.status != http.StatusOK || !strings.HasPrefix(p.body, "PK") {
			t.Errorf("the owner gets %d", p.status)
		}
	})
}

func TestNobodyDecidesAboutThemselves(t *testing.T) {
	h := open(t)
	h.as(officer()).post("/privacy/requests", url.Values{"kind": {privacy.Erasure}, "words": {"Effacez mes traces."}}).is(303)
	own := "/privacy/desk/" + h.text("SELECT id FROM privacy_requests")
	for _, act := range []string{"/take", "/ask", "/extend", "/answer", "/decide", "/erase"} {
		h.post(own+act, url.Values{"question": {"?"}, "why": {"x"}, "state": {privacy.Done}, "answer": {"x"}, "login": {officer().Login}}).is(403).says("privacy.own_case")
	}
	h.get(own + "/decide").is(403)
	h.post("/privacy/holds", url.Values{"login": {officer().Login}, "reason": {"Enquête"}}).is(303)
	h.post("/privacy/holds/"+h.text("SELECT id FROM privacy_holds")+"/lift", nil).is(403).says("privacy.own_case")
}

func TestNobodyReadsOrAnswersTheRequestOfSomebodyElse(t *testing.T) {
	h := open(t)
	request, err := h.privacy.Ask(t.Context(), campustest.Lina().Person, privacy.Erasure, "Tout ce qui peut l’être")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range append(campustest.Everyone(), officer()) {
		if v.Person == campustest.Lina().Person || !v.SignedIn() {
			continue
		}
		h.as(v).get("/privacy/requests/" + request).is(http.StatusNotFound)
		h.post("/privacy/requests/"+request+"/reply", url.Values{"words": {"Oui"}}).is(http.StatusNotFound)
		h.post("/privacy/requests/"+request+"/withdraw", nil).is(http.StatusNotFound)
	}
	h.as(campustest.Lina()).get("/privacy/requests/"+request).is(http.StatusOK).says("En cours", "Tout ce qui peut l’être")
}

func TestACopyIsAskedForAndTakenWithAFreshProofOnly(t *testing.T) {
	h := open(t)
	copied := h.copyOf(campustest.Lina())
	h.proved = false
	for _, path := range []string{"/privacy/export", "/privacy/export/" + copied + "/file"} {
		if p := h.post(path, nil); p.location != "/login/factor" {
			t.Errorf("%s answers %d to %q", path, p.status, p.location)
		}
	}
	if n := h.count("SELECT COUNT(*) FROM privacy_exports"); n != 1 {
		t.Errorf("%d copies were asked for", n)
	}
}

func TestAnotherSiteCannotAskInOnesName(t *testing.T) {
	h := open(t)
	for path, form := range map[string]url.Values{"/privacy/export": nil, "/privacy/requests": {"kind": {"erasure"}, "words": {"Tout"}}} {
		r := newPost(path, form)
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		h.ask(r).is(http.StatusForbidden)
	}
	if n := h.count("SELECT COUNT(*) FROM privacy_exports") + h.count("SELECT COUNT(*) FROM privacy_requests"); n != 0 {
		t.Errorf("another site asked for %d things", n)
	}
}
