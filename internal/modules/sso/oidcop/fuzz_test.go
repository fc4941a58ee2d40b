package oidcop

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/proof"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
)

// Whatever a browser is sent with: nobody is led to an address that is not
// registered, and nothing breaks.
func FuzzAuthorize(f *testing.F) {
	h := one(f)
	f.Add(ask("wiki").Encode())
	f.Add(ask("app", "prompt", "none", "max_age", "1", "claims", `{"id_token":{"acr":{"essential":true}}}`).Encode())
	f.Add(ask("hybrid", "response_type", "code id_token", "response_mode", "form_post").Encode())
	f.Add("client_id=wiki&redirect_uri=https://wiki.valmont.example/oidc/callback%2f..&response_type=code")
	f.Add("client_id=wiki&client_id=app;redirect_uri=//evil.example")
	f.Add("request_uri=" + pushedPrefix + "%00&client_id=wiki")
	f.Fuzz(func(t *testing.T, query string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, authorizePath, nil)
		r.URL.RawQuery = query
		h.server.Config.Handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
		if to := w.Header().Get("Location"); to != "" && !ours(h, to) {
			t.Errorf("%q leads to %q", query, to)
		}
	})
}

// ours reports whether an address is a registered one or a page of the house.
func ours(h *house, to string) bool {
	if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") {
		return true
	}
	u, err := url.Parse(to)
	if err != nil {
		return false
	}
	for _, s := range h.services {
		for _, known := range s.OIDC.RedirectURIs {
			if k, err := url.Parse(known); err == nil && k.Scheme == u.Scheme && k.Hostname() == u.Hostname() && k.Path == u.Path && u.User == nil {
				return true
			}
		}
	}
	return false
}

// Whatever a program sends: it is refused in the words of OAuth, and nothing
// breaks.
func FuzzToken(f *testing.F) {
	h := one(f)
	for _, v := range []url.Values{
		redeem("wiki", "c.x"), refreshing("wiki", "r.x"), params("grant_type", deviceGrant, "device_code", "d", "client_id", "kiosk"),
		params("grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", "e30.e30.e30"),
	} {
		f.Add(v.Encode(), "Basic d2lraTp4", "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2In0.e30.x")
	}
	f.Fuzz(func(t *testing.T, body, authorization, dpop string) {
		for _, path := range []string{tokenPath, introspectPath, revokePath, pushPath, deviceCodePath, userInfoPath} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header["Authorization"], r.Header["Dpop"] = []string{authorization}, []string{dpop}
			h.server.Config.Handler.ServeHTTP(w, r)
			if w.Code >= 500 || w.Code == http.StatusOK && path != revokePath && path != deviceCodePath {
				t.Errorf("%s %q %q: %d %s", path, body, authorization, w.Code, w.Body)
			}
		}
	})
}

func FuzzRegister(f *testing.F) {
	h := one(f)
	f.Add(`{"client_name":"x","redirect_uris":["https://x.apps.valmont.example/"]}`)
	f.Add(`{"jwks":{"keys":[{"kty":"oct"}]},"redirect_uris":[null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, registerPath, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer invited")
		h.server.Config.Handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}

func FuzzReadRequest(f *testing.F) {
	f.Add(ask("wiki").Encode())
	f.Add("response_type=token+code+id_token&claims=" + url.QueryEscape(`{"userinfo":{"a":{"values":[1,{}]}}}`))
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		to, refused := request.ReadReturn(v)
		if refused != nil {
			return
		}
		a, refused := request.Read(to, v)
		if refused == nil && a.Challenge == "" && v.Get("code_challenge") != "" {
			t.Error("a challenge was dropped")
		}
		if refused != nil && plain(refused.Description) != refused.Description {
			t.Errorf("description %q", refused.Description)
		}
	})
}

func FuzzProof(f *testing.F) {
	f.Add("eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2In0.e30.x")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := proof.DPoP(text, proof.Use{Method: "POST", Address: "https://x/", Now: start}); err == nil {
			t.Errorf("%q is a proof", text)
		}
		if client, err := proof.Claimed(text); err == nil && client == "" {
			t.Error("an assertion of nobody")
		}
	})
}

func FuzzUserCode(f *testing.F) {
	f.Add("wdjb mjht")
	f.Add(grant.UserCode())
	f.Fuzz(func(t *testing.T, typed string) {
		code := grant.NormalUserCode(typed)
		if code != "" && grant.NormalUserCode(code) != code {
			t.Errorf("%q becomes %q", typed, code)
		}
	})
}

func TestEveryUserCodeCanBeTyped(t *testing.T) {
	for range 1000 {
		code := grant.UserCode()
		for _, typed := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " – ") + " "} {
			if grant.NormalUserCode(typed) != code {
				t.Fatalf("%q is not %s", typed, code)
			}
		}
	}
	for _, typed := range []string{"", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ0", strings.Repeat("B", 9)} {
		if code := grant.NormalUserCode(typed); code != "" {
			t.Errorf("%q becomes %s", typed, code)
		}
	}
}
