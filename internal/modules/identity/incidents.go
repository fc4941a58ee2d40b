package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/diagnostic"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// newest is the browser's newest story of the last day, or attempt.Missing. Other
// than storyOf it also finds one that is over: people report what happened.
func (m *Module) newest(r *http.Request) (attempt.Attempt, error) {
	browser := browserOf(r)
	if browser == "" {
		return attempt.Attempt{}, attempt.Missing
	}
	return m.stories.OfBrowser(r.Context(), browser, "", m.clock.Now().Add(-24*time.Hour))
}

// incident returns the browser's newest story, or opens one for a browser that
// has none: whoever could not even sign in gets a code to quote as well.
func (m *Module) incident(w http.ResponseWriter, r *http.Request, also func(tx db.Tx, a attempt.Attempt) error) (code string, err error) {
	a, err := m.newest(r)
	missing := errors.Is(err, attempt.Missing)
	if err != nil && !missing {
		return "", err
	}
	if missing { // each is a row, and a stranger may drop the cookie every time
		if wait, ok := m.refusals.Allow(limit.AddressKey(web.ClientAddr(r))); !ok {
			return "", NetworkSlowed.With(fault.Args{"wait": wait})
		}
	}
	arrival := attempt.Arrival{Browser: meet(w, r), Address: web.ClientAddr(r).String(), UserAgent: agentOf(r), Next: "/"}
	err = m.db.InTx(r.Context(), func(tx db.Tx) (err error) {
		if missing {
			if a, err = m.stories.Open(r.Context(), tx, arrival); err != nil {
				return err
			}
		}
		return also(tx, a)
	})
	if err != nil {
		return "", fmt.Errorf("write into the story of this browser: %w", err)
	}
	return a.Code, nil
}

// around widens the time of a story: what a service did with it comes after it.
const around = 15 * time.Minute

// Incident finds whose way in an incident code is about, and when that was. who is
// empty when nobody was recognised.
func (m *Module) Incident(ctx context.Context, typed string) (who campus.PersonID, from, until time.Time, err error) {
	code, ok := attempt.ParseCode(typed)
	if !ok {
		return "", from, until, attempt.Missing
	}
	a, err := m.stories.ByCode(ctx, code)
	if err != nil {
		return "", from, until, err
	}
	return a.Person, a.StartedAt.Add(-around), a.ChangedAt.Add(around), nil
}

// Attach implements [diagnostic.Incidents].
func (m *Module) Attach(w http.ResponseWriter, r *http.Request, result []byte) (string, error) {
	return m.incident(w, r, func(tx db.Tx, a attempt.Attempt) error {
		return m.stories.AttachDiagnostic(r.Context(), tx, a.ID, string(result))
	})
}

// Story implements [diagnostic.Incidents].
func (m *Module) Story(r *http.Request, code string) (diagnostic.Story, error) {
	a, err := m.stories.ByCode(r.Context(), code)
	if err != nil {
		return diagnostic.Story{}, err
	}
	own, err := m.stories.OfBrowser(r.Context(), browserOf(r), code, time.Time{})
	if err != nil && !errors.Is(err, attempt.Missing) {
		return diagnostic.Story{}, err
	}
	s := diagnostic.Story{Code: a.Code, Reason: a.Reason, In: a.Outcome == attempt.In, Mine: own.ID == a.ID}
	for _, step := range a.Steps {
		if step.Reason == a.Reason {
			s.Facts = step.Facts
		}
	}
	return s, nil
}

// visitor is the browser that asks, as the help desk's pages see it.
type visitor struct{ *Module }

// Story implements [support.Visitor].
func (v visitor) Story(r *http.Request, code string) (attempt.Attempt, error) {
	if code == "" {
		return v.newest(r)
	}
	return v.stories.OfBrowser(r.Context(), browserOf(r), code, time.Time{})
}

// Leaving is asked before a browser enters a service. It may answer with a page
// that comes first, and stopped is then true: the end of a loop, or the second
// factor that the service asks for. With d.Passive only a loop writes anything.
func (m *Module) Leaving(w http.ResponseWriter, r *http.Request, d contract.Departure) (stopped bool, err error) {
	if d.Loop == nil {
		return m.factorFor(w, r, d)
	}
	code, err := m.incident(w, r, func(tx db.Tx, a attempt.Attempt) error {
		a.Service, a.Outcome = d.Service, attempt.Stopped
		return m.stories.Add(r.Context(), tx, &a, attempt.Step{
			Stage: entry.StageService, Result: attempt.Failed, Reason: d.Loop.Reason,
			Facts: map[string]string{"service": d.Name, "turns": strconv.Itoa(d.Loop.Turns)},
		})
	})
	if err != nil && !errors.Is(err, NetworkSlowed) { // a loop without a code is stopped as well
		return false, err
	}
	return true, web.SeeOther(w, r, m.help.LoopURL(d, code))
}

// AsksFactor reports whether the policy asks for a second factor in front of a
// service.
func (m *Module) AsksFactor(service string) bool {
	return slices.Contains(m.config.Factor.RequiredServices, service)
}

// freshFactor is how old a second factor may be that a service wants fresh.
const freshFactor = 10 * time.Minute

// factorFor asks for a second factor in front of a service that wants one: in
// this session, or of the last minutes.
func (m *Module) factorFor(w http.ResponseWriter, r *http.Request, d contract.Departure) (asked bool, err error) {
	v := web.Viewer(r)
	byPolicy := m.AsksFactor(d.Service)
	switch {
	case d.FreshFactor && m.clock.Now().Sub(v.FactorAt) < freshFactor:
		return false, nil
	case !d.FreshFactor && (!v.FactorAt.IsZero() || !byPolicy && !d.Factor):
		return false, nil
	}
	// A trusted browser stands in for the factor where the institution asks for
	// one, not where the service itself does.
	if byPolicy && !d.Factor && !d.FreshFactor {
		trusted, err := m.trusted(r, v.Person, v.SharedComputer)
		if err != nil || trusted {
			return false, err
		}
	}
	if d.Passive {
		return true, nil
	}
	has, err := m.factors.Has(r.Context(), v.Person)
	if err != nil {
		return false, err
	}
	if has {
		return true, web.SeeOther(w, r, "/login/factor?"+url.Values{"back": {d.Back}}.Encode())
	}
	return true, web.SeeOther(w, r, "/login?"+url.Values{"renew": {"1"}, "next": {d.Back}}.Encode())
}
