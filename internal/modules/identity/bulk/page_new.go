package bulk

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// newView is the page on which an act is worded, before its preview.
type newView struct {
	Act      string
	Choice   Choice
	People   int // whom the choice lets through
	Reasons  []ui.Option
	Form     newForm
	Problems web.Problems
	chosen   []ui.Fact
}

// newForm is what was typed.
type newForm struct{ Reason, From, Until, Kind, Note string }

// maxBody is as many bytes as a form with [Most] people ticked needs.
const maxBody = 512 << 10

// readChoice reads what to do and for whom; false when the act does not exist.
// Before the name of each part of the filter stands the prefix.
func readChoice(values url.Values, prefix string, by campus.Viewer) (act string, c Choice, ok bool) {
	act = values.Get("act")
	filter := url.Values{}
	for name, list := range values {
		if part, ok := strings.CutPrefix(name, prefix); ok {
			filter[part] = list
		}
	}
	c.Filter = lifecycle.ReadFilter(filter, by)
	if values.Get("of") == "ticked" {
		c.Ticked = []campus.PersonID{}
		for _, who := range values["who"] {
			if id := campus.PersonID(strings.ToValidUTF8(strings.ReplaceAll(who, "\x00", ""), "")); !slices.Contains(c.Ticked, id) && len(c.Ticked) <= Most {
				c.Ticked = append(c.Ticked, id)
			}
		}
	}
	return act, c, slices.Contains(lifecycle.Acts, act)
}

func (x *Bulk) newPage(w http.ResponseWriter, r *http.Request) error {
	act, c, ok := readChoice(r.URL.Query(), "", web.Viewer(r))
	if !ok {
		return web.PageMissing
	}
	view, err := x.newView(r, act, c, newForm{}, nil)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, newTempl(view))
}

func (x *Bulk) newView(r *http.Request, act string, c Choice, form newForm, problems web.Problems) (newView, error) {
	ctx := r.Context()
	v := newView{Act: act, Choice: c, Form: form, Problems: problems, Reasons: x.Accounts.ReasonOptions(ctx), People: len(c.Ticked)}
	if c.Ticked == nil {
		var err error
		if v.People, err = x.Accounts.Count(ctx, c.Filter); err != nil {
			return v, err
		}
		v.chosen = x.chosen(ctx, c.Filter)
	}
	return v, nil
}

// prepare lists what the act would do, and leads to that preview.
func (x *Bulk) prepare(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	by := web.Viewer(r)
	act, c, ok := readChoice(values, "for_", by)
	if !ok {
		return web.PageMissing
	}
	o, problems := x.read(values, act)
	if !problems.Any() {
		o.Event = journal.From(r)
		id, err := x.Prepare(r.Context(), by, o, c)
		switch {
		case err == nil:
			return web.SeeOther(w, r, "/identity/bulk/"+id)
		case errors.Is(err, TooMany):
			problems.Add("", "identity.bulk.problem.too_many", "limit", Most)
		case errors.Is(err, Nobody):
			problems.Add("", "identity.bulk.problem.nobody")
		default:
			return err
		}
	}
	form := newForm{Reason: values.Get("reason"), From: values.Get("from"), Until: values.Get("until"), Kind: values.Get("kind"), Note: values.Get("note")}
	view, err := x.newView(r, act, c, form, problems)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusUnprocessableEntity, newTempl(view))
}

// read turns the form into an order.
func (x *Bulk) read(values url.Values, act string) (Order, web.Problems) {
	now := x.Clock.Now()
	o := Order{Act: act, Note: strings.TrimSpace(strings.ReplaceAll(values.Get("note"), "\r\n", "\n"))}
	if act != actReopen && act != actExtend {
		decided, problems := x.Accounts.ReadOrder(values, act, now)
		o.Reason, o.Note, o.From, o.Until = decided.Reason, decided.Note, decided.From, decided.Until
		return o, problems
	}
	var problems web.Problems
	if act == actExtend {
		o.Note = "" // a registration has none
		if o.Kind = campus.Kind(values.Get("kind")); !slices.Contains(campus.Kinds, o.Kind) {
			problems.Add("kind", "identity.bulk.problem.kind")
		}
		until, err := lifecycle.ParseDay(strings.TrimSpace(values.Get("until")), x.Zone)
		switch {
		case err != nil:
			problems.Add("until", "identity.lifecycle.problem.day")
		case !until.After(now):
			problems.Add("until", "identity.bulk.problem.until_past")
		default:
			o.Until = until
		}
	}
	if utf8.RuneCountInString(o.Note) > lifecycle.MaxNote {
		problems.Add("note", "identity.lifecycle.problem.note_long", "limit", lifecycle.MaxNote)
	}
	return o, problems
}
