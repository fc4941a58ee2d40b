package sso

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// serviceForm is a service as it is typed.
type serviceForm struct {
	registry.Service
	Patterns   string // one a line
	Keywords   string // separated by commas
	Campuses   string
	Programmes string
	Editing    bool
}

func readServiceForm(values url.Values) serviceForm {
	text := func(name string) string { return strings.TrimSpace(values.Get(name)) }
	f := serviceForm{
		Service: registry.Service{
			ID: text("id"), NameFrench: text("name_fr"), NameEnglish: text("name_en"),
			DescriptionFrench: text("description_fr"), DescriptionEnglish: text("description_en"),
			Category: text("category"), Icon: text("icon"), Home: text("home"), Contact: text("contact"),
			Protocol: registry.Protocol(text("protocol")), NoSingleLogout: values.Get("single_logout") == "",
		},
		Patterns: values.Get("patterns"), Keywords: text("keywords"), Campuses: text("audience.campuses"), Programmes: text("audience.programmes"),
	}
	for _, a := range values["attributes"] {
		f.Attributes = append(f.Attributes, registry.Attribute(a))
	}
	for _, k := range values["audience.kinds"] {
		f.Audience.Kinds = append(f.Audience.Kinds, campus.Kind(k))
	}
	for _, r := range values["audience.rights"] {
		f.Audience.Rights = append(f.Audience.Rights, campus.Right(r))
	}
	return f
}

// formOf is the form that edits a service.
func formOf(s registry.Service) serviceForm {
	return serviceForm{
		Service: s, Editing: true, Patterns: strings.Join(s.Patterns, "\n"), Keywords: strings.Join(s.Keywords, ", "),
		Campuses: strings.Join(s.Audience.Campuses, ", "), Programmes: strings.Join(s.Audience.Programmes, ", "),
	}
}

// service is what the form says.
func (f serviceForm) service() registry.Service {
	s := f.Service
	s.Patterns, s.Keywords = listed(f.Patterns, "\n"), listed(f.Keywords, ",")
	s.Audience.Campuses, s.Audience.Programmes = listed(f.Campuses, ","), listed(f.Programmes, ",")
	if s.Protocol == registry.Link {
		s.Patterns = nil
	}
	return s
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

// check lists what is to mend. The registry's own rules are the only ones.
func (f serviceForm) check() (problems web.Problems) {
	for _, mistake := range f.service().Check() {
		problems.Add(mistake.Field, "sso.mistake."+mistake.Key, "value", mistake.Value)
	}
	return problems
}

func (m *Module) newServicePage(w http.ResponseWriter, r *http.Request) error {
	form := serviceForm{
		Service:  registry.Service{Protocol: registry.CAS},
		Patterns: r.URL.Query().Get("pattern"), // from the list of unknown addresses
	}
	return m.showServiceForm(w, r, http.StatusOK, form, nil)
}

func (m *Module) addService(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := readServiceForm(values)
	problems := form.check()
	if problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	s := form.service()
	if s.Logo, problems, err = m.keepLogo(r); err != nil {
		return err
	}
	if problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	err = m.AddService(r.Context(), web.Viewer(r), s)
	if err != nil {
		m.dropLogo(r.Context(), s.Logo)
	}
	if errors.Is(err, ServiceTaken) {
		problems.Add("id", "sso.mistake.taken")
		return m.showServiceForm(w, r, http.StatusConflict, form, problems)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "sso.form.added", "service", s.Name(i18n.Locale(r.Context())))
	return web.SeeOther(w, r, "/sso/services/"+s.ID)
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
	form := readServiceForm(values)
	form.ID, form.Disabled, form.Editing, form.Logo = before.ID, before.Disabled, true, before.Logo
	if problems := form.check(); problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	s := form.service()
	logo, problems, err := m.keepLogo(r)
	if err != nil {
		return err
	}
	if problems.Any() {
		return m.showServiceForm(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	if logo != "" || values.Get("logo_remove") != "" {
		s.Logo = logo
	}
	if err := m.EditService(r.Context(), web.Viewer(r), s); err != nil {
		m.dropLogo(r.Context(), logo)
		return err
	}
	if s.Logo != before.Logo {
		m.dropLogo(r.Context(), before.Logo)
	}
	web.Flash(w, r, "sso.form.saved", "service", s.Name(i18n.Locale(r.Context())))
	return web.SeeOther(w, r, "/sso/services/"+s.ID)
}

// serviceFormView is the page with the form.
type serviceFormView struct {
	Form                            serviceForm
	Problems                        web.Problems
	Title, Action, Back             string
	Icons, Protocols                []ui.Option
	Kinds, Rights, Attributes       []ui.Option
	KindsOn, RightsOn, AttributesOn []string
}

func (m *Module) showServiceForm(w http.ResponseWriter, r *http.Request, status int, form serviceForm, problems web.Problems) error {
	ctx := r.Context()
	view := serviceFormView{Form: form, Problems: problems, Title: t(ctx, "form.new_title"), Action: "/sso/services", Back: "/sso/services"}
	if form.Editing {
		view.Title = t(ctx, "form.edit_title", "service", form.Name(i18n.Locale(ctx)))
		view.Action = "/sso/services/" + form.ID
		view.Back = view.Action
	}
	for _, name := range ui.IconNames() {
		view.Icons = append(view.Icons, ui.Option{Value: name, Label: name})
	}
	for _, p := range registry.Protocols {
		view.Protocols = append(view.Protocols, ui.Option{Value: string(p), Label: t(ctx, "protocol."+string(p))})
	}
	view.Kinds, view.KindsOn = optionsOf(ctx, "kind.", campus.Kinds), textsOf(form.Audience.Kinds)
	view.Rights, view.RightsOn = optionsOf(ctx, "right.", campus.Rights), textsOf(form.Audience.Rights)
	view.Attributes, view.AttributesOn = optionsOf(ctx, "attribute.", registry.Attributes), textsOf(form.Attributes)
	return web.Render(w, r, status, serviceFormTempl(view))
}

// optionsOf words a fixed list for the form.
func optionsOf[T ~string](ctx context.Context, prefix string, list []T) []ui.Option {
	var options []ui.Option
	for _, v := range list {
		options = append(options, ui.Option{Value: string(v), Label: t(ctx, prefix+string(v))})
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
