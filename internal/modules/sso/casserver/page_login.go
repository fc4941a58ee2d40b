package casserver

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// loginQuestion is what a service asks with the browser it sends (§2.1.1).
type loginQuestion struct {
	address cas.ServiceURL
	named   string // the parameter with the address: service, or TARGET of SAML 1.1
	renew   bool
	gateway bool
	post    bool   // method=POST: the ticket comes in a form (§2.1.1)
	warn    bool   // the person is asked before they are signed in (§2.2.1)
	asked   string // see [gate.MarkParameter]
}

// readLogin reads the question; ok is false when no service is named.
func readLogin(q url.Values) (question loginQuestion, ok bool, err error) {
	question = loginQuestion{
		named: serviceParameter, renew: cas.Flag(q["renew"]), gateway: cas.Flag(q["gateway"]), warn: cas.Flag(q["warn"]),
		post: strings.EqualFold(q.Get("method"), http.MethodPost), asked: q.Get(gate.MarkParameter),
	}
	// renew and gateway exclude each other; renew is the safer one.
	question.gateway = question.gateway && !question.renew
	if len(q[serviceParameter]) == 0 && len(q[targetParameter]) > 0 {
		question.named = targetParameter
	}
	values := slices.Concat(q[serviceParameter], q[targetParameter])
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return question, false, nil
	}
	question.address, err = serviceAddress(values)
	return question, true, err
}

// The parameters in which a service names its address.
const (
	serviceParameter = "service"
	targetParameter  = "TARGET"
)

// ticketParameter is where this service looks for its ticket.
func (q loginQuestion) ticketParameter() string {
	if q.named == targetParameter {
		return cas.ArtifactParameter
	}
	return cas.TicketParameter
}

// login sends a person on to a service with a ticket (§2.1, §2.2.4), to the
// sign-in page when they have no session, or tells why neither can be.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
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
		return s.SignIn(w, r, "/", q.renew)
	}
	service, err := s.serviceAt(r.Context(), v, q.address)
	if errors.Is(err, ServiceUnknown) || errors.Is(err, ServiceUnknownNear) {
		s.noteUnknownService(r.Context(), q.address, limit.AddressKey(web.ClientAddr(r)))
	}
	if err != nil {
		return err
	}
	question := gate.Question{
		Service: service, Address: q.address.String(), Back: comeBack(q), Mark: q.asked, Fresh: q.renew, Passive: q.gateway,
	}
	entrance, err := s.Gate.Enter(w, r, question)
	switch {
	case err == nil && q.warn && !entrance.Fresh && !q.gateway:
		return s.warnPage(w, r, service, q)
	case err == nil:
		return s.hand(w, r, question, q, entrance)
	}
	if q.gateway { // the service asked not to bother the person
		return s.Gate.Leave(w, r, q.address.Address())
	}
	return entered(err)
}

// entered is the error of a page at which the gate may have answered already.
func entered(err error) error {
	if errors.Is(err, gate.Answered) {
		return nil
	}
	return err
}

// hand gives the browser a ticket to carry to the service.
func (s *Server) hand(w http.ResponseWriter, r *http.Request, question gate.Question, q loginQuestion, e gate.Entrance) error {
	ticket, err := s.issue(r.Context(), e, question.Service, q.address)
	if errors.Is(err, answer.ErrSpent) {
		// Another tab used this sign-in up, or somebody went back to it: it counts by
		// its age from now on.
		question.Mark = ""
		if e, err = s.Gate.Enter(w, r, question); err != nil {
			return entered(err)
		}
		e.Fresh = false
		ticket, err = s.issue(r.Context(), e, question.Service, q.address)
	}
	if errors.Is(err, answer.ErrOver) { // in another tab; they sign in again
		return web.SeeOther(w, r, question.Back)
	}
	if err != nil {
		return err
	}
	if q.post {
		return s.continuePage(w, r, question.Service, q, ticket)
	}
	return s.Gate.Leave(w, r, q.address.WithTicket(q.ticketParameter(), ticket))
}

// queryOf reads the query.
func queryOf(r *http.Request) (url.Values, error) {
	// A semicolon separates nothing since HTML 4 died; clients leave it unescaped
	// in addresses such as /x;jsessionid=1.
	values, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return nil, web.FormMalformed.From(err)
	}
	return values, nil
}

// parameters reads the query, and the form of a POST over it.
func parameters(r *http.Request) (url.Values, error) {
	values, err := queryOf(r)
	if err != nil {
		return nil, err
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
func comeBack(q loginQuestion) string {
	back := url.Values{q.named: {q.address.Address()}}
	if q.renew {
		back.Set("renew", "true")
	}
	if q.post {
		back.Set("method", http.MethodPost)
	}
	return LoginPath + "?" + back.Encode()
}

// continueView is the page that carries a ticket in a form (method=POST), or asks
// before there is one (warn).
type continueView struct {
	Service string
	Method  string
	Action  string
	Fields  []field
	Warns   bool
}

type field struct{ Name, Value string }

// continuePage posts the ticket to the service: by itself where scripts run, by
// its button where they do not or where an extension stops them.
func (s *Server) continuePage(w http.ResponseWriter, r *http.Request, service *registry.Service, q loginQuestion, ticket string) error {
	web.AllowFormTo(w, q.address.Origin())
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.Render(w, r, http.StatusOK, continueTempl(continueView{
		Service: service.Name(i18n.Locale(r.Context())), Method: "post", Action: q.address.Address(), Fields: []field{{q.ticketParameter(), ticket}},
	}))
}

// warnPage asks somebody with an open session before they enter a service, when
// the service or they themselves want to be asked. The button asks the same
// question again, without the warning.
func (s *Server) warnPage(w http.ResponseWriter, r *http.Request, service *registry.Service, q loginQuestion) error {
	view := continueView{
		Service: service.Name(i18n.Locale(r.Context())), Method: "get", Action: LoginPath, Warns: true,
		Fields: []field{{q.named, q.address.Address()}},
	}
	if q.post {
		view.Fields = append(view.Fields, field{"method", http.MethodPost})
	}
	web.AllowFormTo(w, originsOf(service, q.address)...)
	return web.Render(w, r, http.StatusOK, continueTempl(view))
}

// continueScript submits the form of the page above; the policy of our pages
// allows no script inside them.
func (s *Server) continueScript(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := w.Write([]byte("document.getElementById(\"continue\").submit();\n"))
	return err
}
