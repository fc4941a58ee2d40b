package privacy

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// decideView is the decision about an erasure, room by room; Confirm is its second
// step.
type decideView struct {
	Request
	Name, Login string
	Closed      bool // nobody uses the account any more
	Plans       []planView
	Answer      string
	Confirm     bool
	Problems    web.Problems
}

// planView is what would be done with one room, and what the officer chose.
type planView struct {
	erasure.Plan
	Name  string
	Keep  bool
	Words string // why it is kept
}

// roomPrefix and whyPrefix begin the names of the fields of a room.
const (
	roomPrefix = "room."
	whyPrefix  = "why."
)

// decision gathers what an erasure would do, with the choices of a form; nil for
// none yet: what the law lets go then goes.
func (m *Module) decision(r *http.Request, chosen url.Values) (decideView, error) {
	ctx := r.Context()
	q, err := m.caseOf(r)
	if err != nil {
		return decideView{}, err
	}
	if q.Kind != Erasure || !q.Decidable() {
		return decideView{}, RequestOver
	}
	who, known, err := m.erasures.Traced(ctx, q.Person)
	if err != nil {
		return decideView{}, err
	}
	plans, err := m.erasures.Preview(ctx, who, known, nil)
	if err != nil {
		return decideView{}, err
	}
	view := decideView{Request: q, Name: displayName(known), Login: known.Subject.Login, Closed: known.State == "closed" || known.State == "invited"}
	for _, p := range plans {
		line := planView{Plan: p, Name: roomName(ctx, p.Room)}
		switch {
		case p.Hold:
			line.Keep, line.Words = true, p.Kept
		case chosen != nil:
			line.Keep, line.Words = chosen.Get(roomPrefix+p.Room) == "keep", formText(chosen, whyPrefix+p.Room)
		case !view.Closed: // who goes on studying keeps their account, and the request with its answer
			line.Keep = p.Register || p.Room == m.Name()
		}
		view.Plans = append(view.Plans, line)
	}
	err = m.Looked(ctx, contract.Look{By: web.Viewer(r).Person, About: q.Person, As: campus.RightPrivacy, What: "privacy.look_preview"})
	return view, err
}

func (m *Module) decidePage(w http.ResponseWriter, r *http.Request) error {
	view, err := m.decision(r, nil)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, decideTempl(view))
}

// check says what is missing in a decision: each room that keeps something has its
// reason, and the person is told something.
func (v *decideView) check() {
	for _, p := range v.Plans {
		if p.Keep && !p.Hold && p.Words == "" {
			v.Problems.Add(whyPrefix+p.Room, "privacy.why_missing")
		}
		if !p.Keep && p.Register && !v.Closed {
			v.Problems.Add(roomPrefix+p.Room, "privacy.account_still_open")
		}
	}
	checkText(&v.Problems, "answer", v.Answer)
}

// kept are the rooms that keep what they have, with the reasons.
func (v decideView) kept() map[string]string {
	kept := map[string]string{}
	for _, p := range v.Plans {
		if p.Keep {
			kept[p.Room] = p.Words
		}
	}
	return kept
}

// rows is how many rows the decision would erase or clear.
func (v decideView) rows() (n int64) {
	for _, p := range v.Plans {
		if !p.Keep {
			n += p.Rows()
		}
	}
	return n
}

// decide is the first step: it shows once more what would happen, and asks for the
// login.
func (m *Module) decide(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view, err := m.decision(r, values)
	if err != nil {
		return err
	}
	view.Answer = formText(values, "answer")
	if view.check(); view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, decideTempl(view))
	}
	view.Confirm = true
	return web.Render(w, r, http.StatusOK, decideTempl(view))
}

// eraseCase is the second step: the login of the person is typed, and who types it
// proves anew who they are.
func (m *Module) eraseCase(w http.ResponseWriter, r *http.Request) error {
	if ok, err := m.Confirm(w, r); !ok || err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view, err := m.decision(r, values)
	if err != nil {
		return err
	}
	view.Answer, view.Confirm = formText(values, "answer"), true
	if view.check(); !view.Problems.Any() && !strings.EqualFold(formText(values, "login"), view.Login) {
		view.Problems.Add("login", "privacy.login_differs")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, decideTempl(view))
	}
	if err := m.DecideErasure(r.Context(), view.Request, web.Viewer(r).Person, view.Answer, view.kept()); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.erasing")
	return web.SeeOther(w, r, "/privacy/desk/"+view.ID)
}
