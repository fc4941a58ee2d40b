package registry

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
)

// Index answers which service an address belongs to. It never changes once it is
// made, so requests read it without a lock; a change of the registry makes a new
// one.
type Index struct {
	services []*Service
	byID     map[string]*Service
	also     func(id string) *Service
	byKey    map[string][]entry  // CAS, by origin
	byEntity map[string]*Service // SAML, by entityID
	byClient map[string]*Service // OpenID Connect, by client_id
}

type entry struct {
	pattern cas.Pattern
	service *Service
}

// NewIndex files the services under the origins of their patterns. Of two
// services with one id the first stays: what the configuration says wins over
// the database. Patterns that cannot be read are left out; the services were
// checked before.
func NewIndex(services []Service) *Index {
	x := &Index{
		byID: make(map[string]*Service, len(services)), byKey: map[string][]entry{},
		byEntity: map[string]*Service{}, byClient: map[string]*Service{},
	}
	for i := range services {
		s := &services[i]
		if x.byID[s.ID] != nil {
			continue
		}
		x.byID[s.ID] = s
		x.services = append(x.services, s)
		switch {
		case s.Protocol == Link:
			continue
		case s.Protocol == SAML && x.byEntity[s.SAML.EntityID] == nil:
			x.byEntity[s.SAML.EntityID] = s
		case s.Protocol == OIDC && x.byClient[s.OIDC.ClientID] == nil:
			x.byClient[s.OIDC.ClientID] = s
		}
		for _, text := range s.Patterns {
			if p, err := cas.ParsePattern(text); err == nil {
				x.byKey[p.Key()] = append(x.byKey[p.Key()], entry{p, s})
			}
		}
	}
	for _, entries := range x.byKey {
		slices.SortStableFunc(entries, func(a, b entry) int { return b.pattern.Weight() - a.pattern.Weight() })
	}
	return x
}

// Services lists every service, those of the configuration first.
func (x *Index) Services() []*Service { return x.services }

// Get returns the service with this id, or nil.
func (x *Index) Get(id string) *Service {
	if s := x.byID[id]; s != nil || x.also == nil {
		return s
	}
	return x.also(id)
}

// Besides makes Get ask also for identifiers that nothing here has: services of a
// federation stand in no registry, and people have sessions at them all the same.
func (x *Index) Besides(also func(id string) *Service) *Index {
	x.also = also
	return x
}

// Entity returns the SAML service provider with this entityID, or nil.
func (x *Index) Entity(entityID string) *Service { return x.byEntity[entityID] }

// Client returns the relying party with this client_id, or nil.
func (x *Index) Client(clientID string) *Service { return x.byClient[clientID] }

// Match returns the service that the address belongs to, or nil. Where several
// match, the most specific pattern wins; a disabled service still matches, so
// that people are told that it is closed and not that it does not exist.
func (x *Index) Match(address cas.ServiceURL) *Service {
	for _, key := range address.Keys() {
		for _, e := range x.byKey[key] {
			if e.pattern.Match(address) {
				return e.service
			}
		}
	}
	return nil
}

// maxDistance is how many letters may differ between an origin and one that is
// still called near: a slip of the hand, not another server.
const maxDistance = 6

// Nearest returns the registered pattern whose origin looks most like that of
// the address, for the administrator who reads why it is unknown; "" when none
// is near. It walks the whole registry, so call it for such a page only.
func (x *Index) Nearest(address cas.ServiceURL) string {
	best, bestDistance := "", maxDistance+1
	for key, entries := range x.byKey {
		if key == cas.LoopbackPattern {
			continue
		}
		d := campus.Distance(key, address.Origin())
		if _, host, _ := strings.Cut(key, "://"); host == address.Host() {
			d = min(d, 1) // same host: the scheme, the port or the path is the slip
		}
		if text := entries[0].pattern.String(); d < bestDistance || d == bestDistance && text < best {
			best, bestDistance = text, d
		}
	}
	return best
}

// Search returns the services whose name, id, pattern, keyword or contact holds
// every word of the query.
func (x *Index) Search(query string) []*Service {
	words := strings.Fields(campus.Fold(query))
	var found []*Service
	for _, s := range x.services {
		text := campus.Fold(strings.Join([]string{
			s.ID, s.NameFrench, s.NameEnglish, s.Category, s.Owner, s.Contact, s.Home, s.SAML.EntityID, s.OIDC.ClientID,
			strings.Join(s.Patterns, " "), strings.Join(s.Keywords, " "),
		}, " "))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, s)
		}
	}
	return found
}
