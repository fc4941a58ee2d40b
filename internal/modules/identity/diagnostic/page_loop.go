package diagnostic

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// purposeLoop keeps the address of the loop page apart from other signatures.
const purposeLoop = "identity.loop"

// loopView is the page that stops a loop.
type loopView struct {
	// Service, Reason, Turns, Incident and Retry are empty for who comes by a link
	// of the guide.
	Service, Reason, Turns, Incident, Retry string
	// Clean says that beginning anew in this browser may mend it.
	Clean    bool
	SignedIn bool
}

// LoopURL is the page that stops the loop of a departure, under an incident code.
// The address is signed, so that nobody can put words of theirs on it.
func (h *Help) LoopURL(d contract.Departure, incident string) string {
	facts := url.Values{
		"service": {d.Name}, "reason": {d.Loop.Reason}, "turns": {strconv.Itoa(d.Loop.Turns)}, "clean": {strconv.FormatBool(d.Loop.Clean)},
		"retry": {d.Back}, "incident": {incident},
	}
	return "/login/loop?" + url.Values{"of": {h.sign(purposeLoop, facts.Encode())}}.Encode()
}

func (h *Help) loopPage(w http.ResponseWriter, r *http.Request) error {
	view := loopView{Clean: true, SignedIn: web.Viewer(r).SignedIn()}
	// An address that is too old, or none at all, gives the general page.
	if text, err := h.open(purposeLoop, r.URL.Query().Get("of")); err == nil {
		facts, err := url.ParseQuery(text)
		if err != nil {
			return err
		}
		view.Service, view.Reason, view.Turns = facts.Get("service"), facts.Get("reason"), facts.Get("turns")
		view.Incident, view.Retry, view.Clean = facts.Get("incident"), facts.Get("retry"), facts.Get("clean") == "true"
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
