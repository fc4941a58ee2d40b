package app

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// themeURL and logoURL serve what the institution sets of the look.
const (
	themeURL = "/theme.css"
	logoURL  = "/logo"
)

// look is the institution's part of the look, read once.
type look struct {
	css      []byte
	logo     []byte
	logoType string
}

// theme prepares the look of the configuration.
func theme(c InstitutionConfig) (look, error) {
	l := look{css: ui.ThemeCSS(c.Hue, c.Warm)}
	if c.Logo == "" {
		return l, nil
	}
	var err error
	if l.logo, err = os.ReadFile(c.Logo); err != nil {
		return l, fmt.Errorf("read the logo: %w", err)
	}
	l.logoType = http.DetectContentType(l.logo)
	switch l.logoType {
	case "image/png", "image/jpeg", "image/webp":
		return l, nil
	}
	return l, fmt.Errorf("the logo %s must be a PNG, JPEG or WebP picture, not %s", c.Logo, l.logoType)
}

// hallRoutes are the addresses that belong to no room.
func (h *House) hallRoutes(l look) {
	r := h.Web.Router("hall")
	assets := ui.Assets()
	r.Handle("GET /assets/", func(w http.ResponseWriter, r *http.Request) error {
		assets.ServeHTTP(w, r)
		return nil
	}, web.Static)
	r.Handle("GET "+themeURL, fixed("text/css; charset=utf-8", l.css), web.Static)
	if l.logo != nil {
		r.Handle("GET "+logoURL, fixed(l.logoType, l.logo), web.Static)
	}
	r.Handle("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) error { // asked for by pages without a head
		http.Redirect(w, r, ui.Asset("icon.svg"), http.StatusFound)
		return nil
	}, web.Static)
	r.Handle("GET /robots.txt", fixed("text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /\n")), web.Static)
	if os.Getenv("AMPHI_BENCH") == "1" { // the ceiling that make bench compares with
		r.Handle("GET /bench/empty", func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}, web.Static)
	}
}

// fixed answers with the same bytes for an hour.
func fixed(mediaType string, body []byte) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=3600")
		if r.Method != http.MethodHead {
			w.Write(body) // a client that went away is no failure of ours
		}
		return nil
	}
}

// shell makes the frame around the pages of one request.
func (h *House) shell(p *plugs, l look) func(http.ResponseWriter, *http.Request) context.Context {
	c := h.config.Institution
	logo := ""
	if l.logo != nil {
		logo = logoURL
	}
	return func(w http.ResponseWriter, r *http.Request) context.Context {
		ctx, v := r.Context(), web.Viewer(r)
		s := ui.Shell{
			Institution: i18n.Pick(ctx, c.NameFrench, c.NameEnglish), LogoURL: logo, ThemeURL: themeURL,
			Viewer: v, Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r), Version: version(), Demo: h.config.demo,
			Banners: p.banners(ctx, r), Answer: p.explaining,
		}
		if v.SignedIn() {
			s.Nav = p.nav(ctx, v)
			unread, err := h.portal.Unread(ctx, v.Person)
			if err != nil { // the bell without its number is better than no page
				h.log.WarnContext(ctx, "count notifications", "error", err)
			}
			s.Unread = unread
		}
		return ui.WithShell(ctx, s)
	}
}

// nav is the main navigation of somebody, in the order of the rooms' groups.
func (p *plugs) nav(ctx context.Context, v campus.Viewer) []ui.NavItem {
	var items []ui.NavItem
	for _, room := range p.navigators {
		for _, n := range room.Nav(ctx, v) {
			items = append(items, ui.NavItem(n))
		}
	}
	return items
}
