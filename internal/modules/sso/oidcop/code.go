package oidcop

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// promise is what a code remembers until it is redeemed: answer.Answer.Detail.
type promise struct {
	grant.Detail
	Client     string `json:"client"`
	Challenge  string `json:"challenge,omitempty"`
	Thumbprint string `json:"thumbprint,omitempty"` // dpop_jkt
}

// redeemCode gives tokens for a code (RFC 6749 §4.1.3). A code that is shown
// wrongly is spent by that; one that is shown twice ends what it gave.
func (p *Provider) redeemCode(a asking) (*tokens, error) {
	ctx, secret := a.r.Context(), a.form.Get("code")
	if secret == "" {
		return nil, refuse(invalidRequest, RequestUnreadable, "code is missing")
	}
	found, err := p.Answers.Find(ctx, secret)
	if errors.Is(err, answer.Unknown) || err == nil && found.Protocol != registry.OIDC {
		p.note(a.r, gate.Incident{Service: a.service, Reason: CodeRefused, Difference: "oidc_unknown", Quiet: true})
		return nil, refuse(invalidGrant, CodeRefused, "this code was never issued, or long ago")
	}
	if err != nil {
		return nil, err
	}
	var kept promise
	if err := json.Unmarshal([]byte(found.Detail), &kept); err != nil {
		return nil, fmt.Errorf("read the detail of a code: %w", err)
	}
	if wrong := p.checkCode(a, found, kept); wrong != nil {
		return nil, p.refuseCode(a, found, wrong)
	}
	offline := slices.Contains(kept.Scopes, registry.ScopeOffline)
	g := grant.Grant{
		Answer: found.ID, Kind: grant.Code, Service: a.service.ID, Client: a.service.OIDC.ClientID, Person: found.Person, Session: found.Session,
		Offline: offline, Detail: kept.Detail,
	}
	m, err := p.mint(a, g, kept.Scopes, a.service.OIDC.Allows(registry.GrantRefresh))
	if err != nil {
		return nil, err
	}
	won := false
	err = p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if won, err = p.Answers.Spend(ctx, tx, found.ID, answer.Redeemed, kept.SID, peer(a.r)); err != nil || !won {
			return err
		}
		begun, err := p.grants.Begin(ctx, tx, g, p.lifetime(offline))
		if err != nil {
			return err
		}
		return p.keep(ctx, tx, m, begun)
	})
	if err != nil {
		return nil, err
	}
	if !won { // another request was first, or it expired just now
		if found, err = p.Answers.Find(ctx, secret); err != nil {
			return nil, err
		}
		return nil, p.refuseCode(a, found, p.spentWrong(found))
	}
	return &m.tokens, nil
}

// wrong is what is wrong with a code.
type wrong struct {
	reason     *fault.Reason
	text       string
	difference string
	expected   string
	received   string
}

// checkCode compares a code with the request that shows it.
func (p *Provider) checkCode(a asking, found answer.Answer, kept promise) *wrong {
	verifier := a.form.Get("code_verifier")
	switch {
	case kept.Client != a.service.OIDC.ClientID:
		return &wrong{CodeRefused, "this code was issued to another client", "oidc_client", "", a.service.OIDC.ClientID}
	case found.State != answer.Issued || found.ExpiresAt <= p.DB.Now():
		return p.spentWrong(found)
	case a.form.Get("redirect_uri") != found.Address: // every request names it, see authorize
		return &wrong{CodeRefused, "redirect_uri differs from the one that the code was asked for with", "oidc_redirect", found.Address, a.form.Get("redirect_uri")}
	case kept.Challenge == "" && verifier != "":
		// Somebody took the challenge out of the request (RFC 9700 §4.8.2).
		return &wrong{CodeRefused, "a code_verifier came for a code that was asked for without a code_challenge", "oidc_verifier", "", ""}
	case kept.Challenge != "" && verifier == "":
		return &wrong{CodeRefused, "code_verifier is missing", "oidc_verifier", kept.Challenge, ""}
	case kept.Challenge != "" && (!request.Verifier(verifier) || subtle.ConstantTimeCompare([]byte(s256(verifier)), []byte(kept.Challenge)) != 1):
		return &wrong{CodeRefused, "code_verifier does not fit the code_challenge", "oidc_verifier", kept.Challenge, s256(verifier)}
	case kept.Thumbprint != "" && kept.Thumbprint != a.thumbprint:
		return &wrong{ProofRefused, "the code is bound to another key (dpop_jkt)", "oidc_key", kept.Thumbprint, a.thumbprint}
	}
	return nil
}

// spentWrong says why a code works no more.
func (p *Provider) spentWrong(found answer.Answer) *wrong {
	switch found.State {
	case answer.Redeemed:
		return &wrong{CodeReplayed, "this code was already redeemed; a code works once, and what it gave has been revoked", "", "", ""}
	case answer.Refused:
		return &wrong{CodeRefused, "this code was shown wrongly before", "", "", ""}
	case answer.Ended:
		return &wrong{CodeRefused, "the session of this code has ended", "", "", ""}
	}
	return &wrong{CodeExpired, fmt.Sprintf("this code has expired; a code works for %s", p.config.CodeLifetime), "", "", ""}
}

// refuseCode notes what was wrong, spends the code, and ends what a replayed one
// gave (RFC 6749 §4.1.2).
func (p *Provider) refuseCode(a asking, found answer.Answer, why *wrong) error {
	ctx := a.r.Context()
	err := p.DB.InTx(ctx, func(tx db.Tx) error {
		if why.reason == CodeReplayed {
			_, err := p.grants.EndOfAnswer(ctx, tx, found.ID, grant.CodeReplayed)
			return err
		}
		_, err := p.Answers.Spend(ctx, tx, found.ID, answer.Refused, "", peer(a.r))
		return err
	})
	if err != nil {
		return err
	}
	p.note(a.r, gate.Incident{
		Service: a.service, Reason: why.reason, Difference: why.difference, Expected: why.expected, Received: why.received, Age: p.DB.Now().Sub(found.IssuedAt),
	})
	code := invalidGrant
	if why.reason == ProofRefused {
		code = invalidProof
	}
	return refuse(code, why.reason, "%s", why.text)
}

// notAnyMore tells a client that a person may not go on; a failure of ours stays
// one.
func notAnyMore(err error) error {
	f := fault.Of(err)
	switch f.Reason.Kind() {
	case fault.Broken, fault.Unavailable, fault.Upstream, fault.Busy:
		return err
	}
	return refuse(invalidGrant, f.Reason, "the person may not enter any more")
}

// mayStill refuses a grant whose person may not enter the service any more: their
// account, or their affiliation, is not what it was.
func (p *Provider) mayStill(ctx context.Context, s *registry.Service, g grant.Grant) error {
	if g.Person == "" {
		return nil
	}
	if err := p.Gate.Admit(ctx, s, g.Person); err != nil {
		return notAnyMore(err)
	}
	return nil
}
