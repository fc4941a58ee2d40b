package samlidp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// detail is what an answer remembers for the sign-out.
type detail struct {
	Entity string      `json:"entity"`
	Name   saml.NameID `json:"name"`
	Class  string      `json:"class"`
}

// enter sends the person to the service with an assertion.
func (x *IDP) enter(w http.ResponseWriter, r *http.Request, p peer, q *request, kept string, e gate.Entrance, class string) error {
	ctx := r.Context()
	name, err := x.nameID(ctx, p, q, e)
	if err != nil {
		return err
	}
	a, err := x.assertion(ctx, p, q, e, name, class)
	if err != nil {
		return err
	}
	form, err := x.sealed(ctx, p, q, a)
	if err != nil {
		return err
	}
	remembered, err := json.Marshal(detail{p.Entity.ID, name, class})
	if err != nil {
		return fmt.Errorf("note an answer for %s: %w", p.ID, err)
	}
	given := answer.Answer{
		Protocol: registry.SAML, Service: p.ID, Address: q.ACS, Session: e.Viewer.Session, Person: e.Viewer.Person, Login: e.Viewer.Login,
		SignedInAt: db.At(e.Viewer.SignedInAt), Fresh: e.Fresh, Handle: a.Statements[0].SessionIndex, Detail: string(remembered),
		Peer: web.ClientAddr(r).String(),
	}
	if err := x.record(ctx, p, kept, a.ID, name, given); err != nil {
		return err
	}
	return x.post(w, r, p.Service, form)
}

// record files an answer before it leaves: with the request that it answers, and
// with the name that a sign-out will come by.
func (x *IDP) record(ctx context.Context, p peer, kept, assertion string, name saml.NameID, given answer.Answer) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		if kept != "" {
			if err := x.store.answered(ctx, tx, kept, given.Session); err != nil {
				return err
			}
		}
		if err := x.store.noteSession(ctx, tx, p.Entity.ID, given.Handle, name, session{given.Session, given.Person}); err != nil {
			return err
		}
		return x.Answers.Issue(ctx, tx, assertion, given, x.config.AnswerAge)
	})
}

// early is how far before now an assertion begins: the clocks of services that
// allow no difference.
const early = 30 * time.Second

// assertion says who enters (profiles, 4.1.4.2).
func (x *IDP) assertion(ctx context.Context, p peer, q *request, e gate.Entrance, name saml.NameID, class string) (*saml.Assertion, error) {
	attributes, err := x.attributes(ctx, p, e)
	if err != nil {
		return nil, err
	}
	now := x.Clock.Now()
	end := now.Add(x.config.AnswerAge)
	statement := saml.AuthnStatement{
		Instant: e.Viewer.SignedInAt, SessionIndex: sessionIndex(e.Viewer, p.Entity.ID), Context: class, SessionNotOnOrAfter: x.sessionEnd(p.Service, e.Viewer),
	}
	return &saml.Assertion{
		ID: saml.NewID(), IssueInstant: now, Issuer: x.entityID(),
		Subject: saml.Subject{NameID: &name, Confirmations: []saml.Confirmation{{
			Method: saml.Bearer, Recipient: q.ACS, InResponseTo: q.ID, NotOnOrAfter: end,
		}}},
		Conditions: saml.Conditions{NotBefore: now.Add(-early), NotOnOrAfter: end, Audiences: [][]string{{p.Entity.ID}}},
		Statements: []saml.AuthnStatement{statement},
		Attributes: attributes,
	}, nil
}

// sessionIndex names our session to one service: the same for each of its answers,
// and nothing that two services could compare.
func sessionIndex(v campus.Viewer, entityID string) string {
	return "_" + id.Hash("saml session\x00" + v.Session + "\x00" + entityID)[:40]
}

// sessionEnd is when the service should ask again; zero when it may decide.
func (x *IDP) sessionEnd(s *registry.Service, v campus.Viewer) time.Time {
	var end time.Time
	if x.config.Session > 0 {
		end = x.Clock.Now().Add(x.config.Session)
	}
	if s.SessionLimit > 0 {
		// The room lets nobody in whose sign-in is older, so this lies ahead.
		if limit := v.SignedInAt.Add(s.SessionLimit); end.IsZero() || limit.Before(end) {
			end = limit
		}
	}
	return end
}

// credential is the key that signs now.
func (x *IDP) credential(ctx context.Context) (saml.Credential, error) {
	key, err := x.Keys.Current(ctx, keys.SAML, keys.RS256)
	if err != nil {
		return saml.Credential{}, fmt.Errorf("sign for SAML: %w", err)
	}
	return saml.Credential{Key: key.Signer, Certificate: key.Certificate}, nil
}

// sealed signs and encrypts an assertion as the service's entry and metadata say,
// and makes the form that carries it. The assertion is signed before it is
// encrypted, and the whole around what came out: nobody on the way can exchange
// either.
func (x *IDP) sealed(ctx context.Context, p peer, q *request, a *saml.Assertion) (saml.Form, error) {
	by, err := x.credential(ctx)
	if err != nil {
		return saml.Form{}, err
	}
	el := a.Element()
	if p.SAML.Sign != registry.SignResponse || p.sp().WantAssertionsSigned {
		if err := saml.Sign(el, by); err != nil {
			return saml.Form{}, err
		}
	}
	reader, with, ok := encryption(p)
	switch {
	case ok:
		if el, err = saml.Encrypt(el, reader, with); err != nil {
			return saml.Form{}, err
		}
	case p.SAML.Encrypt == registry.EncryptAlways:
		return saml.Form{}, NoEncryptionKey.With(p.facts(ctx))
	}
	return x.response(ctx, p, q, saml.Success(), el, &by)
}

// encryption chooses the key to encrypt for, and the cipher: what the service says
// it reads, else AES-128 in CBC mode, the one that every SAML 2.0 program had to
// have (conformance, 4), unless there is no key.
func encryption(p peer) (saml.PublicKey, saml.Cipher, bool) {
	if p.SAML.Encrypt == registry.EncryptNever {
		return saml.PublicKey{}, "", false
	}
	for _, k := range p.sp().EncryptionKeys() {
		with := saml.AES128CBC
		if len(k.Ciphers) > 0 {
			with = k.Ciphers[0]
		}
		return k.PublicKey, with, true
	}
	return saml.PublicKey{}, "", false
}

// response wraps an assertion, or none, and signs the whole where the service
// wants that. An answer without an assertion is always signed: it is all there is.
func (x *IDP) response(ctx context.Context, p peer, q *request, status saml.Status, assertion element, by *saml.Credential) (saml.Form, error) {
	answer := saml.Response{
		ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: x.Clock.Now(), Destination: q.ACS, Issuer: x.entityID(), Status: status,
	}
	el := answer.Element(assertion)
	if p.SAML.Sign != registry.SignAssertion || assertion == nil {
		if err := saml.Sign(el, *by); err != nil {
			return saml.Form{}, err
		}
	}
	return saml.POSTForm(q.ACS, saml.Answer, el, q.Relay)
}

// refuse tells the service by a status why it gets no assertion.
func (x *IDP) refuse(w http.ResponseWriter, r *http.Request, p peer, q *request, code, second string) error {
	by, err := x.credential(r.Context())
	if err != nil {
		return err
	}
	form, err := x.response(r.Context(), p, q, saml.Status{Code: code, Second: second}, nil, &by)
	if err != nil {
		return err
	}
	return x.post(w, r, p.Service, form)
}
