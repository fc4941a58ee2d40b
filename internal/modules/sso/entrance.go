package sso

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

var _ gate.Gate = (*Module)(nil)

// Registry implements [gate.Gate].
func (m *Module) Registry(ctx context.Context) (*registry.Index, error) { return m.services(ctx) }

// Enter implements [gate.Gate]: the conditions in the order in which a person
// meets them.
func (m *Module) Enter(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	ctx, s, v := r.Context(), q.Service, web.Viewer(r)
	name := s.Name(i18n.Locale(ctx))
	if !s.SignsIn() {
		return gate.Entrance{}, ServiceDisabled.With(fault.Args{"service": name})
	}
	if !v.SignedIn() {
		return m.signInFirst(w, r, q)
	}
	if err := admit(ctx, v, s); err != nil {
		return gate.Entrance{}, err
	}
	fresh := m.justSignedIn(v, q)
	if !fresh && (q.Fresh || m.tooOld(v, q)) {
		return m.signInFirst(w, r, q)
	}
	attributes, err := m.Released(ctx, s, v.Person, q.Wanted)
	if err != nil {
		return gate.Entrance{}, err
	}
	if err := complete(ctx, s, attributes); err != nil {
		return gate.Entrance{}, err
	}
	if m.Door != nil {
		stopped, err := m.Door.Leaving(w, r, contract.Departure{
			Service: s.ID, Name: name, Address: q.Address, Back: q.Back, Passive: q.Passive,
			Factor: q.Factor || s.Factor == registry.FactorSession, FreshFactor: s.Factor == registry.FactorFresh,
		})
		switch {
		case err != nil:
			return gate.Entrance{}, err
		case stopped && q.Passive:
			return gate.Entrance{}, gate.FactorNeeded
		case stopped:
			return gate.Entrance{}, gate.Answered
		}
	}
	if err := m.stopLoop(ctx, v, q); err != nil {
		return gate.Entrance{}, err
	}
	return gate.Entrance{Viewer: v, Fresh: fresh, Attributes: attributes}, nil
}

// signInFirst sends the person to the sign-in, and from there back to the
// question with a mark.
func (m *Module) signInFirst(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	if q.Passive {
		return gate.Entrance{}, gate.SignInNeeded
	}
	back, err := url.Parse(q.Back)
	if err != nil {
		return gate.Entrance{}, fmt.Errorf("way back to a service: %w", err)
	}
	parameters := back.Query()
	parameters.Set(gate.MarkParameter, m.mark(q))
	back.RawQuery = parameters.Encode()
	if err := m.toSignIn(w, r, back.String(), q.Fresh || q.MaxAge > 0); err != nil {
		return gate.Entrance{}, err
	}
	return gate.Entrance{}, gate.Answered
}

// toSignIn shows the sign-in page at this very address, as CAS servers do
// (§2.1): one round trip less, and programs find the form where they look for
// it. What was posted or fetched in the background is sent to /login.
func (m *Module) toSignIn(w http.ResponseWriter, r *http.Request, next string, renew bool) error {
	if m.Door != nil && r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" {
		return m.Door.ShowSignIn(w, r, next, renew)
	}
	q := url.Values{}
	if next != "/" {
		q.Set("next", next)
	}
	if renew {
		q.Set("renew", "1")
	}
	to := "/login"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return web.SeeOther(w, r, to)
}

// Leave implements [gate.Gate]. A request by htmx would follow a 303 in the
// background and fail there, so it is told to open the address instead.
func (m *Module) Leave(w http.ResponseWriter, r *http.Request, to string) error {
	if r.Header.Get("HX-Request") == "true" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	// What the address carries must not travel on in a Referer.
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
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

// tooOld reports whether the session's sign-in is older than the question or the
// service's entry allows.
func (m *Module) tooOld(v campus.Viewer, q gate.Question) bool {
	age := m.Clock.Now().Sub(v.SignedInAt)
	return q.MaxAge > 0 && age > q.MaxAge || q.Service.SessionLimit > 0 && age > q.Service.SessionLimit
}

// Released implements [gate.Gate].
func (m *Module) Released(ctx context.Context, s *registry.Service, who campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	if len(s.Attributes) == 0 {
		return nil, nil
	}
	known, err := m.People.Attributes(ctx, who)
	if err != nil {
		return nil, AttributesUnavailable.From(err)
	}
	released := make([]gate.Attribute, 0, len(s.Attributes))
	for _, a := range registry.Attributes {
		if values := known[string(a)]; len(values) > 0 && s.Releases(a) && (wanted == nil || slices.Contains(wanted, a)) {
			released = append(released, gate.Attribute{Name: a, Values: values})
		}
	}
	return released, nil
}

// complete refuses to send somebody to a service that cannot work with what we
// know about them: they would fail there, without a word.
func complete(ctx context.Context, s *registry.Service, released []gate.Attribute) error {
	var missing []string
	for _, a := range s.Required {
		if !slices.ContainsFunc(released, func(r gate.Attribute) bool { return r.Name == a }) {
			missing = append(missing, t(ctx, "attribute."+string(a)))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return AttributeMissing.With(fault.Args{"service": s.Name(i18n.Locale(ctx)), "attributes": strings.Join(missing, ", ")})
}

// askedFor bounds how long somebody may take to enter their password.
const askedFor = time.Hour

const askedPurpose = "sso.asked"

// mark notes the moment at which we sent somebody to the sign-in for this
// question. It travels through the browser, signed: it proves on return that the
// sign-in was made for this service and not before.
func (m *Module) mark(q gate.Question) string {
	at := strconv.FormatInt(m.Clock.Now().UnixMicro(), 36)
	return at + "." + base64.RawURLEncoding.EncodeToString(m.signMark(at, q))
}

func (m *Module) signMark(at string, q gate.Question) []byte {
	return m.Sign(askedPurpose, []byte(at+" "+q.Service.ID+" "+q.Address))
}

// justSignedIn reports whether the viewer signed in after the question's mark was
// made.
func (m *Module) justSignedIn(v campus.Viewer, q gate.Question) bool {
	at, signature, ok := strings.Cut(q.Mark, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if !ok || err != nil || !hmac.Equal(given, m.signMark(at, q)) {
		return false
	}
	micros, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return false
	}
	asked := time.UnixMicro(micros)
	return !v.SignedInAt.Before(asked) && m.Clock.Now().Sub(asked) < askedFor
}

// stopLoop looks at how often this session was sent to this address lately.
// When the service keeps sending it back, a page says so instead of one more
// answer: nobody is left to watch a browser run in circles.
func (m *Module) stopLoop(ctx context.Context, v campus.Viewer, q gate.Question) error {
	recent, err := m.answers.Recent(ctx, v.Session, q.Address)
	if err != nil {
		return err
	}
	if recent.Ignored > 0 {
		m.Note(ctx, gate.Incident{Service: q.Service, Reason: TicketIgnored, Expected: q.Address, Quiet: recent.Ignored < 2})
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
	m.Note(ctx, gate.Incident{Service: q.Service, Reason: reason, Expected: q.Address, Facts: fault.Args{"count": recent.Issued}})
	return reason.With(fault.Args{"service": q.Service.Name(i18n.Locale(ctx)), "count": recent.Issued, "window": answer.Window})
}
