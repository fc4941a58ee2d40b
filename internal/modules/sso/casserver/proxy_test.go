package casserver

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// proxy is a service that opens others on behalf of people.
type proxy struct {
	*httptest.Server
	mu     sync.Mutex
	grants map[string]string // by IOU
}

// newProxy starts a proxy and registers it.
func newProxy(t *testing.T, h *house, start func(http.Handler) *httptest.Server, status int, mayOpen ...string) *proxy {
	t.Helper()
	p := &proxy{grants: map[string]string{}}
	p.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.grants[r.FormValue("pgtIou")] = r.FormValue("pgtId")
		p.mu.Unlock()
		if status >= 300 && status < 400 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(p.Close)
	h.gate.register(registry.Service{ID: "webmail", NameEnglish: "Webmail", Patterns: []string{p.URL}, CAS: registry.CASService{ProxyTo: mayOpen}})
	return p
}

func (p *proxy) callback() string { return p.URL + "/callback?keep=1" }

// grant is what an answer's IOU stands for.
func (p *proxy) grant(t *testing.T, said string) string {
	t.Helper()
	iou := element(said, "proxyGrantingTicket")
	p.mu.Lock()
	defer p.mu.Unlock()
	if !strings.HasPrefix(iou, "PGTIOU-") || !strings.HasPrefix(p.grants[iou], "PGT-") {
		t.Fatalf("no proxy-granting ticket for %q: %s", iou, said)
	}
	return p.grants[iou]
}

// element is the text of an element of an answer.
func element(said, name string) string {
	if m := regexp.MustCompile(`<cas:` + name + `>([^<]*)<`).FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}

func TestAServiceOpensAnotherOneOnBehalfOfSomebodyWhileTheirSessionLasts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := newProxy(t, h, httptest.NewServer, http.StatusOK, "library", "moodle")
		h.enter(lina())
		said := h.check(p.URL+"/", h.ticketFor(p.URL+"/"), "pgtUrl", p.callback())
		grant := p.grant(t, said)

		proxied := element(h.askAt("/cas/proxy", "pgt", grant, "targetService", library), "proxyTicket")
		if !strings.HasPrefix(proxied, "PT-") || len(proxied) > cas.MaxTicket {
			t.Fatalf("proxy ticket %q", proxied)
		}
		if said := h.check(library, proxied); !strings.Contains(said, "INVALID_TICKET_SPEC") {
			t.Errorf("serviceValidate took a proxy ticket: %s", said)
		}
		said = h.askAt("/cas/p3/proxyValidate", "service", library, "ticket", proxied)
		if element(said, "user") != "lmartin" || element(said, "proxy") != p.callback() || element(said, "isFromNewLogin") != "false" {
			t.Error(said)
		}
		if said := h.askAt("/cas/proxyValidate", "service", library, "ticket", proxied); !strings.Contains(said, `code="INVALID_TICKET"`) {
			t.Errorf("a proxy ticket worked twice: %s", said)
		}
		if said := h.askAt("/cas/proxyValidate", "service", library, "ticket", h.ticketFor(library)); element(said, "user") != "lmartin" || strings.Contains(said, "proxies") {
			t.Errorf("proxyValidate of a service ticket: %s", said)
		}
		// JSON, and a proxy ticket that is shown for another service.
		asked := h.askAt("/cas/proxy", "pgt", grant, "targetService", moodle, "format", "JSON")
		if !strings.Contains(asked, `"proxySuccess"`) {
			t.Error(asked)
		}
		second := regexp.MustCompile(`PT-[a-z0-9]+`).FindString(asked)
		if said := h.askAt("/cas/proxyValidate", "service", library, "ticket", second); !strings.Contains(said, `code="INVALID_SERVICE"`) {
			t.Errorf("service confusion: %s", said)
		}
		// Nobody is sent round in circles by what no browser carries.
		for range 5 {
			h.askAt("/cas/proxy", "pgt", grant, "targetService", moodle)
		}
		h.ticketFor(moodle)

		open := element(h.askAt("/cas/proxy", "pgt", grant, "targetService", library), "proxyTicket")
		h.endSession(lina().Session)
		if said := h.askAt("/cas/proxyValidate", "service", library, "ticket", open); !strings.Contains(said, "session of this ticket has ended") {
			t.Error(said)
		}
		if said := h.askAt("/cas/proxy", "pgt", grant, "targetService", library); !strings.Contains(said, `code="BAD_PGT"`) {
			t.Errorf("the grant outlived its session: %s", said)
		}
	})
}

func TestProxiesThatStandBehindEachOtherAreAllNamed(t *testing.T) {
	h := one(t)
	p := newProxy(t, h, httptest.NewServer, http.StatusOK, registry.AnyService)
	h.enter(lina())
	first := p.grant(t, h.check(p.URL+"/a", h.ticketFor(p.URL+"/a"), "pgtUrl", p.URL+"/first"))
	proxied := element(h.askAt("/cas/proxy", "pgt", first, "targetService", p.URL+"/b"), "proxyTicket")
	said := h.askAt("/cas/proxyValidate", "service", p.URL+"/b", "ticket", proxied, "pgtUrl", p.URL+"/second")
	second := p.grant(t, said)
	proxied = element(h.askAt("/cas/proxy", "pgt", second, "targetService", library), "proxyTicket")
	said = h.askAt("/cas/p3/proxyValidate", "service", library, "ticket", proxied)
	if !regexp.MustCompile(`(?s)<cas:proxy>` + p.URL + `/second</cas:proxy>\s*<cas:proxy>` + p.URL + `/first</cas:proxy>`).MatchString(said) {
		t.Errorf("the last proxy comes first: %s", said)
	}
}

func TestAProxyOpensOnlyWhatItMay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := newProxy(t, h, httptest.NewServer, http.StatusOK, "library", "closed", "strict", "guarded", "asks")
		h.gate.register(
			registry.Service{ID: "closed", Disabled: true, Patterns: []string{"https://old.valmont.example"}},
			registry.Service{ID: "strict", Factor: registry.FactorSession, Patterns: []string{"https://strict.valmont.example"}},
			registry.Service{ID: "guarded", Patterns: []string{"https://guarded.valmont.example"}},
			registry.Service{ID: "asks", Consent: true, Patterns: []string{"https://asks.valmont.example"}},
		)
		h.gate.banned = []string{"library"}
		h.enter(lina())
		grant := p.grant(t, h.check(p.URL+"/", h.ticketFor(p.URL+"/"), "pgtUrl", p.callback()))
		for name, c := range map[string]struct {
			grant, target string
			code          cas.Code
		}{
			"not named in its entry":           {grant, moodle, cas.UnauthorizedService},
			"not for this person":              {grant, library, cas.UnauthorizedService},
			"closed":                           {grant, "https://old.valmont.example/", cas.UnauthorizedService},
			"that the policy guards":           {grant, "https://guarded.valmont.example/", cas.UnauthorizedService},
			"that asks for a second factor":    {grant, "https://strict.valmont.example/", cas.UnauthorizedService},
			"that asks for a consent":          {grant, "https://asks.valmont.example/", cas.UnauthorizedService},
			"not registered":                   {grant, "https://evil.example/", cas.UnauthorizedService},
			"that is no address":               {grant, "imap://mail", cas.UnauthorizedService},
			"with a grant of its invention":    {cas.GrantTicket.New(), library, cas.BadPGT},
			"with a service ticket as a grant": {cas.ServiceTicket.New(), library, cas.BadPGT},
			"with nothing":                     {"", library, cas.InvalidRequest},
			"with a grant and no target":       {grant, "", cas.InvalidRequest},
		} {
			if said := h.askAt("/cas/proxy", "pgt", c.grant, "targetService", c.target); !strings.Contains(said, `code="`+string(c.code)+`"`) || strings.Contains(said, "PT-") {
				t.Errorf("%s: %s", name, said)
			}
		}
	})
}

func TestACallbackIsCalledOnlyWhereItBelongs(t *testing.T) {
	for name, c := range map[string]struct {
		start    func(http.Handler) *httptest.Server
		status   int
		may      []string
		callback func(p *proxy) string
		want     string // in the answer
		called   bool
	}{
		"a service that is no proxy":               {httptest.NewServer, 200, nil, (*proxy).callback, `code="UNAUTHORIZED_SERVICE_PROXY"`, false},
		"the address of another service":           {httptest.NewServer, 200, []string{"library"}, func(*proxy) string { return moodle }, `code="INVALID_PROXY_CALLBACK"`, false},
		"an address inside our network":            {httptest.NewServer, 200, []string{"library"}, func(*proxy) string { return "http://169.254.169.254/" }, `code="INVALID_PROXY_CALLBACK"`, false},
		"another port of the same machine":         {httptest.NewServer, 200, []string{"library"}, func(*proxy) string { return "http://127.0.0.1:1/" }, `code="INVALID_PROXY_CALLBACK"`, false},
		"a name before the host":                   {httptest.NewServer, 200, []string{"library"}, func(p *proxy) string { return strings.Replace(p.URL, "://", "://x@", 1) }, `code="INVALID_PROXY_CALLBACK"`, false},
		"another scheme":                           {httptest.NewServer, 200, []string{"library"}, func(*proxy) string { return "file:///etc/passwd" }, `code="INVALID_PROXY_CALLBACK"`, false},
		"one that refuses":                         {httptest.NewServer, 403, []string{"library"}, (*proxy).callback, "authenticationSuccess", true},
		"one that leads elsewhere":                 {httptest.NewServer, 302, []string{"library"}, (*proxy).callback, "authenticationSuccess", true},
		"one whose certificate nobody vouches for": {httptest.NewTLSServer, 200, []string{"library"}, (*proxy).callback, "authenticationSuccess", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			p := newProxy(t, h, c.start, c.status, c.may...)
			h.enter(lina())
			said := h.check(p.URL+"/", h.ticketFor(p.URL+"/"), "pgtUrl", c.callback(p))
			if !strings.Contains(said, c.want) || strings.Contains(said, "PGTIOU") {
				t.Error(said)
			}
			if called := len(p.grants); called > 1 || called == 1 != c.called {
				t.Errorf("called back %d times", called)
			}
			noted := h.gate.noted("webmail")
			if len(noted) != 1 || !strings.HasPrefix(noted[0].Reason.Code(), "sso.cas_") || strings.Contains(noted[0].Expected+noted[0].Received, "PGT-") {
				t.Errorf("%+v", noted)
			}
		})
	}
}

func TestAServiceThatAProxyOpenedIsToldOfTheSignOutWithItsTicket(t *testing.T) {
	h := one(t)
	told := make(chan string, 1)
	opened := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.FormValue("logoutRequest") }))
	t.Cleanup(opened.Close)
	h.gate.register(registry.Service{ID: "opened", Patterns: []string{opened.URL}})
	p := newProxy(t, h, httptest.NewServer, http.StatusOK, registry.AnyService)
	h.enter(lina())
	grant := p.grant(t, h.check(p.URL+"/", h.ticketFor(p.URL+"/"), "pgtUrl", p.callback()))
	proxied := element(h.askAt("/cas/proxy", "pgt", grant, "targetService", opened.URL+"/"), "proxyTicket")
	h.askAt("/cas/proxyValidate", "service", opened.URL+"/", "ticket", proxied)
	h.endSession(lina().Session)
	logouts, err := h.Answers.Logouts(t.Context(), lina().Session)
	i := slices.IndexFunc(logouts, func(l answer.Logout) bool { return l.Service == "opened" })
	if err != nil || i < 0 {
		t.Fatalf("nobody will tell it: %+v, %v", logouts, err)
	}
	if state, _, err := h.Close(t.Context(), nil, logouts[i]); err != nil || state != answer.Told {
		t.Errorf("%s, %v", state, err)
	}
	if message := <-told; !strings.Contains(message, "<samlp:SessionIndex>"+proxied+"</samlp:SessionIndex>") {
		t.Error(message)
	}
}
