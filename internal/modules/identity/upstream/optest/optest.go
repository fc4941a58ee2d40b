// Package optest is an OpenID provider that signs everybody in, and misbehaves in
// whatever way a test wants.
package optest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client that the provider knows.
const (
	ClientID = "amphi"
	Secret   = "un-secret-bien-garde"
)

// Provider is the provider. Change its fields before a sign-in begins; it is safe
// for one sign-in at a time.
type Provider struct {
	URL string
	// Claims are what it says about whoever comes.
	Claims map[string]any
	// Spoil changes the claims of an ID token just before they are signed.
	Spoil func(claims map[string]any)
	// Refuse answers the authorization request with this error and description.
	Refuse, Because string
	// Issuer is said in its metadata and tokens instead of its address.
	Issuer string
	// Says is the "iss" parameter of its answers; "" for none.
	Says string
	// Algorithm signs in another way: "none", or HS256 with the client's secret.
	Algorithm string
	// Stranger signs with a key that it does not publish.
	Stranger bool
	// TokenError makes the token endpoint answer so; TokenStatus with another status
	// and a page.
	TokenError  string
	TokenStatus int
	// Info is what userinfo says.
	Info map[string]any
	// Now is the provider's clock.
	Now func() time.Time
	// Asked is the last authorization request, Fetched counts visits of the keys and
	// Introduced those of the metadata.
	Asked      url.Values
	Fetched    int
	Introduced int

	mu     sync.Mutex
	key    *ecdsa.PrivateKey
	kid    string
	codes  map[string]url.Values
	server *httptest.Server
}

// Start starts a provider and stops it when the test ends.
func Start(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{Now: time.Now, codes: map[string]url.Values{}, Claims: map[string]any{"sub": "77f1", "email": "lina.martin@valmont.example", "email_verified": true, "preferred_username": "lina.martin"}}
	p.Rotate(t)
	pages := map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": p.metadata, "/authorize": p.authorize, "/token": p.token, "/keys": p.keys,
		"/userinfo": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, p.Info) },
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page := pages[r.URL.Path]; page != nil {
			page(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(p.server.Close)
	p.URL = p.server.URL
	return p
}

// Stop takes the provider off the network.
func (p *Provider) Stop() { p.server.Close() }

// Rotate makes the provider sign with a new key from now on.
func (p *Provider) Rotate(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.kid = key, time.Now().Format("150405.000000000")
}

func (p *Provider) issuer() string {
	if p.Issuer != "" {
		return p.Issuer
	}
	return p.URL
}

func (p *Provider) metadata(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	p.Introduced++
	p.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.issuer(), "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"userinfo_endpoint": p.URL + "/userinfo", "end_session_endpoint": p.URL + "/logout", "id_token_signing_alg_values_supported": []string{"ES256"},
		"authorization_response_iss_parameter_supported": p.Says != "",
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Fetched++
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: p.kid, Algorithm: "ES256", Use: "sig"}}})
}

// authorize signs everybody in at once, as a provider does that has a session.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Asked = r.URL.Query()
	back := url.Values{"state": {p.Asked.Get("state")}}
	if p.Says != "" {
		back.Set("iss", p.Says)
	}
	if p.Refuse != "" {
		back.Set("error", p.Refuse)
		back.Set("error_description", p.Because)
	} else {
		code := rand.Text()
		p.codes[code] = p.Asked
		back.Set("code", code)
	}
	http.Redirect(w, r, p.Asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case p.TokenStatus != 0:
		http.Error(w, "<h1>Bad Gateway</h1>", p.TokenStatus)
	case p.TokenError != "":
		answer(w, http.StatusBadRequest, map[string]any{"error": p.TokenError})
	case id != ClientID || secret != Secret:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !known, base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"), asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"):
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		answer(w, http.StatusOK, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": p.sign(asked)})
	}
}

// sign makes the ID token.
func (p *Provider) sign(asked url.Values) string {
	claims := map[string]any{
		"iss": p.issuer(), "aud": ClientID, "nonce": asked.Get("nonce"), "iat": p.Now().Unix(), "exp": p.Now().Add(5 * time.Minute).Unix(), "auth_time": p.Now().Unix(),
	}
	maps.Copy(claims, p.Claims)
	if p.Spoil != nil {
		p.Spoil(claims)
	}
	return p.signed(claims, "")
}

// LogoutToken is what the provider posts when a session there ends (Back-Channel
// Logout 1.0, 2.4). change spoils its claims; nil takes one out.
func (p *Provider) LogoutToken(change map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	claims := map[string]any{
		"iss": p.issuer(), "aud": ClientID, "iat": p.Now().Unix(), "exp": p.Now().Add(2 * time.Minute).Unix(), "jti": rand.Text(), "sub": p.Claims["sub"],
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	kind := jose.ContentType("logout+jwt")
	if given, ok := claims["typ"].(string); ok {
		kind = jose.ContentType(given)
		delete(claims, "typ")
	}
	return p.signed(claims, kind)
}

// signed makes a token of claims, or spoils it as the test wants.
func (p *Provider) signed(claims map[string]any, kind jose.ContentType) string {
	body, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	if p.Algorithm == "none" {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
	}
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: p.kid}}
	if p.Stranger {
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return ""
		}
		key.Key = jose.JSONWebKey{Key: other, KeyID: "elsewhere"}
	}
	if p.Algorithm == "HS256" {
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(Secret + "-made-long-enough-for-hs256")}
	}
	options := &jose.SignerOptions{}
	if kind != "" {
		options = options.WithType(kind)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return ""
	}
	signed, err := signer.Sign(body)
	if err != nil {
		return ""
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return ""
	}
	return text
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(http.ErrAbortHandler) // the client sees half an answer, as it should
	}
}
