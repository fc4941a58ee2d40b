package samlidp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// peer is a service provider: its entry, and its metadata.
type peer struct {
	*registry.Service
	*federation.Found
}

// sp is its role; a peer always has one.
func (p peer) sp() *saml.SPRole { return p.Entity.SP }

// facts begin the facts of a fault about it.
func (p peer) facts(ctx context.Context) fault.Args {
	return fault.Args{"service": p.Name(i18n.Locale(ctx))}
}

// peer finds a service provider by its entityID: in the registry, or among the
// members of a federation that the configuration admits.
func (x *IDP) peer(r *http.Request, entityID string) (peer, error) {
	ctx := r.Context()
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return peer{}, err
	}
	s := index.Entity(entityID)
	found, err := x.metadata.Find(ctx, entityID, s)
	if s == nil {
		if found != nil {
			if member, ok := found.Service(); ok {
				return peer{member, found}, nil
			}
		}
		return peer{}, x.unknown(r, index, entityID, err)
	}
	if err == nil && found.Entity.SP == nil {
		err = &saml.XMLError{Reason: saml.ErrMissing, Where: "SPSSODescriptor"}
	}
	if err != nil {
		x.Gate.Note(ctx, gate.Incident{Service: s, Reason: MetadataUnusable, Received: err.Error()})
		return peer{}, MetadataUnusable.Because(err, fault.Args{"service": s.Name(i18n.Locale(ctx))})
	}
	return peer{s, found}, nil
}

// Member is the service behind an identifier that stands in no registry: a member of
// a federation that somebody enters without an entry. It returns nil for any other.
func (x *IDP) Member(id string) *registry.Service {
	if !strings.HasPrefix(id, federation.MemberPrefix) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // the registry is asked without a context
	defer cancel()
	s, err := x.metadata.Member(ctx, id)
	if err != nil && !errors.Is(err, federation.Unknown) {
		x.Log.ErrorContext(ctx, "member of a federation not found", "service", id, "error", err)
	}
	return s
}

// byService finds the peer of an entry.
func (x *IDP) byService(ctx context.Context, s *registry.Service) (peer, error) {
	found, err := x.metadata.Find(ctx, s.SAML.EntityID, s)
	if err == nil && found.Entity.SP == nil {
		err = federation.Unknown
	}
	if err != nil {
		return peer{}, MetadataUnusable.Because(err, fault.Args{"service": s.Name(i18n.Locale(ctx))})
	}
	return peer{s, found}, nil
}

// unknown explains that a service provider is not registered. Anybody can name
// one, so each network address is noted only so often.
func (x *IDP) unknown(r *http.Request, index *registry.Index, entityID string, cause error) error {
	if _, ok := x.unknowns.Allow(clientKey(r)); ok {
		x.Gate.Note(r.Context(), gate.Incident{Reason: ServiceUnknown, Received: clip(entityID), Peer: web.ClientAddr(r).String()})
	}
	facts := fault.Args{"entity": clip(entityID)}
	if web.Viewer(r).Can(campus.RightAdmin) {
		if near := nearest(index, entityID); near != "" {
			facts["near"] = near
			return ServiceUnknownNear.Because(cause, facts)
		}
	}
	if errors.Is(cause, federation.Unknown) || cause == nil {
		return ServiceUnknown.With(facts)
	}
	return ServiceUnknown.Because(cause, facts)
}

// nearest is the registered entityID on the same host, or but for case, slashes
// and scheme the same one; "" when there is none.
func nearest(index *registry.Index, entityID string) string {
	bare := func(id string) string {
		_, id, _ = strings.Cut(strings.ToLower(id), "://")
		return strings.TrimRight(id, "/")
	}
	host := func(id string) string {
		u, err := url.Parse(id)
		if err != nil {
			return ""
		}
		return strings.ToLower(u.Hostname())
	}
	best := ""
	for _, s := range index.Services() {
		if s.Protocol != registry.SAML {
			continue
		}
		switch {
		case bare(s.SAML.EntityID) == bare(entityID) && bare(entityID) != "":
			return s.SAML.EntityID
		case best == "" && host(entityID) != "" && host(s.SAML.EntityID) == host(entityID):
			best = s.SAML.EntityID
		}
	}
	return best
}

// verified returns the part of a message that may be believed: what the service
// provider signed, or the whole of one that need not be signed. signed tells which.
func (x *IDP) verified(r *http.Request, p peer, in *saml.Inbound, mustSign bool) (el element, signed bool, err error) {
	ctx := r.Context()
	keys := p.sp().SigningKeys()
	if !in.Signed() || len(keys) == 0 && !mustSign {
		if mustSign {
			x.note(r, p, SignatureMissing, saml.ErrUnsigned.Error(), in.Kind(), 0)
			return nil, false, SignatureMissing.With(p.facts(ctx))
		}
		return in.Unverified(), false, nil
	}
	el, proof, err := in.Verify(keys, saml.Policy{})
	if err != nil && x.metadata.RefreshSoon(ctx, p.Service) == nil {
		// The service may have changed its key since yesterday (saml-metadata-iop).
		if again, found := x.byService(ctx, p.Service); found == nil {
			el, proof, err = in.Verify(again.sp().SigningKeys(), saml.Policy{})
		}
	}
	if err != nil {
		expected, received := signatureFacts(err)
		x.note(r, p, SignatureWrong, expected, received, 0)
		return nil, false, SignatureWrong.Because(err, p.facts(ctx))
	}
	if expired := proof.Expired(x.Clock.Now()); expired != nil {
		x.Gate.Note(ctx, gate.Incident{Service: p.Service, Reason: CertificateExpired, Received: expired.Error(), Quiet: true})
	}
	return el, true, nil
}

// signatureFacts are both sides of a signature that was refused.
func signatureFacts(err error) (expected, received string) {
	var s *saml.SignatureError
	if !errors.As(err, &s) {
		return "", err.Error()
	}
	expected = strings.Join(s.Known, " ")
	received = s.Reason.Error()
	for _, fact := range []string{s.Algorithm, s.Offered, s.Detail} {
		if fact != "" {
			received += " " + fact
		}
	}
	return expected, clip(received)
}

// note keeps an incident with both values.
func (x *IDP) note(r *http.Request, p peer, reason *fault.Reason, expected, received string, age time.Duration) {
	x.Gate.Note(r.Context(), gate.Incident{
		Service: p.Service, Reason: reason, Expected: expected, Received: received, Age: age, Peer: web.ClientAddr(r).String(),
	})
}

// clip bounds what a stranger wrote.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}
