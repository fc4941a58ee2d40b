package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// listView is all upstreams and how they do.
type listView struct{ Rows []ui.RowProps }

func (x *Upstreams) listPage(w http.ResponseWriter, r *http.Request) error {
	var v listView
	for _, u := range x.all {
		s, err := x.stateOf(r.Context(), u)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, u.row(r.Context(), s))
	}
	return web.Render(w, r, http.StatusOK, listTempl(v))
}

// row is one upstream in the list.
func (u *upstream) row(ctx context.Context, s state) ui.RowProps {
	say := func(key string, pairs ...any) string { return i18n.T(ctx, "identity.upstream.admin."+key, pairs...) }
	row := ui.RowProps{Title: u.called(ctx), URL: adminURL(u.ID), Icon: "plug", Tag: say("answers"), Tone: ui.Good}
	switch {
	case !s.Reachable:
		row.Tag, row.Tone = say("silent"), ui.Bad
	case s.BadDay > 0:
		row.Tag, row.Tone = say("failed_today", "number", s.BadDay), ui.Warn
	case s.Good.IsZero():
		row.Tag, row.Tone = say("unused"), ""
	}
	row.Detail = say("kind_" + u.Kind)
	if !s.Good.IsZero() {
		row.Detail += " · " + say("good_at", "at", i18n.Date(ctx, s.Good, i18n.Moment))
	}
	return row
}

// stateView is one upstream in detail.
type stateView struct {
	ID, Name, Kind string
	Web            bool
	AnswerURL      string // to register at the upstream
	EndedURL       string // the same, for its sign-outs; "" where it tells of none
	Domains        string
	State          state
	Facts          []ui.Fact
	Failures       [][]ui.Cell
	Steps          [][]ui.Cell
	Person         account.Person // whose links are shown; zero for nobody
	Asked          string         // the identifier that was looked for
	Links          []sqlgen.IdentityUpstreamLink
	Problems       web.Problems
	Tested         *testView
}

func (x *Upstreams) statePage(w http.ResponseWriter, r *http.Request) error {
	u, err := x.byID(r.PathValue("id"))
	if err != nil {
		return err
	}
	return x.showState(w, r, u, http.StatusOK, nil, nil)
}

// probe walks to the upstream now.
func (x *Upstreams) probe(w http.ResponseWriter, r *http.Request) error {
	u, err := x.byID(r.PathValue("id"))
	if err != nil {
		return err
	}
	x.lookAt(r.Context(), u)
	return web.SeeOther(w, r, adminURL(u.ID)+"#steps")
}

func (x *Upstreams) showState(w http.ResponseWriter, r *http.Request, u *upstream, status int, problems web.Problems, tested *testView) error {
	ctx := r.Context()
	if _, at := u.seen.last(); at.IsZero() {
		x.lookAt(ctx, u)
	}
	s, err := x.stateOf(ctx, u)
	if err != nil {
		return err
	}
	v := stateView{
		ID: u.ID, Name: u.called(ctx), Kind: u.Kind, Web: u.protocol != nil, State: s, Problems: problems, Tested: tested,
		Asked: strings.TrimSpace(r.URL.Query().Get("who")), Domains: strings.Join(u.Domains, ", "),
	}
	if v.Web {
		v.AnswerURL = x.Base.String() + answerURL(u.ID)
		if _, tells := u.protocol.(Ender); tells {
			v.EndedURL = x.Base.String() + endedURL(u.ID)
		}
	}
	if v.Asked != "" {
		v.Person, err = x.People.PersonByLogin(ctx, v.Asked)
		switch {
		case err == nil:
			if v.Links, err = x.linksOf(ctx, string(v.Person.ID)); err != nil {
				return err
			}
		case fault.Of(err).Reason.Kind() == fault.NotFound:
			v.Problems.Add("who", "identity.upstream.admin.who_missing")
		default:
			return err
		}
	}
	v.Facts, v.Failures, v.Steps = u.factsOf(ctx, v), failureRows(ctx, s.Failures), stepRows(ctx, s.Steps, x.Clock.Now())
	return web.Render(w, r, status, stateTempl(v))
}

func (u *upstream) factsOf(ctx context.Context, v stateView) []ui.Fact {
	say := func(key string, pairs ...any) string { return i18n.T(ctx, "identity.upstream.admin."+key, pairs...) }
	facts := []ui.Fact{
		{Label: say("answer_url"), Text: v.AnswerURL, Code: true},
		{Label: say("ended_url"), Text: v.EndedURL, Code: true},
		{Label: say("domains"), Text: v.Domains},
		{Label: say("rules"), Text: u.rules()},
		{Label: say("links"), Text: strconv.FormatInt(v.State.Links, 10)},
		{Label: say("day"), Text: say("day_text", "good", v.State.GoodDay, "bad", v.State.BadDay, "lost", v.State.LostDay)},
		{Label: say("clock"), Text: clockText(ctx, v.State)},
		{Label: say("contact"), Text: u.Contact},
	}
	if !v.State.Good.IsZero() {
		facts = append(facts, ui.Fact{Label: say("good"), Body: ui.When(v.State.Good, i18n.Moment)})
	}
	return slices.DeleteFunc(facts, func(f ui.Fact) bool { return f.Text == "" && f.Body == nil })
}

// clockText says how the clock there stands to ours.
func clockText(ctx context.Context, s state) string {
	switch d := s.Ahead.Round(time.Second); {
	case !s.Timed:
		return ""
	case d > 0:
		return i18n.T(ctx, "identity.upstream.admin.ahead", "by", d)
	case d < 0:
		return i18n.T(ctx, "identity.upstream.admin.behind", "by", -d)
	default:
		return i18n.T(ctx, "identity.upstream.admin.together")
	}
}

func failureRows(ctx context.Context, failures []sqlgen.IdentityUpstreamEvent) (rows [][]ui.Cell) {
	for _, f := range failures {
		words, incident := strings.TrimSpace(f.Code+" "+f.Words), ui.TextCell("")
		if f.Incident != "" {
			incident = ui.LinkCell(f.Incident, "/identity/support/incidents/"+url.PathEscape(f.Incident))
		}
		rows = append(rows, []ui.Cell{
			ui.BodyCell(ui.When(f.NotedAt.Time(), i18n.Moment)), ui.TextCell(f.Reason), ui.TextCell(f.Expected), ui.TextCell(f.Received), ui.TextCell(words),
			incident,
		})
	}
	return rows
}

func stepRows(ctx context.Context, steps []Step, now time.Time) (rows [][]ui.Cell) {
	for _, s := range steps {
		key := "fine"
		if !s.OK {
			key = "failed"
		}
		ends := ""
		if !s.Ends.IsZero() {
			ends = i18n.T(ctx, "identity.upstream.admin.days", "number", int(s.Ends.Sub(now)/(24*time.Hour)))
		}
		rows = append(rows, []ui.Cell{
			ui.TextCell(i18n.T(ctx, "identity.upstream.probe."+s.Name)), ui.TextCell(i18n.T(ctx, "identity.upstream.admin."+key)), ui.TextCell(s.Detail), ui.TextCell(ends),
		})
	}
	return rows
}

// testView is what came back from a walk through the whole sign-in.
type testView struct {
	Facts      []ui.Fact
	Attributes [][]ui.Cell
	Failure    *web.Failure
	Technical  []ui.Fact
}

// testJourney sends an administrator through the whole sign-in, to see what comes
// back. Nobody is signed in by it.
func (x *Upstreams) testJourney(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	return x.leave(w, r, u, journey{
		Transaction: Transaction{Next: adminURL(u.ID), Force: r.URL.Query().Get("force") != ""}, Purpose: toTest, Person: web.Viewer(r).Person,
	})
}

// ownTest is nil for the administrator who began the test.
func ownTest(r *http.Request, j journey) error {
	if v := web.Viewer(r); !v.SignedIn() || v.Person != j.Person {
		return OtherBrowser
	}
	return nil
}

func (x *Upstreams) showTest(w http.ResponseWriter, r *http.Request, u *upstream, j journey, a Answer) error {
	if err := ownTest(r, j); err != nil {
		return err
	}
	x.note(r.Context(), u, nil, a, "")
	t, err := x.testOf(r.Context(), u, a)
	if err != nil {
		return err
	}
	return x.showState(w, r, u, http.StatusOK, nil, &t)
}

func (x *Upstreams) showFailedTest(w http.ResponseWriter, r *http.Request, u *upstream, j journey, f *Failure) error {
	if err := ownTest(r, j); err != nil {
		return err
	}
	t := x.failedTest(r.Context(), u, f)
	return x.showState(w, r, u, http.StatusOK, nil, &t)
}

func (x *Upstreams) failedTest(ctx context.Context, u *upstream, f *Failure) testView {
	failure := web.Explain(ctx, x.worded(ctx, u, f))
	t := testView{Failure: &failure}
	for _, fact := range []ui.Fact{
		{Label: i18n.T(ctx, "identity.upstream.expected"), Text: f.Expected}, {Label: i18n.T(ctx, "identity.upstream.received"), Text: f.Received},
		{Label: i18n.T(ctx, "identity.upstream.code"), Text: f.Code}, {Label: i18n.T(ctx, "identity.upstream.words"), Text: f.Text},
	} {
		if fact.Text != "" {
			t.Technical = append(t.Technical, fact)
		}
	}
	if f.Cause != nil {
		t.Technical = append(t.Technical, ui.Fact{Label: i18n.T(ctx, "identity.upstream.cause"), Text: clip(f.Cause.Error())})
	}
	return t
}

// testOf says what an answer would lead to.
func (x *Upstreams) testOf(ctx context.Context, u *upstream, a Answer) (testView, error) {
	say := func(key string, pairs ...any) string { return i18n.T(ctx, "identity.upstream.admin."+key, pairs...) }
	leads, err := x.preview(ctx, u, a)
	if err != nil {
		return testView{}, err
	}
	factor := say("factor_no")
	if u.proof(entry.Upstream, a).Second != "" {
		factor = say("factor_yes")
	}
	t := testView{Facts: []ui.Fact{
		{Label: say("leads"), Text: leads},
		{Label: say("issuer"), Text: a.Issuer, Code: true},
		{Label: say("subject"), Text: a.Subject, Code: true},
		{Label: say("ways"), Text: strings.Join(slices.Concat(a.Contexts, a.Methods), ", ")},
		{Label: say("factor"), Text: factor},
	}}
	if !a.AuthnInstant.IsZero() {
		t.Facts = append(t.Facts, ui.Fact{Label: say("proved_at"), Body: ui.When(a.AuthnInstant, i18n.Moment)})
	}
	if a.Timed {
		t.Facts = append(t.Facts, ui.Fact{Label: say("clock"), Text: clockText(ctx, state{Ahead: a.Ahead, Timed: true})})
	}
	t.Facts = slices.DeleteFunc(t.Facts, func(f ui.Fact) bool { return f.Text == "" && f.Body == nil })
	for _, name := range a.names() {
		t.Attributes = append(t.Attributes, []ui.Cell{ui.TextCell(name), ui.TextCell(strings.Join(a.Attributes[name], ", "))})
	}
	return t, nil
}

// preview says whose account an answer would open, and writes nothing.
func (x *Upstreams) preview(ctx context.Context, u *upstream, a Answer) (string, error) {
	say := func(key string, pairs ...any) string {
		return i18n.T(ctx, "identity.upstream.admin.leads_"+key, pairs...)
	}
	if address := u.foreign(a); address != "" {
		return say("wrong", "address", address), nil
	}
	q := sqlgen.New(x.DB.Read())
	if row, err := q.Link(ctx, sqlgen.LinkParams{Upstream: u.ID, Issuer: a.Issuer, Subject: a.Subject}); err == nil && row.State == linked {
		p, err := x.People.PersonByID(ctx, campus.PersonID(row.PersonID))
		return say("linked", "login", p.Login), err
	}
	found, rule, err := x.candidates(ctx, u, a)
	if err != nil {
		return "", err
	}
	switch {
	case len(found) == 1:
		p, err := x.People.PersonByID(ctx, found[0])
		return say("matched", "login", p.Login, "rule", rule), err
	case len(found) > 1:
		return say("ambiguous", "number", len(found)), nil
	case u.Create.Allowed && len(u.affiliations(a)) > 0:
		return say("created"), nil
	default:
		return say("nowhere"), nil
	}
}

// testPassword asks a directory about a password that an administrator types.
func (x *Upstreams) testPassword(w http.ResponseWriter, r *http.Request) error {
	u, err := x.byID(r.PathValue("id"))
	if err != nil || u.directory == nil {
		return Missing
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	login := strings.TrimSpace(form.Get("login"))
	done, err := x.Guess(strings.ToLower(login), web.ClientAddr(r))
	if err != nil {
		return err
	}
	a, err := u.directory.Check(r.Context(), login, form.Get("password"))
	done(errors.Is(err, Refused))
	var f *Failure
	if errors.As(err, &f) {
		t := x.failedTest(r.Context(), u, f)
		return x.showState(w, r, u, http.StatusOK, nil, &t)
	}
	if err != nil {
		return err
	}
	t, err := x.testOf(r.Context(), u, a)
	if err != nil {
		return err
	}
	return x.showState(w, r, u, http.StatusOK, nil, &t)
}

// prepareLink links somebody of ours to an identifier of the upstream before they
// come.
func (x *Upstreams) prepareLink(w http.ResponseWriter, r *http.Request) error {
	u, err := x.byID(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	external := strings.TrimSpace(form.Get("external"))
	p, err := x.People.PersonByLogin(r.Context(), form.Get("login"))
	if err != nil {
		return err
	}
	if external == "" || len(external) > 500 {
		var problems web.Problems
		problems.Add("external", "identity.upstream.admin.external_missing")
		return x.showState(w, r, u, http.StatusUnprocessableEntity, problems, nil)
	}
	e := journal.From(r)
	e.Person, e.Kind, e.Facts = p.ID, "identity.upstream_prepared", map[string]string{"upstream": u.NameEnglish, "name": external}
	err = x.DB.InTx(r.Context(), func(tx db.Tx) error {
		if err := x.Prepare(r.Context(), tx, u.ID, external, p.ID); err != nil {
			return err
		}
		return x.Journal.Write(r.Context(), tx, e)
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.upstream.admin.prepared")
	return web.SeeOther(w, r, adminURL(u.ID)+"?"+url.Values{"who": {p.Login}}.Encode()+"#links")
}

// removeLink parts an account here from one of the upstream.
func (x *Upstreams) removeLink(w http.ResponseWriter, r *http.Request) error {
	u, err := x.byID(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	p, err := x.People.PersonByLogin(r.Context(), form.Get("login"))
	if err != nil {
		return err
	}
	e := journal.From(r)
	e.Person, e.Kind, e.Facts = p.ID, "identity.upstream_unlinked", map[string]string{"upstream": u.NameEnglish}
	err = x.DB.InTx(r.Context(), func(tx db.Tx) error {
		found, err := x.unlink(r.Context(), tx, r.PathValue("link"), string(p.ID))
		if err != nil || !found {
			return err
		}
		return x.Journal.Write(r.Context(), tx, e)
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.upstream.admin.removed")
	return web.SeeOther(w, r, adminURL(u.ID)+"?"+url.Values{"who": {p.Login}}.Encode()+"#links")
}
