package journal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// allForm is what an administrator looks for.
type allForm struct {
	Who, Subject, Kind, Since, Until string
	Before                           int64
}

func readAllForm(r *http.Request) allForm {
	q := r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64) // not a number: from the newest on
	return allForm{
		Who: strings.TrimSpace(q.Get("who")), Subject: q.Get("subject"), Kind: strings.TrimSpace(q.Get("kind")),
		Since: q.Get("since"), Until: q.Get("until"), Before: max(0, before),
	}
}

func (f allForm) query(before int64) string {
	q := url.Values{}
	for name, value := range map[string]string{"who": f.Who, "subject": f.Subject, "kind": f.Kind, "since": f.Since, "until": f.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	q.Set("before", strconv.FormatInt(before, 10))
	return "?" + q.Encode()
}

// check turns the form into a search. Days are those of the zone, the last one
// included.
func (f allForm) check(zone *time.Location) (filter, web.Problems) {
	var problems web.Problems
	found := filter{Kinds: kindsOf(f.Subject), Before: f.Before}
	day := func(field, text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		t, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			problems.Add(field, "identity.journal.day_form")
		}
		return t
	}
	found.Since, found.Until = day("since", f.Since), day("until", f.Until)
	if !found.Until.IsZero() {
		found.Until = found.Until.AddDate(0, 0, 1)
	}
	if f.Kind != "" {
		found.Kinds = []string{f.Kind}
	}
	return found, problems
}

// allView is everybody's journal.
type allView struct {
	Form     allForm
	Problems web.Problems
	Lines    []allLine
	Older    string
	Checked  Checked
}

// allLine is one event with the names of those concerned.
type allLine struct {
	Entry
	Person, Actor string
}

func (j *Journal) allPage(w http.ResponseWriter, r *http.Request) error {
	form, ctx := readAllForm(r), r.Context()
	view := allView{Form: form}
	var err error
	if view.Checked, err = j.Checked(ctx); err != nil {
		return err
	}
	f, problems := form.check(j.zone)
	if form.Who != "" {
		p, err := j.people.PersonByLogin(ctx, form.Who)
		switch {
		case err == nil:
			f.Person = p.ID
		case fault.Of(err).Reason.Kind() == fault.NotFound:
			problems.Add("who", "identity.journal.who_missing")
		default:
			return err
		}
	}
	view.Problems = problems
	status := http.StatusOK
	if problems.Any() {
		status = http.StatusUnprocessableEntity
	} else if err := j.fill(ctx, &view, f); err != nil {
		return err
	}
	return web.Render(w, r, status, allTempl(view))
}

// fill puts one page of events into the view.
func (j *Journal) fill(ctx context.Context, view *allView, f filter) error {
	found, err := j.search(ctx, f, perPage+1)
	if err != nil {
		return err
	}
	if len(found) > perPage {
		found = found[:perPage]
		view.Older = "/identity/journal/all" + view.Form.query(found[perPage-1].Seq)
	}
	names := map[campus.PersonID]string{}
	for _, e := range found {
		l := allLine{Entry: e}
		if l.Person, err = j.name(ctx, names, e.Person); err != nil {
			return err
		}
		if l.Actor, err = j.name(ctx, names, e.Actor); err != nil {
			return err
		}
		view.Lines = append(view.Lines, l)
	}
	return nil
}

// name is how a person is shown: their name and login, or the identifier of
// somebody whom the register does not hold any more.
func (j *Journal) name(ctx context.Context, known map[campus.PersonID]string, who campus.PersonID) (string, error) {
	if name, ok := known[who]; ok || who == "" {
		return name, nil
	}
	p, err := j.people.PersonByID(ctx, who)
	switch {
	case err == nil:
		known[who] = p.DisplayName() + " (" + p.Login + ")"
	case fault.Of(err).Reason.Kind() == fault.NotFound:
		known[who] = string(who)
	default:
		return "", err
	}
	return known[who], nil
}
