package oidcop

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// The attacks of RFC 9700 §4 and OpenID Connect Core §16, in their order.

func TestNothingIsSentToAnAddressThatIsNotRegistered(t *testing.T) {
	h := one(t)
	for _, address := range []string{
		"https://evil.example/callback", wikiRedirect + "/", wikiRedirect + "?x=1", wikiRedirect + "#x", "https://WIKI.valmont.example/oidc/callback",
		"https://wiki.valmont.example/oidc/../oidc/callback", "https://wiki.valmont.example%2f@evil.example/", "http://wiki.valmont.example/oidc/callback",
		"https://wiki.valmont.example:443/oidc/callback", "https://wiki.valmont.example/oidc/callback%00", "//evil.example", "javascript:alert(1)", "",
	} {
		for _, more := range [][]string{nil, {"prompt", "none"}, {"response_type", "nonsense"}} {
			r := h.authorize(ask("wiki", append([]string{"redirect_uri", address}, more...)...))
			if r.Header.Get("Location") != "" || r.StatusCode < 400 {
				t.Errorf("%q: %s to %q", address, r.Status, r.Header.Get("Location"))
			}
		}
	}
	if i, ok := h.noted("wiki", RedirectUnknown); !ok || i.Expected == "" || i.Received != "https://evil.example/callback" {
		t.Errorf("the technical contact reads %+v", i)
	}
	if r := h.authorize(ask("nobody", "redirect_uri", "https://evil.example/")); r.StatusCode != http.StatusNotFound || r.Header.Get("Location") != "" {
		t.Errorf("an unknown client: %s to %q", r.Status, r.Header.Get("Location"))
	}
	twice := ask("wiki").Encode() + "&redirect_uri=https%3A%2F%2Fevil.example"
	if r := h.get(authorizePath + "?" + twice); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
		t.Errorf("two addresses: %s to %q", r.Status, r.Header.Get("Location"))
	}
}

func TestOnlyTheLoopbackPortOfAPublicClientMayDiffer(t *testing.T) {
	h := one(t)
	if h.code(ask("app", "redirect_uri", "http://127.0.0.1:51004/cb")) == "" {
		t.Error("a program on the person's machine cannot know its port")
	}
	for _, address := range []string{"http://127.0.0.1:1/other", "http://localhost:1/cb", "http://127.0.0.2:1/cb", "https://127.0.0.1/cb", "http://x@127.0.0.1:1/cb"} {
		if r := h.authorize(ask("app", "redirect_uri", address)); r.Header.Get("Location") != "" {
			t.Errorf("%s is followed", address)
		}
	}
}

func TestRequestsThatAreNotSafeAreAnsweredWithTheirError(t *testing.T) {
	h := one(t)
	for name, c := range map[string]struct {
		client  string
		changes []string
		want    string
	}{
		"a public client without PKCE":    {"app", []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		"plain PKCE":                      {"wiki", []string{"code_challenge_method", "plain"}, "invalid_request"},
		"PKCE without a method":           {"wiki", []string{"code_challenge_method", ""}, "invalid_request"},
		"a challenge that is no hash":     {"wiki", []string{"code_challenge", "short"}, "invalid_request"},
		"a request object":                {"wiki", []string{"request", "e30.e30."}, "request_not_supported"},
		"a request of another site":       {"wiki", []string{"request_uri", "https://evil.example/request"}, "request_uri_not_supported"},
		"the implicit grant":              {"wiki", []string{"response_type", "token"}, "unsupported_response_type"},
		"no response type":                {"wiki", []string{"response_type", ""}, "invalid_request"},
		"claims that are no JSON":         {"wiki", []string{"claims", "{"}, "invalid_request"},
		"a scope with a quote":            {"wiki", []string{"scope", `openid "x"`}, "invalid_scope"},
		"a nonce of 10 kB":                {"wiki", []string{"nonce", strings.Repeat("n", 5000)}, "invalid_request"},
		"registration within the request": {"wiki", []string{"registration", "{}"}, "registration_not_supported"},
	} {
		to := map[string]string{"wiki": wikiRedirect, "app": appRedirect}[c.client]
		got := h.sent(h.authorize(ask(c.client, c.changes...)), to)
		if got.Get("error") != c.want || got.Get("code") != "" || got.Get("state") != "the-state" || got.Get("iss") != h.server.URL {
			t.Errorf("%s: %v", name, got)
		}
		if strings.ContainsAny(got.Get("error_description"), "\"\\\n") {
			t.Errorf("%s: description %q", name, got.Get("error_description"))
		}
	}
	if _, ok := h.noted("app", PKCEMissing); !ok {
		t.Error("the technical contact is not told that PKCE is missing")
	}
	h.change("wiki", func(s *registry.Service) { s.OIDC.PKCE = true })
	if got := h.sent(h.authorize(ask("wiki", "code_challenge", "", "code_challenge_method", "")), wikiRedirect); got.Get("error") != "invalid_request" {
		t.Errorf("an entry that asks for PKCE: %v", got)
	}
}

func TestACodeWorksOnceForWhoAskedForIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, c := range map[string]struct {
			asked, shown []string
			client, want string
			wait         time.Duration
		}{
			"another verifier":              {nil, []string{"code_verifier", strings.Repeat("x", 43)}, "wiki", invalidGrant, 0},
			"no verifier":                   {nil, []string{"code_verifier", ""}, "wiki", invalidGrant, 0},
			"a verifier without challenge":  {[]string{"code_challenge", "", "code_challenge_method", ""}, nil, "wiki", invalidGrant, 0},
			"the challenge as the verifier": {nil, []string{"code_verifier", s256(verifier)}, "wiki", invalidGrant, 0},
			"another redirect address":      {nil, []string{"redirect_uri", wikiRedirect + "?tenant=1"}, "wiki", invalidGrant, 0},
			"no redirect address":           {nil, []string{"redirect_uri", ""}, "wiki", invalidGrant, 0},
			"another client":                {nil, []string{"redirect_uri", wikiRedirect}, "hybrid", invalidGrant, 0},
			"too late":                      {nil, nil, "wiki", invalidGrant, 61 * time.Second},
		} {
			h.enter(lina())
			code := h.code(ask("wiki", c.asked...))
			h.clock.Advance(c.wait)
			h.refused(h.post(tokenPath, redeem(c.client, code, c.shown...)), 400, c.want)
			// What was shown wrongly is void for the right one as well.
			good := redeem("wiki", code)
			if c.asked != nil {
				good = redeem("wiki", code, "code_verifier", "")
			}
			if r := h.post(tokenPath, good); r.StatusCode == http.StatusOK {
				t.Errorf("%s: the code still works", name)
			}
		}
		if !slices.ContainsFunc(h.incidents, func(i gate.Incident) bool {
			return i.Reason == CodeRefused && i.Difference == "oidc_redirect" && i.Expected == wikiRedirect && i.Received == wikiRedirect+"?tenant=1"
		}) {
			t.Errorf("the technical contact reads %+v", h.incidents)
		}
		if _, ok := h.noted("wiki", CodeExpired); !ok {
			t.Error("the technical contact is not told that codes are shown too late")
		}
		h.refused(h.post(tokenPath, redeem("wiki", "c.invented")), 400, invalidGrant)
	})
}

func TestAReplayedCodeEndsWhatItGave(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		code := h.code(ask("wiki", "scope", "openid offline_access"))
		first := h.given(h.post(tokenPath, redeem("wiki", code)))
		if r := h.userinfo(first.Access); r.StatusCode != http.StatusOK {
			t.Fatalf("%s %s", r.Status, r.body)
		}
		h.refused(h.post(tokenPath, redeem("wiki", code)), 400, invalidGrant)
		if r := h.userinfo(first.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("the access token still opens: %s", r.Status)
		}
		h.refused(h.post(tokenPath, refreshing("wiki", first.Refresh)), 400, invalidGrant)
		if _, ok := h.noted("wiki", CodeReplayed); !ok {
			t.Error("the technical contact is not told")
		}
	})
}

// refreshing is the token request for a refresh token.
func refreshing(client, token string, more ...string) url.Values {
	v := params("grant_type", "refresh_token", "refresh_token", token, "client_id", client)
	if client == "wiki" {
		v.Set("client_secret", secret)
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func TestOfManyWhoRedeemACodeAtOnceOneWins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		code := h.code(ask("wiki"))
		var all sync.WaitGroup
		won := make(chan tokens, 8)
		for range 8 {
			all.Go(func() {
				if r := h.post(tokenPath, redeem("wiki", code)); r.StatusCode == http.StatusOK {
					won <- h.given(r)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d won", len(won))
		}
		if r := h.userinfo((<-won).Access); r.StatusCode != http.StatusUnauthorized {
			t.Error("the code was replayed, and what it gave still opens")
		}
	})
}

func TestARefreshTokenWorksOnceAndAReplayEndsTheFamily(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := h.enterAndRedeem("app", "scope", "openid offline_access")
		second := h.given(h.post(tokenPath, refreshing("app", first.Refresh)))
		if second.Refresh == first.Refresh || second.ID == "" || payload(t, second.ID)["nonce"] != nil {
			t.Errorf("the refresh gave %+v", second)
		}
		h.refused(h.post(tokenPath, refreshing("app", first.Refresh)), 400, invalidGrant)
		h.refused(h.post(tokenPath, refreshing("app", second.Refresh)), 400, invalidGrant)
		if r := h.userinfo(second.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("the family's access token still opens: %s", r.Status)
		}
		if _, ok := h.noted("app", RefreshReplayed); !ok {
			t.Error("the technical contact is not told")
		}
		if len(h.mails) != 1 || h.mails[0].To != lina().Mail || !strings.Contains(h.mails[0].Text, "App") {
			t.Errorf("the person was told %d times: %v", len(h.mails), h.mails)
		}
	})
}

func TestARefreshTokenOfAnotherClientIsTakenForStolen(t *testing.T) {
	h := one(t)
	mine := h.enterAndRedeem("app", "scope", "openid offline_access")
	h.refused(h.post(tokenPath, refreshing("wiki", mine.Refresh)), 400, invalidGrant)
	h.refused(h.post(tokenPath, refreshing("app", mine.Refresh)), 400, invalidGrant)
}

func TestRefreshing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		got := h.enterAndRedeem("wiki", "scope", "openid email offline_access")
		narrow := h.given(h.post(tokenPath, refreshing("wiki", got.Refresh, "scope", "openid")))
		if narrow.Scope != "openid" {
			t.Errorf("scope %q", narrow.Scope)
		}
		wide := h.given(h.post(tokenPath, refreshing("wiki", narrow.Refresh)))
		if wide.Scope != "openid email offline_access" {
			t.Errorf("the next refresh has the scope %q", wide.Scope)
		}
		h.refused(h.post(tokenPath, refreshing("wiki", wide.Refresh, "scope", "openid profile")), 400, invalidScope)
		h.refused(h.post(tokenPath, refreshing("wiki", wide.Access)), 400, invalidGrant)
		h.banned = OtherPerson
		h.refused(h.post(tokenPath, refreshing("wiki", wide.Refresh)), 400, invalidGrant)
		if r := h.userinfo(wide.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("somebody who may not enter any more is still told about: %s", r.Status)
		}
		h.banned = nil
		h.given(h.post(tokenPath, refreshing("wiki", wide.Refresh)))
		rested := h.enterAndRedeem("wiki", "scope", "openid offline_access")
		h.clock.Advance(Defaults().RefreshLifetime)
		h.refused(h.post(tokenPath, refreshing("wiki", rested.Refresh)), 400, invalidGrant)
	})
}

func TestTheEndOfTheSessionEndsWhatWasNotToOutliveIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		online, offline := h.enterAndRedeem("wiki"), h.enterAndRedeem("wiki", "scope", "openid offline_access")
		pending := h.code(ask("wiki"))
		h.endSession(lina().Session)
		if r := h.userinfo(online.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("online access: %s", r.Status)
		}
		h.refused(h.post(tokenPath, refreshing("wiki", online.Refresh)), 400, invalidGrant)
		h.refused(h.post(tokenPath, redeem("wiki", pending)), 400, invalidGrant)
		h.given(h.post(tokenPath, refreshing("wiki", offline.Refresh)))
	})
}

func TestWhoShutsOthersOutEndsWhatOutlivesSessions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		mine := h.enterAndRedeem("wiki", "scope", "openid offline_access")
		v := lina()
		v.Session = "of-a-thief"
		h.enter(v)
		stolen := h.enterAndRedeem("wiki", "scope", "openid offline_access")
		var tv awaiting
		if r := h.post(deviceCodePath, params("client_id", "kiosk", "scope", "openid offline_access")); json.Unmarshal([]byte(r.body), &tv) != nil {
			t.Fatal(r.body)
		}
		if r := h.post(deviceAllowPath, params(userCodeField, tv.UserCode, "answer", "yes")); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s %s", r.Status, r.body)
		}
		err := h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.ShutOut(t.Context(), tx, v.Person, lina().Session) })
		if err != nil {
			t.Fatal(err)
		}
		h.refused(h.post(tokenPath, refreshing("wiki", stolen.Refresh)), 400, invalidGrant)
		h.refused(h.post(tokenPath, params("grant_type", deviceGrant, "device_code", tv.DeviceCode, "client_id", "kiosk")), 400, accessDenied)
		h.given(h.post(tokenPath, refreshing("wiki", mine.Refresh)))
	})
}

func TestAClientProvesWhoItIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		fresh := func() url.Values { return redeem("wiki", h.code(ask("wiki"))) }
		basic := func(name, password string) []string {
			r, _ := http.NewRequest(http.MethodPost, "/", nil)
			r.SetBasicAuth(name, password)
			return []string{"Authorization", r.Header.Get("Authorization")}
		}
		without := func(v url.Values) url.Values { v.Del("client_secret"); return v }
		wrong := fresh()
		wrong.Set("client_secret", "wrong")
		h.refused(h.post(tokenPath, wrong), 401, invalidClient)
		if i, ok := h.noted("wiki", ClientRefused); !ok || i.Difference != "oidc_secret" || strings.Contains(i.Received, "wrong") {
			t.Errorf("the technical contact reads %+v", i)
		}
		h.refused(h.post(tokenPath, without(fresh())), 401, invalidClient)
		r := h.post(tokenPath, without(fresh()), basic("wiki", "wrong")...)
		h.refused(r, 401, invalidClient)
		if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
		}
		h.given(h.post(tokenPath, without(fresh()), basic("wiki", secret)...))
		h.given(h.post(tokenPath, without(fresh()), basic(url.QueryEscape("wiki"), url.QueryEscape(secret))...))
		h.refused(h.post(tokenPath, fresh(), basic("wiki", secret)...), 400, invalidRequest)            // two ways
		h.refused(h.post(tokenPath, without(fresh()), basic("hybrid", secret)...), 400, invalidRequest) // client_id of another
		h.refused(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "nobody", "client_secret", "x")), 401, invalidClient)
		h.refused(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "closed", "client_secret", secret)), 401, unauthorizedClient)
		// The entry of the API takes its secret in the header only.
		h.refused(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "api", "client_secret", secret)), 401, invalidClient)
		h.given(h.post(tokenPath, params("grant_type", "client_credentials"), basic("api", secret)...))
		// A hash is no secret.
		h.refused(h.post(tokenPath, params("grant_type", "client_credentials"), basic("api", hashOf(secret))...), 401, invalidClient)
	})
}

func TestWhoFailsTooOftenWaits(t *testing.T) {
	h := one(t)
	for range failureRate.Burst {
		h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "api", "client_secret", "guess"))
	}
	h.refused(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "wiki", "client_secret", secret)), 429, invalidClient)
	h.clock.Advance(time.Minute)
	h.given(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "wiki", "client_secret", secret)))
}

func TestSecretsInAnAddressAndParametersTwiceAreRefused(t *testing.T) {
	h := one(t)
	h.refused(h.post(tokenPath+"?client_secret=x", params("grant_type", "client_credentials", "client_id", "wiki")), 400, invalidRequest)
	v := params("grant_type", "client_credentials", "client_id", "wiki", "client_secret", secret)
	v.Add("grant_type", "authorization_code")
	h.refused(h.post(tokenPath, v), 400, invalidRequest)
	got := h.enterAndRedeem("wiki")
	if r := h.get(userInfoPath + "?access_token=" + got.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token in the address opens: %s", r.Status)
	}
	if r := h.post(userInfoPath, params("access_token", got.Access)); r.StatusCode != http.StatusOK {
		t.Errorf("a token in a form: %s", r.Status)
	}
	h.refused(h.post(tokenPath, params("grant_type", "password", "client_id", "wiki", "client_secret", secret, "username", "x", "password", "y")), 400, unsupportedGrant)
	h.refused(h.post(tokenPath, redeem("hybrid", "c.x", "grant_type", "client_credentials", "client_secret", secret)), 400, unauthorizedClient)
}

func TestAHintThatWeDidNotSignIsNobodys(t *testing.T) {
	h := one(t)
	real := h.enterAndRedeem("wiki").ID
	parts := strings.Split(real, ".")
	key, err := h.ring.Current(t.Context(), keys.OIDC, keys.RS256)
	if err != nil {
		t.Fatal(err)
	}
	public, err := publicKey(key).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: public, KeyID: key.ID}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	confused, err := jwt.Signed(signer).Claims(map[string]any{"iss": h.server.URL, "sub": string(lina().Person), "aud": "wiki"}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	access, err := h.sign(t.Context(), keys.RS256, "at+jwt", map[string]any{"iss": h.server.URL, "sub": string(lina().Person), "aud": "wiki"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"algorithm none":                 "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + ".",
		"the public key as an HMAC key":  confused,
		"another payload":                parts[0] + "." + strings.Split(access, ".")[1] + "." + parts[2],
		"an access token as an ID token": access,
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"not a token":                    "hello",
		"a token of a megabyte":          strings.Repeat("a", 1<<20),
		"JSON with two signatures (JWS)": `{"payload":"e30","signatures":[]}`,
	} {
		if _, err := h.readHint(t.Context(), text); err == nil {
			t.Errorf("%s is taken for a hint of ours", name)
		}
	}
	if _, err := h.readHint(t.Context(), real); err != nil {
		t.Errorf("our own: %v", err)
	}
	h.clock.Advance(48 * time.Hour)
	if _, err := h.readHint(t.Context(), real); err != nil {
		t.Errorf("our own, after its time: %v", err)
	}
}

func TestATokenOfOneKindIsNotTakenForAnother(t *testing.T) {
	h := one(t)
	got := h.enterAndRedeem("wiki", "scope", "openid offline_access")
	for name, token := range map[string]string{"a refresh token": got.Refresh, "an ID token": got.ID, "a code": h.code(ask("wiki")), "nothing": "", "a client's own token": h.given(
		h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "wiki", "client_secret", secret, "scope", "wiki:read"))).Access} {
		if r := h.userinfo(token); r.StatusCode != http.StatusUnauthorized && r.StatusCode != http.StatusForbidden {
			t.Errorf("%s opens userinfo: %s", name, r.Status)
		}
	}
	h.refused(h.post(tokenPath, redeem("wiki", got.Access)), 400, invalidGrant)
	h.refused(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "wiki", "client_secret", secret, "scope", "openid")), 400, invalidScope)
	h.refused(h.post(tokenPath, params("grant_type", "client_credentials", "client_id", "wiki", "client_secret", secret, "scope", "email")), 400, invalidScope)
}

func TestPagesCannotBeFramedAndAnswersLeaveNoReferer(t *testing.T) {
	h := one(t)
	r := h.authorize(ask("wiki"))
	if r.StatusCode != http.StatusSeeOther { // never 307, which would repeat a posted password (RFC 9700 §4.12)
		t.Errorf("%s", r.Status)
	}
	for _, r := range []reply{r, h.authorize(ask("wiki", "response_mode", "form_post")), h.get(logoutPath), h.get(devicePath)} {
		if !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s may be framed", r.Request.URL)
		}
	}
	if r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("Referrer-Policy %q", r.Header.Get("Referrer-Policy"))
	}
}

func TestAnotherSiteCannotLetADeviceInOrSignSomebodyOut(t *testing.T) {
	h := one(t)
	for _, path := range []string{"/device", "/device/allow", "/oidc/logout/confirm"} {
		if r := h.post(path, params("answer", "yes"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s takes a form of another site: %s", path, r.Status)
		}
	}
	if len(h.departed) != 0 {
		t.Error("the session was ended")
	}
}

func TestAClosedClientOpensNothing(t *testing.T) {
	h := one(t)
	got := h.enterAndRedeem("wiki", "scope", "openid offline_access")
	h.change("wiki", func(s *registry.Service) { s.Disabled = true })
	if r := h.userinfo(got.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo: %s", r.Status)
	}
	h.refused(h.post(tokenPath, refreshing("wiki", got.Refresh)), 401, unauthorizedClient)
}

func TestAnswersOfServersAreNeverKept(t *testing.T) {
	h := one(t)
	h.enter(campus.Viewer{})
	for _, r := range []reply{h.post(tokenPath, nil), h.get(userInfoPath), h.post(introspectPath, nil), h.post(pushPath, nil)} {
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", r.Request.URL, r.Header)
		}
	}
	if r := h.post(tokenPath, params("grant_type", strings.Repeat("x", 1<<20))); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a megabyte: %s", r.Status)
	}
}
