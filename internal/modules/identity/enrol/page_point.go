package enrol

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// pointKinds are the methods that send a code to a phone or an address.
var pointKinds = []entry.Method{entry.SMS, entry.Mail}

// pointView is the choice of the phone or address that codes go to.
type pointView struct {
	frame
	Kind   entry.Method
	Points []factor.Candidate
	Chosen string
	Now    time.Time
}

// pointPage shows the phones, or the addresses, that the person has on record.
func (x *Enrol) pointPage(kind entry.Method) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, ok, err := x.mayAdd(w, r, kind)
		if err != nil || !ok {
			return err
		}
		return x.showPoints(w, r, http.StatusOK, frame{Actor: a}, kind, "")
	}
}

func (x *Enrol) showPoints(w http.ResponseWriter, r *http.Request, status int, f frame, kind entry.Method, chosen string) error {
	view := pointView{Kind: kind, Chosen: chosen, Now: x.Clock.Now()}
	all, err := x.Factors.Candidates(r.Context(), f.Actor.Person)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Kind == kind {
			view.Points = append(view.Points, c)
		}
	}
	f.Title, f.Lead = kindName(r.Context(), kind), i18n.T(r.Context(), "identity.enrol."+string(kind)+".lead")
	view.frame = f
	return web.Render(w, r, status, pointTempl(view))
}

// sendToPoint sends the code that proves that the phone is at hand. Asked again
// it sends another one, and the page says so.
func (x *Enrol) sendToPoint(kind entry.Method) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, ok, err := x.mayAdd(w, r, kind)
		if err != nil || !ok {
			return err
		}
		values, err := web.Form(r)
		if err != nil {
			return err
		}
		point := values.Get("point")
		if point == "" {
			var problems web.Problems
			problems.Add("point", "identity.enrol.problem.point_missing")
			return x.showPoints(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems}, kind, "")
		}
		if _, err := x.candidate(r, a, kind, point); err != nil {
			return err
		}
		_, err = x.Factors.BeginPoint(r.Context(), a, point)
		if errors.Is(err, reach.TooSoon) {
			sent, problem := x.Factors.PointSent(r.Context(), a, point)
			if problem != nil {
				return problem
			}
			if !sent.At.IsZero() { // the first one is on its way: its page says so
				return web.SeeOther(w, r, codeURL(kind, point, a))
			}
		}
		if err != nil && mendable(err) {
			again, status := x.refused(r, frame{Actor: a}, kind, err)
			return x.showPoints(w, r, status, again, kind, point)
		}
		if err != nil {
			return err
		}
		return web.SeeOther(w, r, codeURL(kind, point, a))
	}
}

// candidate refuses a point that is none of the actor's of this kind.
func (x *Enrol) candidate(r *http.Request, a entry.Actor, kind entry.Method, point string) (factor.Candidate, error) {
	all, err := x.Factors.Candidates(r.Context(), a.Person)
	if err != nil {
		return factor.Candidate{}, err
	}
	for _, c := range all {
		if c.Point == point && c.Kind == kind {
			return c, nil
		}
	}
	return factor.Candidate{}, factor.Missing
}

// codeURL is the page on which the code is typed.
func codeURL(kind entry.Method, point string, a entry.Actor) string {
	q := url.Values{"point": {point}}
	if a.At != "" {
		q.Set("at", a.At)
	}
	return addPages[kind] + "/code?" + q.Encode()
}

// pointCodeView is the page on which the code is typed.
type pointCodeView struct {
	frame
	Kind  entry.Method
	Point factor.Candidate
	Sent  reach.Sent
}

func (x *Enrol) pointCodePage(kind entry.Method) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, ok, err := x.mayAdd(w, r, kind)
		if err != nil || !ok {
			return err
		}
		return x.showPointCode(w, r, http.StatusOK, frame{Actor: a}, kind, r.URL.Query().Get("point"))
	}
}

func (x *Enrol) showPointCode(w http.ResponseWriter, r *http.Request, status int, f frame, kind entry.Method, point string) error {
	c, err := x.candidate(r, f.Actor, kind, point)
	if err != nil {
		return err
	}
	sent, err := x.Factors.PointSent(r.Context(), f.Actor, point)
	if err != nil {
		return err
	}
	f.Title = i18n.T(r.Context(), "identity.enrol."+string(kind)+".code_title")
	f.Back = ui.Link{Label: kindName(r.Context(), kind), URL: here(addPages[kind], f.Actor)}
	return web.Render(w, r, status, pointCodeTempl(pointCodeView{f, kind, c, sent}))
}

func (x *Enrol) addPoint(kind entry.Method) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, ok, err := x.mayAdd(w, r, kind)
		if err != nil || !ok {
			return err
		}
		values, err := web.Form(r)
		if err != nil {
			return err
		}
		point, typed := r.URL.Query().Get("point"), values.Get(reach.CodeField)
		c, err := x.candidate(r, a, kind, point)
		if err != nil {
			return err
		}
		if typed == "" {
			var problems web.Problems
			problems.Add(reach.CodeField, "identity.enrol.problem.code_missing")
			return x.showPointCode(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems}, kind, point)
		}
		f, err := x.Factors.ConfirmPoint(r.Context(), factor.At(r, a), point, c.Masked, typed)
		if problems, ok := reach.Problem(err); err != nil && ok {
			x.Door.Stumbled(r, a, kind, err)
			web.Note(r, fault.Of(err))
			return x.showPointCode(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems}, kind, point)
		}
		if err != nil && mendable(err) {
			again, status := x.refused(r, frame{Actor: a}, kind, err)
			return x.showPointCode(w, r, status, again, kind, point)
		}
		if err != nil {
			return err
		}
		return x.added(w, r, a, f, "identity.enrol."+string(kind)+".added")
	}
}
