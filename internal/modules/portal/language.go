package portal

import (
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// languageFor is how long a browser remembers the language.
const languageFor = 365 * 24 * time.Hour

// keepLanguage makes the browser remember a language, for before signing in.
func keepLanguage(w http.ResponseWriter, r *http.Request, l campus.Locale) {
	http.SetCookie(w, &http.Cookie{
		Name: web.LanguageCookie, Value: string(l), Path: "/", MaxAge: int(languageFor / time.Second),
		Secure: strings.HasPrefix(web.Absolute(r, "/"), "https:"), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// chooseLanguage is the switch at the foot of every page.
func (m *Module) chooseLanguage(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	return m.speak(w, r, form.Get("language"), form.Get("next"), true)
}

// followLanguage is the same as a link, for pages and messages that cannot hold
// a form. Another site may lead here too, so a signed-in person's own choice is
// changed only from our pages.
func (m *Module) followLanguage(w http.ResponseWriter, r *http.Request) error {
	site := r.Header.Get("Sec-Fetch-Site")
	return m.speak(w, r, r.PathValue("tag"), r.URL.Query().Get("next"), site == "same-origin" || site == "none")
}

func (m *Module) speak(w http.ResponseWriter, r *http.Request, tag, next string, keep bool) error {
	l, ok := campus.ParseLocale(tag)
	if !ok {
		return LanguageUnknown
	}
	keepLanguage(w, r, l)
	if v := web.Viewer(r); v.SignedIn() && keep && v.Locale != l {
		appearance := v.Appearance
		if appearance == "" {
			appearance = campus.AppearanceSystem
		}
		if err := m.People.SetPreferences(r.Context(), v.Person, l, appearance); err != nil {
			return err
		}
	}
	return web.SeeOther(w, r, web.Local(next))
}
