package provisioning

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// perPage is how many accounts a page lists.
const perPage = 50

// lineView is one line of the list.
type lineView struct {
	Name, Login, URL string
	State            string
	Tone             ui.Tone
	Since, Exchanged time.Time
	Reason           string
	Attempts         int64
}

// findingView is an account that the last comparison found something about.
type findingView struct{ Finding, Login, Remote, URL string }

// listView is the page of one target.
type listView struct {
	Target      targetView
	Filter      ledger.Filter
	Tabs        []ui.TabLink
	Reasons     []ui.Option
	Lines       []lineView
	Findings    []findingView
	Total       int64
	Page, Pages int
	Tried       string // what became of one person who was tried
	TriedTone   ui.Tone
}

// query is the filter as part of an address.
func (v listView) query(page int) string {
	q := filterQuery(v.Filter)
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return q.Encode()
}

func (v listView) pageURL(page int) string {
	return "/provisioning/targets/" + v.Filter.Target + "?" + v.query(page)
}

func filterQuery(f ledger.Filter) url.Values {
	q := url.Values{}
	for key, value := range map[string]string{"state": string(f.State), "reason": f.Reason, "q": f.Words} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return q
}

// longestWords bounds the words of a search.
const longestWords = 100

// filterOf reads a filter; what cannot be meant is left out.
func filterOf(targetID string, q url.Values) ledger.Filter {
	words := strings.ToValidUTF8(q.Get("q"), "")
	f := ledger.Filter{Target: targetID, Reason: q.Get("reason"), Words: words[:min(len(words), longestWords)], State: contract.AccountState(q.Get("state"))}
	f.Words = strings.ToValidUTF8(f.Words, "")
	if !slices.Contains(states, f.State) {
		f.State = ""
	}
	if !slices.ContainsFunc(fault.All(), func(r *fault.Reason) bool { return r.Code() == f.Reason }) {
		f.Reason = ""
	}
	return f
}

// targetPage lists the accounts of one target.
func (m *Module) targetPage(w http.ResponseWriter, r *http.Request) error {
	return m.showTarget(w, r, http.StatusOK, "", "")
}

func (m *Module) showTarget(w http.ResponseWriter, r *http.Request, status int, tried string, tone ui.Tone) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	f := filterOf(s.Service.ID, r.URL.Query())
	view := listView{Filter: f, Tried: tried, TriedTone: tone}
	if view.Total, err = m.ledger.Count(ctx, f); err != nil {
		return err
	}
	view.Pages = max(1, int((view.Total+perPage-1)/perPage))
	view.Page, _ = strconv.Atoi(r.URL.Query().Get("page")) // no number is the first page
	view.Page = max(1, min(view.Page, view.Pages))
	desk, err := m.ledger.Desk(ctx, s.Service.ID)
	if err != nil {
		return err
	}
	counts, err := m.ledger.States(ctx)
	if err != nil {
		return err
	}
	if view.Target, err = m.targetView(ctx, web.Viewer(r), s, desk, counts[s.Service.ID]); err != nil {
		return err
	}
	view.Tabs = append(view.Tabs, ui.TabLink{Label: t(ctx, "list.all"), URL: "/provisioning/targets/" + s.Service.ID, Current: f.State == ""})
	for i, tab := range view.Target.Counts {
		tab.Current = states[i] == f.State
		view.Tabs = append(view.Tabs, tab)
	}
	reasons, err := m.ledger.Reasons(ctx, s.Service.ID)
	if err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		view.Reasons = append(view.Reasons, ui.Option{Value: code, Label: code + " (" + strconv.FormatInt(reasons[code], 10) + ")"})
	}
	f.Limit, f.Offset = perPage, (view.Page-1)*perPage
	lines, err := m.ledger.List(ctx, f)
	if err != nil {
		return err
	}
	for _, line := range lines {
		view.Lines = append(view.Lines, lineOf(ctx, s, line))
	}
	if view.Findings, err = findingsOf(ctx, desk); err != nil {
		return err
	}
	return web.Render(w, r, status, targetTempl(view))
}

func findingsOf(ctx context.Context, desk ledger.Desk) ([]findingView, error) {
	report, _, err := desk.Report()
	if err != nil {
		return nil, err
	}
	var found []findingView
	for _, sample := range report.Samples {
		found = append(found, findingView{
			Finding: t(ctx, "finding."+sample.Finding), Login: sample.Login, Remote: sample.Remote, URL: "/provisioning/people/" + url.PathEscape(string(sample.Person)),
		})
	}
	return found, nil
}

func lineOf(ctx context.Context, s *service, line ledger.Account) lineView {
	a := account{service: s, line: line}
	a.State, a.Code = line.State(), line.Reason
	return lineView{
		Name: line.Name, Login: line.Login, URL: "/provisioning/people/" + line.Person + "#" + s.Service.ID, State: stateWord(ctx, a.State), Tone: ui.Tone(a.tone()),
		Since: line.SinceAt.Time(), Exchanged: line.ExchangedAt.Time(), Reason: line.Reason, Attempts: line.Attempts,
	}
}

// exportAtOnce is how many lines are read at once for a file.
const exportAtOnce = 1000

// exportAccounts gives the lines that a filter chooses as a file.
func (m *Module) exportAccounts(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	f := filterOf(s.Service.ID, r.URL.Query())
	f.Limit = exportAtOnce
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+s.Service.ID+`.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	out := table.NewWriter(w)
	if err := out.Write([]string{"login", "name", "state", "since", "rule", "todo", "next_try", "attempts", "reason", "detail", "remote_id", "last_exchange"}); err != nil {
		return err
	}
	for {
		lines, err := m.ledger.List(ctx, f)
		if err != nil {
			return err
		}
		for _, a := range lines {
			err := out.Write([]string{
				a.Login, a.Name, string(a.State()), stamp(a.SinceAt), string(a.Verdict()), string(a.Todo()), stamp(a.DueAt), strconv.FormatInt(a.Attempts, 10),
				a.Reason, a.Detail, a.RemoteID, stamp(a.ExchangedAt),
			})
			if err != nil {
				return err
			}
		}
		if len(lines) < exportAtOnce {
			break
		}
		f.Offset += len(lines)
	}
	out.Flush()
	return out.Error()
}

// stamp is an instant for a file.
func stamp(at db.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Time().Format(time.RFC3339)
}

// pause stops the work on a target.
func (m *Module) pause(w http.ResponseWriter, r *http.Request) error { return m.stop(w, r, true) }

// resume lets the work on a target go on.
func (m *Module) resume(w http.ResponseWriter, r *http.Request) error { return m.stop(w, r, false) }

func (m *Module) stop(w http.ResponseWriter, r *http.Request, stop bool) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	by := web.Viewer(r).Person
	if err := m.ledger.Pause(ctx, s.Service.ID, by, stop); err != nil {
		return err
	}
	m.Log.InfoContext(ctx, "provisioning: the work on a target", "target", s.Service.ID, "paused", stop, "by", by)
	if stop {
		web.Flash(w, r, "provisioning.flash.paused")
	} else {
		if err := m.DB.InTx(ctx, func(tx db.Tx) error { return m.worker.Start(ctx, tx, s.Service.ID) }); err != nil {
			return err
		}
		web.Flash(w, r, "provisioning.flash.resumed")
	}
	return web.SeeOther(w, r, "/provisioning#"+s.Service.ID)
}

// compare has both sides compared now.
func (m *Module) compare(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := m.DB.InTx(ctx, func(tx db.Tx) error { return m.worker.StartCompare(ctx, tx, s.Service.ID) }); err != nil {
		return err
	}
	web.Flash(w, r, "provisioning.flash.comparing")
	return web.SeeOther(w, r, "/provisioning#"+s.Service.ID)
}

// tryOnce works on one person now, and says what became of it.
func (m *Module) tryOnce(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	who, err := m.byLogin(ctx, form.Get("login"))
	if err != nil {
		return err
	}
	failed, err := m.worker.Once(ctx, s.Service.ID, who)
	switch {
	case err != nil:
		return err
	case failed != nil:
		return m.showTarget(w, r, http.StatusOK, told(ctx, failed.Reason().Code(), failed.Detail), ui.Bad)
	}
	state, words, err := m.words(ctx, s, who)
	if err != nil {
		return err
	}
	return m.showTarget(w, r, http.StatusOK, stateWord(ctx, state)+": "+words, ui.Good)
}

// byLogin finds somebody by their login.
func (m *Module) byLogin(ctx context.Context, login string) (campus.PersonID, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	found, err := m.Register.FindPeople(ctx, contract.FieldLogin, []string{login})
	if err != nil {
		return "", err
	}
	who, ok := found[login]
	if !ok {
		return "", PersonMissing.With(fault.Args{"login": fault.Private(login)})
	}
	return who, nil
}

// table is the list as columns.
func (v listView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "list.caption", "service", v.Target.Name), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "list.name")}, {Label: t(ctx, "list.login")}, {Label: t(ctx, "list.state")}, {Label: t(ctx, "fact.since")}, {Label: t(ctx, "fact.last_exchange")}, {Label: t(ctx, "fact.reason")},
	}}
	for _, line := range v.Lines {
		name := line.Name
		if name == "" {
			name = line.Login
		}
		table.Rows = append(table.Rows, []ui.Cell{
			ui.LinkCell(name, line.URL), ui.TextCell(line.Login), ui.BodyCell(ui.Tag(line.Tone, line.State)), ui.BodyCell(ui.When(line.Since, i18n.Ago)),
			ui.BodyCell(ui.When(line.Exchanged, i18n.Ago)), ui.TextCell(line.Reason),
		})
	}
	return table
}
