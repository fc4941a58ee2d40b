package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const pageURL = "/helpdesk/setup/programs"

// programsView is the page of tokens and webhooks.
type programsView struct {
	Tokens   [][]ui.Cell
	Hooks    [][]ui.Cell
	Queues   []ui.Option
	Campuses []ui.Option
	Kinds    []ui.Option
	Shapes   []ui.Option
	Lives    []ui.Option
	Fresh    string // a secret that was just made
	Address  string // where the program knocks with it
	Label    string
	Problems web.Problems
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.programs."+key, pairs...)
}

func (a *API) programsPage(w http.ResponseWriter, r *http.Request) error {
	return a.render(w, r, http.StatusOK, programsView{})
}

func (a *API) render(w http.ResponseWriter, r *http.Request, status int, v programsView) error {
	ctx := r.Context()
	queues, err := a.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if q.ClosedAt.IsZero() {
			v.Queues = append(v.Queues, ui.Option{Value: q.ID, Label: q.Name(i18n.Locale(ctx))})
		}
	}
	for _, p := range a.Places.Campuses() {
		v.Campuses = append(v.Campuses, ui.Option{Value: p.Code, Label: p.Name(i18n.Locale(ctx))})
	}
	for _, kind := range Kinds {
		v.Kinds = append(v.Kinds, ui.Option{Value: kind, Label: t(ctx, "kind."+strings.TrimPrefix(kind, "ticket."))})
	}
	for _, shape := range shapes {
		v.Shapes = append(v.Shapes, ui.Option{Value: shape, Label: t(ctx, "shape."+shape)})
	}
	for _, days := range []int{30, 90, 180, usualDays, mostDays} {
		v.Lives = append(v.Lives, ui.Option{Value: strconv.Itoa(days), Label: t(ctx, "days", "count", days)})
	}
	tokens, err := a.tokens(ctx)
	if err != nil {
		return err
	}
	for _, one := range tokens {
		used, last := ui.TextCell(t(ctx, "never")), ui.BodyCell(revokeTempl(one))
		if !one.UsedAt.IsZero() {
			used = ui.BodyCell(ui.When(one.UsedAt, i18n.Moment))
		}
		switch {
		case !one.RevokedAt.IsZero():
			last = ui.BodyCell(ui.Tag("", t(ctx, "revoked")))
		case !one.Holds(a.Clock.Now()):
			last = ui.BodyCell(ui.Tag("", t(ctx, "ended")))
		}
		v.Tokens = append(v.Tokens, []ui.Cell{ui.TextCell(one.Label), ui.TextCell(may(ctx, one)), used, ui.BodyCell(ui.When(one.EndsAt, i18n.Day)), last})
	}
	hooks, err := a.hooks(ctx, a.DB.Read(), "")
	if err != nil {
		return err
	}
	for _, h := range hooks {
		v.Hooks = append(v.Hooks, []ui.Cell{ui.LinkCell(h.Label, pageURL+"/hooks/"+h.ID), ui.TextCell(h.Host), ui.TextCell(t(ctx, "shape."+h.Shape)), ui.BodyCell(removeTempl(h))})
	}
	return web.Render(w, r, status, programsTempl(v))
}

// may says what a token allows.
func may(ctx context.Context, one Token) string {
	list := []string{t(ctx, "reads")}
	if one.Writes {
		list = append(list, t(ctx, "writes"))
	}
	if one.Hooks {
		list = append(list, t(ctx, "hooks"))
	}
	return strings.Join(list, ", ")
}

// chosen are the values of a field that are among the options.
func chosen(values, among []string) ([]string, bool) {
	for _, one := range values {
		if !slices.Contains(among, one) {
			return nil, false
		}
	}
	return values, true
}

func (a *API) reachOf(ctx context.Context, queues, campuses []string) (Reach, bool, error) {
	all, err := a.Tickets.Queues(ctx)
	if err != nil {
		return Reach{}, false, err
	}
	var known, places []string
	for _, q := range all {
		known = append(known, q.ID)
	}
	for _, p := range a.Places.Campuses() {
		places = append(places, p.Code)
	}
	q, here := chosen(queues, known)
	c, there := chosen(campuses, places)
	return Reach{q, c}, here && there, nil
}

func (a *API) makeToken(w http.ResponseWriter, r *http.Request) error {
	if ok, err := a.Confirm(w, r); err != nil || !ok {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	v := programsView{Label: strings.TrimSpace(form.Get("label"))}
	if v.Label == "" || utf8.RuneCountInString(v.Label) > 80 {
		v.Problems.Add("label", "helpdesk.programs.label_unfit", "most", 80)
	}
	days, err := strconv.Atoi(form.Get("days"))
	if err != nil || days < 1 || days > mostDays {
		v.Problems.Add("days", "helpdesk.programs.days_unfit", "most", mostDays)
	}
	reach, ok, err := a.reachOf(r.Context(), form["queues"], form["campuses"])
	if err != nil {
		return err
	}
	if !ok {
		v.Problems.Add("queues", "helpdesk.programs.queue_unfit")
	}
	if v.Problems.Any() {
		return a.render(w, r, http.StatusUnprocessableEntity, v)
	}
	_, secret, err := a.AddToken(r.Context(), Token{Label: v.Label, Writes: form.Get("writes") != "", Hooks: form.Get("hooks") != "", Reach: reach, MadeBy: web.Viewer(r).Person}, days)
	if err != nil {
		return err
	}
	// Shown here and nowhere else: no redirect could carry it.
	return a.render(w, r, http.StatusOK, programsView{Fresh: secret, Address: web.Absolute(r, root)})
}

func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := a.Revoke(r.Context(), r.PathValue("id"), web.Viewer(r).Person); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.programs.revoked_now")
	return web.SeeOther(w, r, pageURL)
}

func (a *API) makeHook(w http.ResponseWriter, r *http.Request) error {
	if ok, err := a.Confirm(w, r); err != nil || !ok {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	h, err := a.AddHook(r.Context(), HookOrder{Label: form.Get("name"), URL: form.Get("address"), Shape: form.Get("shape"), Kinds: form["kinds"], Queues: form["only"]}, Reach{}, "", string(web.Viewer(r).Person))
	if f := fault.Of(err); err != nil && (f.Reason == AddressUnfit || f.Reason == Unfit) {
		var v programsView
		if f.Reason == AddressUnfit {
			v.Problems.Add("address", "helpdesk.programs.address_unfit")
		} else {
			v.Problems.Add("name", "helpdesk.programs.hook_unfit")
		}
		return a.render(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	return a.render(w, r, http.StatusOK, programsView{Fresh: h.Secret, Address: h.Host})
}

func (a *API) removeHook(w http.ResponseWriter, r *http.Request) error {
	if err := a.DropHook(r.Context(), r.PathValue("id"), ""); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.programs.removed_now")
	return web.SeeOther(w, r, pageURL)
}

func (a *API) hookPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	found, err := a.hooks(ctx, a.DB.Read(), " WHERE id = $1", r.PathValue("id"))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return Unknown
	}
	all, err := a.deliveries(ctx, found[0].ID)
	if err != nil {
		return err
	}
	var rows [][]ui.Cell
	for _, d := range all {
		what := t(ctx, "state."+d.State)
		if d.Status != 0 {
			what += " (" + strconv.Itoa(d.Status) + ")"
		}
		rows = append(rows, []ui.Cell{ui.TextCell(t(ctx, "kind."+strings.TrimPrefix(d.Kind, "ticket."))), ui.LinkCell(d.Ticket, "/helpdesk/tickets/"+d.Ticket), ui.BodyCell(ui.When(d.MadeAt, i18n.Moment)), ui.TextCell(what), ui.TextCell(d.Problem), ui.BodyCell(againTempl(d))})
	}
	return web.Render(w, r, http.StatusOK, hookTempl(found[0], rows))
}

func (a *API) sendAgain(w http.ResponseWriter, r *http.Request) error {
	if err := a.Again(r.Context(), "", r.PathValue("id")); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.programs.sent_again")
	return web.SeeOther(w, r, pageURL)
}
