package samlsp

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Receive implements [upstream.Protocol]. What comes back is bound to the
// transaction by the identifier of our request, and a transaction is claimed
// once: an answer that was seen before has none to answer any more.
func (p *Provider) Receive(ctx context.Context, back upstream.Return, t upstream.Transaction) (upstream.Answer, error) {
	m, err := read(back)
	if err != nil {
		return upstream.Answer{}, p.failure(err, nil, time.Time{}, t)
	}
	known, err := p.metadata(ctx)
	if err != nil {
		return upstream.Answer{}, err
	}
	keys, err := p.ring.all(ctx)
	if err != nil {
		return upstream.Answer{}, err
	}
	entity, response, err := p.open(ctx, m, known, keys, t)
	if err == nil {
		err = p.expect(entity, t).Check(response)
	}
	if err != nil {
		return upstream.Answer{}, p.failure(err, entity, issued(m), t)
	}
	return p.answer(entity, response, t)
}

// read takes the message out of what came back. Answers come by POST, unless the
// upstream refuses by another way.
func read(back upstream.Return) (*saml.Inbound, error) {
	if back.Method == "POST" {
		return saml.ReadPOST(back.Values)
	}
	return saml.ReadRedirect(back.RawQuery)
}

// open verifies the answer with the keys of whom we asked. When none of them made
// the signature, the metadata are fetched once more: keys are rolled over
// (saml-metadata, 2.4.1.1), and people should not be the first to notice.
func (p *Provider) open(ctx context.Context, m *saml.Inbound, known *directory, own []saml.Credential, t upstream.Transaction) (*saml.Entity, *saml.Response, error) {
	entity, err := p.choose(known, t.Secrets[keepProvider])
	if err != nil {
		return nil, nil, err
	}
	opener := saml.Opener{Keys: own, AllowCBC: p.SAML.AllowCBC}
	response, err := saml.OpenResponse(m, entity.IDP.SigningKeys(), p.policy(), opener)
	if !errors.Is(err, saml.ErrUnknownKey) && !errors.Is(err, saml.ErrAltered) && !errors.Is(err, saml.ErrNoKeys) {
		return entity, response, err
	}
	if later, renewed := p.newer(ctx, known); renewed {
		if again := later.entities[entity.ID]; again != nil {
			response, err = saml.OpenResponse(m, again.IDP.SigningKeys(), p.policy(), opener)
			return again, response, err
		}
	}
	return entity, response, err
}

func (p *Provider) policy() saml.Policy { return saml.Policy{AllowSHA1: p.SAML.AllowSHA1} }

// expect is what an answer must say (saml-profiles, 4.1.4.3).
func (p *Provider) expect(entity *saml.Entity, t upstream.Transaction) saml.Expect {
	return saml.Expect{
		Issuer: entity.ID, Audience: entityID(p.SAML, t.AnswerURL), Destination: t.AnswerURL, InResponseTo: t.Secrets[keepRequest],
		Now: p.clock.Now(), Skew: p.SkewOr2m(),
	}
}

// issued is when the message says that it was made: the only witness of the
// upstream's clock. A stranger's message says what it likes, which is why it
// decides about words only.
func issued(m *saml.Inbound) time.Time {
	for _, a := range m.Unverified().Attr {
		if a.Key != "IssueInstant" {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, a.Value); err == nil {
			return at
		}
	}
	return time.Time{}
}

// answer is what a checked response says about somebody.
func (p *Provider) answer(entity *saml.Entity, response *saml.Response, t upstream.Transaction) (upstream.Answer, error) {
	assertion := response.Assertion
	said, foreign := within(entity.IDP.Scopes, flatten(assertion.Attributes), p.SAML.DiscoveryURL != "")
	subject, err := p.subject(said, foreign, assertion.Subject.NameID)
	if err != nil {
		return upstream.Answer{}, err
	}
	a := upstream.Answer{
		Issuer: entity.ID, Subject: subject, Attributes: said, Methods: said[microsoftMethods],
		Ahead: response.IssueInstant.Sub(p.clock.Now()), Timed: !response.IssueInstant.IsZero(),
	}
	for _, s := range assertion.Statements {
		if s.Context != "" {
			a.Contexts = append(a.Contexts, s.Context)
		}
		if s.Instant.After(a.AuthnInstant) {
			a.AuthnInstant = s.Instant
		}
		a.SessionThere = cmp.Or(a.SessionThere, s.SessionIndex)
	}
	if name := assertion.Subject.NameID; name != nil {
		a.SubjectThere = subjectThere(*name)
	}
	a.LogoutHint, err = departing(entity, assertion, entityID(p.SAML, t.AnswerURL))
	return a, err
}

// subjects are the attributes that name somebody for ever, the best first
// (saml-subject-id-attr, 2; eduPerson; Microsoft).
var subjects = []string{"subject-id", "pairwise-id", "eduPersonUniqueId", "eduPersonTargetedID", microsoftObject}

// byNameID is the configuration's word for the name identifier.
const byNameID = "NameID"

// subject is the identifier that is given to nobody else. A transient name is
// another one each time, and an address goes to the next who has it: neither is
// taken unless the configuration says that the NameID is to be.
func (p *Provider) subject(said, foreign map[string][]string, name *saml.NameID) (string, error) {
	configured := p.SAML.Subject
	if strings.EqualFold(configured, byNameID) {
		if name != nil && name.Format != saml.FormatTransient {
			return name.Value, nil
		}
		return "", missingSubject(byNameID, name, said)
	}
	wanted := subjects
	if configured != "" {
		wanted = []string{configured}
	}
	for _, attribute := range wanted {
		if values := said[attribute]; len(values) == 1 && values[0] != "" {
			return values[0], nil
		}
		if values := foreign[attribute]; len(values) > 0 {
			return "", outOfScope(attribute, values)
		}
	}
	if configured == "" && name != nil && (name.Format == saml.FormatPersistent || name.Format == saml.FormatUnspecified || name.Format == "") {
		return name.Value, nil
	}
	return "", missingSubject(strings.Join(wanted, ", "), name, said)
}
