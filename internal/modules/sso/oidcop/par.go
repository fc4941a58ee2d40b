package oidcop

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// pushedPrefix begins the request_uri that we give out (RFC 9126 §2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

const (
	// pushedLifetime is how long a program may take to send the browser.
	pushedLifetime = 90 * time.Second
	// signInLifetime is how long a person may take from there, with a lost password
	// and a second factor.
	signInLifetime = 30 * time.Minute
)

// pushed is where a pushed request is kept.
type pushed struct {
	RequestURI string `json:"request_uri"`
	Expires    int64  `json:"expires_in"`
}

// push takes a request before the browser comes with it (RFC 9126): nobody on the
// way can read or change it. What is wrong with it is said here already.
func (p *Provider) push(w http.ResponseWriter, r *http.Request) (any, error) {
	form, s, err := p.authenticate(r)
	if err != nil {
		return nil, err
	}
	if err := p.begins(r, s); err != nil {
		return nil, err
	}
	thumbprint, err := p.possession(r, "")
	if err != nil {
		return nil, err
	}
	if form.Has("request_uri") {
		return nil, refuse(invalidRequest, RequestRefused, "request_uri cannot be pushed")
	}
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		form.Del(name)
	}
	form.Set("client_id", s.OIDC.ClientID)
	if thumbprint != "" { // RFC 9449 §10.1
		if asked := form.Get("dpop_jkt"); asked != "" && asked != thumbprint {
			return nil, refuse(invalidProof, ProofRefused, "dpop_jkt is not the key of the proof")
		}
		form.Set("dpop_jkt", thumbprint)
	}
	to, refused := request.ReadReturn(form)
	if refused == nil && !s.OIDC.Redirects(to.RedirectURI) {
		p.note(r, gate.Incident{
			Service: s, Reason: RedirectUnknown, Difference: "oidc_redirect", Expected: strings.Join(s.OIDC.RedirectURIs, " "), Received: to.RedirectURI,
			Facts: fault.Args{"address": shorten(to.RedirectURI)},
		})
		return nil, refuse(invalidRequest, RedirectUnknown, "redirect_uri is not one of the client's")
	}
	v := visit{service: s, pushed: "yes"}
	if refused == nil {
		if v.Authorization, refused = request.Read(to, form); refused == nil {
			refused = p.policy(&v)
		}
	}
	if refused != nil {
		return nil, refuse(refused.Code, RequestRefused, "%s", refused.Description)
	}
	secret, ctx := id.Token(secretBytes), r.Context()
	err = p.DB.InTx(ctx, func(tx db.Tx) error {
		return p.grants.Push(ctx, tx, secret, s.OIDC.ClientID, form.Encode(), pushedLifetime)
	})
	if err != nil {
		return nil, err
	}
	return created{pushed{pushedPrefix + secret, int64(pushedLifetime / time.Second)}}, nil
}

// openPushed reads the request that a browser came for.
func (p *Provider) openPushed(r *http.Request, asked url.Values) (values url.Values, pushed string, err error) {
	ctx := r.Context()
	kept, err := p.grants.Pushed(ctx, strings.TrimPrefix(asked.Get("request_uri"), pushedPrefix))
	switch {
	case errors.Is(err, grant.Unknown):
		return nil, "", PushedGone
	case err != nil:
		return nil, "", err
	case kept.Client != asked.Get("client_id") || kept.ExpiresAt <= p.DB.Now():
		return nil, "", PushedGone
	}
	if kept.OpenedAt == 0 {
		if err := p.DB.InTx(ctx, func(tx db.Tx) error { return p.grants.Open(ctx, tx, kept.ID, signInLifetime) }); err != nil {
			return nil, "", err
		}
	}
	values, err = url.ParseQuery(kept.Parameters)
	return values, kept.ID, err
}
