package figures

import (
	"slices"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// Tally counts what happened on some days in some queues. Each thing is counted on
// the day on which it happened: an answer on the day of the answer, a solution on the
// day of the solution.
type Tally struct {
	Opened   int `json:"o,omitempty"`
	Solved   int `json:"s,omitempty"`
	Answered int `json:"a,omitempty"`
	// How long people waited, in whole minutes of opening hours, and how many of them
	// so long: nothing is lost of a median.
	Answers  map[int]int `json:"am,omitempty"`
	Solution map[int]int `json:"sm,omitempty"`
	// Promises that could be kept, and that were.
	AnswerDue  int `json:"ad,omitempty"`
	AnswerKept int `json:"ak,omitempty"`
	SolveDue   int `json:"sd,omitempty"`
	SolveKept  int `json:"sk,omitempty"`
	// Of those that were solved: how many had been taken up again, and the minutes that
	// agents worked on them.
	Reopened int    `json:"r,omitempty"`
	Minutes  int    `json:"m,omitempty"`
	Ratings  [4]int `json:"q,omitzero"` // by [ticket.Rating]
	// Of those that were opened.
	Areas    map[string]int `json:"xa,omitempty"`
	Services map[string]int `json:"xs,omitempty"`
	Reasons  map[string]int `json:"xr,omitempty"`
	Channels map[string]int `json:"xc,omitempty"`
	Hours    map[int]int    `json:"h,omitempty"` // by hour of the week: Monday 0:00 is 0
}

func (y *Tally) open(t ticket.Ticket, zone *time.Location) {
	y.Opened++
	count(&y.Areas, string(t.Area))
	count(&y.Channels, string(t.Channel))
	if t.Service != "" {
		count(&y.Services, t.Service)
	}
	if t.Reason != "" {
		count(&y.Reasons, t.Reason)
	}
	at := t.OpenedAt.In(zone)
	count(&y.Hours, (int(at.Weekday())+6)%7*24+at.Hour())
}

func (y *Tally) answer(t ticket.Ticket, c *hours.Calendar) {
	y.Answered++
	count(&y.Answers, int(c.OpenBetween(t.OpenedAt, t.AnsweredAt)/time.Minute))
	if !t.AnswerDue.IsZero() {
		y.AnswerDue++
		if !t.AnsweredAt.After(t.AnswerDue) {
			y.AnswerKept++
		}
	}
}

func (y *Tally) solve(t ticket.Ticket, c *hours.Calendar) {
	y.Solved++
	count(&y.Solution, int(max(0, c.OpenBetween(t.OpenedAt, t.SolvedAt)-t.Paused)/time.Minute))
	if !t.SolveDue.IsZero() {
		y.SolveDue++
		if !t.SolvedAt.After(t.SolveDue) {
			y.SolveKept++
		}
	}
	if t.Reopened > 0 {
		y.Reopened++
	}
	y.Minutes += int(t.Spent / time.Minute)
}

// Add counts another tally to this one.
func (y *Tally) Add(o Tally) {
	y.Opened += o.Opened
	y.Solved += o.Solved
	y.Answered += o.Answered
	y.AnswerDue += o.AnswerDue
	y.AnswerKept += o.AnswerKept
	y.SolveDue += o.SolveDue
	y.SolveKept += o.SolveKept
	y.Reopened += o.Reopened
	y.Minutes += o.Minutes
	for i, n := range o.Ratings {
		y.Ratings[i] += n
	}
	sum(&y.Answers, o.Answers)
	sum(&y.Solution, o.Solution)
	sum(&y.Areas, o.Areas)
	sum(&y.Services, o.Services)
	sum(&y.Reasons, o.Reasons)
	sum(&y.Channels, o.Channels)
	sum(&y.Hours, o.Hours)
}

func count[K comparable](into *map[K]int, key K) {
	if *into == nil {
		*into = map[K]int{}
	}
	(*into)[key]++
}

func sum[K comparable](into *map[K]int, from map[K]int) {
	for key, n := range from {
		if *into == nil {
			*into = map[K]int{}
		}
		(*into)[key] += n
	}
}

// percentile is how long it took for so many of the cases, from 0 to 1: the shortest
// time within which that share of them was done.
func percentile(times map[int]int, share float64) time.Duration {
	lengths := make([]int, 0, len(times))
	cases := 0
	for minutes, n := range times {
		lengths = append(lengths, minutes)
		cases += n
	}
	slices.Sort(lengths)
	seen := 0
	for _, minutes := range lengths {
		if seen += times[minutes]; float64(seen) >= share*float64(cases) {
			return time.Duration(minutes) * time.Minute
		}
	}
	return 0
}

// few is how many cases are too few to be told apart: below it, somebody who knows one
// of the people would read what became of them.
const few = 5

// share is one line of a breakdown.
type share struct {
	Key   string
	Count int
	Rare  bool // of several keys, each of which is too rare to be told
}

// breakdown is the counts of keys, the most frequent first. Keys that are too rare
// are put together, with more frequent ones where one could still be told from the
// sum; how many is then not said.
func breakdown(counts map[string]int, most int) []share {
	var list []share
	for key, n := range counts {
		list = append(list, share{Key: key, Count: n})
	}
	slices.SortFunc(list, func(a, b share) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	rest := share{Rare: true}
	for len(list) > 0 {
		last := list[len(list)-1]
		if len(list) <= most && last.Count >= few && (rest.Count == 0 || rest.Count >= few) {
			break
		}
		rest.Count += last.Count
		list = list[:len(list)-1]
	}
	if rest.Count > 0 {
		list = append(list, rest)
	}
	return list
}

// told is a count as others may read it.
func told(n int) string {
	if n > 0 && n < few {
		return "< " + strconv.Itoa(few)
	}
	return strconv.Itoa(n)
}
