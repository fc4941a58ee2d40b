package sso

import (
	"context"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Services are those that the viewer may open and that have an address to begin
// with.
func (m *Module) Services(ctx context.Context, v campus.Viewer) ([]contract.Service, error) {
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	var list []contract.Service
	for _, s := range x.Services() {
		if s.Home != "" && !s.Disabled && s.Audience.Admits(v) {
			list = append(list, catalogued(ctx, s))
		}
	}
	return list, nil
}

func catalogued(ctx context.Context, s *registry.Service) contract.Service {
	locale := i18n.Locale(ctx)
	return contract.Service{
		ID: "sso." + s.ID, Name: s.Name(locale), Description: s.Description(locale), Category: s.Category,
		Icon: s.Icon, LogoURL: s.Logo, URL: s.Home, Keywords: s.Keywords, OpensOutside: !strings.HasPrefix(s.Home, "/"),
	}
}

// mostHits bounds what the one search box shows of this room.
const mostHits = 8

// Search finds entries of the registry for administrators, and members of
// federations that could become one. Everybody else finds services through the
// catalogue.
func (m *Module) Search(ctx context.Context, v campus.Viewer, words string) ([]contract.Hit, error) {
	if !v.Can(campus.RightAdmin) || strings.TrimSpace(words) == "" {
		return nil, nil
	}
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	var hits []contract.Hit
	for _, s := range x.Search(words) {
		if len(hits) == mostHits {
			break
		}
		hits = append(hits, contract.Hit{
			Group: i18n.T(ctx, "sso.registry"), Title: s.Name(i18n.Locale(ctx)), Detail: strings.Join(s.Patterns, ", "),
			URL: "/sso/services/" + s.ID, Icon: "key",
		})
	}
	members, err := m.saml.Metadata().Search(ctx, words, mostHits)
	if err != nil {
		return nil, err
	}
	for _, one := range members {
		if len(hits) == mostHits {
			break
		}
		if x.Entity(one.EntityID) == nil { // not registered yet: the hit begins its entry
			hits = append(hits, contract.Hit{
				Group: i18n.T(ctx, "sso.registry"), Title: one.Name, Detail: one.Federation + " · " + one.EntityID,
				URL: "/sso/services/new?source=" + url.QueryEscape(one.EntityID), Icon: "key",
			})
		}
	}
	return hits, nil
}

// Nav gives administrators the way to the registry, and the help desk the way to
// the trace.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	var items []contract.NavItem
	if v.Can(campus.RightAdmin) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "sso.registry"), URL: "/sso/services", Icon: "key", Group: 2})
	}
	if v.Can(campus.RightHelpdesk) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "sso.trace.title"), URL: "/sso/trace", Icon: "search", Group: 2})
	}
	return items
}
