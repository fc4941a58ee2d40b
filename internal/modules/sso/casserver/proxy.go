package casserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// callbackOf reads the pgtUrl of a question, or says what is wrong with it. The
// address decides where our server sends a request with a secret in it, so it is
// one of the service's own, by https; plain http stays on this machine.
func callbackOf(x *registry.Index, service *registry.Service, q question) (*cas.ServiceURL, *fault.Reason) {
	if len(q.callback) == 0 || q.callback[0] == "" {
		return nil, nil
	}
	if !service.CAS.MayProxy() {
		return nil, ProxyForbidden
	}
	address, err := cas.ParseServiceURL(q.callback[0])
	if err != nil || address.Scheme() != "https" && !address.IsLoopback() || x.Match(address) != service {
		return nil, CallbackForeign
	}
	return &address, nil
}

// grant gives a service its proxy-granting ticket by the callback, and returns the
// IOU by which it finds it (§2.5.4). What fails here does not fail the sign-in: the
// answer then has no IOU, and the contact is told.
func (s *Server) grant(ctx context.Context, service *registry.Service, t answer.Answer, callback cas.ServiceURL, before []string) (iou string) {
	ticket, iou := cas.GrantTicket.New(), cas.GrantIOU.New()
	said, err := s.callBack(ctx, callback.WithGrant(ticket, iou))
	if err == nil && said == http.StatusOK {
		err = s.DB.InTx(ctx, func(tx db.Tx) error {
			return s.insertGrant(ctx, tx, ticket, t.ID, append([]string{callback.Address()}, before...))
		})
	}
	switch {
	case err != nil:
		s.Log.InfoContext(ctx, "no proxy-granting ticket", "service", service.ID, "error", err)
		s.noteCallback(ctx, service, CallbackFailed, callback.Address(), err.Error(), netip.Addr{})
		return ""
	case said != http.StatusOK:
		s.noteCallback(ctx, service, CallbackFailed, callback.Address(), fmt.Sprintf("HTTP %d", said), netip.Addr{})
		return ""
	}
	return iou
}

// callBack asks the address with the grant in it. The client does not follow
// redirects, so the secret goes nowhere else, and checks certificates.
func (s *Server) callBack(ctx context.Context, address string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, withoutAddress(err)
	}
	request.Header.Set("User-Agent", "Amphi proxy granting")
	said, err := s.Channel.Do(request)
	if err != nil {
		return 0, withoutAddress(err)
	}
	defer said.Body.Close()
	if _, err := io.CopyN(io.Discard, said.Body, 4<<10); err != nil && err != io.EOF {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	return said.StatusCode, nil
}

// errand is what a service asks at /proxy (§2.7.1).
type errand struct {
	grants  []string // pgt
	targets []string // targetService
	from    netip.Addr
}

// proxy gives a ticket for another service on behalf of somebody (§2.7).
func (s *Server) proxy(ctx context.Context, q errand) (ticket string, f *cas.Failure) {
	if len(q.grants) != 1 || len(q.targets) != 1 || q.grants[0] == "" || q.targets[0] == "" {
		return "", &cas.Failure{Code: cas.InvalidRequest, Description: "One pgt and one targetService are needed."}
	}
	if f := s.slowed(q.from); f != nil {
		return "", f
	}
	ticket, err := s.proxyTicket(ctx, q)
	if err == nil {
		return ticket, nil
	}
	switch reason := fault.Of(err).Reason; reason {
	case GrantUnknown:
		f = &cas.Failure{Code: cas.BadPGT, Description: "This proxy-granting ticket was never issued, or its session has ended."}
	case ProxyTargetUnknown, ProxyTargetForbidden:
		f = &cas.Failure{Code: cas.UnauthorizedService, Description: "This service may not open targetService on behalf of people. Reason: " + reason.Code()}
	default:
		if reason.Kind() == fault.Forbidden { // not for this person
			f = &cas.Failure{Code: cas.UnauthorizedService, Description: "targetService is not open to this person."}
		}
	}
	s.failures.Allow(limit.AddressKey(q.from))
	if f == nil {
		s.Log.ErrorContext(ctx, "proxy ticket not issued", "from", q.from.String(), "error", err)
		return "", &cas.Failure{Code: cas.InternalError, Description: "The ticket could not be made. Try again. Reason: " + fault.Of(err).Reason.Code()}
	}
	s.Log.InfoContext(ctx, "proxy ticket refused", "code", f.Code, "from", q.from.String(), "error", err)
	return "", f
}

func (s *Server) proxyTicket(ctx context.Context, q errand) (string, error) {
	x, err := s.Gate.Registry(ctx)
	if err != nil {
		return "", err
	}
	g, err := s.findGrant(ctx, q.grants[0])
	if err != nil {
		return "", err
	}
	holder := x.Get(g.service)
	if holder == nil || !holder.SignsIn() || !holder.CAS.MayProxy() {
		return "", GrantUnknown
	}
	address, target, err := s.target(ctx, x, holder, g, q)
	if err != nil {
		return "", err
	}
	if err := s.Gate.Admit(ctx, target, g.person); err != nil {
		return "", err
	}
	proxies, err := json.Marshal(detail{Proxies: g.chain})
	if err != nil {
		return "", fmt.Errorf("write the proxies of a ticket: %w", err)
	}
	ticket := cas.ProxyTicket.New()
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.grantStands(ctx, tx, q.grants[0]); err != nil {
			return err
		}
		return s.Answers.Issue(ctx, tx, ticket, answer.Answer{
			Protocol: registry.CAS, Service: target.ID, Address: address.String(), Session: g.session, Person: g.person, Login: g.login,
			SignedInAt: g.signedInAt, Detail: string(proxies), Behind: true,
		}, s.config.TicketLifetime)
	})
	if errors.Is(err, answer.ErrOver) {
		return "", GrantUnknown
	}
	if err != nil {
		return "", err
	}
	return ticket, nil
}

// target is the service that a proxy wants to open. One that is closed, or asks the
// person for something (a second factor, a consent, a fresh sign-in) is not opened behind
// their back.
func (s *Server) target(ctx context.Context, x *registry.Index, holder *registry.Service, g grant, q errand) (cas.ServiceURL, *registry.Service, error) {
	address, err := cas.ParseServiceURL(q.targets[0])
	if err != nil {
		s.noteCallback(ctx, holder, ProxyTargetUnknown, "", q.targets[0], q.from)
		return address, nil, ProxyTargetUnknown.From(err)
	}
	target := x.Match(address)
	if target == nil || target.Protocol != registry.CAS {
		s.noteCallback(ctx, holder, ProxyTargetUnknown, "", q.targets[0], q.from)
		return address, nil, ProxyTargetUnknown
	}
	tooOld := target.SessionLimit > 0 && db.At(s.Clock.Now()).Sub(g.signedInAt) > target.SessionLimit
	if !target.SignsIn() || !holder.CAS.MayProxyTo(target.ID) || target.Factor != registry.FactorPolicy || s.AsksFactor(target.ID) || target.Consent || tooOld {
		s.noteCallback(ctx, holder, ProxyTargetForbidden, "", q.targets[0], q.from)
		return address, nil, ProxyTargetForbidden
	}
	return address, target, nil
}
