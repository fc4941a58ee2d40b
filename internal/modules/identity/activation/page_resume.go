package activation

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// resumePage is behind the link that goes on elsewhere. It only has a button:
// programs that look at links in mail must not use it up.
func (x *Activation) resumePage(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if _, err := x.link(r.Context(), token); err != nil {
		return err
	}
	unreferred(w)
	return web.Render(w, r, http.StatusOK, resumeTempl(token))
}

// unreferred keeps the secret in a page's address from whatever it links to, and
// from every cache.
func unreferred(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
}

func (x *Activation) resumeHere(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	token, err := x.resume(r.Context(), values.Get("token"), web.ClientAddr(r))
	if err != nil {
		return err
	}
	x.keep(w, r, token)
	return web.SeeOther(w, r, "/activate/password")
}
