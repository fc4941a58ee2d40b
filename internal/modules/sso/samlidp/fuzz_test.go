package samlidp

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// signedMessages are honest ones to start from.
func signedMessages(f *testing.F, h *house) []element {
	request := h.request(nil).Element()
	logout := (&saml.LogoutRequest{ID: saml.NewID(), IssueInstant: start, Destination: home + logoutPath, Issuer: spID, NameID: saml.NameID{Value: "x"}}).Element()
	answer := (&saml.LogoutResponse{ID: saml.NewID(), InResponseTo: "_x", IssueInstant: start, Destination: home + logoutPath, Issuer: spID, Status: saml.Success()}).Element()
	list := []element{request.Copy(), logout.Copy(), answer.Copy()}
	for _, el := range []element{request, logout, answer} {
		if err := saml.Sign(el, *h.key("sp")); err != nil {
			f.Fatal(err)
		}
		list = append(list, el)
	}
	return list
}

// calm fails when an answer is our fault: whatever came, it was theirs.
func calm(t *testing.T, h *house, r *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	if w.Code >= 500 && !strings.Contains(w.Body.String(), "soap:Client") {
		t.Fatalf("%d %s", w.Code, text(w.Body.String()))
	}
	if len(h.ended) > 0 {
		t.Fatal("a session ended")
	}
}

func FuzzRedirects(f *testing.F) {
	h := one(f)
	for _, el := range signedMessages(f, h) {
		f.Add(strings.TrimPrefix(deflated(f, written(f, el)), ssoPath+"?"))
	}
	f.Add(strings.SplitN(h.asked(nil), "?", 2)[1])
	f.Add("SAMLRequest=&Signature=&SigAlg=")
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{ssoPath, logoutPath, continuePath, closePath, leavePath, startPath + "moodle"} {
			r := httptest.NewRequest("GET", home+path, nil)
			r.URL.RawQuery = query
			calm(t, h, r)
		}
	})
}

func FuzzPosts(f *testing.F) {
	h := one(f)
	for _, el := range signedMessages(f, h) {
		f.Add([]byte(written(f, el)), "relay")
	}
	f.Fuzz(func(t *testing.T, message []byte, relay string) {
		for _, field := range []string{"SAMLRequest", "SAMLResponse"} {
			form := url.Values{field: {base64.StdEncoding.EncodeToString(message)}, "RelayState": {relay}}
			for _, path := range []string{ssoPath, logoutPath} {
				r := httptest.NewRequest("POST", home+path, strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				calm(t, h, r)
			}
		}
	})
}

func FuzzSOAP(f *testing.F) {
	h := one(f)
	for _, el := range signedMessages(f, h)[:3] { // unsigned: an honest sign-out would end a session
		body, err := saml.Envelope(el)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		calm(t, h, httptest.NewRequest("POST", home+soapPath, strings.NewReader(string(body))))
	})
}

func FuzzMetadata(f *testing.F) {
	h := one(f)
	f.Add(h.services[0].SAML.Metadata)
	f.Fuzz(func(t *testing.T, text string) {
		s := h.services[0]
		s.SAML.Metadata = text
		if f, err := h.Metadata().Find(t.Context(), spID, &s); err == nil && f.Entity.ID != spID {
			t.Fatal("metadata of another")
		}
	})
}
