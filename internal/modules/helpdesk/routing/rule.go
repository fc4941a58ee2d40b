// Package routing finds the queue and the priority of a request by rules, and says
// why: in both languages, to whoever reads the request.
package routing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// Conditions are what a request has to be like. Those that are empty ask nothing; of
// several values, one is enough; all that ask something have to hold.
type Conditions struct {
	Areas    []ticket.Area    `json:"areas,omitempty"`
	Services []string         `json:"services,omitempty"` // identifiers in the register of services
	Reasons  []string         `json:"reasons,omitempty"`  // reason codes, or how they begin
	Leaves   []string         `json:"leaves,omitempty"`   // ends of the guided diagnosis, or how they begin
	Campuses []string         `json:"campuses,omitempty"` // codes
	Kinds    []campus.Kind    `json:"kinds,omitempty"`
	Channels []ticket.Channel `json:"channels,omitempty"`
	Words    []string         `json:"words,omitempty"` // in the subject, however they are accented
	Mail     []string         `json:"mail,omitempty"`  // addresses, or their ends: "@example.org"
	// Incident asks for the code of a sign-in that failed.
	Incident bool `json:"incident,omitempty"`
	// LockedOut asks for somebody who cannot sign in.
	LockedOut bool `json:"locked_out,omitempty"`
	// Exams asks for a day of examinations.
	Exams bool `json:"exams,omitempty"`
}

// Empty reports whether nothing is asked: the rule holds for every request.
func (c Conditions) Empty() bool {
	return len(c.Areas)+len(c.Services)+len(c.Reasons)+len(c.Leaves)+len(c.Campuses)+len(c.Kinds)+len(c.Channels)+len(c.Words)+len(c.Mail) == 0 &&
		!c.Incident && !c.LockedOut && !c.Exams
}

// Rule says what becomes of requests that are like this.
type Rule struct {
	Name hours.Named `json:"name"` // the reason that is shown
	// Builtin names a rule that comes with the house; its sentence stands in the
	// locales instead of Name.
	Builtin string     `json:"builtin,omitempty"`
	Off     bool       `json:"off,omitempty"`
	When    Conditions `json:"when"`

	Queue    string          `json:"queue,omitempty"`    // identifier; empty decides no queue
	Team     string          `json:"team,omitempty"`     // code: the team's queue on the person's campus
	Priority ticket.Priority `json:"priority,omitempty"` // 0 decides none
	// InTurn gives the request to the member of the queue who got one longest ago.
	InTurn bool `json:"in_turn,omitempty"`
	// Assignee gets the request, when they may handle it and are there.
	Assignee campus.PersonID `json:"assignee,omitempty"`
	// Tags are added to those of other rules.
	Tags []string `json:"tags,omitempty"`
}

// Because is the reason of the rule, as it is kept with a request.
func (r Rule) Because() ticket.Because {
	if r.Builtin != "" {
		return ticket.Because{Key: "helpdesk.routing.because." + r.Builtin}
	}
	return ticket.Because{French: r.Name.In(campus.French), Words: r.Name.In(campus.English)}
}

// Person is what rules need to know of who asks.
type Person struct {
	Known        bool
	Affiliations []campus.Affiliation
}

// Campus is where somebody belongs: where they study, or else work; empty for nobody.
func (p Person) Campus() string {
	for _, kind := range []campus.Kind{campus.Student, campus.Teacher, campus.Staff, campus.Guest} {
		for _, a := range p.Affiliations {
			if a.Kind == kind && a.Campus != "" {
				return a.Campus
			}
		}
	}
	return ""
}

// Exams are days of examinations, on one campus or on all.
type Exams struct {
	hours.Span
	Name   hours.Named `json:"name"`
	Campus string      `json:"campus,omitempty"` // code; empty for all
}

// Asked is a request as rules see it.
type Asked struct {
	Ticket ticket.Ticket
	Person Person
	Day    hours.Date // on which it came, in the institution's time zone
	Exams  []Exams
}

// LockedOut reports whether somebody cannot sign in, as far as the request shows:
// what stopped them is a sign-in that failed, or the guided diagnosis ended there.
func (a Asked) LockedOut() bool {
	t := a.Ticket
	if t.Area != ticket.AreaAccount && t.Area != ticket.AreaUpstream {
		return false
	}
	return t.IncidentCode != "" || strings.HasPrefix(t.Reason, "identity.") || diagnosis.LockedOut(t.Leaf) || t.Requester == ""
}

// Examined reports whether the day is one of examinations where the person belongs.
func (a Asked) Examined() bool {
	return slices.ContainsFunc(a.Exams, func(e Exams) bool {
		return e.Has(a.Day) && (e.Campus == "" || e.Campus == cmp.Or(a.Ticket.Campus, a.Person.Campus()))
	})
}

// Hold reports whether a request is like the conditions ask.
func (c Conditions) Hold(a Asked) bool {
	t := a.Ticket
	subject := " " + campus.Fold(t.Subject)
	return one(c.Areas, func(x ticket.Area) bool { return x == t.Area }) &&
		one(c.Services, func(x string) bool { return x == t.Service }) &&
		one(c.Reasons, func(x string) bool { return t.Reason != "" && strings.HasPrefix(t.Reason, x) }) &&
		one(c.Leaves, func(x string) bool { return t.Leaf != "" && strings.HasPrefix(t.Leaf, x) }) &&
		one(c.Campuses, func(x string) bool { return x == cmp.Or(t.Campus, a.Person.Campus()) }) &&
		one(c.Kinds, func(x campus.Kind) bool {
			return slices.ContainsFunc(a.Person.Affiliations, func(f campus.Affiliation) bool { return f.Kind == x })
		}) &&
		one(c.Channels, func(x ticket.Channel) bool { return x == t.Channel }) &&
		// A word is found where one begins: "exam" in "examens", not in "hexamètre".
		one(c.Words, func(x string) bool { return strings.Contains(subject, " "+campus.Fold(x)) }) &&
		one(c.Mail, func(x string) bool { return ends(t.RequesterMail, strings.ToLower(x)) }) &&
		(!c.Incident || t.IncidentCode != "") &&
		(!c.LockedOut || a.LockedOut()) &&
		(!c.Exams || a.Examined())
}

// one reports whether nothing is asked, or one of several things holds.
func one[T any](list []T, holds func(T) bool) bool {
	return len(list) == 0 || slices.ContainsFunc(list, holds)
}

// ends reports whether an address is the one that is asked for, or of that domain.
func ends(address, asked string) bool {
	if address == "" || asked == "" {
		return false
	}
	if strings.HasPrefix(asked, "@") {
		domain := address[strings.LastIndex(address, "@")+1:]
		return domain == asked[1:] || strings.HasSuffix(domain, "."+asked[1:])
	}
	return address == asked
}

// Place is what rules decided: the first one that says a queue decides the queue, the
// first one that says a priority decides the priority, and likewise for who gets it;
// tags come from all that hold.
type Place struct {
	Queue, Team string // one of them, or none
	Priority    ticket.Priority
	InTurn      bool
	Assignee    campus.PersonID
	Tags        []string // sorted, at most ticket.MaxTags
	Because     []ticket.Because
	Rules       []string // names of those that decided something, for the dry run
}

// Ordered is a rule with its identifier.
type Ordered struct {
	ID string
	Rule
}

// Decide goes through rules in their order.
func Decide(rules []Ordered, a Asked) Place {
	var p Place
	for _, r := range rules {
		queue := (r.Queue != "" || r.Team != "") && p.Queue+p.Team == ""
		priority := r.Priority != 0 && p.Priority == 0
		assignee := r.Assignee != "" && p.Assignee == ""
		tags := slices.ContainsFunc(r.Tags, func(tag string) bool { return !slices.Contains(p.Tags, tag) })
		if r.Off || !queue && !priority && !assignee && !tags && (!r.InTurn || p.InTurn) || !r.When.Hold(a) {
			continue
		}
		if queue {
			p.Queue, p.Team = r.Queue, r.Team
		}
		if priority {
			p.Priority = r.Priority
		}
		if assignee {
			p.Assignee = r.Assignee
		}
		if tags {
			p.Tags = slices.Concat(p.Tags, r.Tags)
			slices.Sort(p.Tags)
			p.Tags = slices.Compact(p.Tags)
			p.Tags = p.Tags[:min(len(p.Tags), ticket.MaxTags)]
		}
		p.InTurn = p.InTurn || r.InTurn
		p.Because, p.Rules = append(p.Because, r.Because()), append(p.Rules, r.ID)
	}
	return p
}

// Builtin are the rules that come with the house, in their order. An institution turns
// them off, moves them, or puts its own before them.
func Builtin() []Ordered {
	return []Ordered{
		{"exam", Rule{Builtin: "exam", Priority: ticket.Urgent, When: Conditions{Exams: true, Words: []string{"examen", "exam", "partiel", "épreuve", "contrôle"}}}},
		{"lockout", Rule{Builtin: "lockout", Priority: ticket.Urgent, When: Conditions{LockedOut: true}}},
		{"abroad", Rule{Builtin: "abroad", Priority: ticket.High, When: Conditions{Words: []string{"erasmus", "mobilité", "étranger", "visa", "abroad", "exchange", "échange universitaire"}}}},
		{"examday", Rule{Builtin: "examday", Priority: ticket.High, When: Conditions{Exams: true, Kinds: []campus.Kind{campus.Student, campus.Teacher}, Areas: []ticket.Area{ticket.AreaAccount, ticket.AreaUpstream, ticket.AreaService, ticket.AreaNetwork}}}},
		{"account", Rule{Builtin: "account", Team: "accounts", When: Conditions{Areas: []ticket.Area{ticket.AreaAccount, ticket.AreaUpstream}}}},
		{"portal", Rule{Builtin: "portal", Team: "portal", When: Conditions{Areas: []ticket.Area{ticket.AreaPortal}}}},
		{"courses", Rule{Builtin: "courses", Team: "courses", When: Conditions{Areas: []ticket.Area{ticket.AreaService}}}},
		{"network", Rule{Builtin: "network", Team: "network", When: Conditions{Areas: []ticket.Area{ticket.AreaNetwork}}}},
		{"hardware", Rule{Builtin: "hardware", Team: "hardware", When: Conditions{Areas: []ticket.Area{ticket.AreaHardware}}}},
	}
}

// Teams are the codes of teams that the built-in rules know, the general one last.
var Teams = []string{"accounts", "portal", "courses", "network", "hardware", General}

// General is the team of what no other one takes.
const General = "general"

// find is the open queue of a team nearest to a campus: the team's there, the team's
// everywhere, the general one there, the general one everywhere, any one there, any.
func find(queues []ticket.Queue, team, campus string) (ticket.Queue, bool) {
	rank := func(q ticket.Queue) int {
		there, everywhere := q.Campus == campus, q.Campus == ""
		switch {
		case q.Team == team && there:
			return 0
		case q.Team == team && everywhere:
			return 1
		case q.Team == General && there:
			return 2
		case q.Team == General && everywhere:
			return 3
		case there:
			return 4
		case everywhere:
			return 5
		}
		return 6
	}
	open := slices.DeleteFunc(slices.Clone(queues), func(q ticket.Queue) bool { return !q.ClosedAt.IsZero() })
	if len(open) == 0 {
		return ticket.Queue{}, false
	}
	return slices.MinFunc(open, func(a, b ticket.Queue) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID)) }), true
}
