package privacy

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// dueView is whose time for keeping data is over.
type dueView struct {
	Lines     []dueLine
	Total     int
	Turn      turn
	Automatic bool
}

type dueLine struct {
	erasure.Erasure
	Name, Login string
	Holds       []erasure.Hold // that stop it
}

func (m *Module) duePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	_, total, err := m.erasures.List(ctx, erasure.Proposed, 0, 0)
	if err != nil {
		return err
	}
	view := dueView{Total: total, Turn: turnOf(r, total, "/privacy/due?"), Automatic: m.config.Due == dueAutomatic}
	list, _, err := m.erasures.List(ctx, erasure.Proposed, pageSize, view.Turn.skip())
	if err != nil {
		return err
	}
	ids := make([]campus.PersonID, len(list))
	for i, x := range list {
		ids[i] = x.Person
	}
	known, err := m.Register.KnownPeople(ctx, ids)
	if err != nil {
		return err
	}
	for _, x := range list {
		line := dueLine{Erasure: x}
		if k, ok := known[x.Person]; ok {
			line.Name, line.Login = displayName(k), k.Subject.Login
			if line.Holds, err = m.erasures.HoldsOn(ctx, k); err != nil {
				return err
			}
		}
		view.Lines = append(view.Lines, line)
	}
	return web.Render(w, r, http.StatusOK, dueTempl(view))
}

// dueOneView is one erasure that was proposed, and what it would do.
type dueOneView struct {
	dueLine
	Plans []planView
}

func (m *Module) dueOnePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	x, err := m.erasures.Of(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if x.State != erasure.Proposed {
		return erasure.Over
	}
	who, known, err := m.erasures.Traced(ctx, x.Person)
	if err != nil {
		return err
	}
	plans, err := m.erasures.Preview(ctx, who, known, x.Kept)
	if err != nil {
		return err
	}
	view := dueOneView{dueLine: dueLine{Erasure: x, Name: displayName(known), Login: known.Subject.Login}}
	if view.Holds, err = m.erasures.HoldsOn(ctx, known); err != nil {
		return err
	}
	for _, p := range plans {
		view.Plans = append(view.Plans, planView{Plan: p, Name: roomName(ctx, p.Room), Keep: p.Hold})
	}
	look := contract.Look{By: web.Viewer(r).Person, About: x.Person, As: campus.RightPrivacy, What: "privacy.look_preview"}
	if err := m.Looked(ctx, look); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, dueOneTempl(view))
}

func (m *Module) letDue(w http.ResponseWriter, r *http.Request) error {
	if ok, err := m.Confirm(w, r); !ok || err != nil {
		return err
	}
	if err := m.erasures.Let(r.Context(), r.PathValue("id"), web.Viewer(r).Person); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.erasing")
	return web.SeeOther(w, r, "/privacy/due")
}

func (m *Module) dismissDue(w http.ResponseWriter, r *http.Request) error {
	if err := m.erasures.Dismiss(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.dismissed")
	return web.SeeOther(w, r, "/privacy/due")
}
