package apache_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/apache"
	"github.com/amphi-campus/amphi/e2e/browser"
)

func TestMain(m *testing.M) { os.Exit(browser.Run(m)) }

// smallCAS is the least that mod_auth_cas takes for a CAS server: everybody is
// zoe. It remembers the last ticket, to be able to sign out.
type smallCAS struct {
	mu      sync.Mutex
	ticket  string
	service string
}

func (c *smallCAS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/cas/login":
		c.service = r.FormValue("service")
		c.ticket = "ST-1-small"
		http.Redirect(w, r, c.service+"?ticket="+c.ticket, http.StatusSeeOther)
	case "/cas/p3/serviceValidate":
		if r.FormValue("ticket") != c.ticket || r.FormValue("service") != c.service {
			fmt.Fprint(w, `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure></cas:serviceResponse>`)
			return
		}
		fmt.Fprint(w, `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>zoe</cas:user><cas:attributes><cas:mail>zoe@valmont.example</cas:mail></cas:attributes></cas:authenticationSuccess></cas:serviceResponse>`)
	default:
		http.NotFound(w, r)
	}
}

// once is a client that follows no redirect.
var once = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *smallCAS) signOut(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	ticket, service := c.ticket, c.service
	c.ticket = "" // from here on nobody gets a ticket that is worth anything
	c.mu.Unlock()
	message := `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="LR-1" Version="2.0" IssueInstant="2026-11-22T10:00:00Z"><saml:NameID>zoe</saml:NameID><samlp:SessionIndex>` + ticket + `</samlp:SessionIndex></samlp:LogoutRequest>`
	answer, err := once.PostForm(service, url.Values{"logoutRequest": {message}})
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestApacheSendsPeopleToCASAndForgetsThemAtSignOut(t *testing.T) {
	cas := &smallCAS{}
	server := httptest.NewServer(cas)
	t.Cleanup(server.Close)
	site := apache.Start(t, server.URL+"/cas")

	tab := browser.Shared(t).Tab(t, site.URL, browser.Desk)
	tab.Visit("/open/")
	tab.Sees("Signed in as (none)")
	tab.Visit("/secret/")
	tab.Heading("A protected page")
	tab.Sees("Signed in as zoe", "HTTP_CAS_MAIL=zoe@valmont.example")

	cas.signOut(t)
	answer, err := once.Do(withCookies(t, tab, site.Protected()))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if where := answer.Header.Get("Location"); !strings.HasPrefix(where, server.URL+"/cas/login?") {
		t.Errorf("after the sign-out Apache should ask for a new sign-in, it answered %s to %q", answer.Status, where)
	}
}

// withCookies asks for a page as the tab would.
func withCookies(t *testing.T, tab *browser.Tab, address string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range tab.Cookies() {
		request.AddCookie(cookie)
	}
	return request
}
