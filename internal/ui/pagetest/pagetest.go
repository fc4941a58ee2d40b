// Package pagetest serves the pages of a room or an alcove to its tests, and asks for
// them as a browser does.
package pagetest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// Serve puts pages behind a real server, in English, for whoever viewer names at
// each request.
func Serve(t testing.TB, now clock.Clock, texts *i18n.Catalogue, viewer func() campus.Viewer, routes func(*web.Router)) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{
		BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: now, Texts: texts, Language: campus.English,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return viewer(), nil },
		Prepare: func(_ http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI()})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
	})
	routes(s.Router("test"))
	server.Config.Handler = s
	return server
}

// Still is a browser that keeps cookies and follows no redirect.
func Still() *http.Client {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Form is a form of names and their values in turn.
func Form(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// Ask sends a request and reads the answer. A form that is nil is not sent;
// headers are names and values in turn.
func Ask(t testing.TB, c *http.Client, method, address string, form url.Values, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}
