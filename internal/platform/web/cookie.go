package web

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Over https a cookie carries the __Host- prefix: it is then bound to this host
// and path, and a neighbour on a sister domain cannot plant one (RFC 6265bis
// §4.1.3.2). Plain http exists for loopback only, where browsers refuse the
// prefix.
func cookieName(r *http.Request, name string) (string, bool) {
	if s := stateOf(r.Context()).server; s != nil && s.Secure() {
		return "__Host-" + name, true
	}
	return name, false
}

// SetCookie gives the browser a secret to keep. A maxAge of zero lasts until the
// browser closes; a negative one removes the cookie. [Cookie] gives it back from
// now on, also within this request.
func SetCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge time.Duration) {
	full, secure := cookieName(r, name)
	if st := stateOf(r.Context()); st.cookies == nil {
		st.cookies = map[string]string{name: value}
	} else {
		st.cookies[name] = value
	}
	seconds := int(maxAge / time.Second)
	if maxAge < 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: full, Value: value, Path: "/", MaxAge: seconds,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Cookie returns the value of a cookie set by [SetCookie], or "".
func Cookie(r *http.Request, name string) string {
	if value, given := stateOf(r.Context()).cookies[name]; given {
		return value
	}
	full, _ := cookieName(r, name)
	c, err := r.Cookie(full)
	if err != nil {
		return ""
	}
	return c.Value
}

const flashCookie = "amphi_flash"

// flash is a sentence to show on the next page.
type flash struct {
	Key   string   `json:"k"`
	Pairs []string `json:"p,omitempty"`
}

// Flash leaves a sentence for the next page. The browser keeps it, signed, so no
// table fills with messages that nobody fetches.
func Flash(w http.ResponseWriter, r *http.Request, key string, pairs ...string) {
	s := stateOf(r.Context()).server
	if s == nil || s.Sign == nil {
		return
	}
	body, _ := json.Marshal(flash{key, pairs}) // strings always encode
	value := base64.RawURLEncoding.EncodeToString(body)
	mac := base64.RawURLEncoding.EncodeToString(s.Sign(flashCookie, []byte(value)))
	SetCookie(w, r, flashCookie, value+"."+mac, time.Minute)
}

// TakeFlash returns the sentence left by the page before and forgets it.
func TakeFlash(w http.ResponseWriter, r *http.Request) string {
	s := stateOf(r.Context()).server
	value, mac, ok := strings.Cut(Cookie(r, flashCookie), ".")
	if !ok || s == nil || s.Sign == nil {
		return ""
	}
	SetCookie(w, r, flashCookie, "", -1)
	given, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil || !hmac.Equal(given, s.Sign(flashCookie, []byte(value))) {
		return ""
	}
	var f flash
	body, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || json.Unmarshal(body, &f) != nil {
		return ""
	}
	pairs := make([]any, len(f.Pairs))
	for i, p := range f.Pairs {
		pairs[i] = p
	}
	return i18n.T(r.Context(), f.Key, pairs...)
}
