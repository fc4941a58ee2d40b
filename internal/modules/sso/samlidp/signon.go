package samlidp

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/beevik/etree"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// element is a part of a message.
type element = *etree.Element

// request is what the answer to an AuthnRequest needs, as it is kept while the
// person signs in.
type request struct {
	ID         string    `json:"id"`
	Issued     time.Time `json:"issued"`
	ACS        string    `json:"acs"`
	Relay      string    `json:"relay,omitempty"`
	Force      bool      `json:"force,omitempty"`
	Passive    bool      `json:"passive,omitempty"`
	Signed     bool      `json:"signed,omitempty"`
	Format     string    `json:"format,omitempty"`    // of NameIDPolicy
	Qualifier  string    `json:"qualifier,omitempty"` // SPNameQualifier of it
	Classes    []string  `json:"classes,omitempty"`
	Comparison string    `json:"comparison,omitempty"`
	Attributes *int      `json:"attributes,omitempty"` // AttributeConsumingServiceIndex
	Subject    string    `json:"subject,omitempty"`
	Elsewhere  bool      `json:"elsewhere,omitempty"` // Scoping names other identity providers only
}

func (q *request) context() *saml.RequestedAuthnContext {
	if len(q.Classes) == 0 {
		return nil
	}
	return &saml.RequestedAuthnContext{Comparison: saml.Comparison(q.Comparison), Classes: q.Classes}
}

// signOnByRedirect takes an AuthnRequest by HTTP-Redirect (profiles, 4.1.3).
func (x *IDP) signOnByRedirect(w http.ResponseWriter, r *http.Request) error {
	in, err := saml.ReadRedirect(r.URL.RawQuery)
	return x.signOn(w, r, in, err)
}

// signOnByPost takes an AuthnRequest by HTTP-POST. The post comes from another
// site, so no cookie of ours is with it: what it asks is kept, and the browser
// comes back for it with a GET of its own, which brings them.
func (x *IDP) signOnByPost(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	in, err := saml.ReadPOST(form)
	return x.signOn(w, r, in, err)
}

// signOn checks a request, keeps it, and goes on at an address of its own: a tab,
// a reloaded page and the back button each find it there.
func (x *IDP) signOn(w http.ResponseWriter, r *http.Request, in *saml.Inbound, err error) error {
	if err != nil {
		return unreadable(err)
	}
	if in.Kind() != "AuthnRequest" {
		return MessageUnexpected.With(fault.Args{"message": clip(in.Kind())})
	}
	if in.Issuer() == "" { // none, or two that two readers would choose from
		return MessageUnreadable
	}
	p, err := x.peer(r, in.Issuer())
	if err != nil {
		return err
	}
	q, err := x.readRequest(r, p, in)
	if err != nil {
		return err
	}
	now := x.Clock.Now()
	if err := saml.CheckIssued(q.Issued, now, x.config.RequestAge, x.config.Skew); err != nil {
		var apart *saml.TimeError
		switch {
		case !errors.As(err, &apart):
			return unreadable(err)
		case apart.When == saml.TooLate:
			return x.restart(w, r, p, q)
		}
		x.note(r, p, ClockAhead, saml.FormatTime(now), saml.FormatTime(q.Issued), 0)
		facts := p.facts(r.Context())
		facts["apart"] = apart.Skew.Round(time.Second)
		return ClockAhead.Because(err, facts)
	}
	message, err := saml.Marshal(in.Unverified())
	if err != nil {
		return unreadable(err)
	}
	name := handle(p.Entity.ID, q.ID, message, in.RelayState)
	from := limit.AddressKey(web.ClientAddr(r))
	if wait, ok := x.pending.Allow(from); !ok {
		web.RetryAfter(w, wait)
		return web.TooManyRequests.With(fault.Args{"wait": wait})
	}
	first, err := x.store.keep(r.Context(), name, signIn, p.Entity.ID, q)
	if err != nil {
		return err
	}
	if !first {
		x.pending.GiveBack(from)
	}
	return web.SeeOther(w, r, continuePath+"?request="+name)
}

// readRequest checks everything about a request that does not depend on who asks,
// and returns what has to be kept of it.
func (x *IDP) readRequest(r *http.Request, p peer, in *saml.Inbound) (*request, error) {
	mustSign := x.config.SignedRequests || p.SAML.SignedRequests || p.sp().RequestsSigned
	el, signed, err := x.verified(r, p, in, mustSign)
	if err != nil {
		return nil, err
	}
	asked, err := saml.ParseAuthnRequest(el)
	if err != nil {
		return nil, unreadable(err)
	}
	if asked.Issuer != p.Entity.ID { // what was signed differs from what was read
		return nil, MessageUnreadable
	}
	if err := x.checkDestination(r, p, asked.Destination, x.address(ssoPath), signed); err != nil {
		return nil, err
	}
	acs, err := p.sp().ACSFor(asked)
	if err != nil || !webAddress(acs.Location) {
		var mismatch *saml.MismatchError
		if errors.As(err, &mismatch) {
			x.note(r, p, AddressUnknown, clip(mismatch.Expected), clip(mismatch.Received), 0)
		}
		return nil, AddressUnknown.Because(err, p.facts(r.Context()))
	}
	if acs.Binding != saml.POST {
		x.note(r, p, BindingUnsupported, string(saml.POST), clip(string(acs.Binding)), 0)
		return nil, BindingUnsupported.With(p.facts(r.Context()))
	}
	q := &request{
		ID: asked.ID, Issued: asked.IssueInstant, ACS: acs.Location, Relay: in.RelayState, Force: asked.ForceAuthn, Passive: asked.IsPassive,
		Signed: signed, Attributes: asked.AttributeIndex,
	}
	if asked.NameIDPolicy != nil {
		q.Format, q.Qualifier = asked.NameIDPolicy.Format, asked.NameIDPolicy.SPNameQualifier
	}
	if asked.Context != nil {
		q.Classes, q.Comparison = asked.Context.Classes, string(asked.Context.Comparison)
	}
	if asked.Subject != nil {
		q.Subject = asked.Subject.Value
	}
	if asked.Scoping != nil && len(asked.Scoping.IDPs) > 0 {
		q.Elsewhere = true
		for _, idp := range asked.Scoping.IDPs {
			q.Elsewhere = q.Elsewhere && idp != x.entityID()
		}
	}
	return q, nil
}

// checkDestination compares where a message says it was sent to with where it
// arrived.
func (x *IDP) checkDestination(r *http.Request, p peer, received, expected string, signed bool) error {
	if err := saml.CheckDestination(received, expected, signed); err != nil {
		x.note(r, p, DestinationWrong, expected, clip(received), 0)
		return DestinationWrong.Because(err, p.facts(r.Context()))
	}
	return nil
}

// unreadable explains that a message cannot be read; the cause goes to the log.
func unreadable(err error) error { return MessageUnreadable.From(err) }

// webAddress accepts what a browser may be sent to. Metadata is others' text: an
// address of another scheme would run in our page.
func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// clientKey is what a network address is bounded by.
func clientKey(r *http.Request) string { return limit.AddressKey(web.ClientAddr(r)) }

const (
	restartCookie = "amphi_saml_restart"
	// restartAgain is how soon after a restart another old request tells a clock
	// that is behind from a bookmark.
	restartAgain = time.Minute
)

// restart begins again at the service what came too late: a bookmarked sign-in
// page, the back button, a tab restored in the morning. It is no failure of the
// person, and they see nothing of it. When what comes back is old again, the
// service's clock is behind.
func (x *IDP) restart(w http.ResponseWriter, r *http.Request, p peer, q *request) error {
	now := x.Clock.Now()
	if web.Cookie(r, restartCookie) == p.ID {
		web.SetCookie(w, r, restartCookie, "", -1)
		age := now.Sub(q.Issued)
		x.note(r, p, ClockBehind, saml.FormatTime(now), saml.FormatTime(q.Issued), age)
		facts := p.facts(r.Context())
		facts["apart"] = age.Round(time.Second)
		return ClockBehind.With(facts)
	}
	web.SetCookie(w, r, restartCookie, p.ID, restartAgain)
	if to := p.loginAddress(); to != "" {
		return x.Gate.Leave(w, r, to)
	}
	if !p.SAML.SPInitiatedOnly {
		to := startPath + url.PathEscape(p.ID)
		if p.owns(q.Relay) { // where they wanted to go inside the service
			to += "?" + url.Values{"target": {q.Relay}}.Encode()
		}
		return web.SeeOther(w, r, to)
	}
	if webAddress(p.Home) {
		return x.Gate.Leave(w, r, p.Home)
	}
	return RequestGone.With(p.facts(r.Context()))
}

// loginAddress is where the service begins a sign-in itself; empty when nobody
// said.
func (p peer) loginAddress() string {
	if p.SAML.LoginURL != "" {
		return p.SAML.LoginURL
	}
	for _, address := range p.sp().RequestInitiators {
		if webAddress(address) {
			return address
		}
	}
	return ""
}

// owns reports whether an address is on an origin where the service takes answers
// or begins.
func (p peer) owns(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !webAddress(address) || u.User != nil {
		return false
	}
	same := func(other string) bool {
		o, err := url.Parse(other)
		return err == nil && o.Scheme == u.Scheme && o.Host == u.Host
	}
	for _, acs := range p.sp().ACS {
		if same(acs.Location) {
			return true
		}
	}
	return p.Home != "" && same(p.Home)
}
