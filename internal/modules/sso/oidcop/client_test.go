package oidcop

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// browser follows no redirect.
var browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// reply is an answer, read.
type reply struct {
	*http.Response
	body string
}

func (h *house) do(r *http.Request) reply {
	h.t.Helper()
	answer, err := browser.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{answer, string(text)}
}

// get asks for an address of ours as a browser does.
func (h *house) get(path string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.server.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(r)
}

// post sends a form; headers are names and values in turn.
func (h *house) post(path string, form url.Values, headers ...string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return h.do(r)
}

// params are parameters of names and values in turn.
func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// verifier is the PKCE verifier of every test.
var verifier = strings.Repeat("verifier-", 6)

// ask is the authorization request of a client, with changes; an empty value takes
// a parameter out.
func ask(client string, changes ...string) url.Values {
	v := params("client_id", client, "response_type", "code", "scope", "openid profile email", "state", "the-state", "nonce", "the-nonce",
		"code_challenge", s256(verifier), "code_challenge_method", "S256")
	v.Set("redirect_uri", map[string]string{"wiki": wikiRedirect, "app": appRedirect, "hybrid": "https://old.valmont.example/cb"}[client])
	for i := 0; i+1 < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return v
}

// authorize asks as a client's browser does.
func (h *house) authorize(v url.Values) reply {
	h.t.Helper()
	return h.get(authorizePath + "?" + v.Encode())
}

// sent are the parameters that an answer carries to the client's address.
func (h *house) sent(r reply, to string) url.Values {
	h.t.Helper()
	location := r.Header.Get("Location")
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, to) {
		h.t.Fatalf("%s to %q, want 303 to %s: %s", r.Status, location, to, r.body)
	}
	u, err := url.Parse(location)
	if err != nil {
		h.t.Fatal(err)
	}
	if u.Fragment != "" {
		v, err := url.ParseQuery(u.EscapedFragment())
		if err != nil {
			h.t.Fatal(err)
		}
		return v
	}
	return u.Query()
}

// code lets the viewer enter a client and returns the code.
func (h *house) code(v url.Values) string {
	h.t.Helper()
	got := h.sent(h.authorize(v), v.Get("redirect_uri"))
	if got.Get("code") == "" {
		h.t.Fatalf("no code: %v", got)
	}
	return got.Get("code")
}

// redeem is the token request for a code, with changes.
func redeem(client, code string, changes ...string) url.Values {
	v := params("grant_type", "authorization_code", "code", code, "client_id", client, "code_verifier", verifier)
	v.Set("redirect_uri", map[string]string{"wiki": wikiRedirect, "app": appRedirect, "hybrid": "https://old.valmont.example/cb"}[client])
	if client == "wiki" || client == "hybrid" {
		v.Set("client_secret", secret)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return v
}

// given reads the tokens of an answer.
func (h *house) given(r reply) (got tokens) {
	h.t.Helper()
	if r.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s", r.Status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		h.t.Fatal(err)
	}
	return got
}

// refused checks that an answer is an error of OAuth.
func (h *house) refused(r reply, status int, code string) {
	h.t.Helper()
	var got struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.StatusCode != status || got.Error != code {
		h.t.Errorf("%s %s, want %d %s", r.Status, r.body, status, code)
	}
}

// enterAndRedeem goes the whole way.
func (h *house) enterAndRedeem(client string, changes ...string) tokens {
	h.t.Helper()
	return h.given(h.post(tokenPath, redeem(client, h.code(ask(client, changes...)))))
}

// userinfo asks about the person of a token.
func (h *house) userinfo(token string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.server.URL+userInfoPath, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return h.do(r)
}

// payload reads a token without checking it.
func payload(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// decoded is a part of a token as text.
func decoded(t testing.TB, part string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
