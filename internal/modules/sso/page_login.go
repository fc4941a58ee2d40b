package sso

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// loginQuestion is what a service asks with the browser it sends (§2.1.1).
type loginQuestion struct {
	address cas.ServiceURL
	renew   bool
	gateway bool
	post    bool   // method=POST: the ticket comes in a form (§2.1.1)
	asked   string // our own mark, see Module.asked
}

// readLogin reads the question; ok is false when no service is named.
func readLogin(q url.Values) (question loginQuestion, ok bool, err error) {
	question = loginQuestion{
		renew: cas.Flag(q["renew"]), gateway: cas.Flag(q["gateway"]),
		post: strings.EqualFold(q.Get("method"), http.MethodPost), asked: q.Get("asked"),
	}
	// renew and gateway exclude each other; renew is the safer one.
	question.gateway = question.gateway && !question.renew
	if len(q["service"]) == 0 || len(q["service"]) == 1 && q.Get("service") == "" {
		return question, false, nil
	}
	question.address, err = serviceAddress(q["service"])
	return question, true, err
}

// casLogin sends a person on to a service with a ticket (§2.1, §2.2.4), to the
// sign-in page when they have no session, or tells why neither can be.
func (m *Module) casLogin(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r)
	if err != nil {
		return err
	}
	q, named, err := readLogin(values)
	if err != nil {
		return err
	}
	v := web.Viewer(r)
	if !named {
		if v.SignedIn() && !q.renew {
			return web.SeeOther(w, r, "/")
		}
		return m.toSignIn(w, r, "/", q.renew)
	}
	s, err := m.serviceAt(r.Context(), v, q.address)
	if errors.Is(err, ServiceUnknown) || errors.Is(err, ServiceUnknownNear) {
		m.noteUnknownService(r.Context(), q.address, limit.AddressKey(web.ClientAddr(r)))
	}
	if err != nil {
		return err
	}
	if !v.SignedIn() {
		if q.gateway {
			return m.leave(w, r, q.address.Address())
		}
		return m.toSignIn(w, r, m.comeBack(q), q.renew)
	}
	if err := admit(r.Context(), v, s); err != nil {
		if q.gateway { // the service asked not to bother the person
			return m.leave(w, r, q.address.Address())
		}
		return err
	}
	fresh := m.justSignedIn(v, q.asked, q.address)
	if q.renew && !fresh {
		return m.toSignIn(w, r, m.comeBack(q), true)
	}
	if m.Door != nil {
		if stopped, err := m.Door.Leaving(w, r, s.ID, s.Name(i18n.Locale(r.Context())), m.comeBack(q)); err != nil || stopped {
			return err
		}
	}
	ticket, err := m.issue(r.Context(), v, s, q.address, fresh)
	if errors.Is(err, errPasswordSpent) {
		if q.renew {
			return m.toSignIn(w, r, m.comeBack(q), true)
		}
		ticket, err = m.issue(r.Context(), v, s, q.address, false)
	}
	if err != nil {
		return err
	}
	if q.post {
		return m.continuePage(w, r, s, q.address, ticket)
	}
	return m.leave(w, r, q.address.WithTicket(ticket))
}

// parameters reads the query, and the form of a POST over it.
func parameters(r *http.Request) (url.Values, error) {
	// A semicolon separates nothing since HTML 4 died; clients leave it unescaped
	// in addresses such as /x;jsessionid=1.
	values, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return nil, web.FormMalformed.From(err)
	}
	if r.Method == http.MethodPost {
		form, err := web.Form(r)
		if err != nil {
			return nil, err
		}
		for name, posted := range form {
			values[name] = posted
		}
	}
	return values, nil
}

// comeBack is this question as a local address, for after the sign-in.
func (m *Module) comeBack(q loginQuestion) string {
	back := url.Values{"service": {q.address.Address()}, "asked": {m.asked(q.address)}}
	if q.renew {
		back.Set("renew", "true")
	}
	if q.post {
		back.Set("method", http.MethodPost)
	}
	return loginPath + "?" + back.Encode()
}

// toSignIn shows the sign-in page at this very address, as CAS servers do
// (§2.1): one round trip less, and programs find the form where they look for
// it. What was posted or fetched in the background is sent to /login.
func (m *Module) toSignIn(w http.ResponseWriter, r *http.Request, next string, renew bool) error {
	if m.Door != nil && r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" {
		return m.Door.ShowSignIn(w, r, next, renew)
	}
	q := url.Values{}
	if next != "/" {
		q.Set("next", next)
	}
	if renew {
		q.Set("renew", "1")
	}
	to := "/login"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return web.SeeOther(w, r, to)
}

// leave sends the browser to another site. A request by htmx would follow a 303
// in the background and fail there, so it is told to open the address instead.
func (m *Module) leave(w http.ResponseWriter, r *http.Request, to string) error {
	if r.Header.Get("HX-Request") == "true" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	// The ticket must not travel on in a Referer.
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// continueView is the page that carries a ticket in a form (method=POST).
type continueView struct {
	Service string
	Action  string
	Ticket  string
}

// continuePage posts the ticket to the service: by itself where scripts run, by
// its button where they do not or where an extension stops them.
func (m *Module) continuePage(w http.ResponseWriter, r *http.Request, s *registry.Service, address cas.ServiceURL, ticket string) error {
	web.AllowFormTo(w, address.Origin())
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.Render(w, r, http.StatusOK, continueTempl(continueView{
		Service: s.Name(i18n.Locale(r.Context())), Action: address.Address(), Ticket: ticket,
	}))
}

// continueScript submits the form of the page above; the policy of our pages
// allows no script inside them.
func (m *Module) continueScript(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := w.Write([]byte("document.getElementById(\"continue\").submit();\n"))
	return err
}
