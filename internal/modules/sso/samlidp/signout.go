package samlidp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// signOutRequest is what the answer to a LogoutRequest needs, as it is kept while
// the browser comes back with its cookies.
type signOutRequest struct {
	ID      string       `json:"id"`
	Binding saml.Binding `json:"binding"`
	Relay   string       `json:"relay,omitempty"`
	Name    saml.NameID  `json:"name"`
	Indexes []string     `json:"indexes,omitempty"`
	Async   bool         `json:"async,omitempty"`
}

// signOutByRedirect takes a sign-out that a service asks for, or the answer to one
// of ours (profiles, 4.4.3).
func (x *IDP) signOutByRedirect(w http.ResponseWriter, r *http.Request) error {
	in, err := saml.ReadRedirect(r.URL.RawQuery)
	return x.signOut(w, r, in, err)
}

// signOutByPost is the same by HTTP-POST.
func (x *IDP) signOutByPost(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	in, err := saml.ReadPOST(form)
	return x.signOut(w, r, in, err)
}

func (x *IDP) signOut(w http.ResponseWriter, r *http.Request, in *saml.Inbound, err error) error {
	if err != nil {
		return unreadable(err)
	}
	if in.Issuer() == "" {
		return MessageUnreadable
	}
	p, err := x.peer(r, in.Issuer())
	if err != nil {
		return err
	}
	switch in.Kind() {
	case "LogoutRequest":
	case "LogoutResponse":
		return x.signedOutThere(w, r, p, in)
	default:
		return MessageUnexpected.With(fault.Args{"message": clip(in.Kind())})
	}
	q, name, err := x.readSignOut(r, p, in, x.address(logoutPath))
	if err != nil {
		return err
	}
	if _, err := x.store.keep(r.Context(), name, signOut, p.Entity.ID, q); err != nil {
		return err
	}
	// Posted from another site, the request came without our cookies; the browser
	// comes back with them.
	return web.SeeOther(w, r, closePath+"?request="+name)
}

// readSignOut checks a LogoutRequest. It must be signed (profiles, 4.4.4.1):
// anybody else could end people's sessions. The name that it returns is that under
// which it is kept.
func (x *IDP) readSignOut(r *http.Request, p peer, in *saml.Inbound, here string) (*signOutRequest, string, error) {
	el, signed, err := x.verified(r, p, in, true)
	if err != nil {
		return nil, "", err
	}
	asked, err := saml.ParseLogoutRequest(el, saml.Opener{})
	if err != nil {
		return nil, "", unreadable(err)
	}
	if asked.Issuer != p.Entity.ID {
		return nil, "", MessageUnreadable
	}
	// By SOAP many leave it out, and nothing led a browser astray there.
	if err := x.checkDestination(r, p, asked.Destination, here, signed && in.Binding != saml.SOAP); err != nil {
		return nil, "", err
	}
	now := x.Clock.Now()
	err = saml.CheckIssued(asked.IssueInstant, now, x.config.RequestAge, x.config.Skew)
	if err == nil {
		err = saml.CheckWindow(time.Time{}, asked.NotOnOrAfter, now, x.config.Skew)
	}
	if err != nil {
		reason := ClockBehind
		var apart *saml.TimeError
		facts := p.facts(r.Context())
		if errors.As(err, &apart) {
			facts["apart"] = apart.Skew.Round(time.Second)
			if apart.When == saml.NotYet {
				reason = ClockAhead
			}
		}
		x.note(r, p, reason, saml.FormatTime(now), saml.FormatTime(asked.IssueInstant), 0)
		return nil, "", reason.Because(err, facts)
	}
	message, err := saml.Marshal(el)
	if err != nil {
		return nil, "", unreadable(err)
	}
	q := &signOutRequest{ID: asked.ID, Binding: in.Binding, Relay: in.RelayState, Name: asked.NameID, Indexes: asked.SessionIndexes, Async: asked.Async}
	return q, handle(p.Entity.ID, asked.ID, message, in.RelayState), nil
}

// signOutGoOn ends the sessions that a kept LogoutRequest means, and answers it.
func (x *IDP) signOutGoOn(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var q signOutRequest
	kept, err := x.store.read(ctx, r.URL.Query().Get("request"), signOut, &q)
	if errors.Is(err, errGone) {
		return LogoutGone
	}
	if err != nil {
		return err
	}
	p, err := x.peer(r, kept.EntityID)
	if err != nil {
		return err
	}
	if x.Clock.Now().Sub(kept.At) > x.config.RequestAge {
		return LogoutGone
	}
	sessions, err := x.store.sessions(ctx, p.Entity.ID, q.Name, q.Indexes)
	if err != nil {
		return err
	}
	here := slices.ContainsFunc(sessions, func(s session) bool { return s.ID == web.Viewer(r).Session })
	by := ""
	if here {
		by = web.Viewer(r).Session
	}
	switch err := x.once(ctx, kept.Name, by); {
	case errors.Is(err, errAnswered): // reloaded, or the back button
		return LogoutGone
	case err != nil:
		return err
	}
	complete, err := x.end(ctx, p, sessions, by)
	if err != nil {
		return err
	}
	leaving := gate.Departing{Service: p.Service}
	if !q.Async {
		leaving.Onward = answerPath + "?request=" + url.QueryEscape(kept.Name)
	}
	if here {
		return x.Exit.SignOut(w, r, leaving)
	}
	if q.Async {
		return web.SeeOther(w, r, "/")
	}
	return x.answerSignOut(w, r, p, &q, signedOutStatus(complete))
}

// signOutAnswer sends the answer to a LogoutRequest, after the other services were
// told, or the person has read which could not be.
func (x *IDP) signOutAnswer(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var q signOutRequest
	kept, err := x.store.read(ctx, r.URL.Query().Get("request"), signOut, &q)
	if errors.Is(err, errGone) || err == nil && kept.AnsweredAt.IsZero() {
		return LogoutGone
	}
	if err != nil {
		return err
	}
	p, err := x.peer(r, kept.EntityID)
	if err != nil {
		return err
	}
	ours, _, _ := strings.Cut(kept.AnsweredTo, " ")
	logouts, err := x.Answers.Logouts(ctx, ours)
	if err != nil {
		return err
	}
	complete := !slices.ContainsFunc(logouts, func(l answer.Logout) bool {
		return l.Service != p.ID && l.State != answer.Told && l.State != answer.Answered
	})
	return x.answerSignOut(w, r, p, &q, signedOutStatus(complete))
}

// once takes a sign-out for the session of the browser, empty for none, or returns
// errAnswered when it was taken already, by whomever.
func (x *IDP) once(ctx context.Context, name, ours string) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error { return x.store.answered(ctx, tx, name, ours+" "+saml.NewID()) })
}

// end ends sessions of ours, but that of the browser, which ends last and with a
// page. complete is false when another service of them cannot be told without a
// browser.
func (x *IDP) end(ctx context.Context, p peer, sessions []session, browser string) (complete bool, err error) {
	complete = true
	for _, s := range sessions {
		// The service ends its own session, and is not told of it.
		if err := x.store.forgetSession(ctx, p.Entity.ID, s.ID); err != nil {
			return false, err
		}
		if s.ID == browser {
			continue
		}
		reached, err := x.reached(ctx, s.ID, p.ID)
		if err != nil {
			return false, err
		}
		complete = complete && reached
		err = x.Sessions.CloseSession(ctx, campus.Viewer{Person: s.Person}, s.ID)
		if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
			return false, err
		}
	}
	return complete, nil
}

// reached reports whether every other service of a session can be told by itself
// that it ends.
func (x *IDP) reached(ctx context.Context, ours, except string) (bool, error) {
	services, err := x.Answers.Services(ctx, ours)
	if err != nil {
		return false, err
	}
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return false, err
	}
	for _, one := range services {
		s := index.Get(one)
		if one == except {
			continue
		}
		if s == nil || s.NoSingleLogout {
			return false, nil
		}
		if s.SAML.EntityID == "" {
			continue // of a protocol that ends sessions by itself
		}
		if other, err := x.byService(ctx, s); err != nil || !other.hasSOAP() {
			return false, nil
		}
	}
	return true, nil
}

func (p peer) hasSOAP() bool {
	_, ok := saml.Choose(p.sp().Logout, saml.SOAP)
	return ok
}

// signedOutStatus is success; PartialLogout besides says that some service keeps
// its session (core, 3.7.3.2).
func signedOutStatus(complete bool) saml.Status {
	s := saml.Success()
	if !complete {
		s.Second = saml.StatusPartialLogout
	}
	return s
}

// answerSignOut sends the LogoutResponse by the browser, the way the request came
// where the service takes that.
func (x *IDP) answerSignOut(w http.ResponseWriter, r *http.Request, p peer, q *signOutRequest, status saml.Status) error {
	ways := []saml.Binding{saml.Redirect, saml.POST}
	if q.Binding == saml.POST {
		ways = []saml.Binding{saml.POST, saml.Redirect}
	}
	endpoint, ok := saml.Choose(p.sp().Logout, ways...)
	if !ok || !webAddress(endpoint.Answers()) {
		return web.SeeOther(w, r, "/") // the session is over, which was the point
	}
	el := x.logoutResponse(q.ID, endpoint.Answers(), status).Element()
	by, err := x.credential(r.Context())
	if err != nil {
		return err
	}
	if endpoint.Binding == saml.Redirect {
		to, err := saml.RedirectURL(endpoint.Answers(), saml.Answer, el, q.Relay, &by)
		if err != nil {
			return err
		}
		return x.Gate.Leave(w, r, to)
	}
	if err := saml.Sign(el, by); err != nil {
		return err
	}
	form, err := saml.POSTForm(endpoint.Answers(), saml.Answer, el, q.Relay)
	if err != nil {
		return err
	}
	return x.post(w, r, p.Service, form)
}

func (x *IDP) logoutResponse(to, destination string, status saml.Status) *saml.LogoutResponse {
	return &saml.LogoutResponse{
		ID: saml.NewID(), InResponseTo: to, IssueInstant: x.Clock.Now(), Destination: destination, Issuer: x.entityID(), Status: status,
	}
}

// signOutBySOAP takes a sign-out from a service's server (profiles, 4.4.3.2). What
// cannot be answered by a message gets a fault of SOAP.
func (x *IDP) signOutBySOAP(w http.ResponseWriter, r *http.Request) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	in, err := saml.ReadSOAP(text)
	if err != nil {
		return x.soapFault(w, r, unreadable(err))
	}
	if in.Kind() != "LogoutRequest" {
		return x.soapFault(w, r, MessageUnexpected.With(fault.Args{"message": clip(in.Kind())}))
	}
	if in.Issuer() == "" {
		return x.soapFault(w, r, MessageUnreadable)
	}
	p, err := x.peer(r, in.Issuer())
	if err != nil {
		return x.soapFault(w, r, err)
	}
	q, name, err := x.readSignOut(r, p, in, x.address(soapPath))
	if err != nil {
		web.Note(r, fault.Of(err))
		return x.answerSOAP(w, r, in.ID(), saml.Status{Code: saml.StatusRequester, Second: saml.StatusRequestDenied, Message: fault.Of(err).Reason.Code()})
	}
	first, err := x.store.keep(r.Context(), name, signOut, p.Entity.ID, q)
	if err != nil {
		return x.soapFault(w, r, err)
	}
	if !first { // a message that was taken once already
		return x.answerSOAP(w, r, q.ID, saml.Status{Code: saml.StatusRequester, Second: saml.StatusRequestDenied, Message: LogoutGone.Code()})
	}
	sessions, err := x.store.sessions(r.Context(), p.Entity.ID, q.Name, q.Indexes)
	if err != nil {
		return x.soapFault(w, r, err)
	}
	complete, err := x.end(r.Context(), p, sessions, "")
	if err != nil {
		return x.soapFault(w, r, err)
	}
	return x.answerSOAP(w, r, q.ID, signedOutStatus(complete))
}

func (x *IDP) answerSOAP(w http.ResponseWriter, r *http.Request, to string, status saml.Status) error {
	el := x.logoutResponse(to, "", status).Element()
	by, err := x.credential(r.Context())
	if err != nil {
		return x.soapFault(w, r, err)
	}
	if err := saml.Sign(el, by); err != nil {
		return x.soapFault(w, r, err)
	}
	text, err := saml.Envelope(el)
	if err != nil {
		return x.soapFault(w, r, err)
	}
	w.Header().Set("Content-Type", saml.SOAPType)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(text)
	return err
}

// soapFault says by the reason's name alone what is wrong (SOAP 1.1, 4.4): its
// reader is a program.
func (x *IDP) soapFault(w http.ResponseWriter, r *http.Request, cause error) error {
	f := fault.Of(cause)
	web.Note(r, f)
	side := "Client"
	if f.Reason.Kind() >= fault.Broken {
		side = "Server"
	}
	w.Header().Set("Content-Type", saml.SOAPType)
	w.WriteHeader(http.StatusInternalServerError) // bindings, 3.2.3.3
	_, err := io.WriteString(w, `<soap:Envelope xmlns:soap="`+saml.NSSOAP+`"><soap:Body><soap:Fault><faultcode>soap:`+side+
		`</faultcode><faultstring>`+f.Reason.Code()+`</faultstring></soap:Fault></soap:Body></soap:Envelope>`)
	return err
}

// leaveAddress is a page of ours that posts a kept message.
func leaveAddress(name string) string {
	return leavePath + "?" + url.Values{"request": {name}}.Encode()
}
