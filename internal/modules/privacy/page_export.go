package privacy

import (
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/privacy/archive"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// exportView is the copies of the reader's data.
type exportView struct {
	Copies []archive.Copy
	// Under is the one that is being prepared.
	Under *archive.Copy
	Keep  time.Duration
	Most  int
}

// again is how often the page of a copy that is being prepared asks anew.
const again = 3 * time.Second

func (m *Module) exportPage(w http.ResponseWriter, r *http.Request) error {
	copies, err := m.archives.Of(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	view := exportView{Copies: copies, Keep: m.config.KeepExports, Most: m.config.ExportsPerDay}
	if len(copies) > 0 && copies[0].UnderWay() {
		view.Under, view.Copies = &copies[0], copies[1:]
		w.Header().Set("Refresh", web.Seconds(again)+"; url=/privacy/export")
	}
	return web.Render(w, r, http.StatusOK, exportTempl(view))
}

// askExport asks for a copy. Whoever sits down at a forgotten session must not take
// everything away, so who is there proves it anew.
func (m *Module) askExport(w http.ResponseWriter, r *http.Request) error {
	if ok, err := m.Confirm(w, r); !ok || err != nil {
		return err
	}
	if _, err := m.archives.Ask(r.Context(), web.Viewer(r).Person); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/privacy/export")
}

func (m *Module) exportFile(w http.ResponseWriter, r *http.Request) error {
	if ok, err := m.Confirm(w, r); !ok || err != nil {
		return err
	}
	ref, err := m.archives.Fetch(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return files.Serve(w, r, m.Files, ref)
}

func (m *Module) dropExport(w http.ResponseWriter, r *http.Request) error {
	if err := m.archives.Drop(r.Context(), web.Viewer(r).Person, r.PathValue("id")); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.dropped")
	return web.SeeOther(w, r, "/privacy/export")
}
