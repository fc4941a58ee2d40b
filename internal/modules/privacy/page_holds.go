package privacy

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// holdsView is what must not be erased.
type holdsView struct {
	Lines []holdLine
	Turn  turn
	Rooms []roomView // for the choice of one
	Form  holdForm
	Now   time.Time
}

type holdLine struct {
	erasure.Hold
	Name, By, RoomName string
}

// holdForm is a new hold as it is written; Until is a day of the calendar.
type holdForm struct {
	Login, Kind, Room, Reason, Until string
	Problems                         web.Problems
}

func (m *Module) holdsPage(w http.ResponseWriter, r *http.Request) error {
	return m.showHolds(w, r, http.StatusOK, holdForm{})
}

func (m *Module) showHolds(w http.ResponseWriter, r *http.Request, status int, form holdForm) error {
	ctx := r.Context()
	_, total, err := m.erasures.Holds(ctx, 0, 0)
	if err != nil {
		return err
	}
	view := holdsView{Turn: turnOf(r, total, "/privacy/holds?"), Form: form, Now: m.Clock.Now()}
	holds, _, err := m.erasures.Holds(ctx, pageSize, view.Turn.skip())
	if err != nil {
		return err
	}
	var ids []campus.PersonID
	for _, h := range holds {
		ids = append(ids, h.Person, h.PlacedBy)
	}
	names, err := m.names(ctx, ids...)
	if err != nil {
		return err
	}
	for _, h := range holds {
		line := holdLine{Hold: h, Name: names[h.Person], By: names[h.PlacedBy]}
		if h.Room != "" {
			line.RoomName = roomName(ctx, h.Room)
		}
		view.Lines = append(view.Lines, line)
	}
	for _, room := range m.Rooms() {
		if _, ok := room.(contract.PersonalData); ok {
			view.Rooms = append(view.Rooms, roomView{Room: room.Name(), Name: roomName(ctx, room.Name())})
		}
	}
	return web.Render(w, r, status, holdsTempl(view))
}

func (m *Module) placeHold(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := holdForm{
		Login: strings.ToLower(formText(values, "login")), Kind: formText(values, "kind"), Room: formText(values, "room"),
		Reason: formText(values, "reason"), Until: formText(values, "until"),
	}
	hold := erasure.Hold{Room: form.Room, Reason: form.Reason, PlacedBy: web.Viewer(r).Person}
	checkText(&form.Problems, "reason", form.Reason)
	switch {
	case (form.Login == "") == (form.Kind == ""):
		form.Problems.Add("login", "privacy.hold_whom")
	case form.Kind != "":
		if hold.Kind = campus.Kind(form.Kind); !slices.Contains(campus.Kinds, hold.Kind) {
			form.Problems.Add("kind", "privacy.hold_whom")
		}
	default:
		if hold.Person, err = m.byLogin(ctx, form.Login); isReason(err, erasure.PersonMissing) {
			form.Problems.Add("login", "privacy.login_unknown")
		} else if err != nil {
			return err
		}
	}
	if form.Room != "" && !slices.ContainsFunc(m.Rooms(), func(room contract.Module) bool { return room.Name() == form.Room }) {
		form.Problems.Add("room", "privacy.room_unknown")
	}
	if form.Until != "" {
		day, err := time.ParseInLocation(time.DateOnly, form.Until, m.Zone)
		if err != nil || !day.After(m.Clock.Now()) {
			form.Problems.Add("until", "privacy.until_past")
		}
		hold.Until = day
	}
	if form.Problems.Any() {
		return m.showHolds(w, r, http.StatusUnprocessableEntity, form)
	}
	if err := m.erasures.PlaceHold(ctx, hold); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.held")
	return web.SeeOther(w, r, "/privacy/holds")
}

func (m *Module) liftHold(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), web.Viewer(r).Person
	onSelf, err := m.erasures.HoldsOn(ctx, contract.Known{ID: who})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(onSelf, func(h erasure.Hold) bool { return h.ID == r.PathValue("id") }) {
		return OwnCase
	}
	if err := m.erasures.LiftHold(ctx, r.PathValue("id"), who); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.lifted")
	return web.SeeOther(w, r, "/privacy/holds")
}
