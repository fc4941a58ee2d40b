package samlidp

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// postView is the page that carries a message to a service (bindings, 3.5.4).
type postView struct {
	Service string
	saml.Form
}

// post sends a message by the person's browser: by itself where scripts run, by
// the button where they do not, or where an extension stops them.
func (x *IDP) post(w http.ResponseWriter, r *http.Request, s *registry.Service, form saml.Form) error {
	allowForm(w, form.Action)
	if framed(r) { // by our sign-out page, and by nobody else's
		web.AllowFraming(w)
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	// A page kept by the browser would send an old answer again.
	w.Header().Set("Cache-Control", "no-store")
	return web.Render(w, r, http.StatusOK, postTempl(postView{s.Name(i18n.Locale(r.Context())), form}))
}

// allowForm lets the form of a page end at the service, and at whatever other site
// the service then sends people on to: browsers apply form-action to redirects
// too. The page has no other form, and its address comes from signed or registered
// metadata.
func allowForm(w http.ResponseWriter, action string) {
	if origin := web.OriginOf(action); origin != "" { // else the form stays where it is, and the address is in the log
		web.AllowFormTo(w, origin, "https:")
	}
}

// continueScript submits the form of the page above; the policy of our pages
// allows no script inside them.
func (x *IDP) continueScript(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := w.Write([]byte("document.getElementById(\"continue\").submit();\n"))
	return err
}
