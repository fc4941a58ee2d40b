package diagnostic

import (
	"context"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// ours reports whether a cookie is one of Amphi's, by its name.
func ours(name string) bool {
	return strings.HasPrefix(strings.TrimPrefix(name, "__Host-"), "amphi_")
}

// expire removes cookies of ours from the browser, whatever is in them.
func expire(w http.ResponseWriter, cookies []*http.Cookie) {
	for _, c := range cookies {
		if ours(c.Name) {
			// Secure as the __Host- prefix asks; a plain one must be expired on loopback too.
			http.SetCookie(w, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: strings.HasPrefix(c.Name, "__Host-"), SameSite: http.SameSiteLaxMode})
		}
	}
}

// mostCookies is how many bytes of cookies a request may bring. Ours are under
// 1 KiB; more comes from neighbours that set theirs for the whole domain.
const mostCookies = 16 << 10

type oversizedKey struct{}

// Oversized answers requests with too many cookies by a page that removes them
// (RFC 6585 §5), where servers usually answer with a blank one that stays until
// somebody knows how to clean a browser. It stands in front of the whole house.
func Oversized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bytes := 0
		for _, line := range r.Header.Values("Cookie") {
			bytes += len(line)
		}
		if bytes <= mostCookies {
			next.ServeHTTP(w, r)
			return
		}
		clean(w, r)
		inner := r.Clone(context.WithValue(r.Context(), oversizedKey{}, bytes))
		inner.Header.Del("Cookie")
		inner.Method, inner.Body, inner.ContentLength = http.MethodGet, http.NoBody, 0
		inner.URL.Path, inner.URL.RawPath, inner.URL.RawQuery = "/diagnostic/cookies", "", ""
		inner.RequestURI = inner.URL.RequestURI()
		next.ServeHTTP(w, inner)
	})
}

// clean removes our cookies one by one, and asks the browser to remove those of
// its neighbours on this domain, which we cannot name (W3C Clear Site Data;
// browsers obey it over https only).
func clean(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Clear-Site-Data", `"cookies"`)
	expire(w, r.Cookies())
}

// cookiesPage explains the cleaning: as the answer to a request that was too
// large, or to who asks for it.
func (h *Help) cookiesPage(w http.ResponseWriter, r *http.Request) error {
	if _, too := r.Context().Value(oversizedKey{}).(int); too {
		return web.Render(w, r, http.StatusRequestHeaderFieldsTooLarge, cookiesTempl(true))
	}
	return web.Render(w, r, http.StatusOK, cookiesTempl(false))
}

// cleanCookies signs out of this browser and removes what we left in it.
func (h *Help) cleanCookies(w http.ResponseWriter, r *http.Request) error {
	if err := h.startOver(w, r); err != nil {
		return err
	}
	web.Flash(w, r, "identity.diagnostic.cleaned")
	return web.SeeOther(w, r, "/login")
}

// startOver ends the session of this browser and removes every cookie of ours.
func (h *Help) startOver(w http.ResponseWriter, r *http.Request) error {
	if err := h.Sessions.End(r.Context(), w, r); err != nil {
		return err
	}
	expire(w, r.Cookies())
	if len(strings.Join(r.Header.Values("Cookie"), "; ")) >= manyBytes {
		w.Header().Set("Clear-Site-Data", `"cookies"`)
	}
	return nil
}
