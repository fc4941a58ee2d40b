package diagnostic

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// whyView is the first page of the guide.
type whyView struct {
	Words    string // what was searched for; empty for nothing
	Found    []cause
	Code     string // the incident code as typed
	Problems web.Problems
}

// longestSearch bounds what is searched for, in bytes.
const longestSearch = 200

func (h *Help) whyPage(w http.ResponseWriter, r *http.Request) error {
	view := whyView{Words: strings.TrimSpace(r.URL.Query().Get("q"))}
	if len(view.Words) > longestSearch {
		view.Words = strings.ToValidUTF8(view.Words[:longestSearch], "")
	}
	if view.Words != "" {
		view.Found = search(r.Context(), view.Words)
	}
	return web.Render(w, r, http.StatusOK, whyTempl(view))
}

func (h *Help) causePage(w http.ResponseWriter, r *http.Request) error {
	c, above, ok := find(r.PathValue("cause"))
	if !ok {
		return CauseMissing
	}
	return web.Render(w, r, http.StatusOK, causeTempl(causeView{c, above}))
}

// causeView is one page of the guide and the question above it.
type causeView struct {
	cause
	Above string
}

// codeView is what an incident code tells.
type codeView struct {
	Code    string
	Failure *web.Failure // nil when there is no reason to show
	// Elsewhere: there is one, and only the browser where it happened may see it.
	Elsewhere bool
	Mine, In  bool
}

// codePage explains an incident code: why a sign-in stopped, and nothing about
// who it was. What depends on an account is told in the browser where it
// happened and nowhere else, since codes are read out and photographed.
func (h *Help) codePage(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.URL.Query().Get("code"))
	wrong := func(key string) error {
		view := whyView{Code: typed}
		view.Problems.Add("code", key)
		return web.Render(w, r, http.StatusUnprocessableEntity, whyTempl(view))
	}
	code, ok := attempt.ParseCode(typed)
	if !ok {
		return wrong("identity.why.code_form")
	}
	story, err := h.Incidents.Story(r, code)
	if errors.Is(err, attempt.Missing) {
		return wrong("identity.why.code_missing")
	}
	if err != nil {
		return err
	}
	view := codeView{Code: code, Mine: story.Mine, In: story.In}
	reason := reasonOf(story.Reason)
	switch {
	case reason == nil:
	case !story.Mine && !ForAnybody(story.Reason):
		view.Elsewhere = true
	default:
		args := fault.Args{}
		for k, v := range story.Facts {
			args[k] = v
		}
		explained := web.Explain(r.Context(), &fault.Fault{Reason: reason, Args: args})
		view.Failure = &explained
	}
	return web.Render(w, r, http.StatusOK, codeTempl(view))
}

// forAnybody are the reasons that say nothing about an account: they are the
// same whether or not somebody has it.
var forAnybody = []string{
	"identity.wrong_credentials", "identity.sign_in_slowed", "identity.network_slowed", "identity.queue_full",
	"identity.waiting_lost", "identity.sign_in_lost", "identity.cookie_lost", "identity.cookies_refused",
}

// ForAnybody reports whether the reason with a code may be told to whoever has the
// incident code.
func ForAnybody(code string) bool { return slices.Contains(forAnybody, code) }

// reasonOf returns the declared reason with a code, or nil.
func reasonOf(code string) *fault.Reason {
	all := fault.All()
	i := slices.IndexFunc(all, func(r *fault.Reason) bool { return r.Code() == code })
	if i < 0 {
		return nil
	}
	return all[i]
}
