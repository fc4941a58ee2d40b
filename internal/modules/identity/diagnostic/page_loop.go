package diagnostic

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// purposeLoop keeps the address of the loop page apart from other signatures.
const purposeLoop = "identity.loop"

// loopView is the page that stops a loop. Its service is empty for who comes by
// a link of the guide.
type loopView struct {
	Service, Count, Incident string
	SignedIn                 bool
}

// LoopURL is the page that stops a loop: signed in to a service so many times,
// under an incident code. The address is signed, so that nobody can put words
// of theirs on it.
func (h *Help) LoopURL(service string, count int, incident string) string {
	facts := url.Values{"service": {service}, "count": {strconv.Itoa(count)}, "incident": {incident}}
	return "/login/loop?" + url.Values{"of": {h.sign(purposeLoop, facts.Encode())}}.Encode()
}

func (h *Help) loopPage(w http.ResponseWriter, r *http.Request) error {
	view := loopView{SignedIn: web.Viewer(r).SignedIn()}
	// An address that is too old, or none at all, gives the general page.
	if text, err := h.open(purposeLoop, r.URL.Query().Get("of")); err == nil {
		facts, err := url.ParseQuery(text)
		if err != nil {
			return err
		}
		view.Service, view.Count, view.Incident = facts.Get("service"), facts.Get("count"), facts.Get("incident")
	}
	return web.Render(w, r, http.StatusOK, loopTempl(view))
}

// startClean is the button that mends most loops.
func (h *Help) startClean(w http.ResponseWriter, r *http.Request) error {
	if err := h.startOver(w, r); err != nil {
		return err
	}
	web.Flash(w, r, "identity.loop.cleaned")
	return web.SeeOther(w, r, "/login")
}
