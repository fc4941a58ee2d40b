package sso

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/walk"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// serviceView is one service with what happened to it.
type serviceView struct {
	Service   *registry.Service
	Name      string
	Facts     []ui.Fact
	Settings  []ui.Fact // what its team has to set
	Health    []ui.Fact // of the last day
	Incidents []incidentView
	Logouts   []logoutRow
}

// incidentView is an incident in the reader's words.
type incidentView struct {
	What, Difference, Fix, Code string
	Facts                       []ui.Fact
	Times                       int64
	Last                        time.Time
}

// logoutRow is one message to the service about an ended session.
type logoutRow struct {
	Address, State string
	Tone           ui.Tone
	At             time.Time
}

// shown is how many incidents and sign-outs the page lists.
const shown = 50

// servicePage shows one service: what is set, what goes wrong, who was told.
func (m *Module) servicePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.serviceByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	view := serviceView{Service: s, Name: s.Name(i18n.Locale(ctx)), Facts: m.serviceFacts(ctx, s), Settings: m.settingFacts(ctx, s)}
	if view.Health, err = m.healthFacts(ctx, s); err != nil {
		return err
	}
	incidents, err := m.incidents(ctx, s.ID, shown)
	if err != nil {
		return err
	}
	for _, i := range incidents {
		view.Incidents = append(view.Incidents, m.incidentWords(ctx, view.Name, i))
	}
	if view.Logouts, err = m.logoutRows(ctx, s.ID); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, serviceTempl(view))
}

func (m *Module) serviceByID(ctx context.Context, id string) (*registry.Service, error) {
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	if s := x.Get(id); s != nil {
		return s, nil
	}
	return nil, ServiceMissing
}

// serviceFacts are the settings of a service, in words.
func (m *Module) serviceFacts(ctx context.Context, s *registry.Service) []ui.Fact {
	state := t(ctx, "state.open")
	if s.Disabled {
		state = t(ctx, "state.closed")
	}
	facts := []ui.Fact{
		{Label: t(ctx, "list.state"), Text: state},
		{Label: t(ctx, "field.identifier"), Text: s.ID},
		{Label: t(ctx, "field.protocol"), Text: t(ctx, "protocol."+string(s.Protocol))},
		{Label: t(ctx, "list.audience"), Text: registry.AudienceWords(ctx, s.Audience)},
	}
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, ui.Fact{Label: t(ctx, "field."+key), Text: text})
		}
	}
	add("home", s.Home)
	add("owner", s.Owner)
	contact := s.Contact
	if contact == "" {
		contact = t(ctx, "page.none")
	}
	add("contact", contact)
	if s.Protocol == registry.Link {
		return facts
	}
	add("patterns", strings.Join(s.Patterns, "\n"))
	add("entity_id", s.SAML.EntityID)
	add("metadata_url", s.SAML.MetadataURL)
	add("client_id", s.OIDC.ClientID)
	add("redirect_uris", strings.Join(s.OIDC.RedirectURIs, "\n"))
	attributes := t(ctx, "page.attributes_none")
	if len(s.Attributes) > 0 {
		attributes = registry.AttributeWords(ctx, s.Attributes)
	}
	add("attributes", attributes)
	add("required", registry.AttributeWords(ctx, s.Required))
	add("reason", s.Reason(i18n.Locale(ctx)))
	add("consent", t(ctx, "page."+yesNo(s.Consent)))
	add("factor", t(ctx, "factor."+cmp.Or(string(s.Factor), "default")))
	if s.SessionLimit > 0 {
		add("session_limit", shortDuration(s.SessionLimit))
	}
	add("secret_ends", s.SecretEnds)
	add("single_logout", t(ctx, "page."+yesNo(!s.NoSingleLogout)))
	return facts
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// settingFacts are what the team of the service has to set.
func (m *Module) settingFacts(ctx context.Context, s *registry.Service) []ui.Fact {
	var facts []ui.Fact
	for _, setting := range walk.Settings(s, m.BaseURL) {
		facts = append(facts, ui.Fact{Label: t(ctx, "walk.setting."+setting.Key), Text: setting.Value, Code: true})
	}
	return facts
}

// healthFacts are both sides of the last day.
func (m *Module) healthFacts(ctx context.Context, s *registry.Service) ([]ui.Fact, error) {
	h, err := m.ServiceHealth(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	facts := make([]ui.Fact, 0, 5)
	if h.LastAt.IsZero() {
		facts = append(facts, ui.Fact{Label: t(ctx, "health.latest"), Text: t(ctx, "health.never")})
	} else {
		facts = append(facts, ui.Fact{Label: t(ctx, "health.latest"), Body: ui.When(h.LastAt, i18n.Ago)})
	}
	for _, side := range []struct {
		key string
		n   int64
	}{{"issued", h.Issued}, {"redeemed", h.Redeemed}, {"refused", h.Refused}, {"ignored", h.Ignored}} {
		facts = append(facts, ui.Fact{Label: t(ctx, "health."+side.key), Text: strconv.FormatInt(side.n, 10)})
	}
	return facts, nil
}

// incidentWords explains an incident to who repairs the service.
func (m *Module) incidentWords(ctx context.Context, name string, i Incident) incidentView {
	pairs := []any{"service", name, "turns", m.config.LoopTurns, "lifetime", m.config.CAS.TicketLifetime, "age", i.Age, "host", i.Received}
	v := incidentView{
		What: i18n.T(ctx, i.Reason+".message", pairs...), Fix: i18n.T(ctx, i.Reason+".next", pairs...),
		Code: i.Reason, Times: i.Times, Last: i.Last,
	}
	if i.Difference != "" {
		v.Difference = t(ctx, "difference."+string(i.Difference))
	}
	for _, fact := range []ui.Fact{
		{Label: t(ctx, "incident.expected"), Text: i.Expected},
		{Label: t(ctx, "incident.received"), Text: i.Received},
		{Label: t(ctx, "incident.validator"), Text: i.Validator},
	} {
		if fact.Text != "" {
			v.Facts = append(v.Facts, fact)
		}
	}
	if p := i18n.Of(ctx); p != nil && i.Age > 0 {
		v.Facts = append(v.Facts, ui.Fact{Label: t(ctx, "incident.age"), Text: p.Duration(i.Age)})
	}
	return v
}

// traceOf is the page with both sides of the sign-ins to a service.
func traceOf(service string) string { return "/sso/services/" + url.PathEscape(service) + "/trace" }

// incidentsSince is what went wrong at a service since a moment.
func (m *Module) incidentsSince(ctx context.Context, s *registry.Service, since time.Time) ([]walk.Incident, error) {
	incidents, err := m.incidents(ctx, s.ID, shown)
	if err != nil {
		return nil, err
	}
	var list []walk.Incident
	for _, i := range incidents {
		if i.Last.Before(since) {
			continue
		}
		said := m.incidentWords(ctx, s.Name(i18n.Locale(ctx)), i)
		list = append(list, walk.Incident{What: said.What + " " + said.Difference, Fix: said.Fix, Expected: i.Expected, Received: i.Received, Times: i.Times, At: i.Last})
	}
	return list, nil
}

func (m *Module) logoutRows(ctx context.Context, service string) ([]logoutRow, error) {
	rows, err := m.answers.LogoutsOf(ctx, service, shown)
	if err != nil {
		return nil, err
	}
	tones := map[answer.LogoutState]ui.Tone{answer.Told: ui.Good, answer.Failed: ui.Bad}
	list := make([]logoutRow, len(rows))
	for i, row := range rows {
		state := t(ctx, "logout_state."+string(row.State), "answer", row.Answer)
		if row.State == answer.Failed || row.State == answer.Waiting && row.Answer != "" {
			state += " (" + row.Answer + ")"
		}
		list[i] = logoutRow{Address: row.Address, State: state, Tone: tones[row.State], At: row.CreatedAt.Time()}
	}
	return list, nil
}

// closeService and openService are cheap to undo: no page in between.
func (m *Module) closeService(w http.ResponseWriter, r *http.Request) error {
	return m.setDisabled(w, r, true, "sso.form.closed")
}

func (m *Module) openService(w http.ResponseWriter, r *http.Request) error {
	return m.setDisabled(w, r, false, "sso.form.opened")
}

func (m *Module) setDisabled(w http.ResponseWriter, r *http.Request, disabled bool, flash string) error {
	id := r.PathValue("id")
	if err := m.DisableService(r.Context(), web.Viewer(r), id, disabled); err != nil {
		return err
	}
	s, err := m.serviceByID(r.Context(), id)
	if err != nil {
		return err
	}
	web.Flash(w, r, flash, "service", s.Name(i18n.Locale(r.Context())))
	return web.SeeOther(w, r, "/sso/services/"+id)
}

// deleteServicePage states what deleting means.
func (m *Module) deleteServicePage(w http.ResponseWriter, r *http.Request) error {
	s, err := m.serviceByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, deleteServiceTempl(s.ID, s.Name(i18n.Locale(r.Context()))))
}

func (m *Module) deleteService(w http.ResponseWriter, r *http.Request) error {
	s, err := m.serviceByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := m.DeleteService(r.Context(), web.Viewer(r), s.ID); err != nil {
		return err
	}
	web.Flash(w, r, "sso.form.deleted", "service", s.Name(i18n.Locale(r.Context())))
	return web.SeeOther(w, r, "/sso/services")
}
