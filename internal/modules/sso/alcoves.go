package sso

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/calendar"
	"github.com/amphi-campus/amphi/internal/modules/sso/casserver"
	"github.com/amphi-campus/amphi/internal/modules/sso/consent"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/logo"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp"
	"github.com/amphi-campus/amphi/internal/modules/sso/simulator"
	"github.com/amphi-campus/amphi/internal/modules/sso/trace"
	"github.com/amphi-campus/amphi/internal/modules/sso/waiting"
	"github.com/amphi-campus/amphi/internal/modules/sso/walk"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// furnish opens the alcoves.
func (m *Module) furnish() {
	m.cas = casserver.New(casserver.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Answers: m.answers, Gate: m, Exit: m, SignIn: m.toSignIn, Channel: m.channel, Issuer: m.BaseURL,
		AsksFactor: func(service string) bool { return m.Door != nil && m.Door.AsksFactor(service) },
	}, m.config.CAS)
	m.consent = consent.New(consent.Deps{
		DB: m.DB, Services: m, Destination: m.Destination,
		Withdrawn: func(ctx context.Context, tx db.Tx, who campus.PersonID, service string) error {
			return m.oidc.Withdraw(ctx, tx, who, service)
		},
		Refusal: m.refusal, Journal: m.Journal,
	})
	m.waiting = waiting.New(waiting.Deps{Accounts: m.Accounts, Registry: m.services, Destination: m.Destination, Door: m.Door, Clock: m.Clock, Log: m.Log})
	m.keys = keys.New(keys.Deps{DB: m.DB, Clock: m.Clock, Seal: m.Seal, Log: m.Log, Host: domainOf(m.BaseURL), Config: m.config.Keys})
	m.saml = samlidp.New(samlidp.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Gate: m, Answers: m.answers, Keys: m.keys, Exit: m, Sessions: m.Sessions,
		BaseURL: m.BaseURL, Scope: m.config.Institution.Domain,
	}, m.config.SAML)
	inRegistry := calendar.Services{Registry: m.services, Log: m.Log, Zone: m.Zone}
	m.calendar = calendar.New(calendar.Deps{
		DB: m.DB, Log: m.Log, Texts: m.Texts, Mailer: m.Mailer, BaseURL: m.BaseURL,
		Sources: []calendar.Source{inRegistry.Secrets, inRegistry.Metadata, m.saml.Ends},
	})
	m.oidc = oidcop.New(oidcop.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Texts: m.Texts, Answers: m.answers, Gate: m, Exit: m, Keys: m.keys, People: m.People,
		Registrar: registrar{m}, Mailer: m.Mailer, MAC: m.Names, Channel: m.channel, BaseURL: m.BaseURL,
	}, m.config.OIDC)
	m.logos = logo.Logos{Files: m.Files, Registry: m.services, Log: m.Log}
	m.walk = walk.New(walk.Deps{
		Clock: m.Clock, Service: m.serviceByID, Answers: m.answers, Incidents: m.incidentsSince, BaseURL: m.BaseURL, Client: m.channel,
	})
	m.simulator = simulator.New(simulator.Deps{
		Clock: m.Clock, Registry: m.services, Somebody: m.somebody, Conditions: m.Foresee, Zone: m.Zone,
	})
	m.trace = trace.New(trace.Deps{DB: m.DB, Clock: m.Clock, Log: m.Log, Gate: m, Story: m.People.Incident})
}

// Keys are those that sign what services are told.
func (m *Module) Keys() *keys.Ring { return m.keys }

// alcoves lists them. What they bring besides their addresses is found by the
// interfaces below.
func (m *Module) alcoves() []alcove {
	return []alcove{m.cas, m.saml, m.oidc, m.consent, m.waiting, m.calendar, m.simulator, m.walk, m.logos, m.trace}
}

// alcove is a part of the room with addresses of its own.
type alcove interface{ Routes(*web.Router) }

// jobOwner is an alcove with jobs.
type jobOwner interface{ Jobs(*jobs.Registry) }

// follower is an alcove that keeps something for as long as a session lasts. It is
// called in the transaction that ends the session.
type follower interface {
	SessionEnded(ctx context.Context, tx db.Tx, session string) error
}

// those are the alcoves that bring a T.
func those[T any](alcoves []alcove) []T {
	var found []T
	for _, a := range alcoves {
		if t, ok := a.(T); ok {
			found = append(found, t)
		}
	}
	return found
}

// closers tell services that a session ended, each in its protocol.
func (m *Module) closers() map[registry.Protocol]answer.Closer {
	return map[registry.Protocol]answer.Closer{registry.CAS: m.cas, registry.SAML: m.saml, registry.OIDC: m.oidc}
}

// destinations tell which service a local address of ours leads to, each for its
// protocol.
func (m *Module) destinations() []func(context.Context, string) (contract.Destination, bool) {
	return []func(context.Context, string) (contract.Destination, bool){m.cas.Destination, m.saml.Destination, m.oidc.Destination}
}
