package oidcop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/proof"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// holder is a client with a key.
type holder struct {
	t   testing.TB
	key *ecdsa.PrivateKey
	kid string
}

func newHolder(t testing.TB) holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return holder{t, key, "k-" + id.Token(4)}
}

func (k holder) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.key.Public(), KeyID: k.kid, Algorithm: "ES256", Use: "sig"}
}

func (k holder) set() string {
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.public()}})
	if err != nil {
		k.t.Fatal(err)
	}
	return string(text)
}

func (k holder) thumbprint() string {
	public := k.public()
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		k.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func (k holder) sign(options *jose.SignerOptions, claims map[string]any) string {
	k.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.key, KeyID: k.kid}}, options)
	if err != nil {
		k.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		k.t.Fatal(err)
	}
	return text
}

// dpop proves possession, with changes of the claims; nil takes one out.
func (k holder) dpop(method, address string, at time.Time, changes map[string]any) string {
	claims := map[string]any{"jti": id.New(), "htm": method, "htu": address, "iat": at.Unix()}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return k.sign((&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"), claims)
}

func TestTokensAreBoundToAKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		k, thief := newHolder(t), newHolder(t)
		tokenURL, infoURL := h.server.URL+tokenPath, h.server.URL+userInfoPath
		proved := func(k holder, method, address string, changes map[string]any) []string {
			return []string{"DPoP", k.dpop(method, address, h.clock.Now(), changes)}
		}
		got := h.given(h.post(tokenPath, redeem("app", h.code(ask("app", "dpop_jkt", k.thumbprint(), "scope", "openid offline_access"))), proved(k, "POST", tokenURL, nil)...))
		if got.Type != "DPoP" {
			t.Fatalf("token type %s", got.Type)
		}
		info := func(scheme, token string, headers ...string) reply {
			return h.post(userInfoPath, nil, append([]string{"Authorization", scheme + " " + token}, headers...)...)
		}
		withHash := map[string]any{"ath": proof.Hash(got.Access)}
		if r := info("DPoP", got.Access, proved(k, "POST", infoURL, withHash)...); r.StatusCode != http.StatusOK {
			t.Errorf("with its key: %s %s", r.Status, r.body)
		}
		for name, r := range map[string]reply{
			"as a bearer token":          info("Bearer", got.Access),
			"without a proof":            info("DPoP", got.Access),
			"with another key":           info("DPoP", got.Access, proved(thief, "POST", infoURL, withHash)...),
			"without the token's hash":   info("DPoP", got.Access, proved(k, "POST", infoURL, nil)...),
			"with another token's hash":  info("DPoP", got.Access, proved(k, "POST", infoURL, map[string]any{"ath": proof.Hash("x")})...),
			"with a proof for elsewhere": info("DPoP", got.Access, proved(k, "POST", tokenURL, withHash)...),
		} {
			if r.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "DPoP ") {
				t.Errorf("%s: %s %q", name, r.Status, r.Header.Get("WWW-Authenticate"))
			}
		}
		again := proved(k, "POST", infoURL, withHash)
		info("DPoP", got.Access, again...)
		if r := info("DPoP", got.Access, again...); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a proof shown twice: %s", r.Status)
		}
		h.refused(h.post(tokenPath, refreshing("app", got.Refresh)), 400, invalidProof)
		h.refused(h.post(tokenPath, refreshing("app", got.Refresh), proved(thief, "POST", tokenURL, nil)...), 400, invalidProof)
		if next := h.given(h.post(tokenPath, refreshing("app", got.Refresh), proved(k, "POST", tokenURL, nil)...)); next.Type != "DPoP" {
			t.Errorf("the refresh gave a %s token", next.Type)
		}
		h.refused(h.post(tokenPath, redeem("app", h.code(ask("app", "dpop_jkt", k.thumbprint()))), proved(thief, "POST", tokenURL, nil)...), 400, invalidProof)
		h.change("app", func(s *registry.Service) { s.OIDC.DPoP = true })
		h.refused(h.post(tokenPath, redeem("app", h.code(ask("app")))), 400, invalidProof)
	})
}

func TestProofsThatDoNotHold(t *testing.T) {
	now := start
	k := newHolder(t)
	use := proof.Use{Method: "POST", Address: "https://ent.example/oidc/token", Now: now}
	good := k.dpop("POST", use.Address, now, nil)
	if thumbprint, once, err := proof.DPoP(good, use); err != nil || thumbprint != k.thumbprint() || once.Key == "" || !once.Until.After(now) {
		t.Fatalf("a good one: %v", err)
	}
	private := (&jose.SignerOptions{}).WithType("dpop+jwt").WithHeader("jwk", jose.JSONWebKey{Key: k.key})
	for name, text := range map[string]string{
		"another method":             k.dpop("GET", use.Address, now, nil),
		"another address":            k.dpop("POST", "https://evil.example/oidc/token", now, nil),
		"another path":               k.dpop("POST", "https://ent.example/oidc/userinfo", now, nil),
		"a clock three minutes late": k.dpop("POST", use.Address, now.Add(-3*time.Minute), nil),
		"a clock three minutes fast": k.dpop("POST", use.Address, now.Add(3*time.Minute), nil),
		"no jti":                     k.dpop("POST", use.Address, now, map[string]any{"jti": nil}),
		"no iat":                     k.dpop("POST", use.Address, now, map[string]any{"iat": nil}),
		"a jti of a kilobyte":        k.dpop("POST", use.Address, now, map[string]any{"jti": strings.Repeat("x", 1024)}),
		"no type":                    k.sign(&jose.SignerOptions{EmbedJWK: true}, map[string]any{"jti": "1", "htm": "POST", "htu": use.Address, "iat": now.Unix()}),
		"no key":                     k.sign((&jose.SignerOptions{}).WithType("dpop+jwt"), map[string]any{"jti": "1", "htm": "POST", "htu": use.Address, "iat": now.Unix()}),
		"a private key":              k.sign(private, map[string]any{"jti": "1", "htm": "POST", "htu": use.Address, "iat": now.Unix()}),
		"a changed signature":        good[:len(good)-8] + "AAAAAAAA",
		"algorithm none":             "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ.e30.",
		"nothing":                    "",
		"a megabyte":                 strings.Repeat("a", 1<<20),
	} {
		if _, _, err := proof.DPoP(text, use); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, at := range []time.Time{now.Add(-time.Minute), now.Add(time.Minute)} {
		if _, _, err := proof.DPoP(k.dpop("POST", "https://ENT.example:443/oidc/token?x=1", at, nil), use); err != nil {
			t.Errorf("a clock that is a minute off: %v", err)
		}
	}
}

func TestClientsSignInsteadOfASecret(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		k := newHolder(t)
		h.change("api", func(s *registry.Service) {
			s.OIDC.AuthMethod, s.OIDC.JWKS, s.OIDC.SecretHash = registry.AuthKey, k.set(), ""
		})
		assert := func(by holder, changes map[string]any) url.Values {
			claims := map[string]any{"iss": "api", "sub": "api", "aud": h.server.URL, "jti": id.New(), "exp": h.clock.Now().Add(time.Minute).Unix(), "iat": h.clock.Now().Unix()}
			for name, value := range changes {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			}
			return params("grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", by.sign(&jose.SignerOptions{}, claims))
		}
		h.given(h.post(tokenPath, assert(k, nil)))
		h.given(h.post(tokenPath, assert(k, map[string]any{"aud": []string{"x", h.server.URL + tokenPath}})))
		twice := assert(k, nil)
		h.given(h.post(tokenPath, twice))
		h.refused(h.post(tokenPath, twice), 401, invalidClient)
		now := h.clock.Now()
		for name, v := range map[string]url.Values{
			"another key":           assert(newHolder(t), nil),
			"another audience":      assert(k, map[string]any{"aud": "https://evil.example"}),
			"another subject":       assert(k, map[string]any{"sub": "wiki"}),
			"no jti":                assert(k, map[string]any{"jti": nil}),
			"no end":                assert(k, map[string]any{"exp": nil}),
			"an end in a day":       assert(k, map[string]any{"exp": now.Add(24 * time.Hour).Unix()}),
			"three minutes too old": assert(k, map[string]any{"exp": now.Add(-3 * time.Minute).Unix()}),
			"from the future":       assert(k, map[string]any{"iat": now.Add(3 * time.Minute).Unix()}),
			"not before later":      assert(k, map[string]any{"nbf": now.Add(3 * time.Minute).Unix()}),
			"no assertion":          params("grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", "x.y.z"),
			"the secret it had":     params("grant_type", "client_credentials", "client_id", "api", "client_secret", secret),
		} {
			if r := h.post(tokenPath, v); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: %s %s", name, r.Status, r.body)
			}
		}
		if i, ok := h.noted("api", ClientRefused); !ok || i.Received == "" {
			t.Errorf("the technical contact reads %+v", i)
		}
		h.given(h.post(tokenPath, assert(k, map[string]any{"exp": now.Add(-time.Minute).Unix(), "iat": now.Add(-2 * time.Minute).Unix()}))) // a clock that is late
	})
}

func TestKeysOfAClientAreFetchedAndFetchedAgainWhenItHasANewOne(t *testing.T) {
	h := one(t)
	old, next := newHolder(t), newHolder(t)
	var published atomic.Value
	published.Store(old.set())
	asked := atomic.Int32{}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		text := published.Load().(string)
		if text == "" {
			w.WriteHeader(http.StatusBadGateway)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Error(err)
		}
	}))
	defer site.Close()
	h.change("api", func(s *registry.Service) {
		s.OIDC.AuthMethod, s.OIDC.JWKSURI, s.OIDC.SecretHash = registry.AuthKey, site.URL, ""
	})
	sign := func(k holder) reply {
		return h.post(tokenPath, params("grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", k.sign(&jose.SignerOptions{}, map[string]any{
			"iss": "api", "sub": "api", "aud": h.server.URL, "jti": id.New(), "exp": h.clock.Now().Add(time.Minute).Unix(),
		})))
	}
	h.given(sign(old))
	h.given(sign(old))
	if asked.Load() != 1 {
		t.Errorf("asked %d times for one state", asked.Load())
	}
	published.Store(next.set())
	h.clock.Advance(2 * time.Minute)
	h.given(sign(next))
	h.refused(sign(old), 401, invalidClient)
	before := asked.Load()
	for range 5 { // who signs wrongly again and again does not make us ask each time
		h.refused(sign(old), 401, invalidClient)
	}
	if asked.Load() > before+1 {
		t.Errorf("asked %d more times", asked.Load()-before)
	}
	published.Store("")
	h.clock.Advance(time.Hour)
	h.given(sign(next)) // what was right a while ago serves
}

func TestRequestsArePushedBeforeTheBrowserComes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.change("wiki", func(s *registry.Service) { s.OIDC.Pushed = true })
		if got := h.sent(h.authorize(ask("wiki")), wikiRedirect); got.Get("error") != "invalid_request" {
			t.Errorf("a request that was not pushed: %v", got)
		}
		push := func(changes ...string) reply {
			v := ask("wiki", changes...)
			v.Set("client_secret", secret)
			return h.post(pushPath, v)
		}
		uri := func() string {
			r := push()
			var got pushed
			if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.StatusCode != http.StatusCreated || got.Expires != 90 || !strings.HasPrefix(got.RequestURI, pushedPrefix) {
				t.Fatalf("%s %s", r.Status, r.body)
			}
			return got.RequestURI
		}
		open := func(uri, client string) reply { return h.authorize(params("client_id", client, "request_uri", uri)) }
		one := uri()
		code := h.sent(open(one, "wiki"), wikiRedirect).Get("code")
		h.given(h.post(tokenPath, redeem("wiki", code)))
		if r := open(one, "wiki"); r.StatusCode != http.StatusGone {
			t.Errorf("a request that is answered already: %s", r.Status)
		}
		if r := open(uri(), "app"); r.StatusCode != http.StatusGone {
			t.Errorf("a request of another client: %s", r.Status)
		}
		if r := open(pushedPrefix+"invented", "wiki"); r.StatusCode != http.StatusGone {
			t.Errorf("an invented request: %s", r.Status)
		}
		late := uri()
		h.clock.Advance(91 * time.Second)
		if r := open(late, "wiki"); r.StatusCode != http.StatusGone {
			t.Errorf("too late: %s", r.Status)
		}
		// Once a browser came, its person has time to sign in.
		h.enter(lina())
		h.change("wiki", func(s *registry.Service) { s.SessionLimit = 0 })
		slow := uri()
		h.clock.Advance(time.Minute)
		v := h.viewer
		h.viewer.Person = ""
		back, err := url.Parse(open(slow, "wiki").Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(20 * time.Minute)
		h.enter(v)
		if got := h.sent(h.get(back.Query().Get("next")), wikiRedirect); got.Get("code") == "" {
			t.Errorf("after a long sign-in: %v", got)
		}
		h.refused(push("redirect_uri", "https://evil.example"), 400, invalidRequest)
		h.refused(push("request_uri", pushedPrefix+"x"), 400, invalidRequest)
		h.refused(push("prompt", "none login"), 400, invalidRequest)
		h.refused(h.post(pushPath, ask("wiki")), 401, invalidClient)
	})
}

func TestADeviceIsLetInByItsOwner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		begin := func() (got awaiting) {
			r := h.post(deviceCodePath, params("client_id", "kiosk", "scope", "openid profile offline_access wiki:read"))
			if err := json.Unmarshal([]byte(r.body), &got); err != nil || got.UserCode == "" || got.Interval != 5 || got.Address != h.server.URL+"/device" {
				t.Fatalf("%s %s", r.Status, r.body)
			}
			return got
		}
		poll := func(code string) reply {
			h.clock.Advance(20 * time.Second)
			return h.post(tokenPath, params("grant_type", deviceGrant, "device_code", code, "client_id", "kiosk"))
		}
		d := begin()
		h.refused(poll(d.DeviceCode), 400, authorizationPending)
		h.refused(h.post(tokenPath, params("grant_type", deviceGrant, "device_code", d.DeviceCode, "client_id", "kiosk")), 400, slowDown)
		if r := h.get(strings.TrimPrefix(d.Complete, h.server.URL)); !strings.Contains(r.body, `value="`+d.UserCode+`"`) {
			t.Error("the code of the address is not filled in")
		}
		typed := strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " "))
		r := h.post("/device", params(userCodeField, typed))
		to := r.Header.Get("Location")
		if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, deviceAllowPath+"?") {
			t.Fatalf("%s to %q: %s", r.Status, to, r.body)
		}
		if r := h.get(to); !strings.Contains(r.body, d.UserCode) || !strings.Contains(r.body, "Kiosk") || !strings.Contains(r.body, "127.0.0.1") {
			t.Errorf("the page does not say what is let in: %s", r.body)
		}
		h.clock.Advance(5 * time.Second)
		h.refused(poll(d.DeviceCode), 400, authorizationPending) // looking lets nothing in
		if r := h.post(deviceAllowPath, params(userCodeField, d.UserCode, "answer", "yes")); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s %s", r.Status, r.body)
		}
		if r := h.post(deviceAllowPath, params(userCodeField, d.UserCode, "answer", "no")); r.StatusCode != http.StatusGone {
			t.Errorf("decided twice: %s", r.Status)
		}
		got := h.given(poll(d.DeviceCode))
		if got.Scope != "openid profile offline_access" || got.Refresh == "" || payload(t, got.ID)["sub"] != string(lina().Person) {
			t.Errorf("tokens %+v", got)
		}
		h.refused(poll(d.DeviceCode), 400, invalidGrant)
		h.endSession(lina().Session)
		if r := h.userinfo(got.Access); r.StatusCode != http.StatusOK {
			t.Errorf("a television is signed out with a browser: %s", r.Status)
		}

		h.enter(lina())
		d = begin()
		h.post(deviceAllowPath, params(userCodeField, d.UserCode, "answer", "no"))
		h.refused(poll(d.DeviceCode), 400, accessDenied)
		d = begin()
		h.clock.Advance(Defaults().DeviceLifetime)
		h.refused(poll(d.DeviceCode), 400, expiredToken)
		h.enter(lina())
		if r := h.post(deviceAllowPath, params(userCodeField, d.UserCode, "answer", "yes")); r.StatusCode != http.StatusGone {
			t.Errorf("too late: %s", r.Status)
		}
		h.refused(h.post(tokenPath, params("grant_type", deviceGrant, "device_code", begin().DeviceCode, "client_id", "app")), 400, unauthorizedClient)
		h.refused(h.post(deviceCodePath, params("client_id", "app")), 400, unauthorizedClient)
		h.refuse = OtherPerson
		if r := h.post(deviceAllowPath, params(userCodeField, begin().UserCode, "answer", "yes")); r.StatusCode != http.StatusConflict {
			t.Errorf("somebody who may not enter lets a device in: %s", r.Status)
		}
	})
}

func TestCodesOfDevicesCannotBeGuessed(t *testing.T) {
	h := one(t)
	for range guessRate.Burst {
		if r := h.post("/device", params(userCodeField, "BBBB-BBBB")); r.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%s", r.Status)
		}
	}
	r := h.post(deviceCodePath, params("client_id", "kiosk"))
	var d awaiting
	if err := json.Unmarshal([]byte(r.body), &d); err != nil {
		t.Fatal(err)
	}
	for _, r := range []reply{h.post("/device", params(userCodeField, d.UserCode)), h.get(deviceAllowPath + "?user_code=" + d.UserCode)} {
		if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
			t.Errorf("after %d wrong codes: %s", guessRate.Burst, r.Status)
		}
	}
	h.clock.Advance(10 * time.Minute)
	if r := h.post("/device", params(userCodeField, "not a code")); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("nonsense: %s", r.Status)
	}
}

func TestWhatAnybodyCanBeginIsBounded(t *testing.T) {
	h := one(t)
	begin := func() reply { return h.post(deviceCodePath, params("client_id", "kiosk", "scope", "openid")) }
	for range pendingRate.Burst {
		if r := begin(); r.StatusCode != http.StatusOK {
			t.Fatalf("%s %s", r.Status, r.body)
		}
	}
	h.refused(begin(), 429, slowDown)
	h.clock.Advance(2 * time.Second)
	if r := begin(); r.StatusCode != http.StatusOK {
		t.Errorf("later: %s", r.Status)
	}
}

func TestProofsForNothingAreBounded(t *testing.T) {
	h := one(t)
	h.proofs = limit.New(limit.Rate{Every: time.Second, Burst: 3}, 0, h.clock)
	k := newHolder(t)
	show := func(client string) reply {
		return h.post(tokenPath, params("client_id", client, "grant_type", "refresh_token", "refresh_token", "of nobody"), "DPoP", k.dpop("POST", h.server.URL+tokenPath, h.clock.Now(), nil))
	}
	for range 3 {
		h.refused(show("kiosk"), 400, invalidGrant)
	}
	h.refused(show("kiosk"), 429, slowDown)
	h.clock.Advance(time.Second)
	h.refused(show("kiosk"), 400, invalidGrant)
}

func TestSigningOutFromAService(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		hint := h.enterAndRedeem("wiki").ID
		out := func(pairs ...string) reply { return h.get(logoutPath + "?" + params(pairs...).Encode()) }
		last := func() gate.Departing { return h.departed[len(h.departed)-1] }

		if r := out("post_logout_redirect_uri", wikiBye, "client_id", "wiki"); r.StatusCode != http.StatusOK || !strings.Contains(r.body, "Wiki") || len(h.departed) != 0 {
			t.Errorf("without a hint the person must be asked: %s", r.Status)
		}
		if r := h.post("/oidc/logout/confirm", params("client_id", "wiki", "post_logout_redirect_uri", wikiBye, "state", "s")); r.Header.Get("Location") != wikiBye+"?state=s" {
			t.Errorf("after the yes: %s to %q", r.Status, r.Header.Get("Location"))
		}
		h.enter(lina())
		if r := out("id_token_hint", hint, "post_logout_redirect_uri", wikiBye, "state", "a b"); r.Header.Get("Location") != wikiBye+"?state=a+b" || last().Service.ID != "wiki" {
			t.Errorf("with a hint of this session: %s to %q", r.Status, r.Header.Get("Location"))
		}
		other := lina()
		other.Session = "another-session"
		h.enter(other)
		before := len(h.departed)
		if r := out("id_token_hint", hint, "post_logout_redirect_uri", wikiBye); r.StatusCode != http.StatusOK || len(h.departed) != before {
			t.Errorf("a hint of another session ends this one: %s", r.Status)
		}
		h.enter(lina())
		for name, pairs := range map[string][]string{
			"an address that is not registered": {"id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"},
			"one that only begins so":           {"id_token_hint", hint, "post_logout_redirect_uri", wikiBye + "?x=1"},
			"an address without a client":       {"post_logout_redirect_uri", wikiBye},
			"a hint of another client":          {"id_token_hint", hint, "client_id", "app", "post_logout_redirect_uri", wikiBye},
			"a forged hint":                     {"id_token_hint", hint[:len(hint)-6] + "AAAAAA", "post_logout_redirect_uri", wikiBye},
		} {
			if r := out(pairs...); r.Header.Get("Location") != "" {
				t.Errorf("%s leads to %q", name, r.Header.Get("Location"))
			}
			h.enter(lina())
		}
		if i, ok := h.noted("wiki", LogoutTargetUnknown); !ok || i.Expected != wikiBye || i.Received == "" {
			t.Errorf("the technical contact reads %+v", i)
		}
		if r := h.post(logoutPath, params("id_token_hint", hint), "Origin", "https://wiki.valmont.example", "Sec-Fetch-Site", "cross-site"); r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), logoutPath) {
			t.Errorf("a posted sign-out: %s to %q", r.Status, r.Header.Get("Location"))
		}
	})
}
