package oidcop

import (
	"context"
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// fakeGate is the room's gate without its rules.
type fakeGate struct{ h *house }

func (g fakeGate) Registry(context.Context) (*registry.Index, error) {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	return g.h.index, nil
}

func (g fakeGate) Enter(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	h := g.h
	h.mu.Lock()
	h.questions = append(h.questions, q)
	h.mu.Unlock()
	v := web.Viewer(r)
	fresh := q.Mark == "fresh"
	old := q.MaxAge > 0 && h.clock.Now().Sub(v.SignedInAt) > q.MaxAge
	switch {
	case q.Passive && h.passive != nil:
		return gate.Entrance{}, h.passive
	case !v.SignedIn() || !fresh && (q.Fresh || old):
		if q.Passive {
			return gate.Entrance{}, gate.SignInNeeded
		}
		if err := web.SeeOther(w, r, "/login?"+url.Values{"next": {q.Back}}.Encode()); err != nil {
			return gate.Entrance{}, err
		}
		return gate.Entrance{}, gate.Answered
	case h.refuse != nil:
		return gate.Entrance{}, h.refuse
	}
	told, err := g.Released(r.Context(), q.Service, v.Person, q.Wanted)
	return gate.Entrance{Viewer: v, Fresh: fresh, Attributes: told}, err
}

var record = map[registry.Attribute][]string{
	registry.DisplayName: {"Lina Martin"}, registry.Mail: {"lina.martin@valmont.example"}, registry.Affiliation: {"student", "member"},
	registry.Campus: {"rives"}, registry.Surname: {"Martin"}, registry.UID: {"lmartin"},
}

func (g fakeGate) Released(_ context.Context, s *registry.Service, _ campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	var told []gate.Attribute
	for _, a := range s.Told(record, wanted) {
		told = append(told, gate.Attribute{Name: a, Values: record[a]})
	}
	return told, nil
}

func (g fakeGate) Admit(context.Context, *registry.Service, campus.PersonID) error { return g.h.banned }

func (g fakeGate) Leave(w http.ResponseWriter, r *http.Request, to string) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.SeeOther(w, r, to)
}

func (g fakeGate) Note(_ context.Context, i gate.Incident) {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	g.h.incidents = append(g.h.incidents, i)
}

// noted reports whether the technical contact of a service reads a reason, and
// returns the incident.
func (h *house) noted(service string, reason *fault.Reason) (gate.Incident, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.incidents {
		if i.Reason == reason && (i.Service == nil && service == "" || i.Service != nil && i.Service.ID == service) {
			return i, true
		}
	}
	return gate.Incident{}, false
}
