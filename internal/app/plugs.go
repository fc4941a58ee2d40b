package app

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// plugs are the optional sockets that the rooms fill, found once at start.
type plugs struct {
	cardProviders    []contract.CardProvider
	serviceProviders []contract.ServiceProvider
	searchRooms      []contract.Searcher
	navigators       []contract.Navigator
	healthCheckers   []contract.HealthChecker
	personFollowers  []contract.PersonFollower
	dossierRooms     []contract.Dossier
	desks            []contract.OpeningHours
	listeners        []contract.Listener
	announcers       []contract.Announcer
	ofServices       []contract.ServiceAnnouncer
	explainers       []contract.Explainer
	rooms            []contract.Module
}

// find asks every room what it plugs in.
func (p *plugs) find(rooms []contract.Module, registry *jobs.Registry) {
	p.rooms = rooms
	for _, room := range rooms {
		if r, ok := room.(contract.CardProvider); ok {
			p.cardProviders = append(p.cardProviders, r)
		}
		if r, ok := room.(contract.ServiceProvider); ok {
			p.serviceProviders = append(p.serviceProviders, r)
		}
		if r, ok := room.(contract.Searcher); ok {
			p.searchRooms = append(p.searchRooms, r)
		}
		if r, ok := room.(contract.Navigator); ok {
			p.navigators = append(p.navigators, r)
		}
		if r, ok := room.(contract.HealthChecker); ok {
			p.healthCheckers = append(p.healthCheckers, r)
		}
		if r, ok := room.(contract.PersonFollower); ok {
			p.personFollowers = append(p.personFollowers, r)
		}
		if r, ok := room.(contract.Dossier); ok {
			p.dossierRooms = append(p.dossierRooms, r)
		}
		if r, ok := room.(contract.OpeningHours); ok {
			p.desks = append(p.desks, r)
		}
		if r, ok := room.(contract.Listener); ok {
			p.listeners = append(p.listeners, r)
		}
		if r, ok := room.(contract.Announcer); ok {
			p.announcers = append(p.announcers, r)
		}
		if r, ok := room.(contract.ServiceAnnouncer); ok {
			p.ofServices = append(p.ofServices, r)
		}
		if r, ok := room.(contract.Explainer); ok {
			p.explainers = append(p.explainers, r)
		}
		if r, ok := room.(contract.JobOwner); ok {
			r.Jobs(registry)
		}
	}
}

// The rooms are given these methods because they are opened before all the
// sockets are known.
func (p *plugs) cards() []contract.CardProvider             { return p.cardProviders }
func (p *plugs) services() []contract.ServiceProvider       { return p.serviceProviders }
func (p *plugs) searchers() []contract.Searcher             { return p.searchRooms }
func (p *plugs) navigation() []contract.Navigator           { return p.navigators }
func (p *plugs) followers() []contract.PersonFollower       { return p.personFollowers }
func (p *plugs) dossiers() []contract.Dossier               { return p.dossierRooms }
func (p *plugs) openingHours() []contract.OpeningHours      { return p.desks }
func (p *plugs) aboutServices() []contract.ServiceAnnouncer { return p.ofServices }
func (p *plugs) all() []contract.Module                     { return p.rooms }

// banners are those of the rooms for who asks, the most pressing first, without those
// that their browser put away.
func (p *plugs) banners(ctx context.Context, r *http.Request) []ui.Banner {
	away := strings.FieldsFunc(web.Cookie(r, ui.BannersCookie), func(c rune) bool { return c == '.' })
	var list []ui.Banner
	for _, room := range p.announcers {
		for _, b := range room.Banners(ctx, web.Viewer(r)) {
			if b.Stays || !slices.Contains(away, b.ID) {
				list = append(list, ui.Banner{ID: b.ID, Tone: ui.Tone(b.Tone), Title: b.Title, Detail: b.Detail, URL: b.URL, Stays: b.Stays})
			}
		}
	}
	return list
}

// explaining finds the article that a room has for a reason.
func (p *plugs) explaining(ctx context.Context, reason string) ui.Link {
	for _, room := range p.explainers {
		if title, url, ok := room.Explaining(ctx, reason); ok {
			return ui.Link{Label: title, URL: url}
		}
	}
	return ui.Link{}
}

// health asks every room that can tell how it is.
func (p *plugs) health(ctx context.Context) []health.Check {
	var checks []health.Check
	for _, room := range p.healthCheckers {
		checks = append(checks, room.Health(ctx)...)
	}
	return checks
}

// serviceNames gives the room of accounts the names that services have in the
// registry of single sign-on.
type serviceNames struct{ sso *sso.Module }

// ServiceCalled implements provisioning.Catalogue. A registry that cannot be read
// names nothing: the ledger is shown all the same.
func (s serviceNames) ServiceCalled(ctx context.Context, service string) (name, address string) {
	x, err := s.sso.Registry(ctx)
	if err != nil {
		return "", ""
	}
	found := x.Get(service)
	if found == nil {
		return "", ""
	}
	return found.Name(i18n.Locale(ctx)), found.Home
}

// ledgerOf is the ledger of accounts of a house whose rooms are being opened:
// single sign-on is opened before it.
type ledgerOf struct{ house *House }

// AccountIn implements contract.ServiceAccounts.
func (l ledgerOf) AccountIn(ctx context.Context, who campus.PersonID, service string) (contract.ServiceAccount, bool, error) {
	return l.house.provisioning.AccountIn(ctx, who, service)
}

// acts are the rooms in which agents can do something for a person.
func (h *House) acts() []contract.Acts {
	return []contract.Acts{h.identity.Support(), h.provisioning}
}
