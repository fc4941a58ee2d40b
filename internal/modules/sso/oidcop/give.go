package oidcop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// give sends the person on with what the client asked for.
func (p *Provider) give(w http.ResponseWriter, r *http.Request, v visit, q gate.Question, e gate.Entrance) error {
	acr, essential := v.wantedACR()
	detail := grant.Detail{
		Login: e.Viewer.Login, SID: v.sid(e.Viewer), Scopes: v.Scopes, Claims: v.Claims, Nonce: v.Nonce,
		AuthTime: e.Viewer.SignedInAt.Unix(), ACR: reached(e.Viewer, acr), AMR: e.Viewer.Methods, Told: namesOf(e.Attributes),
	}
	if essential && needsFactor(firstKnown(acr)) && !needsFactor(detail.ACR) {
		// The gate let somebody in without the factor that was essential.
		return p.answerError(w, r, v.Return, request.UnmetAuthentication, "the person has no second factor")
	}
	a := answer.Answer{
		Protocol: registry.OIDC, Service: v.service.ID, Address: v.RedirectURI, Session: e.Viewer.Session, Person: e.Viewer.Person, Login: e.Viewer.Login,
		SignedInAt: db.At(e.Viewer.SignedInAt), Fresh: q.Fresh && e.Fresh,
	}
	params, secret := url.Values{}, "c."+id.Token(secretBytes)
	if strings.Contains(v.Response, "code") {
		params.Set("code", secret)
		kept, err := json.Marshal(promise{Detail: detail, Client: v.ClientID, Challenge: v.Challenge, Thumbprint: v.Thumbprint})
		if err != nil {
			return fmt.Errorf("write a code: %w", err)
		}
		a.Detail = string(kept)
	} else {
		a.Handle = detail.SID // it passes through the browser whole: redeemed when issued
	}
	if strings.Contains(v.Response, "id_token") {
		g := grant.Grant{Person: e.Viewer.Person, Service: v.service.ID, Client: v.ClientID, Detail: detail}
		// Where no access token follows, the ID token says everything (Core §5.4).
		text, err := p.idToken(r.Context(), v.service, g, e.Attributes, params.Get("code"), "", v.Response == registry.ResponseIDToken)
		if err != nil {
			return err
		}
		params.Set("id_token", text)
	}
	err := p.issue(r, v, secret, a)
	if errors.Is(err, answer.ErrSpent) {
		// Another tab used this entry of the password up: it is asked once more.
		q.Mark = ""
		if _, err = p.Gate.Enter(w, r, q); err == nil {
			err = fmt.Errorf("a spent sign-in was taken for a fresh one")
		}
		if errors.Is(err, gate.Answered) {
			return nil
		}
	}
	if errors.Is(err, answer.ErrOver) { // in another tab; they sign in again
		return web.SeeOther(w, r, q.Back)
	}
	if err != nil {
		return err
	}
	return p.send(w, r, v.Return, params)
}

// firstKnown is the value of acr that decides.
func firstKnown(values []string) string {
	for _, acr := range values {
		if needsFactor(acr) || acr == acrSingle || acr == acrSingleID {
			return acr
		}
	}
	return ""
}

// issue keeps the code, and uses up the request that it answers.
func (p *Provider) issue(r *http.Request, v visit, secret string, a answer.Answer) error {
	ctx := r.Context()
	return p.DB.InTx(ctx, func(tx db.Tx) error {
		if v.pushed != "" {
			if won, err := p.grants.Drop(ctx, tx, v.pushed); err != nil || !won {
				if err == nil {
					err = PushedGone
				}
				return err
			}
		}
		return p.Answers.Issue(ctx, tx, secret, a, p.config.CodeLifetime)
	})
}

// answerError answers with an error (RFC 6749 §4.1.2.1).
func (p *Provider) answerError(w http.ResponseWriter, r *http.Request, to request.Return, code, description string) error {
	return p.send(w, r, to, url.Values{"error": {code}, "error_description": {plain(description)}})
}

// send carries an answer to the client in the way that it asked for. iss says who
// answers, so that a client of several providers cannot be confused (RFC 9207).
func (p *Provider) send(w http.ResponseWriter, r *http.Request, to request.Return, params url.Values) error {
	p.complete(to, params)
	w.Header().Set("Cache-Control", "no-store")
	if to.Mode == request.FormPost {
		return p.postPage(w, r, to, params)
	}
	return p.Gate.Leave(w, r, withParameters(to, params))
}

// complete adds what every answer has.
func (p *Provider) complete(to request.Return, params url.Values) {
	params.Set("iss", p.BaseURL)
	if to.State != "" {
		params.Set("state", to.State)
	}
}

// withParameters is the client's address with an answer.
func withParameters(to request.Return, params url.Values) string {
	separator := "?"
	switch {
	case to.Mode == request.Fragment:
		separator = "#"
	case strings.Contains(to.RedirectURI, "?"):
		separator = "&"
	}
	return to.RedirectURI + separator + params.Encode()
}
