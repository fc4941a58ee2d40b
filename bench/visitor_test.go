package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// door plays the pages that the benchmark walks through. The first asks let a
// visitor wait.
func door(t *testing.T, waits int) *visitor {
	t.Helper()
	asked := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("username") != demoLogin || r.FormValue("password") != demoPassword {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		http.Redirect(w, r, "/login/waiting", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /login/waiting", func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked <= waits {
			w.Header().Set("Refresh", "0; url=/login/waiting")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: "secret"})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /cas/login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("service")+"?ticket=ST-1", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /cas/serviceValidate", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("ticket") != "ST-1" || len(r.Cookies()) > 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>student</cas:user></cas:authenticationSuccess></cas:serviceResponse>`)
	})
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `<!doctype html><link rel="stylesheet" href="/a.css"><link rel="icon" href="/favicon.svg"><script src="/a.js"></script><img src="/late.jpg" loading="lazy"><img src="/a.jpg">`)
	})
	mux.HandleFunc("GET /a.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, strings.Repeat("/* calm */", 1000)+`@font-face{src:url(f.woff2)}`)
		if err := z.Close(); err != nil {
			t.Error(err)
		}
	})
	for path, size := range map[string]int{"/a.js": 70, "/a.jpg": 300, "/f.woff2": 500} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x", size)) })
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return newVisitor(newClient(), s.URL)
}

func TestAVisitorIsFollowedThroughTheWaitingPage(t *testing.T) {
	v := door(t, 2)
	waited, err := v.signIn(t.Context())
	if err != nil || !waited || v.cookies[sessionCookie] != "secret" {
		t.Errorf("waited: %v, cookies: %v, error: %v", waited, v.cookies, err)
	}
}

func TestACASSignInIsValidatedWithoutTheVisitorsCookies(t *testing.T) {
	v := door(t, 0)
	v.cookies[sessionCookie] = "secret"
	if err := casSignIn(t.Context(), v); err != nil {
		t.Error(err)
	}
}

func TestAPageWeighsWhatABrowserLoads(t *testing.T) {
	w, err := weigh(t.Context(), door(t, 0), "/page")
	if err != nil {
		t.Fatal(err)
	}
	if w.js != 70 || w.font != 500 || w.pictures != 300 || w.html == 0 || w.css == 0 || w.css > 200 {
		t.Errorf("weights are %+v", w)
	}
}

func TestTheRefreshHeaderIsObeyedWithinReason(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"2; url=/login/waiting": 2 * time.Second,
		"0.5":                   500 * time.Millisecond,
		"never":                 2 * time.Second,
		"99999; url=/":          2 * time.Second,
	} {
		if got := refreshAfter(header); got != want {
			t.Errorf("%q means %s, want %s", header, got, want)
		}
	}
}

func TestTheReportSaysWhatWasMissed(t *testing.T) {
	r := &report{rows: []row{
		{what: "one", aim: "much", figure: "little", verdict: missed},
		{what: "two | three", figure: "4", verdict: reached},
	}}
	page := string(r.markdown())
	for _, want := range []string{"| one | little | – | much | **missed** |", `| two \| three | 4 | – | – | reached |`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestThousandsAreGrouped(t *testing.T) {
	for n, want := range map[int]string{7: "7", 1000: "1,000", 10_000: "10,000", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
