package casserver

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// fakeGate is the room's gate without its rules: who has a session enters, with a
// fresh sign-in when the mark says so.
type fakeGate struct {
	mu        sync.Mutex
	services  []registry.Service
	index     *registry.Index
	banned    []string // services that are for nobody
	unread    error    // why nobody's attributes can be read
	incidents []gate.Incident
}

// fresh is the mark of a sign-in that was made for its question.
const fresh = "fresh"

func (g *fakeGate) register(services ...registry.Service) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range services {
		services[i].Protocol = registry.CAS
	}
	g.services = append(g.services, services...)
	g.index = registry.NewIndex(g.services)
}

func (g *fakeGate) Registry(context.Context) (*registry.Index, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index, nil
}

func (g *fakeGate) Enter(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	v := web.Viewer(r)
	if !v.SignedIn() || q.Fresh && q.Mark != fresh {
		if q.Passive {
			return gate.Entrance{}, gate.SignInNeeded
		}
		if err := web.SeeOther(w, r, "/login?"+query("next", q.Back)); err != nil {
			return gate.Entrance{}, err
		}
		return gate.Entrance{}, gate.Answered
	}
	told, err := g.Released(r.Context(), q.Service, v.Person, q.Wanted)
	return gate.Entrance{Viewer: v, Fresh: q.Mark == fresh, Attributes: told}, err
}

// record is what is known about everybody.
var record = map[registry.Attribute][]string{
	registry.DisplayName: {"Lina Martin"}, registry.Mail: {"lina.martin@valmont.example"}, registry.Affiliation: {"student", "member"},
}

func (g *fakeGate) Released(_ context.Context, s *registry.Service, _ campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	var told []gate.Attribute
	for _, a := range s.Told(record, wanted) {
		told = append(told, gate.Attribute{Name: a, Values: record[a]})
	}
	return told, g.unread
}

func (g *fakeGate) Admit(_ context.Context, s *registry.Service, _ campus.PersonID) error {
	if slices.Contains(g.banned, s.ID) {
		return web.RightMissing
	}
	return nil
}

func (g *fakeGate) Leave(w http.ResponseWriter, r *http.Request, to string) error {
	return web.SeeOther(w, r, to)
}

func (g *fakeGate) Note(_ context.Context, i gate.Incident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.incidents = append(g.incidents, i)
}

// noted are the incidents of a service.
func (g *fakeGate) noted(service string) []gate.Incident {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.incidents), func(i gate.Incident) bool { return i.Service == nil || i.Service.ID != service })
}
