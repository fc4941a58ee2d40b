package sso

import (
	"context"
	"net/url"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// loginPath is where services send people (§2.1).
const loginPath = "/cas/login"

// destinationOf reads the service's address out of a local address of ours.
func destinationOf(next string) (cas.ServiceURL, error) {
	u, err := url.Parse(next)
	if err != nil || u.Path != loginPath || u.Host != "" {
		return cas.ServiceURL{}, ServiceUnreadable
	}
	return serviceAddress(u.Query()["service"])
}

// serviceAddress reads the service parameter, of which there is one.
func serviceAddress(values []string) (cas.ServiceURL, error) {
	if len(values) > 1 {
		return cas.ServiceURL{}, ServiceTwice
	}
	if len(values) == 0 {
		return cas.ServiceURL{}, ServiceUnreadable
	}
	address, err := cas.ParseServiceURL(values[0])
	if err != nil {
		return cas.ServiceURL{}, ServiceUnreadable.From(err)
	}
	return address, nil
}

// serviceAt finds the service of an address, or explains why none can be
// opened there.
func (m *Module) serviceAt(ctx context.Context, v campus.Viewer, address cas.ServiceURL) (*registry.Service, error) {
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	s := x.Match(address)
	switch {
	case s == nil && v.Can(campus.RightAdmin):
		if near := x.Nearest(address); near != "" {
			return nil, ServiceUnknownNear.With(fault.Args{"address": address.String(), "near": near})
		}
		fallthrough
	case s == nil:
		return nil, ServiceUnknown.With(fault.Args{"host": address.Host()})
	case s.Disabled:
		return nil, ServiceDisabled.With(fault.Args{"service": s.Name(i18n.Locale(ctx))})
	}
	return s, nil
}

// issue makes a ticket for who enters a service at this address.
func (m *Module) issue(ctx context.Context, e gate.Entrance, s *registry.Service, address cas.ServiceURL) (string, error) {
	ticket := cas.NewTicket()
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		return m.answers.Issue(ctx, tx, ticket, answer.Answer{
			Protocol: registry.CAS, Service: s.ID, Address: address.String(), Session: e.Viewer.Session, Person: e.Viewer.Person,
			Login: e.Viewer.Login, SignedInAt: db.At(e.Viewer.SignedInAt), Fresh: e.Fresh,
		}, m.config.TicketLifetime)
	})
	if err != nil {
		return "", err
	}
	return ticket, nil
}
