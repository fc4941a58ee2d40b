package sso

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Released implements [gate.Gate].
func (m *Module) Released(ctx context.Context, s *registry.Service, who campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	if len(s.Attributes) == 0 {
		return nil, nil
	}
	record, err := m.People.Attributes(ctx, who)
	if err != nil {
		return nil, AttributesUnavailable.From(err)
	}
	values := m.config.Institution.Values(s, who, record, m.Names)
	told := s.Told(values, wanted)
	released := make([]gate.Attribute, len(told))
	for i, a := range told {
		released[i] = gate.Attribute{Name: a, Values: values[a]}
	}
	return released, nil
}

// complete refuses to send somebody to a service that cannot work with what we
// know about them: they would fail there, without a word.
func complete(ctx context.Context, s *registry.Service, released []gate.Attribute) error {
	var missing []string
	for _, a := range s.Required {
		if !slices.ContainsFunc(released, func(r gate.Attribute) bool { return r.Name == a }) {
			missing = append(missing, t(ctx, "attribute."+string(a)))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return AttributeMissing.With(fault.Args{"service": s.Name(i18n.Locale(ctx)), "attributes": strings.Join(missing, ", ")})
}

// agreed asks the person before the service is told what it has no consent for.
// Asked anew (prompt=consent), only a consent counts that is younger than the
// mark with which they were sent to the question.
func (m *Module) agreed(w http.ResponseWriter, r *http.Request, q gate.Question, attributes []gate.Attribute) error {
	ctx := r.Context()
	var since time.Time
	if q.Consent {
		asked, ok := m.askedAt(r, q)
		if since = asked; !ok {
			since = m.Clock.Now().Add(time.Microsecond) // none given until now will do
		}
	}
	missing, err := m.consent.Missing(ctx, web.Viewer(r).Person, q.Service, namesOf(attributes), since)
	switch {
	case err != nil || !missing:
		return err
	case q.Passive:
		return gate.ConsentNeeded
	}
	back := q.Back
	if q.Consent {
		if back, err = m.withMark(w, r, q); err != nil {
			return err
		}
	}
	if err := m.consent.Ask(w, r, q.Service, namesOf(attributes), back); err != nil {
		return err
	}
	return gate.Answered
}

func namesOf(attributes []gate.Attribute) []registry.Attribute {
	names := make([]registry.Attribute, len(attributes))
	for i, a := range attributes {
		names[i] = a.Name
	}
	return names
}

// domainOf is the domain of an institution that names none: what somebody
// registered of the host of our address, such as univ.fr of ent.univ.fr.
func domainOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname()); err == nil {
		return domain
	}
	return u.Hostname()
}
