package sso

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// perPage is how many services a page of the registry lists.
const perPage = 50

// serviceRow is one line of the registry.
type serviceRow struct {
	Name, URL, Protocol string
	Address, Audience   string
	State               string
	Tone                ui.Tone
	Problems            int64
}

// servicesView is the registry as a page.
type servicesView struct {
	Query       string
	Rows        []serviceRow
	Total       int
	Page, Pages int
	Unknown     []Incident
}

// pageURL is the address of a page of the same search.
func (v servicesView) pageURL(page int) string {
	return "/sso/services?" + url.Values{"q": {v.Query}, "page": {strconv.Itoa(page)}}.Encode()
}

// maxQuery bounds the words of a search.
const maxQuery = 200

// servicesPage lists the registry.
func (m *Module) servicesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	x, err := m.services(ctx)
	if err != nil {
		return err
	}
	view := servicesView{Query: r.URL.Query().Get("q")}
	view.Query = strings.ToValidUTF8(view.Query[:min(len(view.Query), maxQuery)], "")
	found := slices.Clone(x.Services())
	if view.Query != "" {
		found = x.Search(view.Query)
	}
	locale := i18n.Locale(ctx)
	slices.SortStableFunc(found, func(a, b *registry.Service) int {
		return strings.Compare(strings.ToLower(a.Name(locale)), strings.ToLower(b.Name(locale)))
	})
	view.Total = len(found)
	view.Pages = max(1, (len(found)+perPage-1)/perPage)
	view.Page, _ = strconv.Atoi(r.URL.Query().Get("page")) // no number is the first page
	view.Page = max(1, min(view.Page, view.Pages))
	broken, err := m.brokenServices(ctx)
	if err != nil {
		return err
	}
	for _, s := range found[(view.Page-1)*perPage : min(view.Page*perPage, len(found))] {
		row := serviceRow{
			Name: s.Name(locale), URL: "/sso/services/" + s.ID, Protocol: t(ctx, "protocol."+string(s.Protocol)),
			Address: shortAddress(addressOf(s)), Audience: registry.AudienceWords(ctx, s.Audience),
		}
		row.State, row.Tone = t(ctx, "state.open"), ui.Good
		if s.Disabled {
			row.State, row.Tone = t(ctx, "state.closed"), ""
		}
		for _, b := range broken {
			if b.service == s.ID {
				row.State, row.Tone = t(ctx, "incidents", "count", b.times), ui.Warn
			}
		}
		view.Rows = append(view.Rows, row)
	}
	if view.Unknown, err = m.incidents(ctx, "", 20); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, servicesTempl(view))
}

// addressOf is what tells a service from others in its protocol.
func addressOf(s *registry.Service) string {
	switch s.Protocol {
	case registry.SAML:
		return s.SAML.EntityID
	case registry.OIDC:
		return s.OIDC.ClientID
	case registry.Link:
		return s.Home
	default:
		return strings.Join(s.Patterns, ", ")
	}
}

// shortAddress leaves out what nearly every address of the list has.
func shortAddress(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ReplaceAll(text, "https://", ""), "*"), "/")
}

// exportServices gives the registry, or what a search found of it, as the file
// that "amphi service add" reads.
func (m *Module) exportServices(w http.ResponseWriter, r *http.Request) error {
	x, err := m.services(r.Context())
	if err != nil {
		return err
	}
	found := x.Search(r.URL.Query().Get("q"))
	services := make([]registry.Service, len(found))
	for i, s := range found {
		services[i] = *s
	}
	w.Header().Set("Content-Type", "application/toml; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="services.toml"`)
	w.Header().Set("Cache-Control", "no-store")
	return registry.WriteFile(w, services)
}

// serviceTable is the registry as columns.
func serviceTable(ctx context.Context, view servicesView) ui.TableProps {
	table := ui.TableProps{
		Caption: t(ctx, "registry"), QuietCaption: true,
		Columns: []ui.Column{
			{Label: t(ctx, "list.name")}, {Label: t(ctx, "field.protocol")}, {Label: t(ctx, "list.patterns")}, {Label: t(ctx, "list.audience")}, {Label: t(ctx, "list.state")},
		},
	}
	for _, row := range view.Rows {
		table.Rows = append(table.Rows, []ui.Cell{
			ui.LinkCell(row.Name, row.URL), ui.TextCell(row.Protocol), ui.BodyCell(addressCell(row.Address)), ui.TextCell(row.Audience), ui.BodyCell(stateCell(row.Tone, row.State)),
		})
	}
	return table
}
