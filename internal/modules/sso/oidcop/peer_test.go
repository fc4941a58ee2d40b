package oidcop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

func TestAClientIsToldThatASessionEnded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var status atomic.Int32
		var got atomic.Value
		status.Store(http.StatusOK)
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got.Store(r.FormValue("logout_token"))
			w.WriteHeader(int(status.Load()))
		}))
		defer site.Close()
		x, err := h.Gate.Registry(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wiki := *x.Get("wiki")
		sid, _ := payload(t, h.enterAndRedeem("wiki").ID)["sid"].(string)
		l := answer.Logout{Service: "wiki", Handle: sid, Person: lina().Person}
		if state, _, err := h.Close(t.Context(), &wiki, l); state != answer.Skipped || err != nil {
			t.Errorf("a client without an address: %s %v", state, err)
		}
		wiki.OIDC.BackChannelURI = site.URL
		if state, said, err := h.Close(t.Context(), &wiki, l); state != answer.Told || said != "200" || err != nil {
			t.Errorf("%s %s %v", state, said, err)
		}
		token, _ := got.Load().(string)
		rp := h.party("wiki", wikiRedirect)
		checker := rp.VerifierContext(rp.ctx, &oidc.Config{ClientID: "wiki", Now: h.clock.Now})
		if _, err := checker.Verify(rp.ctx, token); err != nil {
			t.Errorf("the logout token: %v", err)
		}
		claims := payload(t, token)
		if claims["sid"] != sid || claims["sub"] != string(lina().Person) || claims["nonce"] != nil || claims["jti"] == "" || claims["events"].(map[string]any)[logoutEvent] == nil {
			t.Errorf("claims %v", claims)
		}
		if _, err := h.readHint(t.Context(), token); err == nil {
			t.Error("a logout token is taken for an ID token")
		}
		for answered, final := range map[int32]bool{http.StatusBadRequest: true, http.StatusMovedPermanently: true, http.StatusServiceUnavailable: false} {
			status.Store(answered)
			if _, _, err := h.Close(t.Context(), &wiki, l); err == nil || jobs.GivesUp(err) != final {
				t.Errorf("%d: %v", answered, err)
			}
		}
		site.Close()
		if _, _, err := h.Close(t.Context(), &wiki, l); err == nil || jobs.GivesUp(err) {
			t.Errorf("a client that is down is asked again: %v", err)
		}
	})
}

func TestAClientThatCameOftenIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 3 {
			h.enterAndRedeem("wiki", "prompt", "none")
		}
		h.enterAndRedeem("app")
		h.endSession(lina().Session)
		told, err := h.Answers.Logouts(t.Context(), lina().Session)
		if err != nil || len(told) != 2 || told[0].Service == told[1].Service {
			t.Errorf("messages: %v %v", told, err)
		}
	})
}

func TestResourceServersAskAboutTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		about := func(token, client string) (said map[string]any) {
			v := params("token", token, "client_id", client, "client_secret", secret)
			headers := []string{}
			if client == "api" {
				r, _ := http.NewRequest(http.MethodPost, "/", nil)
				r.SetBasicAuth("api", secret)
				headers, v = []string{"Authorization", r.Header.Get("Authorization")}, params("token", token)
			}
			r := h.post(introspectPath, v, headers...)
			if err := json.Unmarshal([]byte(r.body), &said); err != nil || r.StatusCode != http.StatusOK {
				t.Fatalf("%s %s", r.Status, r.body)
			}
			return said
		}
		got := h.enterAndRedeem("wiki", "scope", "openid offline_access")
		if said := about(got.Access, "wiki"); said["active"] != true || said["username"] != "lmartin" || said["scope"] != "openid offline_access" || said["client_id"] != "wiki" {
			t.Errorf("its own: %v", said)
		}
		if said := about(got.Access, "api"); said["active"] != true || said["sub"] != string(lina().Person) {
			t.Errorf("a resource server: %v", said)
		}
		for name, said := range map[string]map[string]any{
			"a refresh token for a resource server": about(got.Refresh, "api"),
			"another client's token":                about(got.Access, "hybrid"),
			"nothing of ours":                       about("x", "api"),
		} {
			if said["active"] != false || len(said) != 1 {
				t.Errorf("%s: %v", name, said)
			}
		}
		h.refused(h.post(introspectPath, params("token", got.Access, "client_id", "app")), 401, invalidClient)
		h.refused(h.post(introspectPath, params("token", got.Access)), 401, invalidClient)

		if r := h.post(revokePath, params("token", got.Access, "client_id", "app")); r.StatusCode != http.StatusOK {
			t.Errorf("another client's token: %s", r.Status)
		}
		if about(got.Access, "wiki")["active"] != true {
			t.Error("another client revoked it")
		}
		revoke := func(token string) {
			h.post(revokePath, params("token", token, "client_id", "wiki", "client_secret", secret))
		}
		revoke(got.Access)
		if about(got.Access, "wiki")["active"] != false || about(got.Refresh, "wiki")["active"] != true {
			t.Error("an access token is revoked alone")
		}
		next := h.given(h.post(tokenPath, refreshing("wiki", got.Refresh)))
		revoke(next.Refresh)
		if about(next.Access, "wiki")["active"] != false {
			t.Error("what came of a revoked refresh token still opens")
		}
		h.banned = OtherPerson
		if said := about(h.enterAndRedeem("wiki").Access, "api"); said["active"] != false {
			t.Errorf("somebody who may not enter any more: %v", said)
		}
	})
}

func TestAJWTIsGivenToProgramsThatCannotAsk(t *testing.T) {
	h := one(t)
	h.change("wiki", func(s *registry.Service) { s.OIDC.AccessToken = registry.TokenJWT })
	got := h.enterAndRedeem("wiki")
	claims := payload(t, got.Access)
	head, _, _ := strings.Cut(got.Access, ".")
	if !strings.Contains(decoded(t, head), `"at+jwt"`) || claims["client_id"] != "wiki" || claims["scope"] != got.Scope || claims["jti"] == nil {
		t.Errorf("claims %v", claims)
	}
	if r := h.userinfo(got.Access); r.StatusCode != http.StatusOK {
		t.Errorf("userinfo: %s", r.Status)
	}
}

func TestClientsRegisterThemselvesWithinTheirBounds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		send := func(method, path, token string, metadata any) reply {
			text, err := json.Marshal(metadata)
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(method, h.server.URL+path, strings.NewReader(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			return h.do(r)
		}
		good := func(changes ...any) map[string]any {
			m := map[string]any{"client_name": "Lab\u202e book", "redirect_uris": []string{"https://lab.apps.valmont.example/cb"}, "grant_types": []string{"authorization_code", "refresh_token"}}
			for i := 0; i+1 < len(changes); i += 2 {
				m[changes[i].(string)] = changes[i+1]
			}
			return m
		}
		h.refused(send("POST", registerPath, "guessed", good()), 401, invalidToken)
		for name, c := range map[string]struct {
			metadata map[string]any
			code     string
		}{
			"an address elsewhere":   {good("redirect_uris", []string{"https://evil.example/cb"}), invalidRedirect},
			"the domain itself":      {good("redirect_uris", []string{"https://apps.valmont.example/cb"}), invalidRedirect},
			"a domain that ends so":  {good("redirect_uris", []string{"https://evilapps.valmont.example/cb"}), invalidRedirect},
			"no address":             {good("redirect_uris", []string{}), invalidRedirect},
			"plain http":             {good("redirect_uris", []string{"http://lab.apps.valmont.example/cb"}), invalidRedirect},
			"keys elsewhere":         {good("jwks_uri", "https://169.254.169.254/latest"), invalidMetadata},
			"sign-out elsewhere":     {good("backchannel_logout_uri", "https://evil.example/"), invalidMetadata},
			"the client's own grant": {good("grant_types", []string{"client_credentials"}), invalidMetadata},
			"public subjects":        {good("subject_type", "public"), invalidMetadata},
			"no name":                {good("client_name", ""), invalidMetadata},
			"a software statement":   {good("software_statement", "x.y.z"), invalidMetadata},
		} {
			if r := send("POST", registerPath, "invited", c.metadata); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, c.code) {
				t.Errorf("%s: %s %s", name, r.Status, r.body)
			}
		}
		r := send("POST", registerPath, "invited", good())
		var got registered
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.StatusCode != http.StatusCreated || got.ClientSecret == "" || got.AccessToken == "" || got.SecretExpires == nil {
			t.Fatalf("%s %s", r.Status, r.body)
		}
		x, err := h.Gate.Registry(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s := x.Client(got.ClientID)
		if s == nil || !s.Consent || s.NameEnglish != "Lab book" || s.OIDC.Subject != registry.SubjectPairwise || len(s.Attributes) != 1 || s.Contact != "hub@valmont.example" {
			t.Fatalf("the entry is %+v", s)
		}
		redirect := "https://lab.apps.valmont.example/cb"
		code := h.code(ask("wiki", "client_id", got.ClientID, "redirect_uri", redirect))
		basic, _ := http.NewRequest(http.MethodPost, "/", nil)
		basic.SetBasicAuth(got.ClientID, got.ClientSecret)
		given := h.given(h.post(tokenPath, redeem(got.ClientID, code, "redirect_uri", redirect), "Authorization", basic.Header.Get("Authorization")))
		own := registerPath + "/" + got.ClientID
		h.refused(send("GET", own, "guessed", nil), 401, invalidToken)
		h.refused(send("GET", registerPath+"/wiki", got.AccessToken, nil), 401, invalidToken)
		if r := send("GET", own, got.AccessToken, nil); r.StatusCode != http.StatusOK || strings.Contains(r.body, "client_secret\"") {
			t.Errorf("%s %s", r.Status, r.body)
		}
		h.refused(send("PUT", own, got.AccessToken, good("redirect_uris", []string{"https://evil.example/"})), 400, invalidRedirect)
		if r := send("PUT", own, got.AccessToken, good("client_name", "Notebook")); r.StatusCode != http.StatusOK || strings.Contains(r.body, "client_secret\"") {
			t.Errorf("%s %s", r.Status, r.body)
		}
		h.change(s.ID, func(s *registry.Service) { s.Attributes = nil })
		send("PUT", own, got.AccessToken, good())
		if x, err := h.Gate.Registry(t.Context()); err != nil || len(x.Client(got.ClientID).Attributes) != 0 {
			t.Errorf("a client took back what an administrator took from it: %v", err)
		}
		if r := send("POST", registerPath, "invited", good()); r.StatusCode != http.StatusCreated {
			t.Errorf("the second: %s %s", r.Status, r.body)
		}
		h.refused(send("POST", registerPath, "invited", good()), 400, invalidMetadata) // two are all it may
		if r := send("DELETE", own, got.AccessToken, nil); r.StatusCode != http.StatusNoContent {
			t.Errorf("%s %s", r.Status, r.body)
		}
		if r := h.userinfo(given.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a client that is gone: %s", r.Status)
		}
		h.refused(send("GET", own, got.AccessToken, nil), 401, invalidToken)
	})
}

func TestNobodyRegistersWithoutAnInvitation(t *testing.T) {
	h := one(t)
	h.config.Invitations = nil
	r, err := http.NewRequest(http.MethodPost, h.server.URL+registerPath, strings.NewReader(`{"client_name":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	h.refused(h.do(r), 401, invalidToken)
	if strings.Contains(h.get("/.well-known/openid-configuration").body, "registration_endpoint") {
		t.Error("the metadata promises what nobody gets")
	}
}
