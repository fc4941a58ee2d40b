package samlidp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

var _ answer.Closer = (*IDP)(nil)

// What Close says of a service that it did not tell, besides answer.ByService.
const (
	saidNoAddress = "no address for sign-outs"
	saidBrowser   = "only by a browser"
)

// Close implements [answer.Closer]: it tells a service by SOAP that a session ended
// (profiles, 4.4.3.3). A service that can only be told by a browser is left to the
// sign-out page, see [IDP.FrontLogout].
func (x *IDP) Close(ctx context.Context, s *registry.Service, l answer.Logout) (answer.LogoutState, string, error) {
	d, p, err := x.ofLogout(ctx, s, l)
	if err != nil {
		return answer.Waiting, "", err
	}
	here, err := x.store.knows(ctx, d.Entity, l.Handle)
	switch {
	case err != nil:
		return answer.Waiting, "", err
	case !here:
		return answer.Skipped, answer.ByService, nil
	}
	endpoint, ok := saml.Choose(p.sp().Logout, saml.SOAP)
	if !ok {
		if _, front := saml.Choose(p.sp().Logout, saml.Redirect, saml.POST); front {
			return answer.Skipped, saidBrowser, nil
		}
		return answer.Skipped, saidNoAddress, nil
	}
	q := x.logoutRequest(d, l, endpoint.Location)
	by, err := x.credential(ctx)
	if err != nil {
		return answer.Waiting, "", err
	}
	el := q.Element()
	if err := saml.Sign(el, by); err != nil {
		return answer.Waiting, "", jobs.GiveUp(err)
	}
	said, err := x.callSOAP(ctx, endpoint.Location, el)
	if err != nil {
		return answer.Waiting, "", err
	}
	return x.judge(ctx, p, q.ID, said)
}

// ofLogout reads what the answer remembered, and finds the service.
func (x *IDP) ofLogout(ctx context.Context, s *registry.Service, l answer.Logout) (detail, peer, error) {
	var d detail
	if err := json.Unmarshal([]byte(l.Detail), &d); err != nil {
		return d, peer{}, jobs.GiveUp(fmt.Errorf("read what %s was told: %w", l.Service, err))
	}
	found, err := x.metadata.Find(ctx, d.Entity, s)
	if err == nil && found.Entity.SP == nil {
		err = MetadataUnusable
	}
	return d, peer{s, found}, err
}

// logoutLife is how long a service may take a LogoutRequest of ours.
const logoutLife = 5 * time.Minute

func (x *IDP) logoutRequest(d detail, l answer.Logout, destination string) *saml.LogoutRequest {
	now := x.Clock.Now()
	return &saml.LogoutRequest{
		ID: saml.NewID(), IssueInstant: now, Destination: destination, Issuer: x.entityID(), NotOnOrAfter: now.Add(logoutLife),
		Reason: saml.LogoutByUser, NameID: d.Name, SessionIndexes: []string{l.Handle},
	}
}

// callSOAP sends a message and reads the answer to it.
func (x *IDP) callSOAP(ctx context.Context, address string, message element) (*saml.Inbound, error) {
	text, err := saml.Envelope(message)
	if err != nil {
		return nil, jobs.GiveUp(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err != nil {
		return nil, jobs.GiveUp(fmt.Errorf("address of the service: %w", err))
	}
	request.Header.Set("Content-Type", saml.SOAPType)
	request.Header.Set("SOAPAction", saml.SOAPAction)
	request.Header.Set("User-Agent", "Amphi single logout")
	response, err := x.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(io.LimitReader(response.Body, saml.MaxMessage))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	in, err := saml.ReadSOAP(text)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the service answered %d", response.StatusCode), err)
	}
	return in, nil
}

// judge reads what a service answers to a LogoutRequest. Only a signed answer is
// proof; an unsigned one over the connection that we opened says that the service
// was reached.
func (x *IDP) judge(ctx context.Context, p peer, asked string, in *saml.Inbound) (answer.LogoutState, string, error) {
	el, proved := in.Unverified(), false
	if in.Signed() {
		verified, _, err := in.Verify(p.sp().SigningKeys(), saml.Policy{})
		if err != nil {
			return answer.Waiting, "", err
		}
		el, proved = verified, true
	}
	said, err := saml.ParseLogoutResponse(el)
	switch {
	case err != nil:
		return answer.Waiting, "", err
	case said.Issuer != "" && said.Issuer != p.Entity.ID:
		return answer.Waiting, "", &saml.MismatchError{What: saml.WhatIssuer, Expected: p.Entity.ID, Received: said.Issuer}
	case said.InResponseTo != asked:
		return answer.Waiting, "", &saml.MismatchError{What: saml.WhatInResponseTo, Expected: asked, Received: said.InResponseTo}
	case !said.Status.OK():
		// Most often the session was over there already. It was reached, and asking
		// again would change nothing.
		status := (&saml.StatusError{Status: said.Status}).Error()
		x.Gate.Note(ctx, gate.Incident{Service: p.Service, Reason: LogoutRefused, Expected: saml.StatusSuccess, Received: clip(status), Quiet: true})
		return answer.Answered, clip(status), nil
	case !proved:
		return answer.Answered, "success, unsigned", nil
	}
	return answer.Told, "success", nil
}

// front is a LogoutRequest of ours on its way through a browser.
type front struct {
	Logouts []string   `json:"logouts"` // identifiers of the answer.Logout that it is about
	Service string     `json:"service"`
	ID      string     `json:"id"`
	Back    string     `json:"back"`
	Form    *saml.Form `json:"form,omitempty"` // by HTTP-POST
}

// FrontLogout says how a browser tells a service that a session ended, when there is
// no other way; ok is false when there is another, or none. One message is about all
// that the service got for the session under one name (core, 3.7.1), so there are
// as many ways as names. Afterwards the browser comes to back, a local address, and
// the state of the logouts is written. With back empty nothing is prepared.
func (x *IDP) FrontLogout(ctx context.Context, s *registry.Service, logouts []answer.Logout, back string) (ways []gate.Way, ok bool, err error) {
	type group struct {
		detail
		peer
		endpoint saml.Endpoint
		logouts  []answer.Logout
	}
	var groups []*group
	for _, l := range logouts {
		if s == nil || s.NoSingleLogout || l.Protocol != registry.SAML {
			return nil, false, nil
		}
		d, p, err := x.ofLogout(ctx, s, l)
		if err != nil {
			return nil, false, err
		}
		endpoint, ok := saml.Choose(p.sp().Logout, saml.Redirect, saml.POST)
		if here, err := x.store.knows(ctx, d.Entity, l.Handle); err != nil || !here || p.hasSOAP() || !ok || !webAddress(endpoint.Location) {
			return nil, false, err
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.Entity == d.Entity && g.Name.Same(d.Name) })
		if i < 0 {
			i, groups = len(groups), append(groups, &group{detail: d, peer: p, endpoint: endpoint})
		}
		groups[i].logouts = append(groups[i].logouts, l)
	}
	if back == "" {
		for _, g := range groups {
			ways = append(ways, gate.Way{Origin: web.OriginOf(g.endpoint.Location)})
		}
		return ways, len(ways) > 0, nil
	}
	for _, g := range groups {
		way, err := x.frontWay(ctx, g.detail, g.logouts, g.endpoint, back)
		if err != nil {
			return nil, false, err
		}
		ways = append(ways, way)
	}
	return ways, len(ways) > 0, nil
}

// frontWay makes a LogoutRequest for a browser to carry.
func (x *IDP) frontWay(ctx context.Context, d detail, logouts []answer.Logout, to saml.Endpoint, back string) (gate.Way, error) {
	by, err := x.credential(ctx)
	if err != nil {
		return gate.Way{}, err
	}
	q := x.logoutRequest(d, logouts[0], to.Location)
	kept := front{Service: logouts[0].Service, ID: q.ID, Back: web.Local(back)}
	q.SessionIndexes = nil
	for _, l := range logouts {
		q.SessionIndexes, kept.Logouts = append(q.SessionIndexes, l.Handle), append(kept.Logouts, l.ID)
	}
	el, name := q.Element(), handle(d.Entity, q.ID, nil, "")
	way := gate.Way{Origin: web.OriginOf(to.Location)}
	if to.Binding == saml.Redirect {
		if way.URL, err = saml.RedirectURL(to.Location, saml.Request, el, name, &by); err != nil {
			return gate.Way{}, err
		}
	} else {
		if err := saml.Sign(el, by); err != nil {
			return gate.Way{}, err
		}
		form, err := saml.POSTForm(to.Location, saml.Request, el, name)
		if err != nil {
			return gate.Way{}, err
		}
		kept.Form, way.URL = &form, leaveAddress(name)
	}
	_, err = x.store.keep(ctx, name, ourSignOut, d.Entity, kept)
	return way, err
}

// framed reports whether a request is for a frame of our sign-out page.
func framed(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == "iframe" }

// leaveByForm posts a LogoutRequest of ours to a service that takes it no other way.
func (x *IDP) leaveByForm(w http.ResponseWriter, r *http.Request) error {
	var f front
	_, err := x.store.read(r.Context(), r.URL.Query().Get("request"), ourSignOut, &f)
	if errors.Is(err, errGone) || err == nil && f.Form == nil {
		return LogoutGone
	}
	if err != nil {
		return err
	}
	index, err := x.Gate.Registry(r.Context())
	if err != nil {
		return err
	}
	s := index.Get(f.Service)
	if s == nil {
		return LogoutGone
	}
	return x.post(w, r, s, *f.Form)
}

// signedOutThere takes a service's answer to a LogoutRequest that went through the
// browser, and leads back to where the sign-out is going on.
func (x *IDP) signedOutThere(w http.ResponseWriter, r *http.Request, p peer, in *saml.Inbound) error {
	ctx := r.Context()
	// The request is found by what the answer names; RelayState may not come back.
	name := handle(p.Entity.ID, in.InResponseTo(), nil, "")
	var f front
	kept, err := x.store.read(ctx, name, ourSignOut, &f)
	if errors.Is(err, errGone) {
		return LogoutGone
	}
	if err != nil {
		return err
	}
	state, said, err := x.judge(ctx, p, f.ID, in)
	if err != nil {
		expected, received := signatureFacts(err)
		x.note(r, p, SignatureWrong, expected, received, 0)
		return SignatureWrong.Because(err, p.facts(ctx))
	}
	switch err := x.once(ctx, kept.Name, ""); {
	case err != nil && !errors.Is(err, errAnswered):
		return err
	case err == nil:
		for _, logout := range f.Logouts {
			if err := x.Answers.Finish(ctx, logout, state, said); err != nil {
				return fmt.Errorf("note a sign-out of %s: %w", p.ID, err)
			}
		}
	}
	if framed(r) { // the page around it looks by itself
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return web.SeeOther(w, r, f.Back)
}
