package casserver

import (
	"context"
	"net/url"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// LoginPath is where services send people (§2.1).
const LoginPath = "/cas/login"

// destinationOf reads the service's address out of a local address of ours.
func destinationOf(next string) (cas.ServiceURL, error) {
	u, err := url.Parse(next)
	if err != nil || u.Path != LoginPath || u.Host != "" {
		return cas.ServiceURL{}, ServiceUnreadable
	}
	return serviceAddress(slices.Concat(u.Query()[serviceParameter], u.Query()[targetParameter]))
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

// serviceAt finds the service of an address, or explains that there is none.
func (s *Server) serviceAt(ctx context.Context, v campus.Viewer, address cas.ServiceURL) (*registry.Service, error) {
	service, err := s.match(ctx, address)
	if err != nil || service != nil {
		return service, err
	}
	if v.Can(campus.RightAdmin) {
		x, err := s.Gate.Registry(ctx)
		if err != nil {
			return nil, err
		}
		if near := x.Nearest(address); near != "" {
			return nil, ServiceUnknownNear.With(fault.Args{"address": address.String(), "near": near})
		}
	}
	return nil, ServiceUnknown.With(fault.Args{"host": address.Host()})
}

// issue makes a ticket for who enters a service at this address.
func (s *Server) issue(ctx context.Context, e gate.Entrance, service *registry.Service, address cas.ServiceURL) (string, error) {
	ticket := cas.ServiceTicket.New()
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		return s.Answers.Issue(ctx, tx, ticket, answer.Answer{
			Protocol: registry.CAS, Service: service.ID, Address: address.String(), Session: e.Viewer.Session, Person: e.Viewer.Person,
			Login: e.Viewer.Login, SignedInAt: db.At(e.Viewer.SignedInAt), Fresh: e.Fresh,
		}, s.config.TicketLifetime)
	})
	if err != nil {
		return "", err
	}
	return ticket, nil
}

// maxOrigins bounds the header that names them.
const maxOrigins = 12

// originsOf are where a visit may end: the address itself, and the service's
// other origins, to which it may send its people on. Browsers apply form-action
// to every redirect that follows a form, so the sign-in page has to name them.
func originsOf(service *registry.Service, address cas.ServiceURL) []string {
	origins := []string{address.Origin()}
	for _, text := range service.Patterns {
		p, err := cas.ParsePattern(text)
		if err == nil && !p.Loopback() && !slices.Contains(origins, p.Key()) && len(origins) < maxOrigins {
			origins = append(origins, p.Key())
		}
	}
	return origins
}
