package casserver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
)

// FuzzEndpoints looks for a query that breaks an answer or leads a browser to
// a place that is neither ours nor registered.
func FuzzEndpoints(f *testing.F) {
	for _, seed := range []string{
		"service=https%3A%2F%2Fmoodle.valmont.example%2F", "service=https://moodle.valmont.example@evil.example/&renew=1", "gateway=true&service=//evil",
		"service=https://moodle.valmont.example/&service=https://evil/", "service=%zz;x", "ticket=ST-a&service=b&format=JSON", "method=POST&service=http://localhost:1/",
		"pgtUrl=https://evil.example/&service=https://moodle.valmont.example/&ticket=ST-a", "pgt=PGT-a&targetService=https://bu.valmont.example/",
		"TARGET=https://moodle.valmont.example/&warn=1", "TARGET=https://evil.example/", "url=https://evil.example/", "service=https://old.valmont.example/&asked=1.2", "%00=%0d%0a",
	} {
		f.Add(seed)
	}
	h := one(f)
	paths := []string{
		"/cas/login", "/cas/logout", "/cas/validate", "/cas/serviceValidate", "/cas/p3/serviceValidate", "/cas/proxyValidate", "/cas/p3/proxyValidate",
		"/cas/proxy", "/cas/samlValidate",
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range paths {
			h.enter(lina())
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				h.try(t, method, path, query)
			}
		}
	})
}

// try asks an address of the protocol with a query, and with the same in a body.
func (h *house) try(t *testing.T, method, path, query string) {
	r := httptest.NewRequest(method, path, strings.NewReader(query))
	r.URL.RawQuery = query
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
		t.Fatalf("%s %s?%s: %d %s", method, path, query, w.Code, w.Body)
	}
	to := w.Header().Get("Location")
	if to == "" || strings.HasPrefix(to, "/login") || strings.HasPrefix(to, "/bye") || to == "/" {
		return
	}
	u, err := url.Parse(to)
	address, err2 := cas.ParseServiceURL(to)
	x, err3 := h.gate.Registry(t.Context())
	if err != nil || err2 != nil || err3 != nil || u.User != nil || x.Match(address) == nil {
		t.Fatalf("%s %s?%s leads to %q (%v %v %v)", method, path, query, to, err, err2, err3)
	}
}

func TestAMegabyteIsRefusedInTheWordsOfEachEndpoint(t *testing.T) {
	h := one(t)
	h.enter(lina())
	for path, want := range map[string]string{
		"/cas/login": "platform.body_too_large", "/cas/logout": "platform.body_too_large", "/cas/validate": "no\n",
		"/cas/serviceValidate": "INVALID_REQUEST", "/cas/p3/proxyValidate": "INVALID_REQUEST", "/cas/proxy": "INVALID_REQUEST",
	} {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("service="+strings.Repeat("a", 1<<20)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if w := h.ask(r); w.Code >= 500 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %.300s", path, w.Code, w.Body)
		}
		long := httptest.NewRequest(http.MethodGet, path+"?service=https://moodle.valmont.example/"+strings.Repeat("a", 1<<20), nil)
		if w := h.ask(long); w.Code >= 500 || w.Header().Get("Location") != "" && path != "/cas/logout" {
			t.Errorf("%s with a long address: %d %.300s", path, w.Code, w.Body)
		}
	}
}
