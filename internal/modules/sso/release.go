package sso

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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

// Released implements [gate.Gate]. Where people are asked, it is never more than they
// agreed to.
func (m *Module) Released(ctx context.Context, s *registry.Service, who campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	all, err := m.Releasable(ctx, s, who, wanted)
	if err != nil || !s.Consent {
		return all, err
	}
	allowed, _, err := m.consent.Allowed(ctx, who, s, namesOf(all), time.Time{})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(a gate.Attribute) bool { return !slices.Contains(allowed, a.Name) && !s.Needs(a.Name) }), nil
}

// Releasable is what a service would be told about somebody who agrees to all of it;
// wanted narrows it, nil is all.
func (m *Module) Releasable(ctx context.Context, s *registry.Service, who campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
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

// agreed asks the person before the service is told what it has no consent for, and
// returns what they let it know. Asked anew (prompt=consent), only a consent counts
// that is younger than the mark with which they were sent to the question.
func (m *Module) agreed(w http.ResponseWriter, r *http.Request, q gate.Question, attributes []gate.Attribute) ([]gate.Attribute, error) {
	ctx := r.Context()
	var since time.Time
	if q.Consent {
		asked, ok := m.askedAt(r, q)
		if since = asked; !ok {
			since = m.Clock.Now().Add(time.Microsecond) // none given until now will do
		}
	}
	allowed, missing, err := m.consent.Allowed(ctx, web.Viewer(r).Person, q.Service, namesOf(attributes), since)
	switch {
	case err != nil:
		return nil, err
	case !missing:
		return slices.DeleteFunc(attributes, func(a gate.Attribute) bool { return !slices.Contains(allowed, a.Name) }), nil
	case q.Passive:
		return nil, gate.ConsentNeeded
	}
	back := q.Back
	if q.Consent {
		if back, err = m.withMark(w, r, q); err != nil {
			return nil, err
		}
	}
	if err := m.consent.Ask(w, r, q.Service, namesOf(attributes), back); err != nil {
		return nil, err
	}
	return nil, gate.Answered
}

const refusedPurpose = "sso.refused"

// refusal is the address at which a service hears that somebody refused: its own
// question, with a mark that says so. Protocols without a word for it have none.
func (m *Module) refusal(who campus.PersonID, s *registry.Service, back string) (to string, ok bool) {
	u, err := url.Parse(back)
	if err != nil || !m.saml.Hears(u.Path) && !m.oidc.Hears(u.Path) {
		return "", false
	}
	parameters := u.Query()
	parameters.Del(gate.MarkParameter)
	u.RawQuery = parameters.Encode()
	at := strconv.FormatInt(m.Clock.Now().UnixMicro(), 36)
	parameters.Set(gate.MarkParameter, refusedMark+at+"."+m.signRefusal(at, who, s, u.RequestURI()))
	u.RawQuery = parameters.Encode()
	return u.RequestURI(), true
}

// refusedMark begins a mark that carries a refusal.
const refusedMark = "no."

// refusedFor is how long a refusal answers the question that it was given to: long
// enough for a redirect. Whoever comes back later is asked again.
const refusedFor = time.Minute

func (m *Module) signRefusal(at string, who campus.PersonID, s *registry.Service, question string) string {
	return base64.RawURLEncoding.EncodeToString(m.Sign(refusedPurpose, []byte(strings.Join([]string{at, string(who), s.ID, question}, " "))))
}

// refused reports whether the viewer has just refused this very question.
func (m *Module) refused(v campus.Viewer, q gate.Question) bool {
	mark, is := strings.CutPrefix(q.Mark, refusedMark)
	at, signature, _ := strings.Cut(mark, ".")
	back, err := url.Parse(q.Back)
	if !is || err != nil {
		return false
	}
	back.RawQuery = back.Query().Encode()
	micros, err := strconv.ParseInt(at, 36, 64)
	return err == nil && m.Clock.Now().Sub(time.UnixMicro(micros)) < refusedFor &&
		hmac.Equal([]byte(signature), []byte(m.signRefusal(at, v.Person, q.Service, back.RequestURI())))
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
