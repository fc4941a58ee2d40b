package samlsp

import (
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const leftURL = "https://ent.univ.example/identity/upstreams/adfs/left"

// aLeave is a request that ends the session of the good answer.
func aLeave() *saml.LogoutRequest {
	return &saml.LogoutRequest{
		ID: "_leave", IssueInstant: noon, Destination: leftURL, Issuer: theirName,
		NameID: saml.NameID{Value: "d41d8cd98f", Format: saml.FormatPersistent}, SessionIndexes: []string{"_session"},
	}
}

// in signs somebody in and gives what their sign-out will need.
func (h *house) in() (hint string) {
	h.t.Helper()
	tr, q, _ := h.leaves()
	a, err := h.Receive(h.t.Context(), h.says(q).back(h.t), tr)
	if err != nil {
		h.t.Fatal(err)
	}
	return a.LogoutHint
}

func (h *house) left(q *saml.LogoutRequest, by *saml.Credential, hint string) (upstream.Parting, error) {
	h.t.Helper()
	address, err := saml.RedirectURL(leftURL, saml.Request, q.Element(), "their state", by)
	if err != nil {
		h.t.Fatal(err)
	}
	_, query, _ := strings.Cut(address, "?")
	return h.Left(h.t.Context(), upstream.Return{Method: "GET", RawQuery: query}, answerURL, hint)
}

func TestTheUpstreamEndsASessionThatItBegan(t *testing.T) {
	h := open(t)
	hint := h.in()
	for _, c := range []struct {
		name   string
		hint   string
		change func(*saml.LogoutRequest)
		ends   bool
	}{
		{"the one that it names", hint, func(*saml.LogoutRequest) {}, true},
		{"any of that person, when it names none", hint, func(q *saml.LogoutRequest) { q.SessionIndexes = nil }, true},
		{"not another session of that person", hint, func(q *saml.LogoutRequest) { q.SessionIndexes = []string{"_other"} }, false},
		{"not that of somebody else", hint, func(q *saml.LogoutRequest) { q.NameID.Value = "somebody" }, false},
		{"not one that began otherwise", "", func(*saml.LogoutRequest) {}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := aLeave()
			c.change(q)
			p, err := h.left(q, &h.idp.key, c.hint)
			if err != nil || p.Ends != c.ends {
				t.Fatalf("ends: %t, %v", p.Ends, err)
			}
			if len(p.Ended) != 1 || p.Ended[0].Issuer != theirName || !strings.HasSuffix(p.Ended[0].Subject, " "+q.NameID.Value) || p.Ended[0].Session != strings.Join(q.SessionIndexes, "") {
				t.Errorf("it names %+v", p.Ended)
			}
			_, query, _ := strings.Cut(p.Onward.URL, "?")
			m, err := saml.ReadRedirect(query)
			if err != nil {
				t.Fatal(err)
			}
			own, err := h.ring.all(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			el, _, err := m.Verify([]saml.PublicKey{own[0].Public()}, saml.Policy{})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := saml.ParseLogoutResponse(el)
			if err != nil || answer.InResponseTo != "_leave" || !answer.Status.OK() || m.RelayState != "their state" || answer.Destination != "https://adfs.univ.example/logout" {
				t.Errorf("answered %+v, %v", answer, err)
			}
		})
	}
}

func TestNobodyElseEndsASession(t *testing.T) {
	h := open(t)
	hint := h.in()
	stranger := pair("other")
	for _, c := range []struct {
		name   string
		by     *saml.Credential
		change func(*saml.LogoutRequest)
		reason *fault.Reason
	}{
		{"who does not sign", nil, func(*saml.LogoutRequest) {}, upstream.Unfit},
		{"who signs by another key", &stranger, func(*saml.LogoutRequest) {}, upstream.Unfit},
		{"who is another provider", &h.idp.key, func(q *saml.LogoutRequest) { q.Issuer = "https://other/" }, upstream.Unfit},
		{"who sent it elsewhere", &h.idp.key, func(q *saml.LogoutRequest) { q.Destination = "https://other/slo" }, upstream.Unfit},
		{"who did not say where", &h.idp.key, func(q *saml.LogoutRequest) { q.Destination = "" }, upstream.Unfit},
		{"who kept it since yesterday", &h.idp.key, func(q *saml.LogoutRequest) { q.IssueInstant = noon.Add(-24 * time.Hour) }, upstream.Stale},
		{"who sends it past its end", &h.idp.key, func(q *saml.LogoutRequest) { q.NotOnOrAfter = noon.Add(-3 * time.Minute) }, upstream.Stale},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := aLeave()
			c.change(q)
			p, err := h.left(q, c.by, hint)
			if f := failureOf(t, err); f.Reason != c.reason || p.Ends {
				t.Errorf("got %v", f)
			}
		})
	}
}

func TestASignOutThatIsOverThereChangesNothingHere(t *testing.T) {
	h := open(t)
	answer := &saml.LogoutResponse{ID: "_a", InResponseTo: "_q", IssueInstant: noon, Issuer: theirName, Status: saml.Success()}
	address, err := saml.RedirectURL(leftURL, saml.Answer, answer.Element(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(address, "?")
	p, err := h.Left(t.Context(), upstream.Return{Method: "GET", RawQuery: query}, answerURL, h.in())
	if err != nil || p.Ends || p.Onward != nil {
		t.Errorf("got %+v, %v", p, err)
	}
}
