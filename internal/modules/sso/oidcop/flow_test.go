package oidcop

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestEveryQueryOfOpenIDConnectRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "grant/internal/sqlgen/queries.sql.go", schema...)
}

// party is a relying party that others wrote.
type party struct {
	*oidc.Provider
	oauth2.Config
	ctx context.Context
}

func (h *house) party(client, redirect string, scopes ...string) party {
	h.t.Helper()
	ctx := oidc.ClientContext(h.t.Context(), &http.Client{Timeout: 10 * time.Second})
	found, err := oidc.NewProvider(ctx, h.server.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	c := oauth2.Config{ClientID: client, Endpoint: found.Endpoint(), RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, scopes...)}
	if client == "wiki" {
		c.ClientSecret = secret
	}
	return party{found, c, ctx}
}

func (p party) verifier(h *house) *oidc.IDTokenVerifier {
	return p.VerifierContext(p.ctx, &oidc.Config{ClientID: p.ClientID, Now: h.clock.Now, SupportedSigningAlgs: []string{keys.RS256, keys.ES256}})
}

func TestARelyingPartyThatOthersWroteSignsPeopleIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []struct{ client, redirect, algorithm, subject string }{
			{"wiki", wikiRedirect, keys.RS256, string(lina().Person)},
			{"app", appRedirect, keys.ES256, registry.Pairwise(h.MAC, "sector apps", lina().Person)},
		} {
			rp := h.party(c.client, c.redirect, "profile", "email", "affiliation", "campus")
			verifier := oauth2.GenerateVerifier()
			to := rp.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-1"))
			back := h.sent(h.get(strings.TrimPrefix(to, h.server.URL)), c.redirect)
			if back.Get("state") != "st" || back.Get("iss") != h.server.URL {
				t.Errorf("%s: the answer is %v", c.client, back)
			}
			token, err := rp.Exchange(rp.ctx, back.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatalf("%s: %v", c.client, err)
			}
			raw, _ := token.Extra("id_token").(string)
			id, err := rp.verifier(h).Verify(rp.ctx, raw)
			if err != nil {
				t.Fatalf("%s: %v", c.client, err)
			}
			if id.Subject != c.subject || id.Nonce != "n-1" {
				t.Errorf("%s: subject %s, nonce %s", c.client, id.Subject, id.Nonce)
			}
			if err := id.VerifyAccessToken(token.AccessToken); err != nil {
				t.Errorf("%s: at_hash: %v", c.client, err)
			}
			var claims map[string]any
			if err := id.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			if claims["acr"] != acrSingle || claims["auth_time"] != float64(start.Unix()) || claims["sid"] == "" || claims["email"] != nil {
				t.Errorf("%s: claims %v", c.client, claims)
			}
			info, err := rp.UserInfo(rp.ctx, oauth2.StaticTokenSource(token))
			if err != nil {
				t.Fatalf("%s: %v", c.client, err)
			}
			var said map[string]any
			if err := info.Claims(&said); err != nil {
				t.Fatal(err)
			}
			if said["sub"] != c.subject || said["name"] != "Lina Martin" || said["email"] != "lina.martin@valmont.example" || said["email_verified"] != true || said["campus"] == nil || said["eduperson_affiliation"] == nil {
				t.Errorf("%s: userinfo %v", c.client, said)
			}
			if said["family_name"] != nil {
				t.Errorf("%s is told what its entry does not release: %v", c.client, said)
			}
			if named := said["preferred_username"] != nil; named != (c.client == "wiki") {
				t.Errorf("%s: a pairwise client must not learn the identifier, a public one does: %v", c.client, said)
			}
		}
	})
}

func TestKeysChangeUnderLoadWithoutAFailedSignIn(t *testing.T) {
	h := one(t)
	rp := h.party("wiki", wikiRedirect)
	checker := rp.verifier(h)
	seen := map[string]bool{}
	signIn := func() {
		t.Helper()
		raw := h.enterAndRedeem("wiki").ID
		if _, err := checker.Verify(rp.ctx, raw); err != nil {
			t.Fatalf("at %s: %v", h.clock.Now(), err)
		}
		head, _, _ := strings.Cut(raw, ".")
		seen[head] = true
	}
	signIn()
	at, err := h.ring.Roll(t.Context(), keys.OIDC)
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []time.Time{start.Add(time.Minute), at.Add(-time.Second), at, at.Add(time.Hour), at.Add(72 * time.Hour)} {
		h.clock.Set(when)
		h.enter(lina())
		signIn()
	}
	if len(seen) != 2 {
		t.Errorf("%d keys signed, want 2", len(seen))
	}
}

func TestDiscoveryPromisesWhatIsThere(t *testing.T) {
	h := one(t)
	var document map[string]any
	r := h.get("/.well-known/openid-configuration")
	if err := json.Unmarshal([]byte(r.body), &document); err != nil {
		t.Fatal(err)
	}
	if document["issuer"] != h.server.URL || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("issuer %v", document["issuer"])
	}
	if other := h.get("/.well-known/oauth-authorization-server"); other.body != r.body {
		t.Error("the two documents differ")
	}
	for name, value := range document {
		address, isText := value.(string)
		if !isText || !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
			continue
		}
		got := h.post(strings.TrimPrefix(address, h.server.URL), nil)
		if got.StatusCode == http.StatusNotFound || got.StatusCode >= 500 {
			t.Errorf("%s %s answers %s", name, address, got.Status)
		}
	}
	for name, want := range map[string]any{
		"request_parameter_supported": false, "request_uri_parameter_supported": false, "authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported": true, "frontchannel_logout_supported": false,
	} {
		if document[name] != want {
			t.Errorf("%s is %v", name, document[name])
		}
	}
}

func TestAStrangerSignsInFirstAndComesBack(t *testing.T) {
	h := one(t)
	h.enter(campus.Viewer{})
	r := h.authorize(ask("wiki"))
	u, err := url.Parse(r.Header.Get("Location"))
	if err != nil || u.Path != "/login" {
		t.Fatalf("%s to %q", r.Status, r.Header.Get("Location"))
	}
	next := u.Query().Get("next")
	d, ok := h.Destination(t.Context(), next)
	if !ok || d.Service != "wiki" || !slices.Equal(d.Origins, []string{"https://wiki.valmont.example"}) {
		t.Errorf("Destination(%q) = %+v %v", next, d, ok)
	}
	h.enter(lina())
	if got := h.sent(h.get(next), wikiRedirect); got.Get("code") == "" {
		t.Errorf("came back with %v", got)
	}
	if _, ok := h.Destination(t.Context(), "/portal?client_id=wiki"); ok {
		t.Error("another page leads to the wiki")
	}
}

func TestPromptsAndAges(t *testing.T) {
	h := one(t)
	location := func(v url.Values) string { return h.authorize(v).Header.Get("Location") }
	cases := []struct {
		name    string
		changes []string
		signIn  bool
		errors  string
	}{
		{"nothing special", nil, false, ""},
		{"prompt=login", []string{"prompt", "login"}, true, ""},
		{"prompt=select_account", []string{"prompt", "select_account"}, true, ""},
		{"prompt=login after the sign-in", []string{"prompt", "login", gate.MarkParameter, "fresh"}, false, ""},
		{"max_age=0 is prompt=login", []string{"max_age", "0"}, true, ""},
		{"max_age that is not reached", []string{"max_age", "3600"}, false, ""},
		{"max_age that has passed", []string{"max_age", "60"}, true, ""},
		{"prompt=none with a session", []string{"prompt", "none"}, false, ""},
		{"prompt=none and too old", []string{"prompt", "none", "max_age", "60"}, false, "login_required"},
		{"prompt=none and login", []string{"prompt", "none login"}, false, "invalid_request"},
		{"an unknown prompt", []string{"prompt", "sing"}, false, "invalid_request"},
		{"a max_age that is no number", []string{"max_age", "-1"}, false, "invalid_request"},
	}
	h.clock.Advance(10 * time.Minute)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			to := location(ask("wiki", c.changes...))
			if strings.HasPrefix(to, "/login") != c.signIn {
				t.Errorf("sent to %s", to)
			}
			if !c.signIn {
				u, _ := url.Parse(to)
				if u.Query().Get("error") != c.errors || (u.Query().Get("code") == "") != (c.errors != "") {
					t.Errorf("sent to %s", to)
				}
			}
		})
	}
}

func TestASilentQuestionGetsTheErrorOfItsProtocol(t *testing.T) {
	h := one(t)
	for _, c := range []struct {
		lacks error
		want  string
	}{
		{gate.SignInNeeded, "login_required"}, {gate.FactorNeeded, "interaction_required"}, {gate.ConsentNeeded, "consent_required"},
	} {
		h.passive = c.lacks
		if got := h.sent(h.authorize(ask("wiki", "prompt", "none")), wikiRedirect); got.Get("error") != c.want || got.Get("state") != "the-state" || got.Get("iss") == "" {
			t.Errorf("%v: %v", c.lacks, got)
		}
	}
}

func TestWhatTheClientAsksReachesTheGate(t *testing.T) {
	h := one(t)
	h.authorize(ask("wiki", "prompt", "consent", "max_age", "600", "login_hint", "lmartin", "acr_values", acrSeveral, "scope", "openid email",
		"claims", `{"userinfo":{"eduperson_affiliation":null},"id_token":{"campus":{"essential":true}}}`))
	q := h.questions[len(h.questions)-1]
	if !q.Consent || q.MaxAge != 10*time.Minute || q.LoginHint != "lmartin" || !q.Factor || q.Fresh || q.Passive {
		t.Errorf("the question is %+v", q)
	}
	want := []registry.Attribute{registry.Mail, registry.Affiliation, registry.Campus}
	slices.Sort(q.Wanted)
	slices.Sort(want)
	if !slices.Equal(q.Wanted, want) {
		t.Errorf("wanted %v", q.Wanted)
	}
	h.authorize(ask("wiki", "acr_values", acrSingle+" "+acrSeveral))
	if h.questions[len(h.questions)-1].Factor {
		t.Error("the client prefers one factor, and two are asked")
	}
}

func TestTheSecondFactorIsSaidAndAnEssentialOneIsNotSkipped(t *testing.T) {
	h := one(t)
	essential := `{"id_token":{"acr":{"essential":true,"values":["` + acrSeveral + `"]}}}`
	if got := h.sent(h.authorize(ask("wiki", "claims", essential)), wikiRedirect); got.Get("error") != "unmet_authentication_requirements" {
		t.Errorf("without a second factor: %v", got)
	}
	if got := h.sent(h.authorize(ask("wiki", "claims", `{"id_token":{"acr":{"essential":true,"values":["urn:gold"]}}}`)), wikiRedirect); got.Get("error") != "unmet_authentication_requirements" {
		t.Errorf("a level that nobody can reach: %v", got)
	}
	v := lina()
	v.FactorAt, v.Methods = start, []string{"pwd", "otp", "mfa"}
	h.enter(v)
	claims := payload(t, h.enterAndRedeem("wiki", "claims", essential).ID)
	if claims["acr"] != acrSeveral || len(claims["amr"].([]any)) != 3 {
		t.Errorf("claims %v", claims)
	}
	if claims := payload(t, h.enterAndRedeem("wiki", "acr_values", acrTwo).ID); claims["acr"] != acrTwo {
		t.Errorf("acr %v", claims["acr"])
	}
}

func TestSingleClaimsStandWhereTheyWereAskedFor(t *testing.T) {
	h := one(t)
	got := h.enterAndRedeem("wiki", "scope", "openid", "claims", `{"userinfo":{"email":null},"id_token":{"name":null,"family_name":{"essential":true}}}`)
	claims, said := payload(t, got.ID), map[string]any{}
	if err := json.Unmarshal([]byte(h.userinfo(got.Access).body), &said); err != nil {
		t.Fatal(err)
	}
	if claims["name"] != "Lina Martin" || claims["email"] != nil || claims["family_name"] != nil {
		t.Errorf("ID token %v", claims)
	}
	if said["email"] == nil || said["name"] != nil {
		t.Errorf("userinfo %v", said)
	}
	h.change("wiki", func(s *registry.Service) { s.OIDC.ClaimsInIDToken = true })
	if claims := payload(t, h.enterAndRedeem("wiki").ID); claims["email"] == nil || claims["preferred_username"] != "lmartin" {
		t.Errorf("ID token of a client that does not ask userinfo: %v", claims)
	}
}

func TestAnswersTravelAsTheClientAsks(t *testing.T) {
	h := one(t)
	if to := h.authorize(ask("wiki", "response_mode", "fragment")).Header.Get("Location"); !strings.HasPrefix(to, wikiRedirect+"#code=") {
		t.Errorf("fragment: %s", to)
	}
	if to := h.authorize(ask("wiki", "redirect_uri", wikiRedirect+"?tenant=1")).Header.Get("Location"); !strings.HasPrefix(to, wikiRedirect+"?tenant=1&code=") {
		t.Errorf("an address with parameters: %s", to)
	}
	r := h.authorize(ask("wiki", "response_mode", "form_post", "state", `"><script>x</script>`))
	if r.StatusCode != http.StatusOK || !strings.Contains(r.body, `action="`+wikiRedirect+`"`) || !strings.Contains(r.body, `name="code"`) ||
		!strings.Contains(r.body, `name="iss"`) || strings.Contains(r.body, "<script>x") || !strings.Contains(r.body, `src="/oidc/continue.js"`) {
		t.Errorf("form_post: %s %s", r.Status, r.body)
	}
	if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://wiki.valmont.example") {
		t.Errorf("the policy stops the form: %s", csp)
	}
	if r.Header.Get("Referrer-Policy") != "no-referrer" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.Header)
	}
	if got := h.sent(h.authorize(ask("wiki", "response_mode", "pigeon")), wikiRedirect); got.Get("error") != "invalid_request" {
		t.Errorf("pigeon: %v", got)
	}
	// What another site posts comes without cookies, so the browser asks again.
	if to := h.post(authorizePath, ask("wiki")).Header.Get("Location"); !strings.HasPrefix(to, authorizePath+"?") {
		t.Errorf("a posted question leads to %q", to)
	}
}

func TestOlderClientsGetAnIDTokenThroughTheBrowser(t *testing.T) {
	h := one(t)
	old := "https://old.valmont.example/cb"
	got := h.sent(h.authorize(ask("hybrid", "response_type", "id_token code", "code_challenge", "", "code_challenge_method", "")), old)
	claims := payload(t, got.Get("id_token"))
	if claims["c_hash"] != halfHash(got.Get("code")) || claims["nonce"] != "the-nonce" || claims["email"] != nil {
		t.Errorf("hybrid: %v", claims)
	}
	h.given(h.post(tokenPath, redeem("hybrid", got.Get("code"), "code_verifier", "")))
	got = h.sent(h.authorize(ask("hybrid", "response_type", "id_token", "code_challenge", "", "code_challenge_method", "")), old)
	if claims := payload(t, got.Get("id_token")); claims["email"] == nil || got.Get("code") != "" {
		t.Errorf("id_token alone says everything: %v", got)
	}
	for name, changes := range map[string][]string{
		"without a nonce":        {"nonce", ""},
		"in a query":             {"response_mode", "query"},
		"without openid":         {"scope", "profile"},
		"with an access token":   {"response_type", "id_token token"},
		"as a bare token":        {"response_type", "token"},
		"an unknown combination": {"response_type", "code token"},
	} {
		if got := h.sent(h.authorize(ask("hybrid", append([]string{"response_type", "id_token"}, changes...)...)), old); got.Get("error") == "" || got.Get("id_token") != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := h.sent(h.authorize(ask("wiki", "response_type", "id_token")), wikiRedirect); got.Get("error") != "unauthorized_client" {
		t.Errorf("a client that does not hold it: %v", got)
	}
}

func TestWhoMayNotEnterReadsWhyAndCanGoBackWithTheError(t *testing.T) {
	h := one(t)
	h.refuse = OtherPerson
	r := h.authorize(ask("wiki"))
	if r.StatusCode != http.StatusConflict || !strings.Contains(r.body, "error=access_denied") || !strings.Contains(r.body, "sso.oidc_other_person") {
		t.Errorf("%s %s", r.Status, r.body)
	}
	if got := h.sent(h.authorize(ask("wiki", "prompt", "none")), wikiRedirect); got.Get("error") != "interaction_required" {
		t.Errorf("in silence: %v", got)
	}
	r = h.authorize(ask("wiki", "response_mode", "form_post"))
	if !strings.Contains(r.body, `value="access_denied"`) {
		t.Errorf("%s %s", r.Status, r.body)
	}
}

func TestAClientThatExpectsSomebodyElseIsNotGivenThisPerson(t *testing.T) {
	h := one(t)
	hint := h.enterAndRedeem("wiki").ID
	if got := h.sent(h.authorize(ask("wiki", "id_token_hint", hint)), wikiRedirect); got.Get("code") == "" {
		t.Errorf("the same person: %v", got)
	}
	other := lina()
	other.Person, other.Session = "0199a000-0000-7000-8000-00000000000f", "session-of-another"
	h.enter(other)
	if got := h.sent(h.authorize(ask("wiki", "id_token_hint", hint, "prompt", "none")), wikiRedirect); got.Get("error") != "login_required" {
		t.Errorf("in silence: %v", got)
	}
	if to := h.authorize(ask("wiki", "id_token_hint", hint)).Header.Get("Location"); !strings.HasPrefix(to, "/login") {
		t.Errorf("another person is asked to sign in, got %q", to)
	}
	if r := h.authorize(ask("wiki", "id_token_hint", hint, gate.MarkParameter, "fresh")); r.StatusCode != http.StatusConflict {
		t.Errorf("another person signed in: %s", r.Status)
	}
	if r := h.authorize(ask("wiki", "claims", `{"id_token":{"sub":{"value":"somebody"}}}`, gate.MarkParameter, "fresh")); r.StatusCode != http.StatusConflict {
		t.Errorf("sub in claims: %s", r.Status)
	}
}

func TestStrangersReadTheLanguageThatTheClientAsksFor(t *testing.T) {
	h := one(t)
	h.enter(campus.Viewer{})
	r := h.authorize(ask("wiki", "ui_locales", "de fr en"))
	if !slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool { return c.Name == "amphi_language" && c.Value == "fr" }) {
		t.Errorf("cookies %v", r.Cookies())
	}
}

func TestScopesThatTheEntryDoesNotHoldAreLeftOut(t *testing.T) {
	h := one(t)
	h.change("wiki", func(s *registry.Service) { s.OIDC.Scopes = []string{"email"}; s.OIDC.Grants = nil })
	got := h.enterAndRedeem("wiki", "scope", "openid profile email offline_access moon")
	if got.Scope != "openid email" || got.Refresh != "" {
		t.Errorf("scope %q, refresh %q", got.Scope, got.Refresh)
	}
}

func TestOneEntryOfThePasswordIsFreshOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := ask("wiki", "prompt", "login", gate.MarkParameter, "fresh")
		h.code(v)
		if to := h.authorize(v).Header.Get("Location"); !strings.HasPrefix(to, "/login") {
			t.Errorf("a second answer from one entry of the password: %s", to)
		}
	})
}

func TestProgramsOfTheBrowserMayAskWhatTheyNeed(t *testing.T) {
	h := one(t)
	preflight := func(origin, path string) http.Header {
		r, err := http.NewRequest(http.MethodOptions, h.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		return h.do(r).Header
	}
	if got := preflight("https://app.valmont.example", tokenPath); got.Get("Access-Control-Allow-Origin") != "https://app.valmont.example" || got.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a public client: %v", got)
	}
	for _, origin := range []string{"https://evil.example", "https://wiki.valmont.example", "null"} {
		if got := preflight(origin, tokenPath); got.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", origin, got)
		}
	}
	if got := preflight("https://app.valmont.example", authorizePath); got.Get("Access-Control-Allow-Origin") != "" {
		t.Error("scripts may read the authorization endpoint")
	}
}

func TestSentencesOfEveryDifferenceExist(t *testing.T) {
	h := one(t)
	source := ""
	for _, name := range []string{"authorize.go", "client.go", "code.go", "refresh.go", "par.go", "page_logout.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(text)
	}
	for _, key := range []string{"redirect", "request", "method", "secret", "assertion", "client", "verifier", "key", "unknown"} {
		for _, l := range campus.Locales {
			if !h.Texts.For(l).Has("sso.difference.oidc_" + key) {
				t.Errorf("%s is not worded in %s", key, l)
			}
		}
		source = strings.ReplaceAll(source, `"oidc_`+key+`"`, "")
	}
	if strings.Contains(source, `"oidc_`) {
		t.Error("a difference is not in the list of this test")
	}
}

func TestOldRowsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enterAndRedeem("wiki", "scope", "openid offline_access")
		h.clock.Advance(Defaults().OfflineLifetime + history + 48*time.Hour)
		if err := h.grants.Prune(t.Context(), history); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"sso_oidc_grants", "sso_oidc_tokens"} {
			var n int
			if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s holds %d rows %v", table, n, err)
			}
		}
	})
}

func TestAPersonReadsAndWithdrawsWhatServicesMayDo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		got := h.enterAndRedeem("wiki", "scope", "openid offline_access")
		held, err := h.grants.Held(t.Context(), lina().Person)
		if err != nil || len(held) != 1 || held[0].Service != "wiki" || !held[0].Offline {
			t.Fatalf("held %v %v", held, err)
		}
		err = h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Withdraw(t.Context(), tx, lina().Person, "wiki") })
		if err != nil {
			t.Fatal(err)
		}
		h.refused(h.post(tokenPath, params("grant_type", "refresh_token", "refresh_token", got.Refresh, "client_id", "wiki", "client_secret", secret)), 400, invalidGrant)
	})
}

func TestNoMoreIsToldThanThePersonWasAskedAbout(t *testing.T) {
	h := one(t)
	h.change("wiki", func(s *registry.Service) { s.Consent, s.Attributes = true, []registry.Attribute{registry.Mail} })
	got := h.enterAndRedeem("wiki", "scope", "openid profile email offline_access")
	h.change("wiki", func(s *registry.Service) { s.Attributes = []registry.Attribute{registry.Mail, registry.DisplayName} })
	said := func(access string) map[string]any {
		var claims map[string]any
		if err := json.Unmarshal([]byte(h.userinfo(access).body), &claims); err != nil {
			t.Fatal(err)
		}
		return claims
	}
	if claims := said(got.Access); claims["email"] == nil || claims["name"] != nil {
		t.Errorf("userinfo %v", claims)
	}
	got = h.given(h.post(tokenPath, refreshing("wiki", got.Refresh)))
	if claims := said(got.Access); claims["email"] == nil || claims["name"] != nil {
		t.Errorf("after a refresh %v", claims)
	}
	if claims := said(h.enterAndRedeem("wiki").Access); claims["name"] == nil {
		t.Errorf("asked anew %v", claims)
	}
	h.change("wiki", func(s *registry.Service) { s.Consent = false })
	if claims := said(got.Access); claims["name"] == nil {
		t.Errorf("where nobody is asked %v", claims)
	}
}

func TestASessionThatEndsInAnotherTabGetsNoCode(t *testing.T) {
	h := one(t)
	h.enter(lina())
	if err := h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Answers.SessionEnded(t.Context(), tx, lina().Session) }); err != nil {
		t.Fatal(err)
	}
	if r := h.authorize(ask("wiki")); r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), authorizePath+"?") {
		t.Errorf("answered %s to %q", r.Status, r.Header.Get("Location"))
	}
}
