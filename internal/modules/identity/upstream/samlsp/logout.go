package samlsp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
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
		ID: saml.NewID(), IssueInstant: now, Destination: to.Location, Issuer: s.Us, NotOnOrAfter: now.Add(leaveLasts), Reason: saml.LogoutByUser,
		NameID: s.Name, SessionIndexes: s.Indexes,
	}
	address, err := saml.RedirectURL(to.Location, saml.Request, q.Element(), "", &key)
	if err != nil {
		return p.SAML.SignOutPage
	}
	return address
}

// leaveLasts is how long a request to sign out counts. Ours stands in a page that
// somebody may read for a while.
const leaveLasts = time.Hour

// Left implements [upstream.Leaver] (saml-profiles, 4.4). A LogoutResponse tells
// that the session there has ended, which changes nothing here. A LogoutRequest
// ends what was opened here by the sessions that it names (saml-profiles, 4.4.3.4),
// and the session that began with the hint, if it is one of them; it is answered in
// any case, because the upstream waits.
func (p *Provider) Left(ctx context.Context, back upstream.Return, answerURL, hint string) (upstream.Parting, error) {
	m, err := saml.ReadRedirect(back.RawQuery)
	if err != nil {
		return upstream.Parting{}, p.failure(err, nil, time.Time{}, upstream.Transaction{})
	}
	if m.Field == saml.Answer {
		return upstream.Parting{}, nil
	}
	known, err := p.metadata(ctx)
	if err != nil {
		return upstream.Parting{}, err
	}
	entity := known.entities[m.Issuer()]
	if entity == nil {
		return upstream.Parting{}, &upstream.Failure{Reason: upstream.Unfit, Expected: "an issuer of " + p.source(), Received: "issuer " + m.Issuer()}
	}
	q, err := p.leaving(m, entity, ownAddress(answerURL, "left"))
	if err != nil {
		return upstream.Parting{}, p.failure(err, entity, issued(m), upstream.Transaction{})
	}
	var s session
	ends := hint != "" && json.Unmarshal([]byte(hint), &s) == nil && s.names(q)
	onward, err := p.confirm(ctx, entity, q, m.RelayState, answerURL)
	return upstream.Parting{Ends: ends, Ended: ended(q), Onward: onward}, err
}

// ended are the sessions that a LogoutRequest names: those of its indexes, or with
// none all of that person's (saml-core, 3.7.3.2).
func ended(q *saml.LogoutRequest) []upstream.Ending {
	indexes := q.SessionIndexes
	if len(indexes) == 0 {
		indexes = []string{""}
	}
	list := make([]upstream.Ending, len(indexes))
	for i, index := range indexes {
		list[i] = upstream.Ending{
			Issuer: q.Issuer, Subject: subjectThere(q.NameID), Session: index, ID: q.ID + " " + index, Until: q.IssueInstant.Add(leaveLasts + time.Hour),
		}
	}
	return list
}

// subjectThere is a name as one text: all of it counts (saml-core, 3.7.3.1).
func subjectThere(n saml.NameID) string {
	return strings.Join([]string{cmp.Or(n.Format, saml.FormatUnspecified), n.NameQualifier, n.SPNameQualifier, n.SPProvidedID, n.Value}, " ")
}

// leaving checks a LogoutRequest: without a signature anybody could sign people
// out (saml-profiles, 4.4.3.1).
func (p *Provider) leaving(m *saml.Inbound, entity *saml.Entity, here string) (*saml.LogoutRequest, error) {
	el, _, err := m.Verify(entity.IDP.SigningKeys(), p.policy())
	if err != nil {
		return nil, err
	}
	q, err := saml.ParseLogoutRequest(el, saml.Opener{})
	if err != nil {
		return nil, err
	}
	if err := saml.CheckDestination(q.Destination, here, true); err != nil {
		return nil, err
	}
	now, skew := p.clock.Now(), p.SkewOr2m()
	if err := saml.CheckIssued(q.IssueInstant, now, leaveLasts, skew); err != nil {
		return nil, err
	}
	return q, saml.CheckWindow(time.Time{}, q.NotOnOrAfter, now, skew)
}

// names reports whether a request means this session: the same person at the
// same upstream, and one of the sessions that it lists, or any when it lists none
// (saml-core, 3.7.3.2).
func (s session) names(q *saml.LogoutRequest) bool {
	return s.Provider == q.Issuer && s.Name.Same(q.NameID) &&
		(len(q.SessionIndexes) == 0 || slices.ContainsFunc(s.Indexes, func(index string) bool { return slices.Contains(q.SessionIndexes, index) }))
}

// confirm answers a LogoutRequest; nil when the upstream takes no answer.
func (p *Provider) confirm(ctx context.Context, entity *saml.Entity, q *saml.LogoutRequest, relay, answerURL string) (*upstream.Departure, error) {
	to, ok := saml.Choose(entity.IDP.Logout, saml.Redirect)
	if !ok || q.Async {
		return nil, nil //nolint:nilnil // nobody waits for an answer
	}
	key, err := p.ring.signs(ctx)
	if err != nil {
		return nil, err
	}
	answer := &saml.LogoutResponse{
		ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: p.clock.Now(), Destination: to.Answers(), Issuer: entityID(p.SAML, answerURL), Status: saml.Success(),
	}
	address, err := saml.RedirectURL(to.Answers(), saml.Answer, answer.Element(), relay, &key)
	if err != nil {
		return nil, err
	}
	return &upstream.Departure{URL: address}, nil
}
