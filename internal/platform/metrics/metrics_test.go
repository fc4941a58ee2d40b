package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func scrape(t *testing.T, r *Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func newRegistry(t *testing.T) *Registry {
	t.Helper()
	r, err := New("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRequestsAreTimedByRouteMethodAndStatusClass(t *testing.T) {
	r := newRegistry(t)
	r.Observe(http.MethodGet, "GET /portal/news/{id}", 200, 3*time.Millisecond)
	r.Observe(http.MethodGet, "GET /portal/news/{id}", 204, 3*time.Millisecond)
	r.Observe("BREW\n", "", 404, time.Millisecond)
	text := scrape(t, r)
	for _, want := range []string{
		`amphi_http_request_duration_seconds_count{method="GET",route="GET /portal/news/{id}",status="2xx"} 2`,
		`amphi_http_request_duration_seconds_count{method="OTHER",route="none",status="4xx"} 1`,
		`amphi_build_info{version="1.2.3"} 1`, "go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
}

func TestARoomMeasuresUnderItsOwnName(t *testing.T) {
	r := newRegistry(t)
	room := r.Room("helpdesk")
	opened, err := room.Counter("tickets_opened", "Requests opened.", "campus")
	if err != nil {
		t.Fatal(err)
	}
	opened("north")
	took, err := room.Duration("reply", "How long a reply took.")
	if err != nil {
		t.Fatal(err)
	}
	took(time.Second)
	if err := room.Gauge("waiting", "Requests that wait.", func() float64 { return 7 }); err != nil {
		t.Fatal(err)
	}
	text := scrape(t, r)
	for _, want := range []string{`amphi_helpdesk_tickets_opened_total{campus="north"} 1`, "amphi_helpdesk_reply_seconds_count 1", "amphi_helpdesk_waiting 7"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if err := room.Gauge("waiting", "Twice.", func() float64 { return 0 }); err == nil {
		t.Error("the same name was taken twice")
	}
}
