package ui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// get asks for an asset as a browser does.
func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Assets().ServeHTTP(w, r)
	return w.Result()
}

func TestAssetsAreKeptForEverAndArriveCompressed(t *testing.T) {
	answer := get(t, Asset("amphi.css"), "Accept-Encoding", "br, gzip")
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the stylesheet came with status %d and encoding %q", answer.StatusCode, answer.Header.Get("Content-Encoding"))
	}
	if kept := answer.Header.Get("Cache-Control"); !strings.Contains(kept, "immutable") {
		t.Errorf("the stylesheet may be kept: %q", kept)
	}
	again := get(t, Asset("amphi.css"), "If-None-Match", answer.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again, it came with status %d", again.StatusCode)
	}
	if plain := get(t, Asset("amphi.css")); plain.Header.Get("Content-Encoding") != "" {
		t.Error("a client that takes no gzip got it all the same")
	}
	if missing := get(t, "/assets/amphi-000000000000.css"); missing.StatusCode != http.StatusNotFound {
		t.Errorf("an address that never was answers %d", missing.StatusCode)
	}
}

func TestEveryAddressInTheStylesheetIsServed(t *testing.T) {
	body, err := io.ReadAll(get(t, Asset("amphi.css")).Body)
	if err != nil {
		t.Fatal(err)
	}
	css := string(body)
	if strings.Contains(css, "asset(") || strings.Contains(css, "data:") {
		t.Error("the stylesheet holds an address that the browser cannot or may not read")
	}
	for _, part := range strings.Split(css, `url("`)[1:] {
		url, _, _ := strings.Cut(part, `"`)
		if answer := get(t, url); answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", url, answer.StatusCode)
		}
	}
}

func TestTheFirstVisitKeepsToItsBudget(t *testing.T) {
	for name, budget := range map[string]int{"css": 20 << 10, "js": 25 << 10, "woff2": 34 << 10} {
		total := 0
		for _, a := range built.byName {
			if strings.HasSuffix(a.url, "."+name) {
				sent := a.plain
				if a.zipped != nil {
					sent = a.zipped
				}
				total += len(sent)
			}
		}
		if total == 0 || total > budget {
			t.Errorf("%s takes %d bytes on the wire; the budget is %d", name, total, budget)
		}
	}
}
