package bulk

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	// listSize is how many people a page of an order names.
	listSize = 50
	// again is how often the page of an order under way asks anew.
	again = 3 * time.Second
)

// orderView is one order: the preview, its progress or its report.
type orderView struct {
	Order
	Tallies []tally
	Of      Outcome // whom the list shows; empty for everybody
	Lines   []lineView
	Pages   ui.PagerProps
	Asker   string // name of who asked for it
	Undoer  string // name of who took it back
	Mine    bool   // the reader asked for it
	Can     bool   // it can be taken back
	Typed   string
	Problem web.Problems
	chosen  []ui.Fact
	reason  string
}

// lineView is one person of the list; Name is empty for somebody whom the reader
// does not look after.
type lineView struct {
	Line
	Name, Login string
}

func (x *Bulk) orderPage(w http.ResponseWriter, r *http.Request) error {
	o, err := x.Order(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return x.show(w, r, http.StatusOK, o, "", nil)
}

func (x *Bulk) show(w http.ResponseWriter, r *http.Request, status int, o Order, typed string, problems web.Problems) error {
	ctx, by, q := r.Context(), web.Viewer(r), r.URL.Query()
	view := orderView{
		Order: o, Mine: o.AskedBy == by.Person, Can: o.Undoable(x.Clock.Now()), Typed: typed, Problem: problems,
		reason: x.reasonOf(ctx, o.Reason),
	}
	if !o.Ticked {
		query, err := url.ParseQuery(o.Chosen)
		if err != nil {
			return fmt.Errorf("read the filter of order %s: %w", o.ID, err)
		}
		view.chosen = x.chosen(ctx, lifecycle.ReadFilter(query, by))
	}
	if of := Outcome(q.Get("of")); slices.Contains(Outcomes, of) {
		view.Of = of
	}
	var err error
	if view.Tallies, err = x.tallies(ctx, o.ID); err != nil {
		return err
	}
	page := 1
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 0 && n <= Most {
		page = n
	}
	pages := max(1, (view.count(view.Of)+listSize-1)/listSize)
	view.Pages = ui.PagerProps{Page: min(page, pages), Pages: pages, URL: func(n int) string { return view.url(view.Of) + "&page=" + strconv.Itoa(n) }}
	if view.Lines, err = x.lines(ctx, by, o.ID, view.Of, listSize, (view.Pages.Page-1)*listSize); err != nil {
		return err
	}
	if view.Asker, err = x.nameOf(ctx, o.AskedBy); err != nil {
		return err
	}
	if view.Undoer, err = x.nameOf(ctx, o.UndoneBy); err != nil {
		return err
	}
	if o.State.UnderWay() {
		w.Header().Set("Refresh", web.Seconds(again)+"; url=/identity/bulk/"+o.ID)
	}
	return web.Render(w, r, status, orderTempl(view))
}

// lines reads a page of the list, with the names of those whom the reader looks
// after.
func (x *Bulk) lines(ctx context.Context, by campus.Viewer, id string, of Outcome, size, skip int) ([]lineView, error) {
	rows, err := sqlgen.New(x.DB.Read()).List(ctx, sqlgen.ListParams{OrderID: id, Outcome: string(of), Size: int32(size), Skip: int32(skip)})
	if err != nil {
		return nil, fmt.Errorf("list the people of an order: %w", err)
	}
	ids := make([]campus.PersonID, len(rows))
	for i, r := range rows {
		ids[i] = campus.PersonID(r.PersonID)
	}
	people, err := x.Accounts.PeopleOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	named := map[campus.PersonID]account.Person{}
	for _, p := range people {
		if by.CanFor(campus.RightSecretariat, p.Affiliations) {
			named[p.ID] = p
		}
	}
	list := make([]lineView, len(rows))
	for i, l := range linesOf(rows) {
		p := named[l.Person]
		list[i] = lineView{Line: l, Name: p.DisplayName(), Login: p.Login}
	}
	return list, nil
}

// nameOf is somebody's name; empty for nobody, and for who is no more.
func (x *Bulk) nameOf(ctx context.Context, who campus.PersonID) (string, error) {
	if who == "" {
		return "", nil
	}
	p, err := x.People.PersonByID(ctx, who)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return "", err
	}
	return p.DisplayName(), nil
}

// reasonOf is a reason of the institution's list as people read it; its code when
// the list no longer has it.
func (x *Bulk) reasonOf(ctx context.Context, code string) string {
	for _, o := range x.Accounts.ReasonOptions(ctx) {
		if o.Value == code {
			return o.Label
		}
	}
	return code
}

// chosen words a filter.
func (x *Bulk) chosen(ctx context.Context, f lifecycle.Filter) []ui.Fact {
	var list []ui.Fact
	add := func(key, value string) {
		if value != "" {
			list = append(list, ui.Fact{Label: i18n.T(ctx, "identity.lifecycle.accounts."+key), Text: value})
		}
	}
	add("search", f.Words)
	if f.State != "" {
		add("by_state", i18n.T(ctx, "identity.lifecycle.state."+string(f.State)))
	}
	if f.Kind != "" {
		add("by_kind", i18n.T(ctx, "identity.lifecycle.kind."+string(f.Kind)))
	}
	l := i18n.Locale(ctx)
	add("by_campus", place.NameOf(x.Places.Campuses(), f.Campus, l))
	add("by_programme", place.NameOf(x.Places.Programmes(), f.Programme, l))
	return list
}

// start begins what the preview shows, once the number of accounts is typed.
func (x *Bulk) start(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	by := web.Viewer(r)
	o, err := x.Order(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return err
	}
	typed := strings.TrimSpace(values.Get("number"))
	if n, err := strconv.Atoi(typed); o.State == Preview && (err != nil || n != o.Changes || n == 0) {
		var problems web.Problems
		problems.Add("number", "identity.bulk.problem.number", "count", o.Changes)
		return x.show(w, r, http.StatusUnprocessableEntity, o, typed, problems)
	}
	if err := x.Start(r.Context(), by, o); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/identity/bulk/"+o.ID)
}

func (x *Bulk) drop(w http.ResponseWriter, r *http.Request) error {
	o, err := x.Order(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := x.Drop(r.Context(), web.Viewer(r), o); err != nil {
		return err
	}
	web.Flash(w, r, "identity.bulk.dropped")
	return web.SeeOther(w, r, "/identity/bulk")
}

func (x *Bulk) undo(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	o, err := x.Order(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := x.Undo(r.Context(), web.Viewer(r), o, journal.From(r)); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/identity/bulk/"+o.ID)
}

// count is how many people have an outcome; all for the empty one.
func (v orderView) count(of Outcome) int {
	n := 0
	for _, t := range v.Tallies {
		if of == "" || t.Outcome == of {
			n += t.People
		}
	}
	return n
}

func (v orderView) url(of Outcome) string {
	return "/identity/bulk/" + v.ID + "?" + url.Values{"of": {string(of)}}.Encode()
}

// progress is how far the order is: people dealt with, of how many.
func (v orderView) progress() (done, of int) {
	if v.State == Undoing {
		done = v.count(TakenOff) + v.count(Kept)
		return done, done + v.count(Changed)
	}
	done = v.count(Changed) + v.count(Refused)
	return done, done + v.count(Planned)
}

// whyNot are the reasons of those who do not change, most frequent first.
func (v orderView) whyNot(ctx context.Context, of Outcome) []ui.Fact {
	people, order := map[string]int{}, []string{}
	for _, t := range v.Tallies {
		if t.Outcome != of {
			continue
		}
		words := why(ctx, t.Why, t.WasState)
		if people[words] == 0 {
			order = append(order, words)
		}
		people[words] += t.People
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(people[b], people[a]) })
	var list []ui.Fact
	for _, words := range order {
		list = append(list, ui.Fact{Label: words, Text: i18n.T(ctx, "identity.bulk.accounts", "count", people[words])})
	}
	return list
}

// why words the reason code of somebody who does not change.
func why(ctx context.Context, code string, was account.State) string {
	switch code {
	case "":
		return ""
	case lifecycle.Impossible.Code():
		return t(ctx, "why.state", "state", i18n.T(ctx, "identity.lifecycle.state."+string(was)))
	}
	return i18n.T(ctx, code+".title")
}
