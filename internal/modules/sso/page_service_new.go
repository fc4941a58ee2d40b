package sso

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/intake"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// newServiceView is the page before the form: which protocol, or what to read.
type newServiceView struct {
	Pattern, Source, Text, Entity string
	Problems                      web.Problems
	// Choices are the service providers of what was given, when it holds several; More
	// is how many the page does not list.
	Choices []ui.Option
	More    int
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

// importBody bounds what may be pasted, in bytes, and importMost what is fetched: an
// aggregate of a large federation is for the command or for a subscription.
const (
	importBody = 5 << 20
	importMost = 32 << 20
)

// choicesShown is how many services of an aggregate the page lists.
const choicesShown = 50

// importService fills the form in from what a service publishes about itself.
// Nothing is written before an administrator looked it over.
func (m *Module) importService(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := newServiceView{Source: strings.TrimSpace(values.Get("source")), Text: values.Get("text"), Entity: strings.TrimSpace(values.Get("entity"))}
	var found intake.Found
	switch {
	case view.Source != "":
		found, err = m.fetchService(r.Context(), view.Source, view.Entity)
	case strings.TrimSpace(view.Text) != "":
		found, err = intake.Read(t(r.Context(), "new.text"), []byte(view.Text), view.Entity)
	default:
		view.Problems.Add("source", "sso.mistake.import_nothing")
	}
	if err == nil && !view.Problems.Any() && len(found.Services) != 1 {
		view.Problems.Add("text", "sso.mistake.import_several")
	}
	var several *intake.SeveralError
	if errors.As(err, &several) {
		view.choose(several)
	} else if err != nil {
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

// choose lets the administrator say which of several service providers is meant.
func (v *newServiceView) choose(e *intake.SeveralError) {
	key := "sso.mistake.import_choose"
	if e.Asked != "" && !e.Fits {
		key = "sso.mistake.import_none_fits"
	}
	v.Problems.Add("entity", key, "count", len(e.Choices), "entity", e.Asked)
	for _, c := range e.Choices[:min(len(e.Choices), choicesShown)] {
		option := ui.Option{Value: c.Entity, Label: c.Entity}
		if c.Name != "" && c.Name != c.Entity {
			option.Label, option.Help = c.Name, c.Entity
		}
		v.Choices = append(v.Choices, option)
	}
	v.More = len(e.Choices) - len(v.Choices)
}

// fetchService reads what a service publishes about itself, at its address. A member
// of a federation is known here already, by its entityID.
func (m *Module) fetchService(ctx context.Context, source, entity string) (intake.Found, error) {
	if s, err := m.saml.Metadata().Propose(ctx, source); err == nil {
		return intake.Found{Services: []registry.Service{s}}, nil
	}
	return intake.Fetch(ctx, &http.Client{Transport: m.channel.Transport}, source, entity, importMost)
}

// newURL is the form for one protocol.
func (v newServiceView) newURL(p registry.Protocol) string {
	q := url.Values{"protocol": {string(p)}}
	if v.Pattern != "" {
		q.Set("pattern", v.Pattern)
	}
	return "/sso/services/new?" + q.Encode()
}
