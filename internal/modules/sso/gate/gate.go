// Package gate holds what every protocol asks of the room before it lets
// somebody into a service: who the person is, whether the service is for them,
// how freshly and how strongly they signed in, and what the service may be told.
// CAS, SAML and OpenID Connect translate a request into a [Question] and an
// [Entrance] into an answer; what lies between is the same for the three.
package gate

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Question is what a service asks with the browser that it sends.
type Question struct {
	Service *registry.Service
	// Address is where the answer will go: a service URL of CAS, an assertion
	// consumer service of SAML, a redirect URI of OpenID Connect. Loops are told
	// by it, and traces show it.
	Address string
	// Back is the local address at which this question is asked again after a
	// sign-in, a second factor or a consent. It must not hold [MarkParameter].
	Back string
	// Mark is what [MarkParameter] held in this request: the proof that the person
	// was sent to the sign-in for this question.
	Mark string
	// Fresh asks for a sign-in made for this question: renew (CAS §2.1.1),
	// ForceAuthn (SAML core §3.4.1), prompt=login (OpenID Connect Core §3.1.2.1).
	Fresh bool
	// MaxAge is the oldest sign-in that will do (max_age); zero for any.
	MaxAge time.Duration
	// Passive shows no page: gateway, IsPassive, prompt=none. What would have been
	// asked comes back as one of the errors below.
	Passive bool
	// Factor asks for a second factor besides what the service's entry and the
	// institution ask: REFEDS MFA, acr_values.
	Factor bool
	// LoginHint is who the service expects, for the sign-in page; may be empty.
	LoginHint string
	// Consent asks anew what was already granted (prompt=consent).
	Consent bool
	// Wanted are the attributes that this request asks for (scopes, claims,
	// RequestedAttribute); nil for all that the entry releases. Never more than
	// those are released.
	Wanted []registry.Attribute
}

// MarkParameter is the query parameter that carries the mark through a browser.
const MarkParameter = "asked"

// Entrance is who enters, and what the service may be told about them.
type Entrance struct {
	Viewer campus.Viewer
	// Fresh says that the sign-in was made for this question.
	Fresh bool
	// Attributes are those released, in the order of registry.Attributes.
	Attributes []Attribute
}

// Attribute is one attribute of one person.
type Attribute struct {
	Name   registry.Attribute
	Values []string
}

// What a passive question would have had to ask. They are not faults: the
// protocol has an answer of its own for each.
var (
	SignInNeeded  = errors.New("a sign-in is needed")
	FactorNeeded  = errors.New("a second factor is needed")
	ConsentNeeded = errors.New("a consent is needed")
)

// ConsentRefused says that the person was asked and refused. Only a protocol that has
// an answer of its own for that gets it.
var ConsentRefused = errors.New("the person refused that the service is told")

// Answered says that a page was shown instead: the sign-in, a second factor, a
// consent, the end of a loop. The handler returns nil and writes nothing more.
var Answered = errors.New("the browser has an answer already")

// Gate is the way from a question to an entrance. The room implements it.
type Gate interface {
	// Registry is the registry of services as it stands.
	Registry(ctx context.Context) (*registry.Index, error)
	// Enter decides. Besides the errors above it returns faults with a sentence for
	// the person: the service is closed, is not for them, lacks an attribute it
	// needs, sends its people round in circles.
	Enter(w http.ResponseWriter, r *http.Request, q Question) (Entrance, error)
	// Released is what a service may be told about somebody, for answers without a
	// browser. wanted narrows it; nil is all.
	Released(ctx context.Context, s *registry.Service, who campus.PersonID, wanted []registry.Attribute) ([]Attribute, error)
	// Admit says whether a service is for somebody, for answers without a browser:
	// nil, or the fault that Enter would give.
	Admit(ctx context.Context, s *registry.Service, who campus.PersonID) error
	// Leave sends the browser to another site with 303, also when it asked in the
	// background; nothing of our address travels on in a Referer.
	Leave(w http.ResponseWriter, r *http.Request, to string) error
	// Note keeps what went wrong between a service and us for the page of the
	// service, and tells its technical contact once a day.
	Note(ctx context.Context, i Incident)
}

// Incident is something that went wrong between a service and us. Both values
// are kept, so that who repairs the service sees what differs.
type Incident struct {
	Service    *registry.Service // nil: a service that is not registered
	Reason     *fault.Reason
	Difference string        // which part differs, a key of [sso.difference.…]; may be empty
	Expected   string        // what we have, such as the address an answer was made for
	Received   string        // what came
	Age        time.Duration // of the answer; zero when there was none
	Peer       string        // network address that asked
	Quiet      bool          // not worth a mail yet
	// Facts complete the sentences of Reason, besides service and age.
	Facts fault.Args
}
