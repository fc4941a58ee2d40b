package setup

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// ruleView is the form of one of the institution's rules.
type ruleView struct {
	ID       string
	Title    string
	Form     url.Values
	Problems web.Problems

	Areas, Campuses, Kinds, Channels, Queues []ui.Option
	// Tried is set after a dry run.
	Tried *tryView
}

func optionsOf(list []choice) []ui.Option {
	options := make([]ui.Option, len(list))
	for i, c := range list {
		options[i] = ui.Option{Value: c.Value, Label: c.Label}
	}
	return options
}

func cellsOf(rows [][]triedCell) [][]ui.Cell {
	cells := make([][]ui.Cell, len(rows))
	for i, row := range rows {
		for _, c := range row {
			cells[i] = append(cells[i], ui.Cell{Text: c.Text, URL: c.URL})
		}
	}
	return cells
}

// kindName names a kind of affiliation.
func kindName(ctx context.Context) func(campus.Kind) string {
	return func(k campus.Kind) string { return t(ctx, "kind."+string(k)) }
}

// channels are those that a rule can ask for.
var channels = []ticket.Channel{ticket.ByPortal, ticket.ByMail, ticket.ByPhone, ticket.AtDesk, ticket.ByAPI}

func (s *Setup) rulePage(w http.ResponseWriter, r *http.Request) error {
	rule := routing.Placed{}
	if r.PathValue("id") != newID {
		at, all, err := s.placed(r)
		if err != nil {
			return err
		}
		if rule = all[at]; rule.Builtin != "" {
			return kept.Missing // those that come with the house are only moved, or turned off
		}
	}
	form := ruleForm(rule.Rule, rule.Version)
	if rule.Assignee != "" { // typed as people know them
		known, err := s.Register.KnownPeople(r.Context(), []campus.PersonID{rule.Assignee})
		if err != nil {
			return err
		}
		form.Set("assignee", cmp.Or(known[rule.Assignee].Subject.Login, known[rule.Assignee].Subject.Mail))
	}
	return s.showRule(w, r, http.StatusOK, ruleView{Form: form})
}

// ruleForm is a rule as it is typed.
func ruleForm(rule routing.Rule, version int64) url.Values {
	c := rule.When
	form := url.Values{
		"areas": words(c.Areas, func(a ticket.Area) string { return string(a) }), "campuses": c.Campuses,
		"kinds":    words(c.Kinds, func(k campus.Kind) string { return string(k) }),
		"channels": words(c.Channels, func(ch ticket.Channel) string { return string(ch) }),
		"services": {strings.Join(c.Services, ", ")}, "reasons": {strings.Join(c.Reasons, ", ")}, "leaves": {strings.Join(c.Leaves, ", ")},
		"words": {strings.Join(c.Words, ", ")}, "mail": {strings.Join(c.Mail, ", ")}, "queue": {rule.Queue}, "tags": {strings.Join(rule.Tags, ", ")}, "version": {formatVersion(version)},
	}
	setNamed(form, "name", rule.Name)
	if rule.Team != "" {
		form.Set("queue", teamPrefix+rule.Team)
	}
	if rule.Priority != 0 {
		form.Set("priority", rule.Priority.Key())
	}
	for field, on := range map[string]bool{"incident": c.Incident, "locked_out": c.LockedOut, "exams": c.Exams, "in_turn": rule.InTurn} {
		if on {
			form.Set(field, "on")
		}
	}
	return form
}

// teamPrefix tells a team's code from a queue's identifier in the list of queues.
const teamPrefix = "team:"

func (s *Setup) showRule(w http.ResponseWriter, r *http.Request, status int, view ruleView) error {
	ctx := r.Context()
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	view.ID, view.Title, view.Campuses = r.PathValue("id"), t(ctx, "rules.add"), s.campuses(ctx)
	if view.ID != newID {
		view.Title = hours.Named{French: view.Form.Get("name_fr"), English: view.Form.Get("name_en")}.In(i18n.Locale(ctx))
	}
	for _, a := range ticket.Areas {
		view.Areas = append(view.Areas, ui.Option{Value: string(a), Label: i18n.T(ctx, "helpdesk.area."+string(a))})
	}
	for _, k := range campus.Kinds {
		view.Kinds = append(view.Kinds, ui.Option{Value: string(k), Label: kindName(ctx)(k)})
	}
	for _, ch := range channels {
		view.Channels = append(view.Channels, ui.Option{Value: string(ch), Label: i18n.T(ctx, "helpdesk.channel."+string(ch))})
	}
	for _, team := range teamsOf(queues) {
		view.Queues = append(view.Queues, ui.Option{Value: teamPrefix + team, Label: teamName(ctx, team), Group: t(ctx, "rule.teams")})
	}
	for _, o := range s.queueOptions(ctx, queues, "") {
		o.Group = t(ctx, "queues.title")
		view.Queues = append(view.Queues, o)
	}
	return web.Render(w, r, status, ruleTempl(view))
}

// teamsOf are the teams that have an open queue.
func teamsOf(queues []ticket.Queue) []string {
	var teams []string
	for _, q := range queues {
		if q.ClosedAt.IsZero() && !slices.Contains(teams, q.Team) {
			teams = append(teams, q.Team)
		}
	}
	return teams
}

// list reads things between commas, at most fifty of them.
func (in *input) list(field string) []string {
	var list []string
	for _, one := range strings.FieldsFunc(in.Get(field), func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if one = campus.OneLine(one); one != "" {
			list = append(list, one)
		}
	}
	if len(list) > 50 || len(in.Get(field)) > 4*maxWords {
		in.wrong(field, "list")
	}
	return list
}

// picked reads what was ticked of a list.
func picked[T ~string](in *input, field string, from []T) []T {
	var list []T
	for _, one := range from {
		if slices.Contains(in.Values[field], string(one)) {
			list = append(list, one)
		}
	}
	return list
}

// readRule reads the form of a rule.
func (s *Setup) readRule(r *http.Request, in *input) (routing.Rule, error) {
	queues, err := s.Tickets.Queues(r.Context())
	if err != nil {
		return routing.Rule{}, err
	}
	var codes []string
	for _, p := range s.Places.Campuses() {
		codes = append(codes, p.Code)
	}
	rule := routing.Rule{Name: in.named("name", true), InTurn: in.Get("in_turn") != "", When: routing.Conditions{
		Areas: picked(in, "areas", ticket.Areas), Campuses: picked(in, "campuses", codes), Kinds: picked(in, "kinds", campus.Kinds), Channels: picked(in, "channels", channels),
		Services: in.list("services"), Reasons: in.list("reasons"), Leaves: in.list("leaves"), Words: in.list("words"), Mail: in.list("mail"),
		Incident: in.Get("incident") != "", LockedOut: in.Get("locked_out") != "", Exams: in.Get("exams") != "",
	}}
	if team, is := strings.CutPrefix(in.Get("queue"), teamPrefix); is {
		if rule.Team = team; !slices.Contains(teamsOf(queues), team) {
			in.wrong("queue", "choose")
		}
	} else if rule.Queue = in.Get("queue"); rule.Queue != "" && !slices.ContainsFunc(queues, func(q ticket.Queue) bool { return q.ID == rule.Queue && q.ClosedAt.IsZero() }) {
		in.wrong("queue", "choose")
	}
	if key := in.Get("priority"); key != "" {
		i := slices.IndexFunc(ticket.Priorities, func(p ticket.Priority) bool { return p.Key() == key })
		if i < 0 {
			in.wrong("priority", "choose")
		} else {
			rule.Priority = ticket.Priorities[i]
		}
	}
	if typed := campus.OneLine(in.Get("assignee")); typed != "" {
		// Whether they may handle a request is asked when there is one: it depends on its
		// campus, and rights change.
		if rule.Assignee, err = s.exactly(r.Context(), typed); err != nil {
			return routing.Rule{}, err
		}
		if rule.Assignee == "" {
			in.wrong("assignee", "agent")
		}
	}
	var ok bool
	if rule.Tags, ok = ticket.ParseTags(in.Get("tags")); !ok {
		in.wrong("tags", "tags")
	}
	if rule.Queue+rule.Team == "" && rule.Priority == 0 && !rule.InTurn && rule.Assignee == "" && len(rule.Tags) == 0 {
		in.wrong("queue", "nothing")
	}
	return rule, nil
}

// keepRule writes a rule, or tries it with the latest requests first.
func (s *Setup) keepRule(w http.ResponseWriter, r *http.Request) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	rule, err := s.readRule(r, in)
	if err != nil {
		return err
	}
	if in.problems.Any() {
		return s.showRule(w, r, http.StatusUnprocessableEntity, ruleView{Form: in.Values, Problems: in.problems})
	}
	all, err := s.Routing.Ordered(r.Context())
	if err != nil {
		return err
	}
	// A new rule comes before all others: what an institution adds is more particular.
	placed := routing.Placed{Ordered: routing.Ordered{Rule: rule}, Position: all[0].Position - routing.Step}
	if r.PathValue("id") != newID {
		at, _, err := s.placed(r)
		if err != nil {
			return err
		}
		if placed = all[at]; placed.Builtin != "" {
			return kept.Missing
		}
		rule.Off = placed.Off
		placed.Rule, placed.Version = rule, in.version()
	}
	if in.Get("act") == "try" {
		list := []routing.Ordered{}
		if placed.ID == "" {
			list = append(list, placed.Ordered)
		}
		for _, other := range all {
			if other.ID == placed.ID {
				other.Ordered = placed.Ordered
			}
			list = append(list, other.Ordered)
		}
		view, err := s.try(r.Context(), list)
		if err != nil {
			return err
		}
		return s.showRule(w, r, http.StatusOK, ruleView{Form: in.Values, Tried: &view})
	}
	if err := s.keepPlaced(r, placed); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/rules")
}
