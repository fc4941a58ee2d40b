package sso

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/intake"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// newServiceView is the page before the form: which protocol, or what to read.
type newServiceView struct {
	Pattern, Source, Text string
	Problems              web.Problems
	// Wrong is why what was given cannot be read, as the reader of metadata says it.
	Wrong string
}

// newServicePage asks for the protocol first: the form then has its fields alone,
// also without scripts.
func (m *Module) newServicePage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	protocol := registry.Protocol(q.Get("protocol"))
	if !slices.Contains(registry.Protocols, protocol) {
		return web.Render(w, r, http.StatusOK, newServiceTempl(newServiceView{Pattern: q.Get("pattern"), Source: q.Get("source")}))
	}
	form := serviceForm{Service: registry.Service{Protocol: protocol}}
	if pattern := q.Get("pattern"); protocol == registry.CAS && pattern != "" { // from the list of unknown addresses
		form.Patterns = []string{pattern}
	}
	return m.showServiceForm(w, r, http.StatusOK, form, nil)
}

// importBody bounds what may be pasted, in bytes.
const importBody = 5 << 20

// importService fills the form in from what a service publishes about itself.
// Nothing is written before an administrator looked it over.
func (m *Module) importService(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := newServiceView{Source: strings.TrimSpace(values.Get("source")), Text: values.Get("text")}
	var found intake.Found
	switch {
	case view.Source != "":
		found, err = m.fetchService(r.Context(), view.Source)
	case strings.TrimSpace(view.Text) != "":
		found, err = intake.Read(t(r.Context(), "new.text"), []byte(view.Text))
	default:
		view.Problems.Add("source", "sso.mistake.import_nothing")
	}
	if err == nil && !view.Problems.Any() && len(found.Services) != 1 {
		view.Problems.Add("text", "sso.mistake.import_several")
	}
	if err != nil {
		view.Wrong = err.Error()
		view.Problems.Add("source", "sso.mistake.import_unreadable")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, newServiceTempl(view))
	}
	form := formOf(found.Services[0])
	form.Editing = false
	if _, made := found.Secrets[form.ID]; made {
		form.OIDC.SecretHash = "" // the page that saves makes one, and shows it
	}
	return m.showServiceForm(w, r, http.StatusOK, form, nil)
}

// fetchService reads what a service publishes about itself, at its address. A member
// of a federation is known here already, by its entityID.
func (m *Module) fetchService(ctx context.Context, source string) (intake.Found, error) {
	if s, err := m.saml.Metadata().Propose(ctx, source); err == nil {
		return intake.Found{Services: []registry.Service{s}}, nil
	}
	return intake.Fetch(ctx, m.channel, source)
}

// newURL is the form for one protocol.
func (v newServiceView) newURL(p registry.Protocol) string {
	q := url.Values{"protocol": {string(p)}}
	if v.Pattern != "" {
		q.Set("pattern", v.Pattern)
	}
	return "/sso/services/new?" + q.Encode()
}
