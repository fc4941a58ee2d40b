package sso

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/intake"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// serviceForm is a service as it is typed. Every key of a file has its field in the
// form of its protocol; what has its own page (the secret, whether it is open) stays.
type serviceForm struct {
	registry.Service
	Editing      bool
	SessionLimit string
}

// readServiceForm puts what was typed into an entry.
func readServiceForm(before registry.Service, values url.Values) serviceForm {
	f := serviceForm{Service: before, SessionLimit: strings.TrimSpace(values.Get("session_limit"))}
	text := func(name string) string { return strings.TrimSpace(values.Get(name)) }
	f.NameFrench, f.NameEnglish = text("name_fr"), text("name_en")
	f.DescriptionFrench, f.DescriptionEnglish = text("description_fr"), text("description_en")
	f.Category, f.Icon, f.Home, f.Keywords = text("category"), text("icon"), text("home"), listed(text("keywords"), ",")
	f.Owner, f.Contact, f.SecretEnds = text("owner"), text("contact"), text("secret_ends")
	f.Audience = campus.Audience{
		Kinds: chosen[campus.Kind](values, "audience.kinds"), Rights: chosen[campus.Right](values, "audience.rights"),
		Campuses: listed(text("audience.campuses"), ","), Programmes: listed(text("audience.programmes"), ","),
	}
	if f.Protocol == registry.Link {
		return f
	}
	f.Attributes, f.Required = chosen[registry.Attribute](values, "attributes"), chosen[registry.Attribute](values, "required")
	f.ReasonFrench, f.ReasonEnglish = text("reason_fr"), text("reason_en")
	f.Consent, f.Factor = values.Get("consent") != "", registry.Factor(text("factor"))
	f.NoSingleLogout = values.Get("single_logout") == ""
	switch f.Protocol {
	case registry.CAS:
		f.Patterns, f.CAS.ProxyTo = listed(values.Get("patterns"), "\n"), listed(text("cas.proxy_to"), ",")
	case registry.SAML:
		readSAML(&f.SAML, values, text)
	case registry.OIDC:
		readOIDC(&f.OIDC, values, text)
	}
	return f
}

// formOf is the form that edits a service.
func formOf(s registry.Service) serviceForm {
	f := serviceForm{Service: s, Editing: true}
	if s.SessionLimit > 0 {
		f.SessionLimit = shortDuration(s.SessionLimit)
	}
	return f
}

// shortDuration is a duration as people write it: 8h, not 8h0m0s.
func shortDuration(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		return short + "h"
	}
	return text
}

func listed(text, separator string) []string {
	var list []string
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// chosen are the boxes that were ticked.
func chosen[T ~string](values url.Values, name string) []T {
	var list []T
	for _, v := range values[name] {
		list = append(list, T(v))
	}
	return list
}

// check reads what is not text and lists what is to mend. The registry's own rules
// are the only ones.
func (f *serviceForm) check() (problems web.Problems) {
	f.Service.SessionLimit = 0
	if f.SessionLimit != "" {
		limit, err := time.ParseDuration(f.SessionLimit)
		if f.Service.SessionLimit = limit; err != nil {
			problems.Add("session_limit", "sso.mistake.session_limit")
		}
	}
	for _, mistake := range f.Service.Check() {
		problems.Add(mistake.Field, "sso.mistake."+mistake.Key, "value", mistake.Value)
	}
	return problems
}

func (m *Module) addService(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := readServiceForm(registry.Service{
		ID: strings.TrimSpace(values.Get("id")), Protocol: registry.Protocol(values.Get("protocol")),
		OIDC: registry.OIDCClient{SecretHash: values.Get("oidc.secret_hash")},
	}, values)
	secret := form.secret()
	problems := form.check()
	if problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	s := form.Service
	if s.Logo, problems, err = m.logos.Keep(r); err != nil {
		return err
	}
	if problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	err = m.AddService(r.Context(), web.Viewer(r), s)
	if err != nil {
		m.logos.Drop(r.Context(), s.Logo)
	}
	if errors.Is(err, ServiceTaken) {
		problems.Add("id", "sso.mistake.taken")
		return m.showServiceForm(w, r, http.StatusConflict, form, problems)
	}
	if err != nil {
		return err
	}
	if secret != "" {
		return showSecret(w, r, s, secret)
	}
	web.Flash(w, r, "sso.form.added", "service", s.Name(i18n.Locale(r.Context())))
	return web.SeeOther(w, r, "/sso/services/"+s.ID)
}

// secret gives a new client that needs a secret one, and returns it.
func (f *serviceForm) secret() string {
	if f.Protocol != registry.OIDC || !f.OIDC.Public() || f.OIDC.AuthMethod == registry.AuthPublic || f.OIDC.AuthMethod == registry.AuthKey {
		return ""
	}
	secret, hash := intake.NewSecret()
	f.OIDC.SecretHash = hash
	return secret
}

// showSecret is the only page that ever holds a secret: nobody keeps a copy of it,
// neither we nor the browser.
func showSecret(w http.ResponseWriter, r *http.Request, s registry.Service, secret string) error {
	w.Header().Set("Cache-Control", "no-store")
	return web.Render(w, r, http.StatusOK, secretTempl(s.ID, s.Name(i18n.Locale(r.Context())), s.OIDC.ClientID, secret))
}

// newSecret replaces the secret of a client.
func (m *Module) newSecret(w http.ResponseWriter, r *http.Request) error {
	before, err := m.editable(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if before.Protocol != registry.OIDC {
		return ServiceMissing
	}
	s := *before
	var secret string
	secret, s.OIDC.SecretHash = intake.NewSecret()
	s.SecretEnds = ""
	if err := m.EditService(r.Context(), web.Viewer(r), s); err != nil {
		return err
	}
	return showSecret(w, r, s, secret)
}

func (m *Module) editServicePage(w http.ResponseWriter, r *http.Request) error {
	s, err := m.editable(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return m.showServiceForm(w, r, http.StatusOK, formOf(*s), nil)
}

// editable is a service that the page may change.
func (m *Module) editable(ctx context.Context, id string) (*registry.Service, error) {
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	if err := writable(x, id); err != nil {
		return nil, err
	}
	return x.Get(id), nil
}

func (m *Module) editService(w http.ResponseWriter, r *http.Request) error {
	before, err := m.editable(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := readServiceForm(*before, values)
	form.Editing = true
	if problems := form.check(); problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	s := form.Service
	picture, problems, err := m.logos.Keep(r)
	if err != nil {
		return err
	}
	if problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	if picture != "" || values.Get("logo_remove") != "" {
		s.Logo = picture
	}
	if err := m.EditService(r.Context(), web.Viewer(r), s); err != nil {
		m.logos.Drop(r.Context(), picture)
		return err
	}
	if s.Logo != before.Logo {
		m.logos.Drop(r.Context(), before.Logo)
	}
	web.Flash(w, r, "sso.form.saved", "service", s.Name(i18n.Locale(r.Context())))
	return web.SeeOther(w, r, "/sso/services/"+s.ID)
}

// serviceFormView is the page with the form.
type serviceFormView struct {
	Form                   serviceForm
	Problems               web.Problems
	Title, Action, Back    string
	Icons                  []ui.Option
	Kinds, Rights          []ui.Option
	Attributes             []ui.Option
	Factors                []ui.Option
	AttributesOn, Required []string
	KindsOn, RightsOn      []string
	SAML                   samlChoices
	OIDC                   oidcChoices
	// Rare opens the part of the form that few services need.
	Rare bool
}

func (m *Module) showServiceForm(w http.ResponseWriter, r *http.Request, status int, form serviceForm, problems web.Problems) error {
	ctx := r.Context()
	view := serviceFormView{
		Form: form, Problems: problems, Title: t(ctx, "form.new_title"), Action: "/sso/services", Back: "/sso/services",
		Kinds: optionsOf(ctx, "kind.", campus.Kinds), KindsOn: textsOf(form.Audience.Kinds),
		Rights: optionsOf(ctx, "right.", campus.Rights), RightsOn: textsOf(form.Audience.Rights),
		Attributes: attributeOptions(ctx), AttributesOn: textsOf(form.Attributes), Required: textsOf(form.Required),
		Factors: optionsOf(ctx, "factor.", registry.Factors),
		SAML:    samlChoicesOf(ctx, form.SAML),
		OIDC:    oidcChoicesOf(ctx, form.OIDC),
		Rare:    rarelySet(form.Service) || slices.ContainsFunc(problems, func(p web.Problem) bool { return slices.Contains(rareFields, p.Field) }),
	}
	if form.Editing {
		view.Title = t(ctx, "form.edit_title", "service", form.Name(i18n.Locale(ctx)))
		view.Action = "/sso/services/" + form.ID
		view.Back = view.Action
	}
	for _, name := range ui.IconNames() {
		view.Icons = append(view.Icons, ui.Option{Value: name, Label: name})
	}
	return web.Render(w, r, status, serviceFormTempl(view))
}

// optionsOf words a fixed list for the form. The empty value of a list is worded
// as "default".
func optionsOf[T ~string](ctx context.Context, prefix string, list []T) []ui.Option {
	var options []ui.Option
	for _, v := range list {
		key := string(v)
		if key == "" {
			key = "default"
		}
		options = append(options, ui.Option{Value: string(v), Label: t(ctx, prefix+key)})
	}
	return options
}

func textsOf[T ~string](list []T) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	slices.Sort(texts)
	return texts
}
