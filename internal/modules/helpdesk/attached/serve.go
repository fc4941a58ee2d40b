package attached

import (
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists the addresses of the alcove: files as agents read them. Those of the
// people are where they follow their tickets.
func (a *Attached) Routes(r *web.Router) {
	r.Handle("GET /helpdesk/tickets/{number}/files/{id}", a.forAgents, web.NeedsSomewhere(campus.RightHelpdesk))
}

func (a *Attached) forAgents(w http.ResponseWriter, r *http.Request) error {
	t, err := a.Tickets.ByNumber(r.Context(), r.PathValue("number"))
	if err != nil {
		return err
	}
	if !ticket.MayHandle(web.Viewer(r), t) {
		return ticket.Missing
	}
	f, err := a.Tickets.Attachment(r.Context(), t.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return a.Serve(w, r, f)
}

// ServePublic answers with a file of a ticket whose requester asks for it: not with
// one of a note among agents. The caller has checked that it is their ticket.
func (a *Attached) ServePublic(w http.ResponseWriter, r *http.Request, t ticket.Ticket, id string) error {
	thread, err := a.Tickets.Thread(r.Context(), t.ID)
	if err != nil {
		return err
	}
	for _, m := range thread.Public().Messages {
		for _, f := range m.Files {
			if f.ID == id {
				return a.Serve(w, r, f)
			}
		}
	}
	return ticket.Missing
}

// Serve answers with a file that the viewer may read. Pictures of our own making,
// text and PDF are shown; all the rest is only downloaded, as bytes, and runs
// nothing under our address.
func (a *Attached) Serve(w http.ResponseWriter, r *http.Request, f ticket.Attachment) (err error) {
	if f.Ref == "" {
		return ticket.Missing
	}
	if shown(f.MediaType) {
		return files.Serve(w, r, a.Files, files.Ref(f.Ref))
	}
	content, _, err := a.Files.Open(r.Context(), files.Ref(f.Ref))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": f.Name})
	if disposition == "" {
		disposition = "attachment"
	}
	h := w.Header()
	h.Set("Content-Type", opaque)
	h.Set("Content-Disposition", disposition)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}
