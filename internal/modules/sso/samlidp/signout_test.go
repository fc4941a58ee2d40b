package samlidp

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// signedIn is somebody's session at the service.
func (h *house) signedIn() *saml.Assertion {
	h.t.Helper()
	_, a, _ := h.nameOf(nil)
	return a
}

// leaving is a LogoutRequest of the service about an assertion.
func (h *house) leaving(a *saml.Assertion, to string) *saml.LogoutRequest {
	return &saml.LogoutRequest{
		ID: saml.NewID(), IssueInstant: h.clock.Now(), Destination: to, Issuer: spID, NotOnOrAfter: h.clock.Now().Add(5 * time.Minute),
		NameID: *a.Subject.NameID, SessionIndexes: []string{a.Statements[0].SessionIndex},
	}
}

func (h *house) leave(q *saml.LogoutRequest, by *saml.Credential) string {
	h.t.Helper()
	address, err := saml.RedirectURL(home+logoutPath, saml.Request, q.Element(), "back", by)
	if err != nil {
		h.t.Fatal(err)
	}
	return address
}

// logoutAnswer reads the LogoutResponse that a browser is sent away with.
func (h *house) logoutAnswer(w *httptest.ResponseRecorder) (*saml.LogoutResponse, string) {
	h.t.Helper()
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || !strings.HasPrefix(to.String(), spLogout+"?") {
		h.t.Fatalf("led to %q %d %s", w.Header().Get("Location"), w.Code, text(w.Body.String()))
	}
	in, err := saml.ReadRedirect(to.RawQuery)
	if err != nil {
		h.t.Fatal(err)
	}
	el, _, err := in.Verify([]saml.PublicKey{h.key("ours").Public()}, saml.Policy{})
	if err != nil {
		h.t.Fatal(err)
	}
	said, err := saml.ParseLogoutResponse(el)
	if err != nil {
		h.t.Fatal(err)
	}
	return said, in.RelayState
}

func TestAServiceSignsSomebodyOutByTheirBrowser(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.signedIn()
		q := h.leaving(a, home+logoutPath)
		b := h.browser()
		address := h.leave(q, h.key("sp"))
		said, relay := h.logoutAnswer(b.follow(b.get(address)))
		if !said.Status.OK() || said.Status.Second != "" || said.InResponseTo != q.ID || said.Destination != spLogout || relay != "back" {
			t.Errorf("answered %+v %q", said, relay)
		}
		if !slices.Equal(h.ended, []string{"session-1"}) {
			t.Errorf("ended %v", h.ended)
		}
		h.stopped(b.follow(b.get(address)), "sso.saml_logout_gone")
		if len(h.ended) != 1 {
			t.Error("a replay ended a session")
		}
		// Its own session is over: when ours ends, it is not told.
		state, said2, err := h.Close(t.Context(), &h.services[0], h.logoutOf(a))
		if err != nil || state != answer.Skipped || said2 != answer.ByService {
			t.Errorf("told %s %s %v", state, said2, err)
		}
	})
}

func (h *house) logoutOf(a *saml.Assertion) answer.Logout {
	h.t.Helper()
	kept, err := h.Answers.Find(h.t.Context(), a.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer.Logout{
		ID: kept.ID, Protocol: kept.Protocol, Service: kept.Service, Address: kept.Address, Handle: kept.Handle, Detail: kept.Detail,
		Session: kept.Session, Person: kept.Person,
	}
}

func TestSignOutsAreRefusedThatAnybodyCouldHaveMade(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(q *saml.LogoutRequest)
		by   string
		code string
	}{
		"unsigned":            {code: "sso.saml_signature_missing"},
		"by somebody else":    {by: "somebody else", code: "sso.saml_signature_wrong"},
		"for another address": {edit: func(q *saml.LogoutRequest) { q.Destination = "https://other.example/" }, by: "sp", code: "sso.saml_destination_wrong"},
		"old":                 {edit: func(q *saml.LogoutRequest) { q.IssueInstant = start.Add(-time.Hour) }, by: "sp", code: "sso.saml_clock_behind"},
		"past its own end":    {edit: func(q *saml.LogoutRequest) { q.NotOnOrAfter = start.Add(-3 * time.Minute) }, by: "sp", code: "sso.saml_clock_behind"},
		"from the future":     {edit: func(q *saml.LogoutRequest) { q.IssueInstant = start.Add(time.Hour) }, by: "sp", code: "sso.saml_clock_ahead"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			q := h.leaving(h.signedIn(), home+logoutPath)
			if c.edit != nil {
				c.edit(q)
			}
			var by *saml.Credential
			if c.by != "" {
				by = h.key(c.by)
			}
			b := h.browser()
			h.stopped(b.follow(b.get(h.leave(q, by))), c.code)
			if len(h.ended) > 0 {
				t.Error("a session ended")
			}
		})
	}
}

func TestASignOutMeansTheNameItCarries(t *testing.T) {
	h := one(t)
	a := h.signedIn()
	q := h.leaving(a, home+logoutPath)
	q.NameID.Value = "somebody else"
	b := h.browser()
	h.logoutAnswer(b.follow(b.get(h.leave(q, h.key("sp")))))
	if len(h.ended) > 0 {
		t.Errorf("the index alone ended %v", h.ended)
	}
	q = h.leaving(a, home+logoutPath)
	q.SessionIndexes = nil // every session of that name
	h.logoutAnswer(b.follow(b.get(h.leave(q, h.key("sp")))))
	if !slices.Equal(h.ended, []string{"session-1"}) {
		t.Errorf("ended %v", h.ended)
	}
}

func TestAServiceIsToldWhenAnotherOneKeepsItsSession(t *testing.T) {
	h := one(t)
	a := h.signedIn()
	h.services = append(h.services, registry.Service{ID: "old", NameFrench: "Old", Protocol: registry.CAS, NoSingleLogout: true})
	err := h.DB.InTx(t.Context(), func(tx db.Tx) error {
		return h.Answers.Issue(t.Context(), tx, "ticket", answer.Answer{Protocol: registry.CAS, Service: "old", Session: "session-1", Handle: "ST-1"}, time.Minute)
	})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	said, _ := h.logoutAnswer(b.follow(b.get(h.leave(h.leaving(a, home+logoutPath), h.key("sp")))))
	if !said.Status.OK() || said.Status.Second != saml.StatusPartialLogout {
		t.Errorf("answered %+v", said.Status)
	}
}

// soap sends a message as a service's server does.
func (h *house) soap(el element) (*httptest.ResponseRecorder, *saml.LogoutResponse) {
	h.t.Helper()
	body, err := saml.Envelope(el)
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", home+soapPath, strings.NewReader(string(body)))
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	in, err := saml.ReadSOAP(w.Body.Bytes())
	if err != nil {
		return w, nil
	}
	verified, _, err := in.Verify([]saml.PublicKey{h.key("ours").Public()}, saml.Policy{})
	if err != nil {
		h.t.Fatal(err)
	}
	said, err := saml.ParseLogoutResponse(verified)
	if err != nil {
		h.t.Fatal(err)
	}
	return w, said
}

func TestAServersSignOutBySOAPIsAnsweredOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.leaving(h.signedIn(), home+soapPath)
		el := q.Element()
		if _, said := h.soap(el); said == nil || said.Status.Second != saml.StatusRequestDenied || len(h.ended) > 0 {
			t.Errorf("an unsigned one: %+v, ended %v", said, h.ended)
		}
		if err := saml.Sign(el, *h.key("sp")); err != nil {
			t.Fatal(err)
		}
		if _, said := h.soap(el); said == nil || !said.Status.OK() || said.InResponseTo != q.ID || !slices.Equal(h.ended, []string{"session-1"}) {
			t.Errorf("answered %+v, ended %v", said, h.ended)
		}
		if _, said := h.soap(el); said == nil || said.Status.OK() || len(h.ended) != 1 {
			t.Errorf("a replay: %+v, ended %v", said, h.ended)
		}
		w, _ := h.soap(h.request(nil).Element())
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "soap:Fault") {
			t.Errorf("another message: %d %s", w.Code, w.Body)
		}
	})
}

// spServer is a service that takes sign-outs by SOAP.
type spServer struct {
	h      *house
	status saml.Status
	code   int
	by     *saml.Credential
	got    []*saml.LogoutRequest
}

func (s *spServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := s.h.t
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	in, err := saml.ReadSOAP(body)
	if err != nil || r.Header.Get("SOAPAction") == "" {
		t.Errorf("%v %s", err, body)
		return
	}
	el, _, err := in.Verify([]saml.PublicKey{s.h.key("ours").Public()}, saml.Policy{})
	if err != nil {
		t.Error(err)
		return
	}
	q, err := saml.ParseLogoutRequest(el, saml.Opener{})
	if err != nil {
		t.Error(err)
		return
	}
	s.got = append(s.got, q)
	if s.code != 0 {
		w.WriteHeader(s.code)
		return
	}
	answer := (&saml.LogoutResponse{ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: s.h.clock.Now(), Issuer: spID, Status: s.status}).Element()
	if s.by != nil {
		if err := saml.Sign(answer, *s.by); err != nil {
			t.Error(err)
		}
	}
	text, err := saml.Envelope(answer)
	if err != nil {
		t.Error(err)
	}
	w.Write(text) //nolint:errcheck // a test that fails to write fails to read
}

func TestAServiceIsToldBySOAPThatASessionEnded(t *testing.T) {
	refused := saml.Status{Code: saml.StatusRequester, Second: saml.StatusUnknownPrincipal}
	for name, c := range map[string]struct {
		status saml.Status
		code   int
		by     string
		state  answer.LogoutState
		retry  bool
	}{
		"and proves that it did":         {status: saml.Success(), by: "sp", state: answer.Told},
		"and says so without proof":      {status: saml.Success(), state: answer.Answered},
		"and knows of none":              {status: refused, by: "sp", state: answer.Answered},
		"and somebody else answers":      {status: saml.Success(), by: "somebody else", state: answer.Waiting, retry: true},
		"and its server is out of order": {code: 500, state: answer.Waiting, retry: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			sp := &spServer{h: h, status: c.status, code: c.code}
			if c.by != "" {
				sp.by = h.key(c.by)
			}
			server := httptest.NewServer(sp)
			defer server.Close()
			h.change(func(e *saml.Entity, _ *registry.Service) {
				e.SP.Logout = []saml.Endpoint{{Binding: saml.SOAP, Location: server.URL}}
			})
			a := h.signedIn()
			state, said, err := h.Close(t.Context(), &h.services[0], h.logoutOf(a))
			if state != c.state || (err != nil) != c.retry {
				t.Errorf("%s %q %v", state, said, err)
			}
			if len(sp.got) != 1 || !sp.got[0].NameID.Same(*a.Subject.NameID) || sp.got[0].SessionIndexes[0] != a.Statements[0].SessionIndex {
				t.Errorf("told %+v", sp.got)
			}
		})
	}
}

func TestAServiceWithoutABackChannelIsToldByTheBrowser(t *testing.T) {
	for _, binding := range []saml.Binding{saml.Redirect, saml.POST} {
		t.Run(string(binding), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.change(func(e *saml.Entity, _ *registry.Service) {
					e.SP.Logout = []saml.Endpoint{{Binding: binding, Location: spLogout}}
				})
				a := h.signedIn()
				err := h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Answers.SessionEnded(t.Context(), tx, "session-1") })
				if err != nil {
					t.Fatal(err)
				}
				l := h.logoutOf(a)
				if state, said, err := h.Close(t.Context(), &h.services[0], l); err != nil || state != answer.Skipped || said != saidBrowser {
					t.Errorf("%s %s %v", state, said, err)
				}
				ways, ok, err := h.FrontLogout(t.Context(), &h.services[0], []answer.Logout{l}, "/logout/done")
				if err != nil || !ok || len(ways) != 1 || ways[0].Origin != "https://moodle.valmont.example" {
					t.Fatalf("no way: %v %v", ways, err)
				}
				b := h.browser()
				if strings.HasPrefix(ways[0].URL, "/") { // a form of ours, in a frame of ours
					w := b.ask("GET", ways[0].URL, nil, "Sec-Fetch-Dest", "iframe")
					if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'self'") || !strings.Contains(policy, "form-action 'self' https://moodle.valmont.example") {
						t.Errorf("in a frame: %s", policy)
					}
					if policy := b.get(ways[0].URL).Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
						t.Errorf("outside a frame: %s", policy)
					}
				}
				in := h.frontMessage(b, ways[0].URL)
				q, err := saml.ParseLogoutRequest(in.Unverified(), saml.Opener{})
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := in.Verify([]saml.PublicKey{h.key("ours").Public()}, saml.Policy{}); err != nil || q.SessionIndexes[0] != a.Statements[0].SessionIndex {
					t.Errorf("%v %+v", err, q)
				}
				said := func(by *saml.Credential) *httptest.ResponseRecorder {
					answer := &saml.LogoutResponse{ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: h.clock.Now(), Destination: home + logoutPath, Issuer: spID, Status: saml.Success()}
					to, err := saml.RedirectURL(home+logoutPath, saml.Answer, answer.Element(), in.RelayState, by)
					if err != nil {
						t.Fatal(err)
					}
					return b.get(to)
				}
				h.stopped(said(h.key("somebody else")), "sso.saml_signature_wrong")
				if to := said(h.key("sp")).Header().Get("Location"); to != "/logout/done" {
					t.Errorf("led to %s", to)
				}
				list, err := h.Answers.Logouts(t.Context(), "session-1")
				if err != nil || len(list) != 1 || list[0].State != answer.Told {
					t.Errorf("noted %+v %v", list, err)
				}
				if to := said(h.key("sp")).Header().Get("Location"); to != "/logout/done" {
					t.Errorf("the second time led to %s", to)
				}
			})
		})
	}
}

// frontMessage follows a sign-out of ours to the message that the service gets.
func (h *house) frontMessage(b *browser, address string) *saml.Inbound {
	h.t.Helper()
	var in *saml.Inbound
	var err error
	if to, found := strings.CutPrefix(address, spLogout+"?"); found {
		in, err = saml.ReadRedirect(to)
	} else {
		action, form := posted(h.t, b.get(address))
		if action != spLogout {
			h.t.Errorf("posted to %s", action)
		}
		in, err = saml.ReadPOST(form)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return in
}

func TestAnAnswerToASignOutThatNobodyAskedForIsGone(t *testing.T) {
	h := one(t)
	said := &saml.LogoutResponse{ID: saml.NewID(), InResponseTo: "_invented", IssueInstant: start, Destination: home + logoutPath, Issuer: spID, Status: saml.Success()}
	el := said.Element()
	if err := saml.Sign(el, *h.key("sp")); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(written(t, el)))}}
	h.stopped(h.browser().ask("POST", logoutPath, form), "sso.saml_logout_gone")
}
