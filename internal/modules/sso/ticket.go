package sso

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// The states of a ticket, as stored.
const (
	stateIssued    = "issued"
	stateValidated = "validated"
	stateRefused   = "refused"
	stateEnded     = "ended"
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

// admit refuses who the service is not for, in words that say who it is for.
func admit(ctx context.Context, v campus.Viewer, s *registry.Service) error {
	if s.Audience.Admits(v) {
		return nil
	}
	return NotInAudience.With(fault.Args{
		"service":  s.Name(i18n.Locale(ctx)),
		"audience": audienceWords(ctx, s.Audience),
		"person":   fault.Private(v.DisplayName()),
		"kinds":    kindsWords(ctx, v),
	})
}

// askedFor bounds how long somebody may take to enter their password.
const askedFor = time.Hour

const askedPurpose = "sso.asked"

// asked marks the moment at which we sent somebody to the sign-in page for this
// address. It travels through the browser, signed: it proves on return that the
// password was entered for this service and not before (§2.1.1 renew, §2.5.7
// isFromNewLogin).
func (m *Module) asked(address cas.ServiceURL) string {
	at := strconv.FormatInt(m.Clock.Now().UnixMicro(), 36)
	return at + "." + base64.RawURLEncoding.EncodeToString(m.signAsked(at, address))
}

func (m *Module) signAsked(at string, address cas.ServiceURL) []byte {
	return m.Sign(askedPurpose, []byte(at+" "+address.String()))
}

// justSignedIn reports whether the viewer entered their password after the mark
// was made.
func (m *Module) justSignedIn(v campus.Viewer, mark string, address cas.ServiceURL) bool {
	at, signature, ok := strings.Cut(mark, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if !ok || err != nil || !hmac.Equal(given, m.signAsked(at, address)) {
		return false
	}
	micros, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return false
	}
	asked := time.UnixMicro(micros)
	return !v.SignedInAt.Before(asked) && m.Clock.Now().Sub(asked) < askedFor
}

// errPasswordSpent: the last entry of the password already made a fresh ticket.
var errPasswordSpent = errors.New("the password was not entered again since the last fresh ticket")

// issue makes a ticket for the viewer at this address. fresh says that the
// password was entered for it; an entry counts once, also when two tabs race.
func (m *Module) issue(ctx context.Context, v campus.Viewer, s *registry.Service, address cas.ServiceURL, fresh bool) (string, error) {
	if err := m.stopLoop(ctx, v, s, address); err != nil {
		return "", err
	}
	ticket := cas.NewTicket()
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).InsertTicket(ctx, sqlgen.InsertTicketParams{
			Hash: id.Hash(ticket), ServiceID: s.ID, ServiceUrl: address.String(), UrlKey: urlKey(address),
			SessionID: v.Session, Person: string(v.Person), Login: v.Login, SignedInAt: db.At(v.SignedInAt),
			Fresh: fresh, IssuedAt: tx.Now(), ExpiresAt: tx.Now().Add(m.config.TicketLifetime),
		})
	})
	if fresh && db.IsUnique(err) {
		return "", errPasswordSpent
	}
	if err != nil {
		return "", fmt.Errorf("issue a ticket for %s: %w", s.ID, err)
	}
	return ticket, nil
}

// urlKey is a short stand-in for an address in an index.
func urlKey(address cas.ServiceURL) string { return id.Hash(address.String())[:16] }

const (
	// loopWindow is how far back tickets count as one loop.
	loopWindow = time.Minute
	// patience is how long a service may take before a ticket that was not
	// validated counts as ignored.
	patience = 10 * time.Second
)

// stopLoop looks at how often this session was sent to this address lately.
// When the service keeps sending it back, a page says so instead of one more
// ticket: nobody is left to watch a browser run in circles.
func (m *Module) stopLoop(ctx context.Context, v campus.Viewer, s *registry.Service, address cas.ServiceURL) error {
	now := db.At(m.Clock.Now())
	recent, err := sqlgen.New(m.DB.Read()).RecentTickets(ctx, sqlgen.RecentTicketsParams{
		SessionID: v.Session, UrlKey: urlKey(address), Since: now.Add(-loopWindow), Patience: now.Add(-patience),
	})
	if err != nil {
		return fmt.Errorf("look for a loop at %s: %w", s.ID, err)
	}
	if recent.Ignored > 0 {
		m.note(ctx, incident{service: s, reason: TicketIgnored, expected: address.String(), quiet: recent.Ignored < 2})
	}
	if recent.Issued < int64(m.config.LoopTickets) {
		return nil
	}
	reason := Loop
	switch {
	case recent.Checked == 0:
		reason = LoopUnchecked
	case 2*recent.Refused >= recent.Issued:
		reason = LoopRefused
	}
	m.note(ctx, incident{service: s, reason: reason, expected: address.String()})
	return reason.With(fault.Args{"service": s.Name(i18n.Locale(ctx)), "count": recent.Issued})
}
