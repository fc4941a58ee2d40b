// Package walk is how an administrator tries a service: what the service has to be
// set to, whether its side can be reached, and a real sign-in whose two sides are
// shown next to each other.
package walk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	Clock clock.Clock
	// Service finds an entry of the registry, or says that there is none.
	Service func(ctx context.Context, id string) (*registry.Service, error)
	Answers *answer.Store
	// Incidents lists what went wrong at a service since a moment, in words, the
	// latest first.
	Incidents func(ctx context.Context, s *registry.Service, since time.Time) ([]Incident, error)
	BaseURL   string
	// Client looks whether addresses of services answer.
	Client *http.Client
}

// Incident is something that went wrong, with both values.
type Incident struct {
	What, Fix, Expected, Received string
	Times                         int64
	At                            time.Time
}

// Walk is safe for concurrent use.
type Walk struct{ Deps }

// New makes the alcove.
func New(d Deps) *Walk { return &Walk{d} }

// Routes lists every address of the alcove, for administrators.
func (x *Walk) Routes(r *web.Router) {
	admin := web.Needs(campus.RightAdmin)
	r.Handle("POST /sso/services/{id}/walk", x.begin, admin)
	r.Handle("GET /sso/services/{id}/walk/{trace}", x.page, admin)
}

// Setting is one value that the service has to be set to. Key names its label,
// [sso.walk.setting.…].
type Setting struct{ Key, Value string }

// Settings are what the team of a service needs to know of us.
func Settings(s *registry.Service, baseURL string) []Setting {
	switch s.Protocol {
	case registry.CAS:
		return []Setting{
			{"cas_server", baseURL + "/cas"}, {"sign_in", baseURL + "/cas/login"},
			{"validation", baseURL + "/cas/p3/serviceValidate"}, {"sign_out", baseURL + "/cas/logout"},
		}
	case registry.SAML:
		return []Setting{
			{"saml_metadata", baseURL + "/saml/metadata"}, {"sign_in", baseURL + "/saml/sso"}, {"sign_out", baseURL + "/saml/logout"},
			{"entity_id", s.SAML.EntityID}, {"saml_start", baseURL + "/saml/start/" + s.ID},
		}
	case registry.OIDC:
		return []Setting{
			{"issuer", baseURL}, {"discovery", baseURL + "/.well-known/openid-configuration"}, {"client_id", s.OIDC.ClientID},
		}
	}
	return nil
}

// StartURL is where a visit of the service begins: its own page, or our part of
// its protocol where it has none; "" where only the service can begin.
func StartURL(s *registry.Service) string {
	switch {
	case s.Home != "":
		return s.Home
	case s.Protocol == registry.SAML && s.SAML.LoginURL != "":
		return s.SAML.LoginURL
	case s.Protocol == registry.SAML:
		return "/saml/start/" + s.ID
	case s.Protocol == registry.CAS:
		for _, text := range s.Patterns {
			if address := patternAddress(text); address != "" {
				return "/cas/login?" + url.Values{"service": {address}}.Encode()
			}
		}
	}
	return ""
}

// patternAddress is an address that a pattern admits; "" where it has a wildcard.
func patternAddress(text string) string {
	p, err := cas.ParsePattern(text)
	if err != nil || p.Loopback() {
		return ""
	}
	address, err := cas.ParseServiceURL(trimPattern(text))
	if err != nil || !p.Match(address) {
		return ""
	}
	return address.String()
}

func trimPattern(text string) string {
	for _, end := range []string{"/*", "$"} {
		if n := len(text) - len(end); n > 0 && text[n:] == end {
			text = text[:n]
		}
	}
	return text
}

// begin opens a trace: the moment from which what happens counts. It travels in
// the address, and holds nothing that is secret.
func (x *Walk) begin(w http.ResponseWriter, r *http.Request) error {
	s, err := x.Service(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	trace := strconv.FormatInt(x.Clock.Now().UnixMicro(), 36)
	return web.SeeOther(w, r, "/sso/services/"+s.ID+"/walk/"+trace)
}

// longest is how long a walk is looked at.
const longest = time.Hour

// since is the moment at which a trace began.
func (x *Walk) since(trace string) (time.Time, error) {
	micros, err := strconv.ParseInt(trace, 36, 64)
	at := time.UnixMicro(micros)
	if now := x.Clock.Now(); err != nil || at.After(now) || now.Sub(at) > longest {
		return time.Time{}, TraceOver.From(errors.Join(err))
	}
	return at, nil
}
