package sso

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/casserver"
	"github.com/amphi-campus/amphi/internal/modules/sso/consent"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// furnish opens the alcoves.
func (m *Module) furnish() {
	m.cas = casserver.New(casserver.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Answers: m.answers, Gate: m, Exit: m, SignIn: m.toSignIn, Channel: m.channel,
	}, m.config.CAS)
	m.consent = consent.New(consent.Deps{DB: m.DB, Services: m, Destination: m.Destination})
}

// alcove is what every part of the room with pages brings into the house.
type alcove interface{ Routes(*web.Router) }

// alcoves lists those with addresses.
func (m *Module) alcoves() []alcove { return []alcove{m.cas, m.consent} }

// jobOwners lists those with jobs.
func (m *Module) jobOwners() []interface{ Jobs(*jobs.Registry) } {
	return []interface{ Jobs(*jobs.Registry) }{m.consent}
}

// closers tell services that a session ended, each in its protocol.
func (m *Module) closers() map[registry.Protocol]answer.Closer {
	return map[registry.Protocol]answer.Closer{registry.CAS: m.cas}
}

// destinations tell which service a local address of ours leads to, each for its
// protocol.
func (m *Module) destinations() []func(context.Context, string) (contract.Destination, bool) {
	return []func(context.Context, string) (contract.Destination, bool){m.cas.Destination}
}
