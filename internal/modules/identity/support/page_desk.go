package support

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// flaggedSize is how many flagged sign-ins the desk lists, foundSize how many
// people a search names.
const (
	flaggedSize = 50
	foundSize   = 20
)

// flagged is one sign-in that somebody pointed at.
type flagged struct {
	attempt.Attempt
	Waits time.Duration
}

// deskView is the first page of an agent.
type deskView struct {
	Typed    string // in the field for a code
	Words    string // in the field for a person
	People   []account.Person
	More     bool // there are more people than are named
	Flagged  []flagged
	Problems web.Problems
}

// deskPage opens an incident code however it is typed, or searches for a person.
// A code goes on to its own address.
func (s *Support) deskPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	view := deskView{Typed: clip(q.Get("code"), 40), Words: clip(q.Get("q"), 120)}
	status := http.StatusOK
	if strings.TrimSpace(view.Typed) != "" {
		code, ok := attempt.ParseCode(view.Typed)
		if ok {
			return web.SeeOther(w, r, "/identity/support/incidents/"+code)
		}
		view.Problems.Add("code", "identity.support.problem.code")
		status = http.StatusUnprocessableEntity
	}
	if strings.TrimSpace(view.Words) != "" {
		people, err := s.Accounts.Search(ctx, lifecycle.Filter{Words: view.Words}, foundSize+1, 0)
		if err != nil {
			return err
		}
		view.More = len(people) > foundSize
		view.People = people[:min(len(people), foundSize)]
	}
	list, err := s.Stories.Flagged(ctx, flaggedSize)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	for _, a := range list {
		view.Flagged = append(view.Flagged, flagged{a, now.Sub(a.FlaggedAt)})
	}
	return web.Render(w, r, status, deskTempl(view))
}

// whoIs tells people of one name apart: identifier, student number, and what they
// study or where they work.
func whoIs(ctx context.Context, p account.Person) string {
	parts := []string{p.Login}
	if p.StudentNumber != "" {
		parts = append(parts, i18n.T(ctx, "identity.support.number", "number", p.StudentNumber))
	}
	for _, a := range p.Affiliations {
		place := cmp.Or(a.Programme, a.Unit)
		if kind := i18n.T(ctx, "identity.support.kind."+string(a.Kind)); place == "" {
			parts = append(parts, kind)
		} else {
			parts = append(parts, i18n.T(ctx, "identity.support.belongs", "kind", kind, "place", place))
		}
	}
	return strings.Join(parts, " · ")
}

// clip keeps what was typed short and readable.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// dealtWith takes a flagged sign-in off the list.
func (s *Support) dealtWith(w http.ResponseWriter, r *http.Request) error {
	a, err := s.Stories.ByCode(r.Context(), r.PathValue("code"))
	if err != nil {
		return err
	}
	if err := s.DB.InTx(r.Context(), func(tx db.Tx) error { return s.Stories.Unflag(r.Context(), tx, a.ID) }); err != nil {
		return err
	}
	web.Flash(w, r, "identity.support.done.dealt_with")
	return web.SeeOther(w, r, "/identity/support")
}

// person reads somebody by the identifier in the address.
func (s *Support) person(ctx context.Context, id string) (account.Person, error) {
	return s.People.PersonByID(ctx, campus.PersonID(id))
}
