package routing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// The kinds of settings that rules and days of examinations are.
const (
	Kind      = "rule"
	ExamsKind = "exams"
)

// Register says what is known of people; the identity room keeps it.
type Register interface {
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
}

// Roll says who may handle requests of somebody.
type Roll interface {
	HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB       *db.DB
	Tickets  *ticket.Tickets
	Register Register
	Roll     Roll
	Rules    *kept.Shelf[Rule]
	Exams    *kept.Shelf[Exams]
	Zone     *time.Location // of the institution
}

// Routing is the alcove. It is safe for concurrent use.
type Routing struct{ Deps }

var _ ticket.Placer = (*Routing)(nil)

// New makes the alcove.
func New(d Deps) *Routing { return &Routing{d} }

// Step is the distance between the positions of built-in rules: an institution puts
// its own between them.
const Step = 1_000_000

// Ordered lists the rules in their order: the institution's, and the built-in ones
// that it did not change.
func (x *Routing) Ordered(ctx context.Context) ([]Placed, error) {
	items, err := x.Rules.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	list := make([]Placed, 0, len(items)+9)
	for _, item := range items {
		list = append(list, Placed{Ordered: Ordered{item.ID, item.Of}, Position: item.Position, Version: item.Version})
	}
	for i, r := range Builtin() {
		j := slices.IndexFunc(list, func(p Placed) bool { return p.ID == r.ID })
		if j < 0 {
			list = append(list, Placed{Ordered: r, Position: int64(i+1) * Step})
			continue
		}
		// Of a built-in rule, only what an institution can change is its own.
		changed := list[j].Rule
		list[j].Rule = r.Rule
		list[j].Off = changed.Off
	}
	slices.SortStableFunc(list, func(a, b Placed) int { return cmp.Compare(a.Position, b.Position) })
	return list, nil
}

// Placed is a rule with its place.
type Placed struct {
	Ordered
	Position, Version int64
}

func rulesOf(list []Placed) []Ordered {
	rules := make([]Ordered, len(list))
	for i, p := range list {
		rules[i] = p.Ordered
	}
	return rules
}

// Place implements [ticket.Placer]. It works before anybody set anything up: without a
// queue, it makes one.
func (x *Routing) Place(ctx context.Context, tx db.Tx, t *ticket.Ticket) error {
	rules, err := x.Ordered(ctx)
	if err != nil {
		return err
	}
	exams, err := x.exams(ctx)
	if err != nil {
		return err
	}
	asked := Asked{Ticket: *t, Day: hours.DateIn(t.OpenedAt, x.Zone), Exams: exams}
	if t.Requester != "" {
		known, err := x.Register.KnownPeople(ctx, []campus.PersonID{t.Requester})
		if err != nil {
			return err
		}
		asked.Person = personOf(known, t.Requester)
	}
	if t.Campus == "" {
		t.Campus = asked.Person.Campus()
		asked.Ticket.Campus = t.Campus
	}
	place := Decide(rulesOf(rules), asked)
	queues, err := x.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	queue, found := choose(queues, place, t.Campus)
	if !found {
		if queue, err = x.Tickets.KeepQueue(ctx, tx, ticket.Queue{Team: General, NameFrench: "Assistance", NameEnglish: "Help desk"}); err != nil {
			return fmt.Errorf("make the first queue: %w", err)
		}
	}
	t.Queue, t.Routed = queue.ID, place.Because
	if queue.Campus != "" {
		t.Routed = append(t.Routed, ticket.Because{Key: "helpdesk.routing.because.campus"})
	}
	if place.Priority != 0 {
		t.Priority = place.Priority
	}
	if len(place.Tags) > 0 {
		t.Tags = place.Tags
		t.Routed = append(t.Routed, ticket.Because{Key: "helpdesk.routing.because.tags", Facts: map[string]string{"tags": strings.Join(place.Tags, ", ")}})
	}
	if place.Assignee != "" && t.Assignee == "" {
		if err := x.hand(ctx, tx, t, place.Assignee); err != nil {
			return err
		}
	}
	if place.InTurn && t.Assignee == "" {
		return x.give(ctx, tx, t)
	}
	return nil
}

// choose finds the queue that was decided; one that was closed meanwhile is nobody's.
func choose(queues []ticket.Queue, p Place, campus string) (ticket.Queue, bool) {
	i := slices.IndexFunc(queues, func(q ticket.Queue) bool { return q.ID == p.Queue && q.ClosedAt.IsZero() })
	if i >= 0 {
		return queues[i], true
	}
	return find(queues, p.Team, campus)
}

// hand gives a ticket to the agent of a rule. When they may not handle it any more,
// or are away from its queue, it is said why nobody has it.
func (x *Routing) hand(ctx context.Context, tx db.Tx, t *ticket.Ticket, who campus.PersonID) error {
	may, err := x.Roll.HoldersFor(ctx, campus.RightHelpdesk, []campus.Affiliation{{Campus: t.Campus}})
	if err != nil {
		return fmt.Errorf("list the agents: %w", err)
	}
	if !slices.Contains(may, who) {
		t.Routed = append(t.Routed, ticket.Because{Key: "helpdesk.routing.because.assignee_gone"})
		return nil
	}
	rows, err := sqlgen.New(tx).WhoseTurn(ctx, t.Queue)
	if err != nil {
		return fmt.Errorf("find who is away: %w", err)
	}
	for _, row := range rows {
		if campus.PersonID(row.PersonID) == who && db.Time(row.AwayAt).After(tx.Now()) {
			t.Routed = append(t.Routed, ticket.Because{Key: "helpdesk.routing.because.assignee_away"})
			return nil
		}
	}
	t.Assignee = who
	t.Routed = append(t.Routed, ticket.Because{Key: "helpdesk.routing.because.assignee"})
	return nil
}

// give hands a ticket to the member of its queue who got one longest ago and is there.
func (x *Routing) give(ctx context.Context, tx db.Tx, t *ticket.Ticket) error {
	q := sqlgen.New(tx)
	rows, err := q.WhoseTurn(ctx, t.Queue)
	if err != nil {
		return fmt.Errorf("find whose turn it is: %w", err)
	}
	for _, row := range rows {
		if db.Time(row.AwayAt).After(tx.Now()) {
			continue
		}
		t.Assignee = campus.PersonID(row.PersonID)
		t.Routed = append(t.Routed, ticket.Because{Key: "helpdesk.routing.because.turn"})
		if err := q.GiveTurn(ctx, sqlgen.GiveTurnParams{QueueID: t.Queue, PersonID: row.PersonID, GivenAt: tx.Now()}); err != nil {
			return fmt.Errorf("note whose turn it was: %w", err)
		}
		return nil
	}
	return nil // everybody is away: the team sees it in the queue
}

// Away says until when no ticket of a queue is given to somebody; the zero time is
// that they are there.
func (x *Routing) Away(ctx context.Context, tx db.Tx, queue string, who campus.PersonID, until time.Time) error {
	if err := sqlgen.New(tx).SetAway(ctx, sqlgen.SetAwayParams{QueueID: queue, PersonID: string(who), AwayAt: db.At(until)}); err != nil {
		return fmt.Errorf("note who is away: %w", err)
	}
	return nil
}

// Absences are until when members of a queue are away; those who are there are left
// out.
func (x *Routing) Absences(ctx context.Context, queue string, now time.Time) (map[campus.PersonID]time.Time, error) {
	rows, err := sqlgen.New(x.DB.Read()).WhoseTurn(ctx, queue)
	if err != nil {
		return nil, fmt.Errorf("read who is away: %w", err)
	}
	away := map[campus.PersonID]time.Time{}
	for _, row := range rows {
		if until := db.Time(row.AwayAt).Time(); until.After(now) {
			away[campus.PersonID(row.PersonID)] = until
		}
	}
	return away, nil
}

func (x *Routing) exams(ctx context.Context) ([]Exams, error) {
	items, err := x.Exams.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the days of examinations: %w", err)
	}
	list := make([]Exams, len(items))
	for i, item := range items {
		list[i] = item.Of
	}
	return list, nil
}

func personOf(known map[campus.PersonID]contract.Known, who campus.PersonID) Person {
	k, ok := known[who]
	return Person{Known: ok, Affiliations: k.Subject.Affiliations}
}

// Tried is what rules would have done with a request.
type Tried struct {
	Number, Subject string
	At              time.Time
	Queue, Would    string // identifiers: where it is, where it would have gone
	Priority, Wants ticket.Priority
	Because         []ticket.Because
	By              []string // identifiers of the rules that decided
}

// Differs reports whether the request would have been placed otherwise.
func (t Tried) Differs() bool { return t.Queue != t.Would || t.Priority != t.Wants }

// Try says what rules would have done with the latest requests, at most so many, and
// changes nothing. Whose turn it would have been is not said.
func (x *Routing) Try(ctx context.Context, rules []Ordered, most int) ([]Tried, error) {
	rows, err := sqlgen.New(x.DB.Read()).Latest(ctx, int32(most))
	if err != nil {
		return nil, fmt.Errorf("read the latest requests: %w", err)
	}
	exams, err := x.exams(ctx)
	if err != nil {
		return nil, err
	}
	queues, err := x.Tickets.Queues(ctx)
	if err != nil {
		return nil, err
	}
	people := map[campus.PersonID]bool{}
	for _, row := range rows {
		if row.RequesterID != "" {
			people[campus.PersonID(row.RequesterID)] = true
		}
	}
	ids := make([]campus.PersonID, 0, len(people))
	for who := range people {
		ids = append(ids, who)
	}
	known, err := x.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Tried, len(rows))
	for i, row := range rows {
		t := ticket.Ticket{
			Number: row.Number, Channel: ticket.Channel(row.Channel), Subject: row.Subject, Requester: campus.PersonID(row.RequesterID), RequesterMail: row.RequesterMail,
			Campus: row.Campus, Area: ticket.Area(row.Area), Service: row.Service, Reason: row.Reason, IncidentCode: row.IncidentCode, Leaf: row.Leaf,
		}
		place := Decide(rules, Asked{Ticket: t, Person: personOf(known, t.Requester), Day: hours.DateIn(row.OpenedAt.Time(), x.Zone), Exams: exams})
		would := row.QueueID
		if queue, ok := choose(queues, place, t.Campus); ok {
			would = queue.ID
		}
		list[i] = Tried{
			Number: row.Number, Subject: row.Subject, At: row.OpenedAt.Time(), Queue: row.QueueID, Would: would,
			Priority: ticket.Priority(row.Priority), Wants: cmp.Or(place.Priority, ticket.Normal), Because: place.Because, By: place.Rules,
		}
	}
	return list, nil
}
