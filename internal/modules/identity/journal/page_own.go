package journal

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	perPage     = 30
	monthLayout = "2006-01"
)

// choice is what somebody looks for, as the address of a page holds it.
type choice struct {
	Month   string // such as 2026-11; empty for any
	Subject string // key of a subject; empty for any
	Before  int64  // page on from this event
}

func readChoice(r *http.Request) choice {
	q := r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64) // not a number: from the newest on
	return choice{Month: q.Get("month"), Subject: q.Get("subject"), Before: max(0, before)}
}

// filter is the choice as a search, months being those of the zone. A month that
// is none means any.
func (c choice) filter(zone *time.Location) filter {
	f := filter{Kinds: kindsOf(c.Subject), Before: c.Before}
	if month, err := time.ParseInLocation(monthLayout, c.Month, zone); err == nil {
		f.Since, f.Until = month, month.AddDate(0, 1, 0)
	}
	return f
}

// query is the choice as the parameters of an address, from an event on.
func (c choice) query(before int64) string {
	q := url.Values{}
	for name, value := range map[string]string{"month": c.Month, "subject": c.Subject} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// ownView is the page about the viewer's own account.
type ownView struct {
	Choice choice
	Months []ui.Option
	Lines  []line
	Older  string // address of the next page; empty at the end
}

// line is one event in words.
type line struct {
	Entry
	Words, From, By string
	Disownable      bool
}

func (j *Journal) ownPage(w http.ResponseWriter, r *http.Request) error {
	c, who := readChoice(r), web.Viewer(r).Person
	f := c.filter(j.zone)
	f.Person = who
	found, err := j.search(r.Context(), f, perPage+1)
	if err != nil {
		return err
	}
	view := ownView{Choice: c, Months: j.months(r)}
	if len(found) > perPage {
		found = found[:perPage]
		view.Older = "/identity/journal" + c.query(found[perPage-1].Seq)
	}
	for _, e := range found {
		view.Lines = append(view.Lines, j.line(r, e, who))
	}
	return web.Render(w, r, http.StatusOK, ownTempl(view))
}

// line words an event for its own person.
func (j *Journal) line(r *http.Request, e Entry, who campus.PersonID) line {
	ctx := r.Context()
	l := line{Entry: e, Words: Words(ctx, e.Event), From: j.browser(i18n.Of(ctx), e.Agent)}
	if e.Agent == "" {
		l.From = ""
	}
	switch {
	case e.Actor == who, e.Actor == "" && e.Address != "":
		// By themselves, or by somebody who gave themselves out as them.
		l.Disownable = true
	case e.Actor == "":
		l.By = i18n.T(ctx, "identity.journal.by_amphi")
	default:
		l.By = i18n.T(ctx, "identity.journal.by_agent")
	}
	return l
}

// months are those that the journal may hold, the current one first.
func (j *Journal) months(r *http.Request) []ui.Option {
	now := j.db.Now().Time().In(j.zone)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, j.zone)
	var months []ui.Option
	for m := first; !m.Before(now.Add(-j.config.Keep).AddDate(0, -1, 0)); m = m.AddDate(0, -1, 0) {
		months = append(months, ui.Option{
			Value: m.Format(monthLayout),
			Label: i18n.T(r.Context(), "identity.journal.month."+m.Format("01"), "year", strconv.Itoa(m.Year())),
		})
	}
	return months
}

// most bounds a file, so that one request cannot hold the server for long.
const most = 10_000

// ownFile is the same as the page, whole, for a spreadsheet.
func (j *Journal) ownFile(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), web.Viewer(r).Person
	f := readChoice(r).filter(j.zone)
	f.Person = who
	found, err := j.search(ctx, f, most)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="journal-`+j.db.Now().Time().In(j.zone).Format(time.DateOnly)+`.csv"`)
	file := table.NewWriter(w)
	head := make([]string, 0, 6)
	for _, column := range []string{"at", "event", "by", "address", "agent", "code"} {
		head = append(head, i18n.T(ctx, "identity.journal.column."+column))
	}
	file.Write(head) // errors are kept for Error below
	for _, e := range found {
		l := j.line(r, e, who)
		if l.By == "" {
			l.By = i18n.T(ctx, "identity.journal.by_account")
		}
		file.Write([]string{e.At.In(j.zone).Format(time.RFC3339), l.Words, l.By, e.Address, e.Agent, e.Kind})
	}
	file.Flush()
	return file.Error()
}
