package counter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// State is how far a visit is.
type State string

// The states of a visit.
const (
	Booked    State = "booked"  // the person has not come yet
	Waiting   State = "waiting" // they are there
	Called    State = "called"
	Serving   State = "serving"
	Done      State = "done"
	Absent    State = "absent" // they did not come, or not when called
	Cancelled State = "cancelled"
)

// The series of numbers.
const (
	byNumber      = "A"
	byAppointment = "R" // rendez-vous
)

// Visit is somebody at a counter. Times are zero for "not yet".
type Visit struct {
	ID, Counter   string
	Series        string
	Day           string // where the counter is: 2026-11-23
	Number        int
	Purpose       string
	State         State
	Begins, Ends  time.Time // of the appointment; for a number, when it was taken
	Person        campus.PersonID
	Name          string
	Mail, Phone   string
	Student       string
	Locale        campus.Locale
	Ticket        string
	Opened        bool // the ticket was opened for the visit
	Made, Arrived time.Time
	Called        time.Time
	Calls         int
	Served, Ended time.Time
	Agent         campus.PersonID
	Checked       []string // kinds of documents
	Note          string
	Told          time.Time
	Window        string // that called, where the counter has several
	Version       int64
}

// Short is what is called: A12, R3. It says nothing about who it is.
func (v Visit) Short() string { return v.Series + strconv.Itoa(v.Number) }

// ByAppointment reports whether the visit was agreed upon.
func (v Visit) ByAppointment() bool { return v.Series == byAppointment }

// steps are the states from which each state can be reached.
var steps = map[State][]State{
	Waiting:   {Booked, Called, Absent},
	Called:    {Waiting, Called, Absent},
	Serving:   {Called, Waiting, Booked},
	Done:      {Serving, Called},
	Absent:    {Called, Booked, Waiting},
	Cancelled: {Booked, Waiting},
}

// become changes the state, with the times that go with it, or answers [WrongState].
func (v *Visit) become(s State, now time.Time, agent campus.PersonID) error {
	if !slices.Contains(steps[s], v.State) {
		return WrongState
	}
	v.State = s
	switch s {
	case Waiting:
		v.Ended = time.Time{}
		if v.Arrived.IsZero() {
			v.Arrived = now
		}
	case Called:
		v.Called, v.Agent, v.Ended = now, agent, time.Time{}
		v.Calls++
	case Serving:
		if v.Arrived.IsZero() {
			v.Arrived = now
		}
		v.Served, v.Agent = now, agent
	case Done, Absent, Cancelled:
		v.Ended = now
	case Booked:
	}
	return nil
}

// queue orders those who wait: an appointment whose time has come goes before
// numbers, numbers in the order in which they were taken, and who came early for an
// appointment last.
func queue(list []Visit, now time.Time) []Visit {
	var waiting []Visit
	for _, v := range list {
		if v.State == Waiting {
			waiting = append(waiting, v)
		}
	}
	rank := func(v Visit) int {
		switch {
		case v.ByAppointment() && !v.Begins.After(now):
			return 1
		case !v.ByAppointment():
			return 2
		}
		return 3
	}
	slices.SortStableFunc(waiting, func(a, b Visit) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Begins.Compare(b.Begins), cmp.Compare(a.Number, b.Number))
	})
	return waiting
}

// paceFrom is how many visits have to be over before a pace is one.
const paceFrom = 3

// Wait is what somebody who takes a number now may expect.
type Wait struct {
	Ahead int
	// About is zero when too few people were served today to tell.
	About time.Duration
}

// waitFor estimates the wait behind so many people from the visits of a day: the
// median of how long one took, shared between those who serve, rounded up to five
// minutes. Appointments that begin meanwhile count as people ahead.
func waitFor(c Counter, list []Visit, ahead int, now time.Time) Wait {
	w := Wait{Ahead: ahead}
	var took []time.Duration
	for _, v := range list {
		if begun := cmpTime(v.Served, v.Called); v.State == Done && !begun.IsZero() && v.Ended.After(begun) {
			took = append(took, v.Ended.Sub(begun))
		}
	}
	if len(took) < paceFrom {
		return w
	}
	slices.Sort(took)
	about := took[len(took)/2] * time.Duration(ahead) / time.Duration(max(c.AtOnce, 1))
	for _, v := range list {
		if v.ByAppointment() && v.State == Booked && v.Begins.After(now) && v.Begins.Before(now.Add(about)) {
			w.Ahead++
		}
	}
	about = took[len(took)/2] * time.Duration(w.Ahead) / time.Duration(max(c.AtOnce, 1))
	const step = 5 * time.Minute
	w.About = (about + step - 1) / step * step
	return w
}

func cmpTime(first, second time.Time) time.Time {
	if !first.IsZero() {
		return first
	}
	return second
}

// documents are the kinds of papers that an agent can have been shown.
var documents = []string{"identity_card", "passport", "residence", "driving", "student_card"}

func joined(list []string) string { return strings.Join(list, ",") }

func parted(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
