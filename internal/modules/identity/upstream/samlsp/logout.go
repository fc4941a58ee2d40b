package samlsp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// session is what a sign-out at the upstream needs to name (saml-profiles, 4.4.4.1).
type session struct {
	Provider string      `json:"provider"`
	Us       string      `json:"us"`
	Name     saml.NameID `json:"name"`
	Indexes  []string    `json:"indexes,omitempty"`
}

// departing keeps what a sign-out will need; "" when there is nothing to name.
func departing(entity *saml.Entity, a *saml.Assertion, us string) (string, error) {
	if a.Subject.NameID == nil {
		return "", nil
	}
	s := session{Provider: entity.ID, Us: us, Name: *a.Subject.NameID}
	for _, statement := range a.Statements {
		if statement.SessionIndex != "" {
			s.Indexes = append(s.Indexes, statement.SessionIndex)
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("keep what a sign-out needs: %w", err)
	}
	return string(text), nil
}

// SignOutURL implements [upstream.Protocol]: a signed LogoutRequest by redirect,
// where the upstream takes one (saml-profiles, 4.4), else the page that the
// configuration names.
func (p *Provider) SignOutURL(ctx context.Context, hint string) string {
	var s session
	if hint == "" || json.Unmarshal([]byte(hint), &s) != nil {
		return p.SAML.SignOutPage
	}
	known, err := p.metadata(ctx)
	if err != nil || known.entities[s.Provider] == nil {
		return p.SAML.SignOutPage
	}
	to, ok := saml.Choose(known.entities[s.Provider].IDP.Logout, saml.Redirect)
	if !ok {
		return p.SAML.SignOutPage
	}
	key, err := p.ring.signs(ctx)
	if err != nil {
		return p.SAML.SignOutPage
	}
	now := p.clock.Now()
	q := &saml.LogoutRequest{
		ID: saml.NewID(), IssueInstant: now, Destination: to.Location, Issuer: s.Us, NotOnOrAfter: now.Add(describedAgain), Reason: saml.LogoutByUser,
		NameID: s.Name, SessionIndexes: s.Indexes,
	}
	address, err := saml.RedirectURL(to.Location, saml.Request, q.Element(), "", &key)
	if err != nil {
		return p.SAML.SignOutPage
	}
	return address
}
