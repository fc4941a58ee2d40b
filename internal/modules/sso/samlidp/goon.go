package samlidp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// patience is how long a sign-in may take before the service has surely forgotten
// that it asked.
const patience = 2 * time.Hour

// goOn answers a kept request, as soon as the room lets the person in.
func (x *IDP) goOn(w http.ResponseWriter, r *http.Request) error {
	var q request
	kept, err := x.store.read(r.Context(), r.URL.Query().Get("request"), signIn, &q)
	if errors.Is(err, errGone) {
		return RequestGone
	}
	if err != nil {
		return err
	}
	p, err := x.peer(r, kept.EntityID)
	if err != nil {
		return err
	}
	// The registry may have changed since the request came.
	if !slices.ContainsFunc(p.sp().ACS, func(e saml.Endpoint) bool { return e.Location == q.ACS && e.Binding == saml.POST }) {
		return AddressUnknown.With(p.facts(r.Context()))
	}
	if x.Clock.Now().Sub(kept.At) > patience {
		return x.restart(w, r, p, &q)
	}
	return x.respond(w, r, p, &q, kept.Name, continuePath+"?request="+url.QueryEscape(kept.Name))
}

// respond asks the room whether the person enters, and sends the answer: an
// assertion, or a status that says why there is none. kept is the name of the
// request, empty for an answer that nobody asked for; back leads here again.
func (x *IDP) respond(w http.ResponseWriter, r *http.Request, p peer, q *request, kept, back string) error {
	factor, can := stepNeeded(q.context(), p.SAML.Context)
	switch {
	case !can:
		x.note(r, p, ContextUnmet, strings.Join(known, " "), clip(strings.Join(q.Classes, " ")), 0)
		return x.refuse(w, r, p, q, saml.StatusResponder, saml.StatusNoAuthnContext)
	case q.Elsewhere:
		return x.refuse(w, r, p, q, saml.StatusResponder, saml.StatusNoSupportedIDP)
	}
	question := gate.Question{
		Service: p.Service, Address: q.ACS, Back: back, Mark: r.URL.Query().Get(gate.MarkParameter),
		Fresh: q.Force, Passive: q.Passive, Factor: factor, LoginHint: q.Subject, Wanted: wanted(p, q),
	}
	e, err := x.Gate.Enter(w, r, question)
	if errors.Is(err, gate.FactorNeeded) && factor {
		// Nobody may be asked now. What is proved already may do as well.
		if _, met := stated(q.context(), web.Viewer(r), p.SAML.Context); met {
			question.Factor = false
			e, err = x.Gate.Enter(w, r, question)
		}
	}
	switch {
	case errors.Is(err, gate.Answered):
		return nil
	case errors.Is(err, gate.SignInNeeded), errors.Is(err, gate.FactorNeeded), errors.Is(err, gate.ConsentNeeded):
		if err := x.drop(r, kept); err != nil {
			return err
		}
		return x.refuse(w, r, p, q, saml.StatusResponder, saml.StatusNoPassive)
	case errors.Is(err, gate.ConsentRefused), err != nil && q.Passive:
		// The person refused what it wants to know, or the service asked not to show a
		// page; it is told no more than that.
		if !errors.Is(err, gate.ConsentRefused) {
			web.Note(r, fault.Of(err))
		}
		return x.refuse(w, r, p, q, saml.StatusResponder, saml.StatusRequestDenied)
	case err != nil:
		return err
	}
	if p.Consent { // what the person left out names them no more than it describes them
		p = p.knowing(e)
	}
	class, met := stated(q.context(), e.Viewer, p.SAML.Context)
	if !met { // the institution has no second factor to ask for
		x.note(r, p, ContextUnmet, strings.Join(proved(e.Viewer, ""), " "), clip(strings.Join(q.Classes, " ")), 0)
		return x.refuse(w, r, p, q, saml.StatusResponder, saml.StatusNoAuthnContext)
	}
	err = x.enter(w, r, p, q, kept, e, class)
	switch {
	case err == nil && kept != "":
		x.pending.GiveBack(limit.AddressKey(web.ClientAddr(r)))
	case errors.Is(err, answer.ErrSpent):
		// Another tab used this sign-in up, or somebody went back to it: it counts by
		// its age from now on.
		return x.respond(w, unmarked(r), p, q, kept, back)
	case errors.Is(err, errAnswered):
		return x.restart(w, r, p, q)
	case errors.Is(err, answer.ErrOver): // in another tab; they sign in again
		return web.SeeOther(w, r, back)
	case errors.Is(err, errNamePolicy):
		x.note(r, p, NamePolicyUnmet, strings.Join(formats, " "), clip(q.Format+" "+q.Qualifier), 0)
		return x.refuse(w, r, p, q, saml.StatusRequester, saml.StatusInvalidNameIDPolicy)
	}
	return err
}

// unmarked is a request without the mark of the sign-in.
func unmarked(r *http.Request) *http.Request {
	without := r.Clone(r.Context())
	parameters := without.URL.Query()
	parameters.Del(gate.MarkParameter)
	without.URL.RawQuery = parameters.Encode()
	return without
}

// drop forgets a question that nobody was to be asked: services ask it with every
// page, of strangers as well, and the same question has the same answer.
func (x *IDP) drop(r *http.Request, kept string) error {
	if kept == "" {
		return nil
	}
	dropped, err := x.store.drop(r.Context(), kept)
	if dropped {
		x.pending.GiveBack(limit.AddressKey(web.ClientAddr(r)))
	}
	return err
}

// known are the classes that can be asked for.
var known = append(proved(campus.Viewer{}, ""), withStep...)

// wanted narrows what is released to what the service asks for, where its entry
// says so.
func wanted(p peer, q *request) []registry.Attribute {
	if !p.SAML.RequestedOnly {
		return nil
	}
	asked, _ := federation.Requested(p.Entity, &saml.AuthnRequest{AttributeIndex: q.Attributes})
	if asked == nil {
		asked = []registry.Attribute{} // nil would be all
	}
	return asked
}

// Hears reports whether a local path of ours is where a service waits for an answer,
// so that it can be told of a refusal: not where a visit is begun from here.
func (*IDP) Hears(path string) bool { return path == continuePath }

// knowing is the service with no more attributes than it is told of somebody.
func (p peer) knowing(e gate.Entrance) peer {
	s := *p.Service
	s.Attributes = nil
	for _, a := range e.Attributes {
		s.Attributes = append(s.Attributes, a.Name)
	}
	p.Service = &s
	return p
}

// Destination says which service a local address of ours leads to; ok is false
// for any other address.
func (x *IDP) Destination(ctx context.Context, next string) (d contract.Destination, ok bool) {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" {
		return d, false
	}
	var s *registry.Service
	switch service, start := strings.CutPrefix(u.Path, startPath); {
	case start:
		index, err := x.Gate.Registry(ctx)
		if err != nil {
			return d, false // the sign-in itself can go on
		}
		s = index.Get(service)
	case u.Path == continuePath:
		var q request
		kept, err := x.store.read(ctx, u.Query().Get("request"), signIn, &q)
		if err != nil {
			return d, false
		}
		s = x.serviceOf(ctx, kept.EntityID)
	}
	if s == nil || s.Protocol != registry.SAML || !s.SignsIn() {
		return d, false
	}
	// The answer leaves by a page of ours, so the sign-in's own form ends here.
	return contract.Destination{Service: s.ID, Name: s.Name(i18n.Locale(ctx))}, true
}

// serviceOf finds the entry of an entityID, or what stands for it; nil for none.
func (x *IDP) serviceOf(ctx context.Context, entityID string) *registry.Service {
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return nil
	}
	if s := index.Entity(entityID); s != nil {
		return s
	}
	found, err := x.metadata.Find(ctx, entityID, nil)
	if err != nil {
		return nil
	}
	s, _ := found.Service()
	return s
}
