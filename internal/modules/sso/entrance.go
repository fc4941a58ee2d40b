package sso

import (
	"cmp"
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
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
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
	if err := open(ctx, s); err != nil {
		return gate.Entrance{}, err
	}
	if !v.SignedIn() {
		return m.signInFirst(w, r, q)
	}
	if err := admit(ctx, v, s); err != nil {
		return gate.Entrance{}, err
	}
	if m.refused(v, q) {
		return gate.Entrance{}, gate.ConsentRefused
	}
	fresh := m.justSignedIn(r, v, q)
	if !fresh && (q.Fresh || tooOld(v, q, m.Clock.Now())) {
		return m.signInFirst(w, r, q)
	}
	if stopped, err := m.hold(w, r, q); err != nil || stopped {
		return gate.Entrance{}, cmp.Or(err, gate.Answered)
	}
	attributes, err := m.Releasable(ctx, s, v.Person, q.Wanted)
	if err != nil {
		return gate.Entrance{}, err
	}
	if err := complete(ctx, s, attributes); err != nil {
		return gate.Entrance{}, err
	}
	loop, err := m.loop(ctx, r, v, q)
	if err != nil {
		return gate.Entrance{}, err
	}
	if m.Door != nil {
		factor, freshFactor := factorOf(s)
		departure := contract.Departure{
			Service: s.ID, Name: name, Address: q.Address, Back: q.Back, Passive: q.Passive,
			Factor: q.Factor || factor, FreshFactor: freshFactor,
		}
		if loop != nil {
			departure.Loop = &contract.Loop{Reason: loop.Code(), Turns: m.config.LoopTurns, Clean: loop == Loop}
		}
		stopped, err := m.Door.Leaving(w, r, departure)
		switch {
		case err != nil:
			return gate.Entrance{}, err
		case stopped && q.Passive && loop == nil:
			return gate.Entrance{}, gate.FactorNeeded
		case stopped:
			return gate.Entrance{}, gate.Answered
		}
	}
	if loop != nil {
		return gate.Entrance{}, loop.With(fault.Args{"service": name, "turns": m.config.LoopTurns})
	}
	if attributes, err = m.agreed(w, r, q, attributes); err != nil {
		return gate.Entrance{}, err
	}
	if err := m.consent.Told(ctx, v.Person, s, namesOf(attributes)); err != nil {
		return gate.Entrance{}, err
	}
	return gate.Entrance{Viewer: v, Fresh: fresh, Attributes: attributes}, nil
}

// hold tells somebody whose account in the service is not ready that it is not. A
// passive question is never held: it has no page to show it on.
func (m *Module) hold(w http.ResponseWriter, r *http.Request, q gate.Question) (stopped bool, err error) {
	if q.Passive {
		return false, nil
	}
	back, err := url.Parse(q.Back)
	if err != nil {
		return false, fmt.Errorf("way back to a service: %w", err)
	}
	if q.Mark != "" { // what proves a fresh sign-in is still good afterwards
		parameters := back.Query()
		parameters.Set(gate.MarkParameter, q.Mark)
		back.RawQuery = parameters.Encode()
	}
	return m.waiting.Stops(w, r, q.Service, back.String())
}

// signInFirst sends the person to the sign-in, and from there back to the
// question with a mark.
func (m *Module) signInFirst(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	if q.Passive {
		return gate.Entrance{}, gate.SignInNeeded
	}
	back, err := m.withMark(w, r, q)
	if err != nil {
		return gate.Entrance{}, err
	}
	// Whoever is signed in comes here because that is too long ago: the sign-in page
	// would send them straight back, round and round.
	if err := m.toSignIn(w, r, back, q.Fresh || q.MaxAge > 0 || web.Viewer(r).SignedIn()); err != nil {
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

// Admit implements [gate.Gate].
func (m *Module) Admit(ctx context.Context, s *registry.Service, who campus.PersonID) error {
	if !s.SignsIn() {
		return ServiceDisabled.With(fault.Args{"service": s.Name(i18n.Locale(ctx))})
	}
	v, err := m.People.Viewer(ctx, who)
	if err != nil && fault.Of(err).Reason.Kind() >= fault.Broken { // ours, not the person's
		return AttributesUnavailable.From(err)
	}
	if err != nil {
		return err
	}
	return admit(ctx, v, s)
}

// open refuses a service that nobody may enter.
func open(ctx context.Context, s *registry.Service) error {
	if s.SignsIn() {
		return nil
	}
	return ServiceDisabled.With(fault.Args{"service": s.Name(i18n.Locale(ctx))})
}

// factorOf is what the service's entry asks for: a second factor in this session,
// or one of the last minutes.
func factorOf(s *registry.Service) (inSession, fresh bool) {
	return s.Factor == registry.FactorSession, s.Factor == registry.FactorFresh
}

// admit refuses who the service is not for, in words that say who it is for.
func admit(ctx context.Context, v campus.Viewer, s *registry.Service) error {
	if s.Audience.Admits(v) {
		return nil
	}
	return NotInAudience.With(fault.Args{
		"service":  s.Name(i18n.Locale(ctx)),
		"audience": registry.AudienceWords(ctx, s.Audience),
		"person":   fault.Private(v.DisplayName()),
		"kinds":    registry.KindsWords(ctx, v),
	})
}

// tooOld reports whether the session's sign-in is older than the question or the
// service's entry allows.
func tooOld(v campus.Viewer, q gate.Question, now time.Time) bool {
	age := now.Sub(v.SignedInAt)
	return q.MaxAge > 0 && age > q.MaxAge || q.Service.SessionLimit > 0 && age > q.Service.SessionLimit
}

// askedFor bounds how long somebody may take to prove who they are; a sign-in
// elsewhere may take as long.
const askedFor = 20 * time.Minute

const askedPurpose = "sso.asked"

// askedCookie ties marks to the browser in which they were made: in another one, an
// address with a mark would turn any sign-in after it into one that was made for
// the question. It opens nothing by itself, and is the same for all tabs.
const askedCookie = "amphi_asked"

// askedBytes is the length of that cookie, in bytes.
const askedBytes = 16

// mark notes the moment at which we sent somebody to the sign-in for this
// question. It travels through the browser, signed: it proves on return that the
// sign-in was made for this service and not before. That one sign-in makes one
// fresh answer is the matter of answer.Issue.
func (m *Module) mark(w http.ResponseWriter, r *http.Request, q gate.Question) string {
	if web.Cookie(r, askedCookie) == "" {
		web.SetCookie(w, r, askedCookie, id.Token(askedBytes), 0)
	}
	at := strconv.FormatInt(m.Clock.Now().UnixMicro(), 36)
	return at + "." + base64.RawURLEncoding.EncodeToString(m.signMark(r, at, q))
}

func (m *Module) signMark(r *http.Request, at string, q gate.Question) []byte {
	return m.Sign(askedPurpose, []byte(at+" "+id.Hash(web.Cookie(r, askedCookie))+" "+q.Service.ID+" "+q.Address))
}

// justSignedIn reports whether the viewer signed in after the question's mark was
// made.
func (m *Module) justSignedIn(r *http.Request, v campus.Viewer, q gate.Question) bool {
	asked, ok := m.askedAt(r, q)
	return ok && !v.SignedInAt.Before(asked)
}

// askedAt is when the question's mark was made; ok is false without one, or with
// one that is forged, of another question, of another browser, or too old.
func (m *Module) askedAt(r *http.Request, q gate.Question) (asked time.Time, ok bool) {
	at, signature, _ := strings.Cut(q.Mark, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || web.Cookie(r, askedCookie) == "" || !hmac.Equal(given, m.signMark(r, at, q)) {
		return time.Time{}, false
	}
	micros, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return time.Time{}, false
	}
	asked = time.UnixMicro(micros)
	return asked, m.Clock.Now().Sub(asked) < askedFor
}

// withMark is the question's way back with a mark of this moment.
func (m *Module) withMark(w http.ResponseWriter, r *http.Request, q gate.Question) (string, error) {
	back, err := url.Parse(q.Back)
	if err != nil {
		return "", fmt.Errorf("way back to a service: %w", err)
	}
	parameters := back.Query()
	parameters.Set(gate.MarkParameter, m.mark(w, r, q))
	back.RawQuery = parameters.Encode()
	return back.String(), nil
}

// loop looks at how often this session was sent to this address lately, and what
// became of it there: signed in for the third time within a minute, somebody goes
// round in circles. It returns the reason that names the cause, or nil.
func (m *Module) loop(ctx context.Context, r *http.Request, v campus.Viewer, q gate.Question) (*fault.Reason, error) {
	recent, err := m.answers.Recent(ctx, v.Session, q.Address)
	if err != nil {
		return nil, err
	}
	// A page of the service renews its tokens behind its tabs: nobody is sent round.
	behind := q.Passive && !slices.Contains([]string{"", "document"}, r.Header.Get("Sec-Fetch-Dest"))
	if behind || recent.Issued+1 < int64(m.config.LoopTurns) {
		if recent.Ignored > 0 { // once may be somebody who pressed back; the trace counts
			m.Note(ctx, gate.Incident{Service: q.Service, Reason: TicketIgnored, Expected: q.Address, Quiet: true})
		}
		return nil, nil
	}
	reason := Loop
	switch {
	case recent.Checked == 0:
		reason = LoopUnchecked
	case 2*recent.Refused >= recent.Issued:
		reason = LoopRefused
	}
	m.Note(ctx, gate.Incident{Service: q.Service, Reason: reason, Expected: q.Address, Facts: fault.Args{"turns": m.config.LoopTurns}})
	return reason, nil
}
