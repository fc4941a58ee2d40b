package counter

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func kindOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, kind := range keyKinds {
		options = append(options, ui.Option{Value: kind, Label: t(ctx, "device."+kind)})
	}
	return options
}

// The setup of counters.
const (
	setupURL = "/helpdesk/setup/counters"
	newCode  = "new"
	// blank is how many empty reasons a form offers besides those that there are.
	blank        = 3
	mostPurposes = 12
)

func (x *Reception) setupPage(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	items, err := x.Counters.All(ctx)
	if err != nil {
		return err
	}
	var rows []ui.RowProps
	for _, item := range items {
		row := ui.RowProps{Icon: "building", Title: item.Of.Name.In(l), Detail: x.around(l, Desk{item.ID, item.Of}), URL: setupURL + "/" + item.ID}
		if item.Of.Closed {
			row.Tag = t(ctx, "setup.closed")
		}
		rows = append(rows, row)
	}
	return web.Render(w, r, http.StatusOK, setupTempl(rows))
}

// editView is the form of a counter.
type editView struct {
	Code, Title                 string
	Form                        url.Values
	Problems                    web.Problems
	Campuses, Queues, Calendars []ui.Option
	Purposes                    int // rows of the form
}

func (x *Reception) editPage(w http.ResponseWriter, r *http.Request) error {
	item := kept.Item[Counter]{Of: Counter{Minutes: 15, AtOnce: 1, Lead: 2, Horizon: 30, WalkIn: true}}
	if r.PathValue("id") != newCode {
		var err error
		if item, err = x.Counters.One(r.Context(), r.PathValue("id")); err != nil {
			return err
		}
	}
	return x.showEdit(w, r, http.StatusOK, editView{Form: formOf(item)})
}

// numberFields are the figures of a counter, with their bounds.
var numberFields = []struct {
	name        string
	least, most int
	of          func(*Counter) *int
}{
	{"minutes", 5, 240, func(c *Counter) *int { return &c.Minutes }},
	{"at_once", 1, 50, func(c *Counter) *int { return &c.AtOnce }},
	{"lead", 0, 240, func(c *Counter) *int { return &c.Lead }},
	{"horizon", 1, 120, func(c *Counter) *int { return &c.Horizon }},
}

// purposeField names a field of one of the reasons.
func purposeField(i int, what string) string { return fmt.Sprintf("p%d_%s", i, what) }

func formOf(item kept.Item[Counter]) url.Values {
	c := item.Of
	form := url.Values{
		"name_fr": {c.Name.French}, "name_en": {c.Name.English}, "room": {c.Room}, "campus": {c.Campus}, "queue": {c.Queue}, "calendar": {c.Calendar}, "windows": {strings.Join(c.Windows, "\n")},
		"version": {strconv.FormatInt(item.Version, 10)},
	}
	for _, f := range numberFields {
		form.Set(f.name, strconv.Itoa(*f.of(&c)))
	}
	if c.WalkIn {
		form.Set("walk_in", "on")
	}
	if c.Closed {
		form.Set("closed", "on")
	}
	for i, p := range c.Purposes {
		for what, value := range map[string]string{"id": p.ID, "fr": p.Name.French, "en": p.Name.English, "bring_fr": p.Bring.French, "bring_en": p.Bring.English} {
			form.Set(purposeField(i, what), value)
		}
		if p.Identity {
			form.Set(purposeField(i, "identity"), "on")
		}
	}
	return form
}

func (x *Reception) showEdit(w http.ResponseWriter, r *http.Request, status int, view editView) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	view.Code, view.Title = r.PathValue("id"), t(ctx, "setup.add")
	if view.Code != newCode {
		view.Title = hours.Named{French: view.Form.Get("name_fr"), English: view.Form.Get("name_en")}.In(l)
	}
	for _, p := range x.Places.Campuses() {
		view.Campuses = append(view.Campuses, ui.Option{Value: p.Code, Label: p.Name(l)})
	}
	queues, err := x.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if q.ClosedAt.IsZero() {
			view.Queues = append(view.Queues, ui.Option{Value: q.ID, Label: q.Name(l)})
		}
	}
	plans, err := x.Calendars.Plans.All(ctx)
	if err != nil {
		return err
	}
	for _, p := range plans {
		view.Calendars = append(view.Calendars, ui.Option{Value: p.ID, Label: p.Of.Name.In(l)})
	}
	for view.Form.Get(purposeField(view.Purposes, "fr"))+view.Form.Get(purposeField(view.Purposes, "en")) != "" {
		view.Purposes++
	}
	view.Purposes = min(view.Purposes+blank, mostPurposes)
	return web.Render(w, r, status, editTempl(view))
}

// keep writes a counter.
func (x *Reception) keep(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	item := kept.Item[Counter]{}
	if r.PathValue("id") != newCode {
		if item, err = x.Counters.One(r.Context(), r.PathValue("id")); err != nil {
			return err
		}
		if item.Version, err = strconv.ParseInt(values.Get("version"), 10, 64); err != nil || item.Version == 0 {
			return kept.Changed
		}
	}
	view := editView{Form: values}
	if item.Of, err = x.readCounter(r.Context(), values, &view.Problems); err != nil {
		return err
	}
	if view.Problems.Any() {
		return x.showEdit(w, r, http.StatusUnprocessableEntity, view)
	}
	if item.ID == "" {
		if item.ID, err = x.freeCode(r.Context(), item.Of); err != nil {
			return err
		}
	}
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		_, err := x.Counters.Keep(r.Context(), tx, web.Viewer(r).Person, item)
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.setup.kept")
	return web.SeeOther(w, r, setupURL)
}

// readCounter reads the form of a counter.
func (x *Reception) readCounter(ctx context.Context, values url.Values, problems *web.Problems) (Counter, error) {
	line := func(field string) string {
		text := campus.OneLine(values.Get(field))
		if len(text) > 2*maxName {
			problems.Add(field, "helpdesk.counter.problem.long", "limit", 2*maxName)
		}
		return text
	}
	c := Counter{
		Name: hours.Named{French: line("name_fr"), English: line("name_en")}, Room: line("room"), Campus: values.Get("campus"), Queue: values.Get("queue"), Calendar: values.Get("calendar"),
		Windows: readWindows(values.Get("windows"), problems), WalkIn: values.Get("walk_in") != "", Closed: values.Get("closed") != "",
	}
	if c.Name == (hours.Named{}) {
		problems.Add("name_fr", "helpdesk.counter.problem.counter_name")
	}
	for _, f := range numberFields {
		n, err := strconv.Atoi(strings.TrimSpace(values.Get(f.name)))
		if err != nil || n < f.least || n > f.most {
			problems.Add(f.name, "helpdesk.counter.problem.figure", "least", f.least, "most", f.most)
		}
		*f.of(&c) = n
	}
	for i := range mostPurposes {
		p := Purpose{
			ID: values.Get(purposeField(i, "id")), Name: hours.Named{French: line(purposeField(i, "fr")), English: line(purposeField(i, "en"))},
			Bring: hours.Named{French: line(purposeField(i, "bring_fr")), English: line(purposeField(i, "bring_en"))}, Identity: values.Get(purposeField(i, "identity")) != "",
		}
		if p.Name == (hours.Named{}) {
			continue
		}
		if p.ID == "" || slug(p.ID) != p.ID {
			p.ID = slug(p.Name.In(campus.French))
		}
		for slices.ContainsFunc(c.Purposes, func(other Purpose) bool { return other.ID == p.ID }) {
			p.ID += "-2"
		}
		c.Purposes = append(c.Purposes, p)
	}
	if len(c.Purposes) == 0 {
		problems.Add(purposeField(0, "fr"), "helpdesk.counter.problem.purposes")
	}
	if c.Campus != "" && !slices.ContainsFunc(x.Places.Campuses(), func(p place.Place) bool { return p.Code == c.Campus }) {
		problems.Add("campus", "helpdesk.counter.problem.choose")
	}
	if c.Queue != "" {
		if _, err := x.Tickets.Queue(ctx, c.Queue); err != nil {
			problems.Add("queue", "helpdesk.counter.problem.choose")
		}
	}
	if c.Calendar != "" {
		if _, err := x.Calendars.Plans.One(ctx, c.Calendar); err != nil {
			problems.Add("calendar", "helpdesk.counter.problem.choose")
		}
	}
	return c, nil
}

// slug makes a word for addresses of a name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range campus.Fold(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	word := strings.Trim(b.String(), "-")
	if word == "" {
		return "counter"
	}
	return strings.Trim(word[:min(len(word), 40)], "-")
}

// freeCode is a code for a new counter that no other one has.
func (x *Reception) freeCode(ctx context.Context, c Counter) (string, error) {
	items, err := x.Counters.All(ctx)
	if err != nil {
		return "", err
	}
	code := slug(c.Name.In(campus.French))
	taken := func(code string) bool {
		return code == newCode || slices.ContainsFunc(items, func(i kept.Item[Counter]) bool { return i.ID == code })
	}
	for n, first := 2, code; taken(code); n++ {
		code = first + "-" + strconv.Itoa(n)
	}
	return code, nil
}

// numberKey is the label of a figure: the lead of a page is another one.
func numberKey(field string) string {
	if field == "lead" {
		return "setup.lead_hours"
	}
	return "setup." + field
}
