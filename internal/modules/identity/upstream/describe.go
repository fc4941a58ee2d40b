package upstream

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// maxAnswer bounds what an upstream may send with a browser, in bytes. A SAML
// answer about somebody in thousands of groups has several hundred thousand.
const maxAnswer = 1 << 20

// describe publishes what an upstream must know about us.
func (x *Upstreams) describe(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	d, speaks := u.protocol.(Describer)
	if !speaks {
		return web.PageMissing
	}
	mediaType, text, err := d.Describe(r.Context(), x.Base.String()+answerURL(u.ID))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `inline; filename="metadata.xml"`)
	_, err = w.Write(text)
	return err
}
