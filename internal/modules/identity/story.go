package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// browserCookie ties the stories of sign-ins to the browser in which they
// happen. It opens nothing by itself.
const browserCookie = "amphi_browser"

// meet gives a browser its cookie when it comes to the door, and returns the
// hash under which its stories are kept.
func meet(w http.ResponseWriter, r *http.Request) (browser string) {
	if browser = browserOf(r); browser != "" {
		return browser
	}
	token := id.Token(tokenBytes)
	web.SetCookie(w, r, browserCookie, token, 0)
	return id.Hash(token)
}

// browserOf is the hash of the browser's cookie; empty when it brought none.
func browserOf(r *http.Request) string {
	if token := web.Cookie(r, browserCookie); token != "" {
		return id.Hash(token)
	}
	return ""
}

// storyOf returns the sign-in that a browser is on: the one with an incident
// code, or its newest. The error is SignInLost when there is none that may go on.
func (m *Module) storyOf(r *http.Request, code string) (attempt.Attempt, error) {
	browser := browserOf(r)
	if browser == "" {
		return attempt.Attempt{}, SignInLost
	}
	now := m.clock.Now()
	a, err := m.stories.OfBrowser(r.Context(), browser, code, now.Add(-24*time.Hour))
	if errors.Is(err, attempt.Missing) {
		return a, SignInLost.From(err)
	}
	if err != nil {
		return a, err
	}
	if !a.Live(now) {
		return a, SignInLost.With(fault.Args{"incident": a.Code})
	}
	return a, nil
}

// resume returns the story that a new try goes on with: the browser's newest one
// that leads to the same place and has not reached it. Otherwise it opens one.
func (m *Module) resume(ctx context.Context, tx db.Tx, before *attempt.Attempt, arrival attempt.Arrival) (attempt.Attempt, error) {
	if before != nil && before.Live(tx.Now().Time()) && before.Next == arrival.Next {
		a := *before
		a.Shared, a.Service, a.Outcome = arrival.Shared, arrival.Service, attempt.Open
		return a, nil
	}
	return m.stories.Open(ctx, tx, arrival)
}

// arrive describes the browser and where it wants to go, and finds the story it
// has begun, if any.
func (m *Module) arrive(w http.ResponseWriter, r *http.Request, next string, shared bool) (attempt.Arrival, *attempt.Attempt, error) {
	before, err := m.storyOf(r, "")
	begun := &before
	if errors.Is(err, SignInLost) {
		begun, err = nil, nil
	}
	if err != nil {
		return attempt.Arrival{}, nil, err
	}
	arrival := attempt.Arrival{Browser: meet(w, r), Address: web.ClientAddr(r).String(), UserAgent: agentOf(r), Next: next, Shared: shared}
	if m.doors != nil {
		if d, ok := m.doors.Destination(r.Context(), next); ok {
			arrival.Service = d.Service
		}
	}
	return arrival, begun, nil
}

// tellPassed writes into the story that the password was right.
func (m *Module) tellPassed(w http.ResponseWriter, r *http.Request, t *trial) (attempt.Attempt, error) {
	return m.tellProved(w, r, risk.Circumstances{
		Identifier: normalLogin(t.form.Username), Device: t.device, Breached: m.breached(t),
	}, t.person, entry.Arrival{Next: t.form.Next, Shared: t.form.Shared}, t.proof())
}

// tellProved writes into the story that somebody gave a first proof. What was
// proved before in it, perhaps by somebody else, no longer counts.
func (m *Module) tellProved(w http.ResponseWriter, r *http.Request, c risk.Circumstances, who campus.PersonID, from entry.Arrival, p entry.Proof) (a attempt.Attempt, err error) {
	ctx := r.Context()
	if c.Person, err = m.PersonByID(ctx, who); err != nil {
		return a, err
	}
	c.Address = web.ClientAddr(r)
	arrival, begun, err := m.arrive(w, r, from.Next, from.Shared)
	if err != nil {
		return a, err
	}
	if c.Breached { // whoever stole it elsewhere may be next
		if err := m.demandNew(ctx, who); err != nil {
			return a, err
		}
	}
	verdict, err := m.risk.Assess(ctx, c)
	if err != nil {
		return a, err
	}
	if verdict.Act, err = m.proportion(ctx, who, verdict.Act); err != nil {
		return a, err
	}
	known, token := browserOf(r), id.Token(tokenBytes)
	err = m.db.InTx(ctx, func(tx db.Tx) error {
		if a, err = m.resume(ctx, tx, begun, arrival); err != nil {
			return err
		}
		now := tx.Now().Time()
		a.Person, a.Typed, a.Method, a.ProvedAt = who, c.Identifier, p.Method, now
		a.FactorMethod, a.FactorAt, a.PutOff, a.Trust, a.Suspicion = "", time.Time{}, false, false, verdict.Text()
		a.Since, a.Journey = time.Time{}, p.Journey
		if !p.Since.IsZero() && p.Since.Before(now) { // by a session there: it is no fresh proof here
			a.Since = p.Since
		}
		stage := entry.StagePassword
		switch {
		case p.Method == entry.Passkey: // the key and the person's presence: both factors
			a.FactorMethod, a.FactorAt, stage = p.Method, now, entry.StageFactor
		case p.Second != "":
			a.FactorMethod, a.FactorAt, stage = p.Second, now, entry.StageFactor
			if !a.Since.IsZero() {
				a.FactorAt = a.Since
			}
		}
		if err := m.stories.Add(ctx, tx, &a, attempt.Step{Stage: stage, Result: attempt.Passed, Method: p.Method, Facts: vouching(p)}); err != nil {
			return err
		}
		if known != "" {
			if err := m.stories.Rebind(ctx, tx, a.ID, known, id.Hash(token)); err != nil {
				return err
			}
		}
		if verdict.Act == risk.Lock && a.FactorAt.IsZero() { // a passkey proves that it is its owner
			if _, err := m.risk.Lock(ctx, tx, c, verdict); err != nil {
				return err
			}
		}
		return m.risk.Note(ctx, tx, risk.Signal{Circumstances: c, Outcome: risk.Stopped, Verdict: verdict, Incident: a.Code})
	})
	if err != nil {
		return a, fmt.Errorf("record the sign-in: %w", err)
	}
	if known != "" { // whoever used this computer before may have copied the old one
		web.SetCookie(w, r, browserCookie, token, 0)
	}
	return a, nil
}

// vouching is what the story says of a proof that was not given to us.
func vouching(p entry.Proof) map[string]string {
	if p.Upstream == "" {
		return nil
	}
	return map[string]string{"upstream": p.Upstream, "amr": strings.Join(p.AMR, " "), "second": string(p.Second)}
}

// proportion makes an act of the risk rules one that the person can answer. Where
// a second factor would be asked of somebody who has none, a code sent to them
// outside does: the lock that it lifts. Who cannot be reached outside either is
// let in, because nothing could be asked that a stranger would not pass as well.
func (m *Module) proportion(ctx context.Context, who campus.PersonID, act risk.Act) (risk.Act, error) {
	if act != risk.AskFactor {
		return act, nil
	}
	has, err := m.factors.Has(ctx, who)
	if err != nil || has {
		return act, err
	}
	points, err := m.reach.Points(ctx, who)
	if err != nil {
		return act, err
	}
	now := m.clock.Now()
	if slices.ContainsFunc(points, func(p reach.Point) bool { return p.Channel != reach.Mail && p.Usable(now) }) {
		return risk.Lock, nil
	}
	return risk.Allow, nil
}

// demandNew asks for another password at the end of this sign-in, because the one
// that was right stands in the list of stolen ones.
func (m *Module) demandNew(ctx context.Context, who campus.PersonID) error {
	if !m.config.Password.Breached {
		return nil
	}
	return m.db.InTx(ctx, func(tx db.Tx) error { return m.renewal.Demand(ctx, tx, who, renewal.InBreach) })
}

// maxStoppedNext is the longest address, in bytes, that is kept of a sign-in that
// stopped at the password. Strangers choose it, and a sign-in may be 32 kB long.
const maxStoppedNext = 2 << 10

// tellStopped writes into the story that the password was wrong or not even
// looked at, and returns the incident code. Somebody who knocks without end gets
// none: each refusal then costs a row, and says nothing that the last one did not.
func (m *Module) tellStopped(w http.ResponseWriter, r *http.Request, t *trial, f *fault.Fault) (incident string, err error) {
	ctx := r.Context()
	arrival, begun, err := m.arrive(w, r, t.form.Next, t.form.Shared)
	if err != nil {
		return "", err
	}
	if len(arrival.Next) > maxStoppedNext { // the form keeps it; a row for every guess need not
		arrival.Next = "/"
	}
	if f.Reason != WrongCredentials {
		if _, ok := m.refusals.Allow(limit.AddressKey(web.ClientAddr(r))); !ok {
			return "", nil
		}
	}
	// Asked for somebody who does not exist as well: it takes the same time.
	person, err := m.PersonByID(ctx, t.person)
	if err != nil && !errors.Is(err, PersonMissing) {
		return "", err
	}
	step := attempt.Step{Stage: entry.StagePassword, Result: attempt.Failed, Method: entry.Password, Reason: f.Reason.Code(), Facts: facts(f.Args)}
	if t.elsewhere != nil {
		step.Method = entry.Directory
		for name, value := range t.elsewhere.Facts {
			step.Facts[name] = value
		}
	}
	if t.person == "" && !t.from(f) {
		step.Stage = entry.StageIdentifier
		step.Facts["shape"] = m.shapeOf(t.form.Username)
	}
	var a attempt.Attempt
	err = m.db.InTx(ctx, func(tx db.Tx) error {
		if a, err = m.resume(ctx, tx, begun, arrival); err != nil {
			return err
		}
		a.Person, a.Typed, a.Outcome = t.person, t.login(), attempt.Stopped
		a.Method, a.ProvedAt, a.FactorMethod, a.FactorAt = "", time.Time{}, "", time.Time{}
		if err := m.stories.Add(ctx, tx, &a, step); err != nil || !t.checked() {
			return err
		}
		return m.risk.Note(ctx, tx, t.refused(person, web.ClientAddr(r), f.Reason, a.Code))
	})
	if err != nil {
		return "", fmt.Errorf("record the sign-in: %w", err)
	}
	return a.Code, nil
}

// refused is what the risk rules learn of a wrong password.
func (t *trial) refused(person Person, from netip.Addr, why *fault.Reason, incident string) risk.Signal {
	return risk.Signal{
		Circumstances: risk.Circumstances{Person: person, Identifier: normalLogin(t.form.Username), Address: from, Device: t.device},
		Outcome:       risk.Refused, Reason: why.Code(), OldPassword: !t.oldSince.IsZero(), Incident: incident,
	}
}

// login is what the story keeps of the identifier: all of it when somebody has
// it, and only its ends otherwise, because people type passwords there.
func (t *trial) login() string {
	typed := normalLogin(t.form.Username)
	if t.person != "" {
		return typed
	}
	letters := []rune(typed)
	if len(letters) < 5 {
		return strings.Repeat("•", len(letters))
	}
	return string(letters[:2]) + "•••" + string(letters[len(letters)-1:])
}

// The shapes of what people type as their identifier.
const (
	shapeLogin    = "login"
	shapeMail     = "mail"           // an address of the institution
	shapePersonal = "mail_elsewhere" // an address of somebody else's
	shapeNumber   = "number"         // of a student card, most often
	shapeOdd      = "odd"
)

// shapeOf says what an identifier looks like. It looks nobody up.
func (m *Module) shapeOf(typed string) string {
	typed = normalLogin(typed)
	switch _, domain, mail := strings.Cut(typed, "@"); {
	case mail && m.config.ownDomain(domain):
		return shapeMail
	case mail:
		return shapePersonal
	case typed != "" && strings.Trim(typed, "0123456789") == "":
		return shapeNumber
	case loginForm.MatchString(typed):
		return shapeLogin
	default:
		return shapeOdd
	}
}

// facts are the arguments of a sentence as the story keeps them; what is private
// stays out.
func facts(args fault.Args) map[string]string {
	kept := map[string]string{}
	for k, v := range args {
		if _, private := v.(fault.Private); !private {
			kept[k] = fmt.Sprint(v)
		}
	}
	return kept
}
