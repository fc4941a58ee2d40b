// Package consent remembers what each service was told about each person, asks
// people before their data leaves the institution, and shows all of it to them.
package consent

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB *db.DB
	// Services knows the registry, and what a service may be told about somebody.
	Services Services
	// Destination tells where a local address leads in the end, so that the form
	// may go there; ok is false where it stays here.
	Destination func(ctx context.Context, next string) (d contract.Destination, ok bool)
	// Withdrawn ends, in the same transaction, what the service may still ask about
	// the person without them.
	Withdrawn func(ctx context.Context, tx db.Tx, who campus.PersonID, service string) error
	// Refusal is the local address at which the service hears that the person
	// refused; ok is false where its protocol has no word for that, and they stay.
	Refusal func(who campus.PersonID, s *registry.Service, back string) (to string, ok bool)
	// Journal keeps what people decided; nil keeps nothing.
	Journal Journal
}

// Journal is where people find later what happened with their account.
type Journal interface {
	// Record writes an event about the viewer of the request, in the caller's
	// transaction.
	Record(ctx context.Context, tx db.Tx, r *http.Request, kind string, facts map[string]string) error
}

// The events of the journal.
const (
	Given     = "identity.consent_given"
	Refused   = "identity.consent_refused"
	TakenBack = "identity.consent_taken_back"
)

// Services is the part of the room that the alcove needs.
type Services interface {
	Registry(ctx context.Context) (*registry.Index, error)
	// Releasable is what the service would be told if the person agrees to all of it.
	Releasable(ctx context.Context, s *registry.Service, who campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error)
}

// Consent is safe for concurrent use.
type Consent struct{ Deps }

// New makes the alcove.
func New(d Deps) *Consent { return &Consent{d} }

// Routes lists every address of the alcove. All are for people who have signed in.
func (c *Consent) Routes(r *web.Router) {
	r.Handle("GET /sso/consent", c.askPage)
	r.Handle("POST /sso/consent", c.answer)
	r.Handle("GET /sso/consents", c.listPage)
	r.Handle("POST /sso/consents/{service}/revoke", c.revoke)
}

// Jobs forgets what is old.
func (c *Consent) Jobs(r *jobs.Registry) { r.Every("sso.forget_disclosures", 24*time.Hour, c.prune) }

// Kept is how long a disclosure is remembered after the last visit. A consent
// that nobody used for so long is asked for again.
const Kept = 365 * 24 * time.Hour

// Allowed is what of these attributes the service may be told, and whether the
// person must be asked first: its entry wants consent, and they were not asked about
// all of them yet, or left one out that it cannot work without. Only an answer given
// after since counts; a service that asks anew (prompt=consent) is asked for with the
// moment at which it did, and every other with the zero time.
func (c *Consent) Allowed(ctx context.Context, who campus.PersonID, s *registry.Service, attributes []registry.Attribute, since time.Time) (allowed []registry.Attribute, missing bool, err error) {
	if !s.Consent && since.IsZero() {
		return attributes, false, nil
	}
	d, err := c.disclosure(ctx, c.DB.Read(), who, s.ID)
	if err != nil {
		return nil, false, err
	}
	if !s.Consent { // nothing can be left out, and the question is only whether it was asked
		return attributes, d.AgreedAt.IsZero() || d.AgreedAt.Before(since), nil
	}
	missing = d.AgreedAt.IsZero() || d.AgreedAt.Before(since)
	for _, a := range attributes {
		switch {
		case slices.Contains(d.Agreed, a):
			allowed = append(allowed, a)
		case s.Needs(a) || !slices.Contains(d.LeftOut, a):
			missing = true
		}
	}
	return allowed, missing, nil
}

// AskURL is the page that asks, and leads to back (a local address) when the
// person agrees.
func AskURL(service string, attributes []registry.Attribute, back string) string {
	return "/sso/consent?" + url.Values{"service": {service}, "told": {join(attributes)}, "back": {back}}.Encode()
}

// Ask sends the browser to the page that asks.
func (c *Consent) Ask(w http.ResponseWriter, r *http.Request, s *registry.Service, attributes []registry.Attribute, back string) error {
	return web.SeeOther(w, r, AskURL(s.ID, attributes, back))
}

// seldom is how often a visit that tells nothing new is written down.
const seldom = 24 * time.Hour

// Told notes that the service is told these attributes. It writes only when it
// is told something new, or once a day.
func (c *Consent) Told(ctx context.Context, who campus.PersonID, s *registry.Service, attributes []registry.Attribute) error {
	d, err := c.disclosure(ctx, c.DB.Read(), who, s.ID)
	if err != nil {
		return err
	}
	if d.knows(attributes) && c.DB.Now().Time().Sub(d.LastAt) < seldom {
		return nil
	}
	return c.DB.InTx(ctx, func(tx db.Tx) error { return c.noteTold(ctx, tx, who, s, attributes) })
}

// Disclosure is what one service was told about one person.
type Disclosure struct {
	Service     string `json:"service"` // identifier in the registry
	NameFrench  string `json:"name_fr"` // when it was told last
	NameEnglish string `json:"name_en"`
	// Told is everything that it was ever told; FirstAt is zero when that is
	// nothing yet.
	Told    []registry.Attribute `json:"told"`
	FirstAt time.Time            `json:"first_told_at,omitzero"`
	LastAt  time.Time            `json:"last_told_at,omitzero"`
	// Agreed is what the person agreed to, LeftOut what they were asked about and did
	// not; AgreedAt is zero when they were not asked, or took it back.
	Agreed   []registry.Attribute `json:"agreed,omitempty"`
	LeftOut  []registry.Attribute `json:"left_out,omitempty"`
	AgreedAt time.Time            `json:"agreed_at,omitzero"`
}

// knows reports whether the service was told all of these.
func (d Disclosure) knows(attributes []registry.Attribute) bool {
	return !d.FirstAt.IsZero() &&
		!slices.ContainsFunc(attributes, func(a registry.Attribute) bool { return !slices.Contains(d.Told, a) })
}

// join writes a set of attributes: sorted, each once, a space between.
func join(attributes []registry.Attribute) string {
	names := make([]string, len(attributes))
	for i, a := range attributes {
		names[i] = string(a)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// split reads what join wrote, in the order of [registry.Attributes]. What is no
// attribute of ours any more is left out.
func split(text string) []registry.Attribute {
	names := strings.Fields(text)
	var list []registry.Attribute
	for _, a := range registry.Attributes {
		if slices.Contains(names, string(a)) {
			list = append(list, a)
		}
	}
	return list
}
