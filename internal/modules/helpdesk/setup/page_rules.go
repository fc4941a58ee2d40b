package setup

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// rulesView lists the rules in their order, and the days of examinations.
type rulesView struct {
	Rules    []ruleRow
	Exams    []kept.Item[routing.Exams]
	Form     url.Values
	Problems web.Problems
	Names    func(context.Context, string) string // of campuses
	Campuses func(context.Context) []choice
}

// choice is an option of a list.
type choice struct{ Value, Label string }

// ruleRow is one rule in words.
type ruleRow struct {
	ID, Name, When, Then string
	Own, Off             bool
}

func (s *Setup) rulesPage(w http.ResponseWriter, r *http.Request) error {
	return s.showRules(w, r, http.StatusOK, url.Values{}, nil)
}

func (s *Setup) showRules(w http.ResponseWriter, r *http.Request, status int, form url.Values, problems web.Problems) error {
	ctx := r.Context()
	rules, err := s.Routing.Ordered(ctx)
	if err != nil {
		return err
	}
	exams, err := s.Routing.Exams.All(ctx)
	if err != nil {
		return err
	}
	view := rulesView{Exams: exams, Form: form, Problems: problems, Names: s.campusName}
	view.Campuses = func(ctx context.Context) (list []choice) {
		for _, o := range s.campuses(ctx) {
			list = append(list, choice{o.Value, o.Label})
		}
		return list
	}
	for _, rule := range rules {
		row, err := s.ruleRow(ctx, rule.Ordered)
		if err != nil {
			return err
		}
		view.Rules = append(view.Rules, row)
	}
	return web.Render(w, r, status, rulesTempl(view))
}

// ruleName is what a rule is called.
func ruleName(ctx context.Context, r routing.Rule) string {
	if r.Builtin != "" {
		return i18n.T(ctx, "helpdesk.routing.rule."+r.Builtin)
	}
	return r.Name.In(i18n.Locale(ctx))
}

// ruleRow words a rule: what it asks, and what it decides.
func (s *Setup) ruleRow(ctx context.Context, r routing.Ordered) (ruleRow, error) {
	row := ruleRow{ID: r.ID, Name: ruleName(ctx, r.Rule), Own: r.Builtin == "", Off: r.Off}
	var when []string
	add := func(key string, list []string) {
		if len(list) > 0 {
			when = append(when, t(ctx, "rule.if_"+key, "list", strings.Join(list, ", ")))
		}
	}
	c := r.When
	add("area", words(c.Areas, func(a ticket.Area) string { return i18n.T(ctx, "helpdesk.area."+string(a)) }))
	add("service", c.Services)
	add("reason", c.Reasons)
	add("leaf", c.Leaves)
	add("campus", words(c.Campuses, func(code string) string { return s.campusName(ctx, code) }))
	add("kind", words(c.Kinds, kindName(ctx)))
	add("channel", words(c.Channels, func(ch ticket.Channel) string { return i18n.T(ctx, "helpdesk.channel."+string(ch)) }))
	add("words", c.Words)
	add("mail", c.Mail)
	for key, asked := range map[string]bool{"incident": c.Incident, "locked_out": c.LockedOut, "exams": c.Exams} {
		if asked {
			when = append(when, t(ctx, "rule.if_"+key))
		}
	}
	slices.Sort(when)
	row.When = cmp.Or(strings.Join(when, " · "), t(ctx, "rule.if_all"))
	var then []string
	switch {
	case r.Queue != "":
		q, err := s.Tickets.Queue(ctx, r.Queue)
		if err != nil {
			return row, err
		}
		then = append(then, t(ctx, "rule.to_queue", "name", s.queueName(ctx, q)))
	case r.Team != "":
		then = append(then, t(ctx, "rule.to_team", "name", teamName(ctx, r.Team)))
	}
	if r.Priority != 0 {
		then = append(then, t(ctx, "rule.to_priority", "name", i18n.T(ctx, "helpdesk.priority."+r.Priority.Key())))
	}
	if r.InTurn {
		then = append(then, t(ctx, "rule.to_turn"))
	}
	row.Then = strings.Join(then, " · ")
	return row, nil
}

// words are the names of things.
func words[T any](list []T, name func(T) string) []string {
	named := make([]string, len(list))
	for i, one := range list {
		named[i] = name(one)
	}
	return named
}

// placed is a rule of an address, its neighbours, and all rules.
func (s *Setup) placed(r *http.Request) (at int, all []routing.Placed, err error) {
	all, err = s.Routing.Ordered(r.Context())
	if err != nil {
		return 0, nil, err
	}
	at = slices.IndexFunc(all, func(p routing.Placed) bool { return p.ID == r.PathValue("id") })
	if at < 0 {
		return 0, nil, kept.Missing
	}
	return at, all, nil
}

// keepPlaced writes a rule, a built-in one too: then only that it is off, or where it
// stands.
func (s *Setup) keepPlaced(r *http.Request, p routing.Placed) error {
	return s.DB.InTx(r.Context(), func(tx db.Tx) error {
		_, err := s.Routing.Rules.Keep(r.Context(), tx, web.Viewer(r).Person, kept.Item[routing.Rule]{ID: p.ID, Position: p.Position, Version: p.Version, Of: p.Rule})
		return err
	})
}

// moveRule puts a rule before the one above it, or after the one below.
func (s *Setup) moveRule(w http.ResponseWriter, r *http.Request) error {
	at, all, err := s.placed(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	position := func(i int) int64 {
		switch {
		case i < 0:
			return all[0].Position - 2*routing.Step
		case i >= len(all):
			return all[len(all)-1].Position + 2*routing.Step
		}
		return all[i].Position
	}
	rule := all[at]
	if in.Get("to") == "up" && at > 0 {
		rule.Position = (position(at-2) + position(at-1)) / 2
	} else if in.Get("to") == "down" && at < len(all)-1 {
		rule.Position = (position(at+1) + position(at+2)) / 2
	}
	if rule.Position != all[at].Position {
		if err := s.keepPlaced(r, rule); err != nil {
			return err
		}
	}
	return web.SeeOther(w, r, "/helpdesk/setup/rules")
}

// switchRule turns a rule off, or on again.
func (s *Setup) switchRule(w http.ResponseWriter, r *http.Request) error {
	at, all, err := s.placed(r)
	if err != nil {
		return err
	}
	rule := all[at]
	rule.Off = !rule.Off
	if err := s.keepPlaced(r, rule); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/helpdesk/setup/rules")
}

func (s *Setup) removeRule(w http.ResponseWriter, r *http.Request) error {
	if err := s.DB.InTx(r.Context(), func(tx db.Tx) error {
		return s.Routing.Rules.Remove(r.Context(), tx, web.Viewer(r).Person, r.PathValue("id"))
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.removed")
	return web.SeeOther(w, r, "/helpdesk/setup/rules")
}

func (s *Setup) addExams(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	in, err := read(r)
	if err != nil {
		return err
	}
	e := routing.Exams{Name: in.named("name", true), Span: in.span(), Campus: s.campus(in)}
	if in.problems.Any() {
		return s.showRules(w, r, http.StatusUnprocessableEntity, in.Values, in.problems)
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := s.Routing.Exams.Keep(ctx, tx, web.Viewer(r).Person, kept.Item[routing.Exams]{Position: int64(e.First), Of: e})
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/rules#exams")
}

func (s *Setup) removeExams(w http.ResponseWriter, r *http.Request) error {
	if err := s.DB.InTx(r.Context(), func(tx db.Tx) error {
		return s.Routing.Exams.Remove(r.Context(), tx, web.Viewer(r).Person, r.PathValue("id"))
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.removed")
	return web.SeeOther(w, r, "/helpdesk/setup/rules#exams")
}

// tryView is what rules would have done with the latest requests.
type tryView struct {
	Rows     [][]triedCell
	Differ   int
	Of       int
	OnlyDiff bool
}

// triedCell is one thing about a request, before and after.
type triedCell struct{ Text, URL string }

// tried is how many requests a dry run looks at.
const tried = 100

func (s *Setup) tryPage(w http.ResponseWriter, r *http.Request) error {
	rules, err := s.Routing.Ordered(r.Context())
	if err != nil {
		return err
	}
	list := make([]routing.Ordered, len(rules))
	for i, p := range rules {
		list[i] = p.Ordered
	}
	view, err := s.try(r.Context(), list)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, tryTempl(view))
}

// try runs rules over the latest requests and changes nothing.
func (s *Setup) try(ctx context.Context, rules []routing.Ordered) (tryView, error) {
	results, err := s.Routing.Try(ctx, rules, tried)
	if err != nil {
		return tryView{}, err
	}
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return tryView{}, err
	}
	names := map[string]string{}
	for _, q := range queues {
		names[q.ID] = s.queueName(ctx, q)
	}
	called := map[string]string{}
	for _, rule := range rules {
		called[rule.ID] = ruleName(ctx, rule.Rule)
	}
	view := tryView{Of: len(results)}
	change := func(was, becomes string) string {
		if was == becomes {
			return was
		}
		return was + " → " + becomes
	}
	for _, one := range results {
		if !one.Differs() {
			continue
		}
		view.Differ++
		priority := func(p ticket.Priority) string { return i18n.T(ctx, "helpdesk.priority."+p.Key()) }
		view.Rows = append(view.Rows, []triedCell{
			{ticket.Spoken(one.Number), "/helpdesk/tickets/" + one.Number}, {Text: one.Subject}, {Text: change(names[one.Queue], names[one.Would])},
			{Text: change(priority(one.Priority), priority(one.Wants))}, {Text: strings.Join(words(one.By, func(id string) string { return called[id] }), ", ")},
		})
	}
	return view, nil
}
