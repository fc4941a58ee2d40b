package sso

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
)

// FuzzCASEndpoints looks for a query that breaks an answer or leads a browser to
// a place that is neither ours nor registered.
func FuzzCASEndpoints(f *testing.F) {
	for _, seed := range []string{
		"service=https%3A%2F%2Fmoodle.valmont.example%2F", "service=https://moodle.valmont.example@evil.example/&renew=1", "gateway=true&service=//evil",
		"service=https://moodle.valmont.example/&service=https://evil/", "service=%zz;x", "ticket=ST-a&service=b&format=JSON", "method=POST&service=http://localhost:1/",
		"url=https://evil.example/", "service=https://old.valmont.example/&asked=1.2", "%00=%0d%0a",
	} {
		f.Add(seed)
	}
	h := one(f)
	h.module.config.LoopTurns = 1 << 30
	paths := []string{"/cas/login", "/cas/logout", "/cas/validate", "/cas/serviceValidate", "/cas/p3/serviceValidate"}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range paths {
			h.enter(lina())
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			h.server.ServeHTTP(w, r)
			if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
				t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
			to := w.Header().Get("Location")
			if to == "" || strings.HasPrefix(to, "/login") || strings.HasPrefix(to, farewellPath) || to == "/" {
				continue
			}
			u, err := url.Parse(to)
			address, err2 := cas.ParseServiceURL(to)
			x, err3 := h.module.services(t.Context())
			if err != nil || err2 != nil || err3 != nil || u.User != nil || x.Match(address) == nil {
				t.Fatalf("%s?%s leads to %q (%v %v %v)", path, query, to, err, err2, err3)
			}
		}
	})
}
