// Package request reads what a client asks with the browser that it sends: the
// parameters of OAuth 2.0 (RFC 6749 §4.1.1), OpenID Connect (Core §3.1.2.1), PKCE
// (RFC 7636) and DPoP (RFC 9449 §10). It knows neither SQL nor HTTP, nor who the
// client is.
package request

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The errors that a client is told, by their names in the specifications.
const (
	InvalidRequest          = "invalid_request"
	UnsupportedResponseType = "unsupported_response_type"
	UnauthorizedClient      = "unauthorized_client"
	InvalidScope            = "invalid_scope"
	AccessDenied            = "access_denied"
	LoginRequired           = "login_required"
	InteractionRequired     = "interaction_required"
	ConsentRequired         = "consent_required"
	RequestNotSupported     = "request_not_supported"
	RequestURINotSupported  = "request_uri_not_supported"
	RegistrationUnsupported = "registration_not_supported"
	UnmetAuthentication     = "unmet_authentication_requirements"
	ServerError             = "server_error"
)

// Refusal is why a request is not followed. The description is for whoever writes
// the client.
type Refusal struct {
	Code        string
	Description string
	// Expected and Received are what differs, for the technical contact; both may be
	// empty.
	Expected, Received string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Description }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Description: fmt.Sprintf(format, args...)}
}

// Mode is how an answer travels through the browser.
type Mode string

// The modes (OAuth 2.0 Multiple Response Types, Form Post Response Mode).
const (
	Query    Mode = "query"
	Fragment Mode = "fragment"
	FormPost Mode = "form_post"
)

// Modes lists them.
var Modes = []Mode{Query, Fragment, FormPost}

// Prompt values (OpenID Connect Core §3.1.2.1).
const (
	PromptNone    = "none"
	PromptLogin   = "login"
	PromptConsent = "consent"
	PromptSelect  = "select_account"
)

// Prompts lists them.
var Prompts = []string{PromptNone, PromptLogin, PromptConsent, PromptSelect}

// Return is where an answer goes, whatever it says. It is read before the rest,
// because a request with a mistake is answered there as well.
type Return struct {
	ClientID    string
	RedirectURI string
	// Response is the response type with its words in order, such as "code id_token".
	Response string
	Mode     Mode
	State    string
}

// Authorization is a request as far as it can be read.
type Authorization struct {
	Return
	Scopes      []string
	Nonce       string
	Prompts     []string
	MaxAge      time.Duration
	HasMaxAge   bool
	ACR         []string
	LoginHint   string
	IDTokenHint string
	Locales     []string
	Claims      Claims
	// Challenge is the S256 challenge of PKCE; empty when the client sent none.
	Challenge string
	// Thumbprint is the key that the tokens will be bound to (dpop_jkt).
	Thumbprint string
}

// OpenID reports whether an ID token is wanted.
func (a Authorization) OpenID() bool { return slices.Contains(a.Scopes, "openid") }

// Prompt reports whether the client asks for this.
func (a Authorization) Prompt(what string) bool { return slices.Contains(a.Prompts, what) }

// longest is the limit of each parameter in bytes: generous to clients that carry
// their state along, and short enough for every proxy and log on the way.
const longest = 4096

// maxAll bounds all of them together, since they travel through the sign-in as an
// address.
const maxAll = 12 << 10

// ReadReturn reads where the answer goes. Its refusal has no way back to the
// client: a person reads it.
func ReadReturn(v url.Values) (Return, *Refusal) {
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "response_mode", "state"} {
		if len(v[name]) > 1 {
			return Return{}, refuse(InvalidRequest, "%s is given twice", name)
		}
	}
	ret := Return{
		ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"),
		Response: ordered(v.Get("response_type")), Mode: Mode(v.Get("response_mode")), State: v.Get("state"),
	}
	if all := len(v.Encode()); all > maxAll {
		return Return{}, refuse(InvalidRequest, "the request has %d bytes, which is more than %d", all, maxAll)
	}
	for name, values := range v {
		if !utf8.ValidString(name) || strings.ContainsRune(name, 0) || !utf8.ValidString(strings.Join(values, "")) || strings.ContainsRune(strings.Join(values, ""), 0) {
			return Return{}, refuse(InvalidRequest, "a parameter is not text")
		}
	}
	switch {
	case ret.ClientID == "":
		return ret, refuse(InvalidRequest, "client_id is missing")
	case ret.RedirectURI == "":
		return ret, refuse(InvalidRequest, "redirect_uri is missing")
	}
	if !slices.Contains(Modes, ret.Mode) || ret.Mode == Query && strings.Contains(ret.Response, "token") {
		// What passes in a query ends in logs, so an ID token never does (Multiple
		// Response Types §3). Read reports the mistake.
		ret.Mode = DefaultMode(ret.Response)
	}
	return ret, nil
}

// DefaultMode is how answers of a response type travel when nothing is asked.
func DefaultMode(response string) Mode {
	if strings.Contains(response, "id_token") {
		return Fragment
	}
	return Query
}

// ordered puts the words of a response type in order: theirs means nothing.
func ordered(text string) string {
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(words, " ")
}

var (
	// challengeForm is a SHA-256 in base64url (RFC 7636 §4.2).
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	// verifierForm is RFC 7636 §4.1.
	verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
	// scopeForm is RFC 6749 §3.3.
	scopeForm = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)
)

// Verifier reports whether a text can be a code verifier.
func Verifier(text string) bool { return verifierForm.MatchString(text) }

// Read reads the rest of a request whose return is known.
func Read(ret Return, v url.Values) (Authorization, *Refusal) {
	a := Authorization{Return: ret, Nonce: v.Get("nonce"), LoginHint: v.Get("login_hint"), IDTokenHint: v.Get("id_token_hint")}
	for name, values := range v {
		if len(values) > 1 { // RFC 6749 §3.1
			return a, refuse(InvalidRequest, "%s is given twice", visible(name))
		}
		if len(values[0]) > longest {
			return a, refuse(InvalidRequest, "%s is longer than %d bytes", visible(name), longest)
		}
	}
	// What we do not follow is said, not ignored: a client that signed its request
	// must not take an answer for one to what it signed.
	switch {
	case v.Has("request"):
		return a, refuse(RequestNotSupported, "request objects are not supported; push the request instead (RFC 9126)")
	case v.Has("request_uri"):
		return a, refuse(RequestURINotSupported, "request_uri is only taken from the pushed authorization request endpoint")
	case v.Has("registration"):
		return a, refuse(RegistrationUnsupported, "clients are registered beforehand")
	}
	for _, step := range []func(*Authorization, url.Values) *Refusal{readResponse, readScopes, readPrompts, readMaxAge, readPKCE, readLists, readClaims} {
		if refusal := step(&a, v); refusal != nil {
			return a, refusal
		}
	}
	return a, nil
}

func readResponse(a *Authorization, v url.Values) *Refusal {
	switch a.Response {
	case "":
		return refuse(InvalidRequest, "response_type is missing")
	case "code", "id_token", "code id_token":
	default:
		return refuse(UnsupportedResponseType, "response_type %s is not supported: ask for code", visible(a.Response))
	}
	switch mode := Mode(v.Get("response_mode")); {
	case mode == "":
	case !slices.Contains(Modes, mode):
		return refuse(InvalidRequest, "response_mode %s is not supported", visible(string(mode)))
	case mode == Query && a.Response != "code":
		return refuse(InvalidRequest, "response_mode query is not allowed for an ID token")
	}
	return nil
}

func readScopes(a *Authorization, v url.Values) *Refusal {
	for _, scope := range strings.Fields(v.Get("scope")) {
		if !scopeForm.MatchString(scope) {
			return refuse(InvalidScope, "the scope holds characters that RFC 6749 does not allow")
		}
		if !slices.Contains(a.Scopes, scope) {
			a.Scopes = append(a.Scopes, scope)
		}
	}
	if strings.Contains(a.Response, "id_token") {
		if !a.OpenID() {
			return refuse(InvalidScope, "an ID token needs the scope openid")
		}
		if a.Nonce == "" { // Core §3.2.2.1
			return refuse(InvalidRequest, "nonce is missing, and an ID token that passes through the browser needs it")
		}
	}
	return nil
}

func readPrompts(a *Authorization, v url.Values) *Refusal {
	a.Prompts = strings.Fields(v.Get("prompt"))
	for _, p := range a.Prompts {
		if !slices.Contains(Prompts, p) {
			return refuse(InvalidRequest, "prompt %s is not supported", visible(p))
		}
	}
	if a.Prompt(PromptNone) && len(a.Prompts) > 1 {
		return refuse(InvalidRequest, "prompt none stands alone")
	}
	return nil
}

// maxMaxAge is a year: more than any session lasts.
const maxMaxAge = 366 * 24 * 3600

func readMaxAge(a *Authorization, v url.Values) *Refusal {
	text := v.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return refuse(InvalidRequest, "max_age is not a number of seconds")
	}
	a.MaxAge, a.HasMaxAge = time.Duration(min(seconds, maxMaxAge))*time.Second, true
	return nil
}

func readPKCE(a *Authorization, v url.Values) *Refusal {
	challenge, method := v.Get("code_challenge"), v.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "":
		return nil
	case challenge == "":
		return refuse(InvalidRequest, "code_challenge is missing")
	case method != "S256":
		// "plain" is the default of RFC 7636 and protects from nobody who sees the
		// request (RFC 9700 §2.1.1).
		return refuse(InvalidRequest, "code_challenge_method must be S256")
	case !challengeForm.MatchString(challenge):
		return refuse(InvalidRequest, "code_challenge is not a SHA-256 in base64url")
	}
	a.Challenge = challenge
	return nil
}

func readLists(a *Authorization, v url.Values) *Refusal {
	a.ACR, a.Locales = strings.Fields(v.Get("acr_values")), strings.Fields(v.Get("ui_locales"))
	if jkt := v.Get("dpop_jkt"); jkt != "" {
		if !challengeForm.MatchString(jkt) {
			return refuse(InvalidRequest, "dpop_jkt is not a SHA-256 in base64url")
		}
		a.Thumbprint = jkt
	}
	return nil
}

// visible cuts what somebody sent to a length and an alphabet that an error
// description may have (RFC 6749 §4.1.2.1).
func visible(text string) string {
	if len(text) > 80 {
		text = text[:80] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, text)
}
