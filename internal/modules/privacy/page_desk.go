package privacy

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// pageSize is how many lines a list of the officer shows at once.
const pageSize = 50

// turn is where somebody is in a long list.
type turn struct {
	At, Of int
	base   string // address, with a "?" in it
}

func turnOf(r *http.Request, total int, base string) turn {
	t := turn{At: 1, Of: max(1, (total+pageSize-1)/pageSize), base: base}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		t.At = min(n, t.Of)
	}
	return t
}

func (t turn) skip() int { return (t.At - 1) * pageSize }

func (t turn) pager() ui.PagerProps {
	return ui.PagerProps{Page: t.At, Pages: t.Of, URL: func(page int) string { return t.base + "page=" + strconv.Itoa(page) }}
}

// deskView is the officer's queue.
type deskView struct {
	Ended bool
	Lines []deskLine
	Open  int
	Late  int // whose time ends within a week
	Turn  turn
	Now   time.Time
}

// deskLine is one request of the queue; Name is empty for who is erased.
type deskLine struct {
	Request
	Name, Taken string
}

// soon is how long before its end a request is said to be urgent.
const soon = 7 * 24 * time.Hour

func (m *Module) deskPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), sqlgen.New(m.DB.Read())
	count, err := q.CountRequests(ctx, m.DB.Now().Add(soon))
	if err != nil {
		return fmt.Errorf("count requests: %w", err)
	}
	view := deskView{Ended: r.URL.Query().Get("ended") != "", Open: int(count.Open), Late: int(count.Late), Now: m.Clock.Now()}
	var rows []sqlgen.PrivacyRequest
	if view.Ended {
		view.Turn = turnOf(r, int(count.Ended), "/privacy/desk?ended=1&")
		rows, err = q.EndedRequests(ctx, sqlgen.EndedRequestsParams{Size: pageSize, Skip: int32(view.Turn.skip())})
	} else {
		view.Turn = turnOf(r, int(count.Open), "/privacy/desk?")
		rows, err = q.OpenRequests(ctx, sqlgen.OpenRequestsParams{Size: pageSize, Skip: int32(view.Turn.skip())})
	}
	if err != nil {
		return fmt.Errorf("list requests: %w", err)
	}
	var ids []campus.PersonID
	for _, row := range rows {
		ids = append(ids, campus.PersonID(row.PersonID), campus.PersonID(row.TakenBy))
	}
	names, err := m.names(ctx, ids...)
	if err != nil {
		return err
	}
	for _, one := range requestsOf(rows) {
		view.Lines = append(view.Lines, deskLine{one, names[one.Person], names[one.TakenBy]})
	}
	return web.Render(w, r, http.StatusOK, deskTempl(view))
}

// caseView is one request as the officer sees it.
type caseView struct {
	Request
	Name, Login, Account string
	Taken, Decided       string
	Messages             []Message
	Holds                []erasure.Hold
	Steps                []erasure.Step
	Elsewhere            []erasure.Elsewhere
	Erasure              *erasure.Erasure
	Now                  time.Time
	Form                 caseForm
}

// caseForm is what the officer writes.
type caseForm struct {
	Question, Why, State, Answer string
	Problems                     web.Problems
}

func (m *Module) casePage(w http.ResponseWriter, r *http.Request) error {
	return m.showCase(w, r, http.StatusOK, caseForm{})
}

func (m *Module) showCase(w http.ResponseWriter, r *http.Request, status int, form caseForm) error {
	ctx := r.Context()
	q, err := m.Request(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	view := caseView{Request: q, Now: m.Clock.Now(), Form: form}
	names, err := m.names(ctx, q.TakenBy, q.DecidedBy)
	if err != nil {
		return err
	}
	view.Taken, view.Decided = names[q.TakenBy], names[q.DecidedBy]
	if q.Person != "" {
		if err := m.aboutPerson(ctx, &view, web.Viewer(r)); err != nil {
			return err
		}
	}
	if view.Messages, err = m.messages(ctx, q.ID); err != nil {
		return err
	}
	if x, err := m.erasures.OfRequest(ctx, q.ID); err == nil {
		view.Erasure = &x
		if view.Steps, err = m.erasures.Steps(ctx, x.ID); err != nil {
			return err
		}
		if view.Elsewhere, err = m.erasures.Elsewhere(ctx, x.ID); err != nil {
			return err
		}
	} else if !isReason(err, erasure.Missing) {
		return err
	}
	return web.Render(w, r, status, caseTempl(view))
}

// aboutPerson adds who asks; that the officer read it is noted for them.
func (m *Module) aboutPerson(ctx context.Context, view *caseView, by campus.Viewer) error {
	known, err := m.who(ctx, view.Person)
	if isReason(err, erasure.PersonMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	view.Name, view.Login, view.Account = displayName(known), known.Subject.Login, known.State
	if view.Holds, err = m.erasures.HoldsOn(ctx, known); err != nil {
		return err
	}
	return m.Looked(ctx, contract.Look{
		By: by.Person, About: view.Person, As: campus.RightPrivacy, What: "privacy.look_case", Why: i18n.T(ctx, "privacy.number", "number", view.Number),
	})
}

// caseOf is the request of an address, for the officer who acts on it: an officer's
// own is a colleague's to decide, and so is what an investigation of them needs.
func (m *Module) caseOf(r *http.Request) (Request, error) {
	q, err := m.Request(r.Context(), r.PathValue("id"))
	if err == nil && q.Person == web.Viewer(r).Person {
		return Request{}, OwnCase
	}
	return q, err
}

func (m *Module) takeCase(w http.ResponseWriter, r *http.Request) error {
	q, err := m.caseOf(r)
	if err != nil {
		return err
	}
	if err := m.Take(r.Context(), q, web.Viewer(r).Person); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/privacy/desk/"+q.ID)
}

// onCase reads a form about a request, checks it, and acts.
func (m *Module) onCase(w http.ResponseWriter, r *http.Request, check func(*caseForm), act func(Request, caseForm) error) error {
	q, err := m.caseOf(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := caseForm{Question: formText(values, "question"), Why: formText(values, "why"), State: formText(values, "state"), Answer: formText(values, "answer")}
	if check(&form); form.Problems.Any() {
		return m.showCase(w, r, http.StatusUnprocessableEntity, form)
	}
	if err := act(q, form); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.case")
	return web.SeeOther(w, r, "/privacy/desk/"+q.ID)
}

func (m *Module) askPerson(w http.ResponseWriter, r *http.Request) error {
	return m.onCase(w, r, func(f *caseForm) { checkText(&f.Problems, "question", f.Question) }, func(q Request, f caseForm) error {
		return m.Say(r.Context(), q, ByOfficer, web.Viewer(r).Person, f.Question)
	})
}

func (m *Module) extendCase(w http.ResponseWriter, r *http.Request) error {
	return m.onCase(w, r, func(f *caseForm) { checkText(&f.Problems, "why", f.Why) }, func(q Request, f caseForm) error {
		return m.Extend(r.Context(), q, f.Why)
	})
}

func (m *Module) answerCase(w http.ResponseWriter, r *http.Request) error {
	check := func(f *caseForm) {
		if f.State != Done && f.State != Refused {
			f.Problems.Add("state", "privacy.state_missing")
		}
		checkText(&f.Problems, "answer", f.Answer)
	}
	return m.onCase(w, r, check, func(q Request, f caseForm) error {
		return m.Answer(r.Context(), q, f.State, web.Viewer(r).Person, f.Answer)
	})
}

// late reports whether the time of an open request ends within a week.
func (q Request) late(now time.Time) bool { return q.Open() && q.DueAt.Sub(now) < soon }

// isReason reports whether an error is of a declared reason.
func isReason(err error, reason *fault.Reason) bool {
	return err != nil && fault.Of(err).Reason == reason
}
