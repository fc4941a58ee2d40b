package oidcop

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// hidden is one field of a form that people do not see.
type hidden struct{ Name, Value string }

// fields are parameters as a form carries them, in order.
func fields(params url.Values) []hidden {
	list := make([]hidden, 0, len(params))
	for name, values := range params {
		list = append(list, hidden{name, values[0]})
	}
	slices.SortFunc(list, func(a, b hidden) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// postView is the page that carries an answer in a form (form_post).
type postView struct {
	Service string
	Action  string
	Fields  []hidden
}

// postPage posts the answer to the client: by itself where scripts run, by its
// button where they do not.
func (p *Provider) postPage(w http.ResponseWriter, r *http.Request, to request.Return, params url.Values) error {
	web.AllowFormTo(w, addOrigin(nil, to.RedirectURI)...)
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.Render(w, r, http.StatusOK, postTempl(postView{Service: p.nameOf(r, to.ClientID), Action: to.RedirectURI, Fields: fields(params)}))
}

// nameOf is the client's name in the reader's language.
func (p *Provider) nameOf(r *http.Request, client string) string {
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return client
	}
	if s := x.Client(client); s != nil {
		return s.Name(i18n.Locale(r.Context()))
	}
	return client
}

// continueScript submits the form of the page above; the policy of our pages
// allows no script inside them.
func (p *Provider) continueScript(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := w.Write([]byte("document.getElementById(\"continue\").submit();\n"))
	return err
}

// stoppedView says what stopped somebody, with a way back to the client.
type stoppedView struct {
	web.Failure
	Service string
	// Back leads to the client with the error that it understands: an address, or
	// the form of Post.
	Back string
	Post *postView
}

// stoppedPage shows why the person cannot enter.
func (p *Provider) stoppedPage(w http.ResponseWriter, r *http.Request, v visit, f *fault.Fault, description string) error {
	web.Note(r, f)
	params := url.Values{"error": {request.AccessDenied}, "error_description": {description}}
	p.complete(v.Return, params)
	view := stoppedView{Failure: web.Explain(r.Context(), f), Service: v.service.Name(i18n.Locale(r.Context()))}
	if v.Mode == request.FormPost {
		web.AllowFormTo(w, addOrigin(nil, v.RedirectURI)...)
		view.Post = &postView{Service: view.Service, Action: v.RedirectURI, Fields: fields(params)}
	} else {
		view.Back = withParameters(v.Return, params)
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.Render(w, r, view.Status, stoppedTempl(view))
}
