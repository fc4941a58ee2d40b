package app

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
)

// BenchmarkHome draws a student's home page without the network: session, cards,
// services, news, notifications, templates. `go test -bench Home -cpuprofile`
// shows where its time goes.
func BenchmarkHome(b *testing.B) {
	h, server := openDemo(b)
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar}
	resp, err := c.PostForm(server.URL+"/login", url.Values{"username": {"student"}, "password": {"Amphi-demo-2026!"}})
	if err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
	base, _ := url.Parse(server.URL)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("GET", server.URL+"/", nil)
		for _, cookie := range jar.Cookies(base) {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		h.Web.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("status %d", w.Code)
		}
	}
}
