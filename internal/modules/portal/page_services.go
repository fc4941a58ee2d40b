package portal

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// servicesView is the catalogue.
type servicesView struct {
	Words  string
	Total  int
	Pins   []catalogue.Entry
	Groups []catalogue.Group
	Found  []catalogue.Entry // when Words were searched
	Silent []silence
}

// maxWords bounds what is searched for, in bytes.
const maxWords = 200

// wordsOf is what was typed into a search box: valid text on one line.
func wordsOf(r *http.Request) string {
	words := strings.ToValidUTF8(r.URL.Query().Get("q"), "")
	words = strings.Join(strings.Fields(strings.ReplaceAll(words, "\x00", "")), " ")
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "")
	}
	return words
}

func (m *Module) servicesPage(w http.ResponseWriter, r *http.Request) error {
	entries, silent, err := m.services(r.Context(), web.Viewer(r))
	if err != nil {
		return err
	}
	view := servicesView{Words: wordsOf(r), Total: len(entries), Silent: silent}
	if view.Words != "" {
		view.Found = catalogue.Match(entries, view.Words)
	} else {
		view.Pins = catalogue.Pins(entries)
		view.Groups = catalogue.Grouped(entries)
	}
	return web.Render(w, r, http.StatusOK, servicesTempl(view))
}

// openService notes the use and leads to the registered address; never to one
// that the request names.
func (m *Module) openService(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	e, _, err := m.service(r.Context(), v, r.PathValue("id"))
	if err != nil {
		return err
	}
	if !catalogue.Openable(e.URL) {
		return catalogue.Unopenable
	}
	if err := m.shelf.Use(r.Context(), v.Person, e.ID); err != nil {
		// The person came to open the service, not to be counted.
		m.Log.WarnContext(r.Context(), "a use was not noted", "id", web.RequestID(r.Context()), "service", e.ID, "error", err)
	}
	return web.SeeOther(w, r, e.URL)
}

func (m *Module) pinService(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	e, _, err := m.service(r.Context(), v, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := m.shelf.Pin(r.Context(), v.Person, e.ID); err != nil {
		return err
	}
	web.Flash(w, r, "portal.services.pinned", "name", e.Name)
	return m.backToServices(w, r)
}

// unpinService also takes services away that the viewer may not open any more.
// Pinning again undoes it, with the same button.
func (m *Module) unpinService(w http.ResponseWriter, r *http.Request) error {
	// It need not be a service any more, but it must be text for the database.
	id := strings.ReplaceAll(strings.ToValidUTF8(r.PathValue("id"), ""), "\x00", "")
	if err := m.shelf.Unpin(r.Context(), web.Viewer(r).Person, id); err != nil {
		return err
	}
	web.Flash(w, r, "portal.services.unpinned")
	return m.backToServices(w, r)
}

func (m *Module) moveService(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	v := web.Viewer(r)
	e, entries, err := m.service(r.Context(), v, r.PathValue("id"))
	if err != nil {
		return err
	}
	// At the end of the list there is nothing to do, and nothing to complain of.
	if order, ok := catalogue.Moved(catalogue.Pins(entries), e.ID, form.Get("to") == "up"); ok {
		if err := m.shelf.Order(r.Context(), v.Person, order); err != nil {
			return err
		}
	}
	return m.backToServices(w, r)
}

// backToServices leads to where the button was: the home page, or the catalogue
// with what was searched.
func (m *Module) backToServices(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	to := "/portal/services"
	if words := form.Get("q"); words != "" {
		to += "?" + url.Values{"q": {words}}.Encode()
	}
	return web.SeeOther(w, r, to)
}

// tile is a service as the look draws it. Its link goes through us, so that the
// use is noted; boosting it would make htmx follow a redirect to another site.
func tile(ctx context.Context, e catalogue.Entry) ui.TileProps {
	return ui.TileProps{
		Name: e.Name, URL: openURL(e), Hint: e.Description, Icon: e.Icon, LogoURL: e.LogoURL,
		Tag: e.State, Tone: ui.Tone(e.Tone), Outside: e.OpensOutside,
	}
}

// shortTile is a service on the home page: its state, or when it was opened.
func shortTile(ctx context.Context, e catalogue.Entry) ui.TileProps {
	p := tile(ctx, e)
	p.Hint = ""
	if e.State == "" && !e.LastUsed.IsZero() {
		p.Hint = i18n.T(ctx, "portal.services.opened", "when", i18n.Date(ctx, e.LastUsed, i18n.Ago))
	}
	return p
}

func openURL(e catalogue.Entry) string { return "/portal/services/" + url.PathEscape(e.ID) + "/open" }

func pinURL(e catalogue.Entry, verb string) string {
	return "/portal/services/" + url.PathEscape(e.ID) + "/" + verb
}
