package listing

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// The groups of states that agents list.
const (
	Running = "running" // the desk has to do something
	Waiting = "waiting" // for the person, or for a date
	Over    = "over"
	All     = "all"
)

var groups = map[string][]ticket.State{
	Running: {ticket.New, ticket.Open},
	Waiting: {ticket.Waiting, ticket.Postponed},
	Over:    {ticket.Solved, ticket.Closed, ticket.Merged},
}

// The orders of a list.
const (
	ByUrgency = "urgent"  // the most urgent first, then the oldest
	ByChange  = "changed" // the last change first
)

// Values of Filter.Assignee and Filter.Queue that name nobody in particular.
const (
	Me   = "me"
	None = "none"
	Mine = "mine"
)

// The values of Filter.Due.
const (
	DueSoon = "soon"
	DueLate = "late"
)

// soon is how long before a promised time a ticket is soon due.
const soon = 2 * time.Hour

// Filter says which tickets to list. The zero value of a field does not narrow.
type Filter struct {
	Words    string
	States   string // a group
	Queue    string // identifier, or Mine
	Assignee string // PersonID, Me or None
	Priority ticket.Priority
	Campus   string
	Area     ticket.Area
	Service  string
	Reason   string
	Tag      string
	Due      string
	Sort     string
	Size     int    // tickets on a page: one of Sizes; 0 is as many as usual
	After    string // where the page before ended

	by     campus.Viewer
	within []string // campuses that the viewer may read; nil for all
	queues []string // those that the viewer works in
}

// Sizes are how many tickets a page lists, the usual number first.
var Sizes = []int{25, 50, 100}

// maxWords is how much is searched for.
const maxWords = 120

// ReadFilter reads the filter of an address; what it does not know it leaves out.
func ReadFilter(q url.Values) Filter {
	clean := func(name string) string {
		text := strings.ToValidUTF8(strings.ReplaceAll(q.Get(name), "\x00", ""), "")
		return strings.ToValidUTF8(text[:min(len(text), maxWords)], "")
	}
	one := func(name string, of ...string) string {
		if v := q.Get(name); slices.Contains(of, v) {
			return v
		}
		return ""
	}
	f := Filter{
		Words: clean("q"), States: one("state", Running, Waiting, Over, All), Queue: clean("queue"), Assignee: clean("assignee"),
		Campus: clean("campus"), Service: clean("service"), Reason: clean("reason"), Tag: clean("tag"), Due: one("due", DueSoon, DueLate), Sort: one("sort", ByUrgency, ByChange), After: clean("after"),
	}
	for _, p := range ticket.Priorities {
		if q.Get("priority") == p.Key() {
			f.Priority = p
		}
	}
	if a := ticket.Area(q.Get("area")); slices.Contains(ticket.Areas, a) {
		f.Area = a
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil && slices.Contains(Sizes[1:], n) {
		f.Size = n
	}
	if f.States == "" {
		if f.States = Running; strings.TrimSpace(f.Words) != "" {
			f.States = All // who searches has mostly lost something
		}
	}
	if f.Sort == "" {
		if f.Sort = ByUrgency; f.States == Over || f.States == All {
			f.Sort = ByChange
		}
	}
	return f
}

// Query is the filter as an address carries it, for [ReadFilter]; the page is not
// in it.
func (f Filter) Query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"q": f.Words, "state": f.States, "queue": f.Queue, "assignee": f.Assignee, "campus": f.Campus, "area": string(f.Area), "service": f.Service,
		"reason": f.Reason, "tag": f.Tag, "due": f.Due, "sort": f.Sort,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Priority != 0 {
		q.Set("priority", f.Priority.Key())
	}
	if f.Size != 0 {
		q.Set("size", strconv.Itoa(f.Size))
	}
	return q
}

// size is how many tickets a page lists.
func (f Filter) size() int { return cmp.Or(f.Size, Sizes[0]) }

// URL is the address of the list, on the page that is open.
func (f Filter) URL() string {
	q := f.Query()
	if f.After != "" {
		q.Set("after", f.After)
	}
	return listURL + "?" + q.Encode()
}

// For narrows the filter to what somebody may read; queues are those that they work
// in.
func (f Filter) For(v campus.Viewer, queues []string) Filter {
	f.by, f.queues = v, queues
	everywhere, within := ticket.Reach(v)
	if !everywhere {
		f.within = append([]string{}, within...)
	}
	return f
}

// clause collects conditions and their arguments.
type clause struct {
	conditions []string
	args       []any
}

// arg adds an argument and returns its placeholder.
func (c *clause) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *clause) and(condition string) { c.conditions = append(c.conditions, condition) }

func (c *clause) equal(column, value string) {
	if value != "" {
		c.and("t." + column + " = " + c.arg(value))
	}
}

func (c *clause) in(column string, values []string) {
	first := len(c.args) + 1
	for _, v := range values {
		c.arg(v)
	}
	c.and("t." + column + " IN " + db.In(len(values), first))
}

func (c *clause) where() string {
	if len(c.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.conditions, " AND ")
}

// narrow writes the filter, without its words and its page.
func (f Filter) narrow(c *clause, now db.Time) {
	if states := groups[f.States]; states != nil {
		names := make([]string, len(states))
		for i, s := range states {
			names[i] = string(s)
		}
		c.in("state", names)
	}
	switch f.Queue {
	case "":
	case Mine:
		c.in("queue_id", f.queues)
	default:
		c.equal("queue_id", f.Queue)
	}
	switch f.Assignee {
	case "":
	case Me:
		c.equal("assignee_id", string(f.by.Person))
	case None:
		c.and("t.assignee_id = ''")
	default:
		c.equal("assignee_id", f.Assignee)
	}
	if f.Priority != 0 {
		c.and("t.priority = " + c.arg(int(f.Priority)))
	}
	c.equal("campus", f.Campus)
	c.equal("area", string(f.Area))
	c.equal("service", f.Service)
	c.equal("reason", f.Reason)
	if f.Tag != "" {
		c.and("EXISTS (SELECT 1 FROM helpdesk_tags g WHERE g.tag = " + c.arg(f.Tag) + " AND g.ticket_id = t.id)")
	}
	if f.Due != "" {
		limit := now
		if f.Due == DueSoon {
			limit = now.Add(soon)
		}
		until := c.arg(limit)
		c.and("t.state IN ('new', 'open') AND (t.answered_at = 0 AND t.answer_due_at > 0 AND t.answer_due_at <= " + until + " OR t.solve_due_at > 0 AND t.solve_due_at <= " + until + ")")
	}
	if f.within != nil {
		c.in("campus", f.within)
	}
}

// order is how the list is sorted.
func (f Filter) order() string {
	if f.Sort == ByChange {
		return " ORDER BY t.changed_at DESC, t.id DESC"
	}
	return " ORDER BY t.priority, t.opened_at, t.id"
}

// page begins behind the row that the page before ended with. A mark that is not
// ours begins at the top.
func (f Filter) page(c *clause) {
	parts := strings.Split(f.After, ".")
	numbers := make([]int64, 0, 2)
	for _, p := range parts[:len(parts)-1] {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return
		}
		numbers = append(numbers, n)
	}
	id := parts[len(parts)-1]
	switch {
	case f.Sort == ByChange && len(numbers) == 1:
		c.and("(t.changed_at, t.id) < (" + c.arg(numbers[0]) + ", " + c.arg(id) + ")")
	case f.Sort == ByUrgency && len(numbers) == 2:
		c.and("(t.priority, t.opened_at, t.id) > (" + c.arg(numbers[0]) + ", " + c.arg(numbers[1]) + ", " + c.arg(id) + ")")
	}
}

// mark is where a page ends, for Filter.After of the next one.
func (f Filter) mark(r Row) string {
	switch {
	case strings.TrimSpace(f.Words) != "":
		return r.ID
	case f.Sort == ByChange:
		return strconv.FormatInt(int64(r.ChangedAt), 10) + "." + r.ID
	default:
		return strconv.Itoa(int(r.Priority)) + "." + strconv.FormatInt(int64(r.OpenedAt), 10) + "." + r.ID
	}
}
