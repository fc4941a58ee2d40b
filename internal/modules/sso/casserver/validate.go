package casserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// question is what a service asks when it validates a ticket (§2.5.1).
type question struct {
	services []string
	tickets  []string
	callback []string // pgtUrl: where the service takes a proxy-granting ticket
	renew    bool
	proxied  bool // proxy tickets will do (§2.6)
	from     netip.Addr
}

// validate answers a service, and spends the ticket.
func (s *Server) validate(ctx context.Context, q question) (cas.Success, *cas.Failure) {
	if len(q.services) != 1 || len(q.tickets) != 1 || len(q.callback) > 1 || q.services[0] == "" || q.tickets[0] == "" {
		return cas.Success{}, &cas.Failure{Code: cas.InvalidRequest, Description: "One service and one ticket are needed."}
	}
	if f := s.slowed(q.from); f != nil {
		return cas.Success{}, f
	}
	success, err := s.spend(ctx, q)
	if err == nil {
		return success, nil
	}
	f := s.refuse(ctx, q.from, err)
	return cas.Success{}, &f
}

// slowed refuses a network address that guesses.
func (s *Server) slowed(from netip.Addr) *cas.Failure {
	wait := s.failures.Wait(limit.AddressKey(from))
	if wait <= 0 {
		return nil
	}
	return &cas.Failure{
		Code:        cas.InternalError,
		Description: fmt.Sprintf("Too many tickets from %s were refused. Try again in %v.", from, wait.Round(time.Second)+time.Second),
	}
}

// refuse counts and logs a refusal, and words it.
func (s *Server) refuse(ctx context.Context, from netip.Addr, err error) cas.Failure {
	s.failures.Allow(limit.AddressKey(from)) // takes one; slowed is what refuses
	f := failureOf(err)
	level := s.Log.InfoContext
	if f.Code == cas.InternalError {
		level = s.Log.ErrorContext
	}
	level(ctx, "ticket refused", "code", f.Code, "reason", fault.Of(err).Reason.Code(), "from", from.String(), "error", err)
	return f
}

// failureOf words a refusal for the service's log. The address that a ticket was
// issued for stays with us: whoever asks may not be the service.
func failureOf(err error) cas.Failure {
	f := fault.Of(err)
	switch f.Reason {
	case TicketMalformed:
		return cas.Failure{Code: cas.InvalidTicketSpec, Description: "This endpoint validates service tickets (ST-…) only; proxy tickets go to proxyValidate."}
	case TicketUnknown:
		return cas.Failure{Code: cas.InvalidTicket, Description: "This ticket was never issued, or long ago."}
	case TicketUsed:
		return cas.Failure{Code: cas.InvalidTicket, Description: "This ticket was already validated; a ticket works once."}
	case TicketExpired:
		return cas.Failure{Code: cas.InvalidTicket, Description: "This ticket has expired."}
	case TicketEnded:
		return cas.Failure{Code: cas.InvalidTicket, Description: "The session of this ticket has ended."}
	case TicketNotFresh:
		return cas.Failure{Code: cas.InvalidTicket, Description: "This ticket came from an open session, and renew asks for a password just entered."}
	case TicketOfAnother:
		return cas.Failure{Code: cas.InvalidService, Description: fmt.Sprintf("This ticket was issued for another address (%v differs).", f.Args["difference"])}
	case ServiceUnknown:
		return cas.Failure{Code: cas.InvalidService, Description: "This service is not registered any more."}
	case CallbackForeign:
		return cas.Failure{Code: cas.InvalidProxyCallback, Description: "pgtUrl must be an https address among those that this service is registered with."}
	case ProxyForbidden:
		return cas.Failure{Code: cas.UnauthorizedProxy, Description: "This service may not open others on behalf of people."}
	default:
		return cas.Failure{Code: cas.InternalError, Description: "The ticket could not be checked; it was not used up. Try again. Reason: " + f.Reason.Code()}
	}
}

// spend checks a ticket and uses it up. What must be read from elsewhere is read
// before, so that a failure there leaves the ticket as it was.
func (s *Server) spend(ctx context.Context, q question) (cas.Success, error) {
	x, err := s.Gate.Registry(ctx)
	if err != nil {
		return cas.Success{}, err
	}
	t, err := s.ticket(ctx, q)
	if errors.Is(err, TicketUnknown) {
		s.noteUnknownTicket(ctx, q)
	}
	if err != nil {
		return cas.Success{}, err
	}
	service := x.Get(t.Service)
	if service == nil || !service.SignsIn() {
		return cas.Success{}, ServiceUnknown
	}
	callback, err := s.usable(ctx, x, service, t, q)
	if err != nil {
		return cas.Success{}, err
	}
	proxies, err := proxiesOf(t)
	if err != nil {
		return cas.Success{}, err
	}
	released, err := s.Gate.Released(ctx, service, t.Person, nil)
	if err != nil {
		return cas.Success{}, err
	}
	won, err := s.use(ctx, t, answer.Redeemed, q)
	if err != nil {
		return cas.Success{}, err
	}
	if !won {
		s.noteTicket(ctx, service, t, TicketUsed, q, cas.Same)
		return cas.Success{}, TicketUsed
	}
	success := cas.Success{User: t.Login, SignedInAt: t.SignedInAt.Time(), FromNewLogin: t.Fresh, Attributes: casAttributes(released), Proxies: proxies}
	if callback != nil {
		success.GrantIOU = s.grant(ctx, service, t, *callback, proxies)
	}
	return success, nil
}

// ticket reads what we know about the ticket of a question.
func (s *Server) ticket(ctx context.Context, q question) (answer.Answer, error) {
	text := q.tickets[0]
	proxied := strings.HasPrefix(text, string(cas.ProxyTicket))
	switch {
	case proxied && !q.proxied, strings.HasPrefix(text, string(cas.GrantTicket)):
		return answer.Answer{}, TicketMalformed
	case !cas.ServiceTicket.Made(text) && !cas.ProxyTicket.Made(text):
		return answer.Answer{}, TicketUnknown
	}
	t, err := s.Answers.Find(ctx, text)
	if errors.Is(err, answer.Unknown) || err == nil && t.Protocol != registry.CAS {
		return answer.Answer{}, TicketUnknown
	}
	return t, err
}

// usable says why a ticket cannot be validated with this question. A ticket that
// was shown for another address is used up by that (§2.5.1), and so is one that
// comes with a wrong callback: who asks is not the service, or not yet set up. It
// returns the callback, nil when none is asked for.
func (s *Server) usable(ctx context.Context, x *registry.Index, service *registry.Service, t answer.Answer, q question) (*cas.ServiceURL, error) {
	difference, err := compare(t, q.services[0])
	if err != nil {
		return nil, err
	}
	callback, wrong := callbackOf(x, service, q)
	var reason *fault.Reason
	spoilt := false
	switch {
	case t.State == answer.Ended:
		reason = TicketEnded
	case t.UsedAt != 0:
		reason = TicketUsed
	case t.ExpiresAt <= db.At(s.Clock.Now()):
		reason = TicketExpired
	case difference != cas.Same:
		reason, spoilt = TicketOfAnother, true
	case q.renew && !t.Fresh:
		reason, spoilt = TicketNotFresh, true
	case wrong != nil:
		reason, spoilt = wrong, true
	default:
		return callback, nil
	}
	if spoilt {
		if _, err := s.use(ctx, t, answer.Refused, q); err != nil {
			return nil, err
		}
	}
	if reason == wrong {
		s.noteCallback(ctx, service, reason, strings.Join(service.Patterns, " "), q.callback[0], q.from)
	} else {
		s.noteTicket(ctx, service, t, reason, q, difference)
	}
	return nil, reason.With(fault.Args{"difference": string(difference)})
}

func compare(t answer.Answer, received string) (cas.Difference, error) {
	issued, err := cas.ParseServiceURL(t.Address)
	if err != nil {
		return cas.Same, fmt.Errorf("read the address of a ticket: %w", err)
	}
	return cas.Compare(issued, received), nil
}

// use spends the ticket and reports whether it was we who did.
func (s *Server) use(ctx context.Context, t answer.Answer, as answer.State, q question) (won bool, err error) {
	handle := ""
	if as == answer.Redeemed { // it opens nothing from here on, and the service knows its session by it
		handle = q.tickets[0]
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		won, err = s.Answers.Spend(ctx, tx, t.ID, as, handle, q.from.String())
		return err
	})
	return won, err
}

// casAttributes are released attributes in the words of CAS.
func casAttributes(released []gate.Attribute) []cas.Attribute {
	attributes := make([]cas.Attribute, len(released))
	for i, a := range released {
		attributes[i] = cas.Attribute{Name: string(a.Name), Values: a.Values}
	}
	return attributes
}

// detail is what a proxy ticket remembers.
type detail struct {
	Proxies []string `json:"proxies,omitempty"`
}

// proxiesOf are the callbacks that a ticket went through.
func proxiesOf(t answer.Answer) ([]string, error) {
	if t.Detail == "" {
		return nil, nil
	}
	var d detail
	if err := json.Unmarshal([]byte(t.Detail), &d); err != nil {
		return nil, fmt.Errorf("read the proxies of a ticket: %w", err)
	}
	return slices.Clip(d.Proxies), nil
}
