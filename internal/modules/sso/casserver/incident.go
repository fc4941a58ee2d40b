package casserver

import (
	"context"
	"net/netip"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// noteTicket keeps what was wrong with a ticket that we know.
func (s *Server) noteTicket(ctx context.Context, service *registry.Service, t answer.Answer, reason *fault.Reason, q question, d cas.Difference) {
	s.Gate.Note(ctx, gate.Incident{
		Service: service, Reason: reason, Difference: string(d), Expected: t.Address, Received: q.services[0],
		Age: db.At(s.Clock.Now()).Sub(t.IssuedAt), Peer: q.from.String(), Facts: fault.Args{"lifetime": s.config.TicketLifetime},
	})
}

// noteUnknownTicket keeps that somebody asked about a ticket that we never
// issued, when the service that it was asked for is one of ours.
func (s *Server) noteUnknownTicket(ctx context.Context, q question) {
	address, err := cas.ParseServiceURL(q.services[0])
	if err != nil {
		return
	}
	if service, err := s.match(ctx, address); err == nil && service != nil {
		// Anybody can ask for a ticket of their invention: no mail for that.
		s.Gate.Note(ctx, gate.Incident{Service: service, Reason: TicketUnknown, Received: q.services[0], Peer: q.from.String(), Quiet: true})
	}
}

// noteCallback keeps what was wrong with a proxy.
func (s *Server) noteCallback(ctx context.Context, service *registry.Service, reason *fault.Reason, expected, received string, from netip.Addr) {
	i := gate.Incident{Service: service, Reason: reason, Expected: expected, Received: received}
	if from.IsValid() {
		i.Peer = from.String()
	}
	s.Gate.Note(ctx, i)
}

// noteUnknownService keeps that people are sent to us by an address that is not
// registered. Anybody can cause this, so each network address may only so often.
func (s *Server) noteUnknownService(ctx context.Context, address cas.ServiceURL, from string) {
	if _, ok := s.unknowns.Allow(from); ok {
		s.Gate.Note(ctx, gate.Incident{Reason: ServiceUnknown, Received: address.Origin()})
	}
}
