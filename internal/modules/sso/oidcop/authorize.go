package oidcop

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// visit is one browser that a client sent, as far as it was read.
type visit struct {
	service *registry.Service
	request.Authorization
	pushed string // the request that it was pushed as, see par.go
	back   string // local address at which the same is asked again
	mark   string
}

// authorize sends a person on to a client with a code (RFC 6749 §4.1.1, Core
// §3.1.2), or to the sign-in first, or tells why neither can be.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return RequestUnreadable.With(fault.Args{"problem": "query"})
	}
	mark := values.Get(gate.MarkParameter)
	values.Del(gate.MarkParameter)
	v := visit{mark: mark, back: authorizePath + "?" + values.Encode()}
	if strings.HasPrefix(values.Get("request_uri"), pushedPrefix) {
		if values, v.pushed, err = p.openPushed(r, values); err != nil {
			return err
		}
	}
	if v.service, v.Return, err = p.addressee(r, values); err != nil {
		return err
	}
	var refused *request.Refusal
	if v.Authorization, refused = request.Read(v.Return, values); refused == nil {
		refused = p.policy(&v)
	}
	if refused != nil {
		return p.refuseVisit(w, r, v, refused)
	}
	p.speak(w, r, v.Locales)
	return p.enter(w, r, v)
}

// authorizePosted takes the same question from a form (Core §3.1.2.1). Cookies do
// not come along when another site posts, so the browser asks again by itself.
func (p *Provider) authorizePosted(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	if len(form.Encode()) > maxPosted {
		return RequestUnreadable.With(fault.Args{"problem": "length"})
	}
	return p.Gate.Leave(w, r, authorizePath+"?"+form.Encode())
}

// maxPosted is how long a posted question may be, in bytes: it becomes an address.
const maxPosted = 14 << 10

// addressee finds out who is asking, and where the answer goes. Until both are
// known to belong together, nothing is sent anywhere: anybody can write a link to
// us (RFC 9700 §4.11).
func (p *Provider) addressee(r *http.Request, values url.Values) (*registry.Service, request.Return, error) {
	to, refused := request.ReadReturn(values)
	if refused != nil {
		return nil, to, RequestUnreadable.Because(refused, fault.Args{"problem": refused.Description})
	}
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return nil, to, err
	}
	s := x.Client(to.ClientID)
	if s == nil {
		if _, ok := p.unknowns.Allow(limit.AddressKey(web.ClientAddr(r))); ok {
			p.note(r, gate.Incident{Reason: ClientUnknown, Received: to.ClientID, Facts: fault.Args{"client": shorten(to.ClientID)}})
		}
		return nil, to, ClientUnknown.With(fault.Args{"client": shorten(to.ClientID)})
	}
	if !s.OIDC.Redirects(to.RedirectURI) {
		p.note(r, gate.Incident{
			Service: s, Reason: RedirectUnknown, Difference: "oidc_redirect", Expected: strings.Join(s.OIDC.RedirectURIs, " "), Received: to.RedirectURI,
			Facts: fault.Args{"address": shorten(to.RedirectURI)},
		})
		return nil, to, RedirectUnknown.With(fault.Args{"service": s.Name(i18n.Locale(r.Context())), "address": shorten(to.RedirectURI)})
	}
	return s, to, nil
}

// shorten cuts what somebody sent for a page.
func shorten(text string) string {
	if len(text) > 200 {
		return strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}

// policy refuses what the client's entry does not allow, and leaves out the
// scopes that it may not ask for (RFC 6749 §3.3 lets us).
func (p *Provider) policy(v *visit) *request.Refusal {
	c := v.service.OIDC
	if !c.Allows(registry.GrantCode) || !c.Responds(v.Response) {
		return &request.Refusal{
			Code: request.UnauthorizedClient, Description: "the client's entry does not hold this response_type",
			Expected: strings.Join(c.ResponseTypes, ", "), Received: v.Response,
		}
	}
	if c.Pushed && v.pushed == "" {
		return &request.Refusal{Code: request.InvalidRequest, Description: "this client must push its requests first (RFC 9126)"}
	}
	if v.Challenge == "" && strings.Contains(v.Response, "code") && (c.Public() || c.PKCE) {
		return &request.Refusal{Code: request.InvalidRequest, Description: "code_challenge is missing: this client needs PKCE with S256", Expected: "code_challenge_method=S256"}
	}
	v.Scopes = slices.DeleteFunc(v.Scopes, func(scope string) bool { return !c.MayAsk(scope) })
	if values, essential := v.Claims.Essential(); essential && len(values) > 0 &&
		!slices.ContainsFunc(values, func(acr string) bool { return slices.Contains(acrValues, acr) }) {
		return &request.Refusal{Code: request.UnmetAuthentication, Description: "none of the acr values that are essential can be reached here", Expected: strings.Join(acrValues, " "), Received: strings.Join(values, " ")}
	}
	return nil
}

// wantedACR are the values of acr that the client would take, best first.
func (v visit) wantedACR() (values []string, essential bool) {
	values, essential = v.Claims.Essential()
	if len(values) == 0 {
		values = v.ACR
	}
	return values, essential
}

// factor reports whether the client asks for a second factor: the first value that
// we know decides (Core §3.1.2.1, in order of preference).
func (v visit) factor() bool {
	values, _ := v.wantedACR()
	for _, acr := range values {
		if slices.Contains(acrValues, acr) {
			return needsFactor(acr)
		}
	}
	return false
}

// question is the visit as the room's gate understands it.
func (v visit) question() gate.Question {
	return gate.Question{
		Service: v.service, Address: v.RedirectURI, Back: v.back, Mark: v.mark, MaxAge: v.MaxAge, LoginHint: v.LoginHint,
		// A browser has one session here, so choosing an account is signing in anew.
		Fresh:   v.Prompt(request.PromptLogin) || v.Prompt(request.PromptSelect) || v.HasMaxAge && v.MaxAge == 0,
		Passive: v.Prompt(request.PromptNone), Consent: v.Prompt(request.PromptConsent), Factor: v.factor(),
		Wanted: request.Wanted(v.Scopes, v.Claims),
	}
}

// enter asks the gate, and answers the client.
func (p *Provider) enter(w http.ResponseWriter, r *http.Request, v visit) error {
	q := v.question()
	e, err := p.Gate.Enter(w, r, q)
	if err == nil && !p.expects(r, v, e.Viewer) {
		if q.Passive {
			err = gate.SignInNeeded
		} else if !e.Fresh { // perhaps the right person sits there, with somebody else's session
			q.Fresh = true
			e, err = p.Gate.Enter(w, r, q)
		}
		if err == nil && !p.expects(r, v, e.Viewer) {
			err = OtherPerson.With(fault.Args{"service": v.service.Name(i18n.Locale(r.Context())), "person": fault.Private(e.Viewer.DisplayName())})
		}
	}
	switch {
	case errors.Is(err, gate.Answered):
		return nil
	case errors.Is(err, gate.SignInNeeded):
		return p.answerError(w, r, v.Return, request.LoginRequired, "nobody is signed in, or not as asked")
	case errors.Is(err, gate.FactorNeeded):
		return p.answerError(w, r, v.Return, request.InteractionRequired, "a second factor is needed")
	case errors.Is(err, gate.ConsentRefused):
		return p.answerError(w, r, v.Return, request.AccessDenied, "the person refused what the client wants to know")
	case errors.Is(err, gate.ConsentNeeded):
		return p.answerError(w, r, v.Return, request.ConsentRequired, "the person has to agree")
	case err != nil:
		return p.stop(w, r, v, err)
	}
	return p.give(w, r, v, q, e)
}

// Hears reports whether a local path of ours is where a client waits for an answer in
// the browser, so that it can be told of a refusal (RFC 6749 §4.1.2.1). A device
// waits elsewhere.
func (*Provider) Hears(path string) bool { return path == authorizePath }

// expects reports whether the person is the one that the client asks about: by a
// hint that we once signed, or by sub in the claims parameter.
func (p *Provider) expects(r *http.Request, v visit, who campus.Viewer) bool {
	subject := p.subject(v.service, who.Person)
	if asked := v.Claims.Subject(); asked != "" && asked != subject {
		return false
	}
	if v.IDTokenHint == "" {
		return true
	}
	hint, err := p.readHint(r.Context(), v.IDTokenHint)
	return err == nil && hint.Subject == subject && slices.Contains(hint.Audience, v.ClientID)
}

// refuseVisit answers a request that is wrong: the client reads the error, its
// technical contact what was expected.
func (p *Provider) refuseVisit(w http.ResponseWriter, r *http.Request, v visit, why *request.Refusal) error {
	reason := RequestRefused
	if strings.HasPrefix(why.Description, "code_challenge is missing: ") {
		reason = PKCEMissing
	}
	received := why.Received
	if received == "" {
		received = why.Description
	}
	p.note(r, gate.Incident{Service: v.service, Reason: reason, Difference: "oidc_request", Expected: why.Expected, Received: received})
	web.Note(r, &fault.Fault{Reason: reason, Cause: why})
	return p.answerError(w, r, v.Return, why.Code, p.describe(r, why.Description, reason))
}

// stop is for what stops the person and not the client: they read why on a page of
// ours, from which a button leads back with the error that the client understands.
// A client that asked in silence gets it at once.
func (p *Provider) stop(w http.ResponseWriter, r *http.Request, v visit, err error) error {
	f := fault.Of(err)
	code := request.AccessDenied
	if f.Reason.Kind() == fault.Broken || f.Reason.Kind() == fault.Unavailable || f.Reason.Kind() == fault.Upstream {
		code = request.ServerError
	}
	if v.Prompt(request.PromptNone) {
		web.Note(r, f)
		if code == request.AccessDenied {
			code = request.InteractionRequired
		}
		return p.answerError(w, r, v.Return, code, p.describe(r, "the person may not enter", f.Reason))
	}
	if code == request.ServerError {
		return err // nothing to tell the client that a page of ours does not say better
	}
	return p.stoppedPage(w, r, v, f, p.describe(r, "the person may not enter", f.Reason))
}

// speak answers a stranger in the language that the client asks for, unless this
// browser has chosen one (Core §3.1.2.1, ui_locales).
func (p *Provider) speak(w http.ResponseWriter, r *http.Request, locales []string) {
	if _, err := r.Cookie(web.LanguageCookie); err == nil || web.Viewer(r).SignedIn() || p.Texts == nil {
		return
	}
	for _, tag := range locales {
		if l, ok := campus.ParseLocale(tag); ok {
			*r = *r.WithContext(i18n.With(r.Context(), p.Texts.For(l)))
			// Until the browser closes: the pages that follow are the same visit.
			http.SetCookie(w, &http.Cookie{Name: web.LanguageCookie, Value: string(l), Path: "/", HttpOnly: true, Secure: strings.HasPrefix(p.BaseURL, "https:"), SameSite: http.SameSiteLaxMode})
			return
		}
	}
}

// sid is what the client will know the person's session by.
func (v visit) sid(who campus.Viewer) string { return sessionID(who.Session, v.service.ID) }
