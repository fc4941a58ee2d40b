package identity

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// HeldBack writes into the story of this browser's sign-in that its person waits at the
// door of a service, or does no longer, and returns the incident code to quote. A
// page that looks again and again adds a step only when something has changed.
func (m *Module) HeldBack(w http.ResponseWriter, r *http.Request, h contract.HeldBack) (incident string, err error) {
	who := web.Viewer(r).Person
	a, err := m.newest(r)
	missing := errors.Is(err, attempt.Missing)
	if err != nil && !missing {
		return "", err
	}
	if !missing && a.Person != "" && a.Person != who { // somebody else has tried to sign in here since
		missing = true
	}
	waits := !missing && a.Stage == entry.StageService && a.Service == h.Service && a.Reason != ""
	if waits && a.Reason == h.Reason || !waits && h.Reason == "" {
		return a.Code, nil
	}
	arrival := attempt.Arrival{Browser: meet(w, r), Address: web.ClientAddr(r).String(), UserAgent: agentOf(r), Next: "/", Service: h.Service}
	step := attempt.Step{Stage: entry.StageService, Result: attempt.Asked, Reason: h.Reason, Facts: map[string]string{"service": h.Name}}
	if h.Reason == "" {
		step.Result = attempt.Passed
	}
	for name, value := range h.Facts {
		if value != "" {
			step.Facts["account_"+name] = value
		}
	}
	err = m.db.InTx(r.Context(), func(tx db.Tx) (err error) {
		now := a
		if missing { // signed in longer ago than stories are looked for
			if now, err = m.stories.Open(r.Context(), tx, arrival); err != nil {
				return err
			}
			now.Outcome = attempt.Stopped
		}
		now.Person, now.Service = who, h.Service
		if err := m.stories.Add(r.Context(), tx, &now, step); err != nil {
			return err
		}
		incident = now.Code
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("write into the story of this browser: %w", err)
	}
	return incident, nil
}
