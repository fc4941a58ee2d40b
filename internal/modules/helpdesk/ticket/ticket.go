// Package ticket keeps the requests of the help desk: their words, their states,
// and the one way to change them.
package ticket

import (
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// State is how far a ticket is.
type State string

// The states of a ticket.
const (
	New       State = "new"       // no agent has answered
	Open      State = "open"      // in the hands of the desk
	Waiting   State = "waiting"   // for the person
	Postponed State = "postponed" // until a date
	Solved    State = "solved"    // the person can say that it is not
	Closed    State = "closed"
	Merged    State = "merged" // into another one, which goes on
)

// States lists them.
var States = []State{New, Open, Waiting, Postponed, Solved, Closed, Merged}

// Over reports whether nothing is left to do.
func (s State) Over() bool { return s == Solved || s == Closed || s == Merged }

// Running reports whether promised times count: the desk has to do something.
func (s State) Running() bool { return s == New || s == Open }

// Priority orders what is to be done; 1 comes first.
type Priority int

// The priorities.
const (
	Urgent Priority = 1 // somebody is locked out, an exam is under way
	High   Priority = 2
	Normal Priority = 3
	Low    Priority = 4
)

// Priorities lists them, the most urgent first.
var Priorities = []Priority{Urgent, High, Normal, Low}

// Key names the priority in sentences and addresses.
func (p Priority) Key() string { return [...]string{"", "urgent", "high", "normal", "low"}[p] }

// Channel is how somebody reached the desk.
type Channel string

// The channels.
const (
	ByPortal Channel = "portal"
	ByMail   Channel = "mail"
	ByPhone  Channel = "phone"
	AtDesk   Channel = "desk"
	ByAPI    Channel = "api"
	ByImport Channel = "import"
)

// Area is what seems to be at fault.
type Area string

// The areas.
const (
	AreaAccount  Area = "account"  // the person's account here
	AreaPortal   Area = "portal"   // Amphi itself
	AreaService  Area = "service"  // a program behind single sign-on
	AreaUpstream Area = "upstream" // the organisation's account elsewhere
	AreaNetwork  Area = "network"  // Wi-Fi, VPN
	AreaHardware Area = "hardware" // computers, printers, student cards
	AreaOther    Area = "else"     // "other" is a plural form to the locales
)

// Areas lists them.
var Areas = []Area{AreaAccount, AreaPortal, AreaService, AreaUpstream, AreaNetwork, AreaHardware, AreaOther}

// Role is on which side of a ticket somebody stands.
type Role string

// The roles.
const (
	Requester Role = "requester"
	Agent     Role = "agent"
	Other     Role = "other" // somebody in copy
	House     Role = "house" // a rule, a job
)

// Actor is who does something.
type Actor struct {
	Role   Role
	Person campus.PersonID // empty for who has no account, and for the house
	Name   string          // as others read it
	Mail   string
}

// ByHouse acts for rules and jobs.
var ByHouse = Actor{Role: House}

// Rating is the answer to "did this solve it?".
type Rating int

// The ratings; 0 is none.
const (
	RatedNo     Rating = 1
	RatedPartly Rating = 2
	RatedYes    Rating = 3
)

// Ticket is one request. Times are zero for "not yet".
type Ticket struct {
	ID       string
	Number   string // eight digits; see [Spoken]
	State    State
	Priority Priority
	Channel  Channel
	Subject  string
	Locale   campus.Locale // of the requester

	Requester      campus.PersonID // empty for somebody without an account here
	RequesterName  string
	RequesterMail  string    // lower case
	RequesterPhone string    // international form
	ProvedAt       time.Time // when they showed who they are

	Campus       string // code
	Area         Area
	Service      string // identifier in the register of services
	Reason       string // reason code of what stopped them
	IncidentCode string // of the sign-in that failed
	Leaf         string // where the guided diagnosis ended

	Queue    string          // identifier
	Assignee campus.PersonID // empty for nobody
	Routed   []Because       // why this queue and this priority
	Tags     []string        // codes that rules gave it; see [ParseTags]
	Outage   string          // identifier of the incident that many have at once

	MergedInto, SplitFrom string // identifiers of tickets

	OpenedAt, ChangedAt, AnsweredAt, SolvedAt, ClosedAt time.Time
	WaitingSince, PostponedUntil                        time.Time     // since when it waits, for the person or for a date
	AnswerDue, SolveDue                                 time.Time     // promised
	Paused                                              time.Duration // of opening hours, while waiting for the person
	Escalated                                           int

	Reopened    int
	Spent       time.Duration // agents' work
	Messages    int
	LastBy      Role
	Rating      Rating
	RatingWords string
	RatedAt     time.Time

	// Version counts changes: who writes names the one that they read.
	Version int64
}

// Because is why a rule gave a ticket its queue or its priority: the key of a
// sentence and its arguments, or the words of the institution's own rule.
type Because struct {
	Key    string            `json:"key,omitempty"`
	Facts  map[string]string `json:"facts,omitempty"`
	French string            `json:"fr,omitempty"`
	Words  string            `json:"en,omitempty"`
}

// Message is one thing that was said.
type Message struct {
	ID       string
	Ticket   string
	At       time.Time
	By       Actor
	Channel  Channel
	Internal bool   // for agents alone
	Body     string // plain text
	Folded   string // quotations and signature of a mail
	MailID   string // Message-ID without its brackets (RFC 5322 §3.6.4)
	Redacted time.Time
	Files    []Attachment
}

// Attachment is a file beside a message.
type Attachment struct {
	ID        string
	Message   string
	Name      string
	MediaType string
	Size      int64  // bytes
	Ref       string // in the file store; empty when it was not kept
	Refused   string // reason code of why it was not kept
}

// Event is one change. Its sentence stands below helpdesk.event in the locales.
type Event struct {
	ID     string
	Ticket string
	At     time.Time
	By     Actor // without a name
	Kind   string
	Facts  map[string]string
}

// Fact is one thing that the house knew and filled in. Its label stands below
// helpdesk.fact in the locales.
type Fact struct{ Label, Content string }

// Queue is a team on a campus, or everywhere.
type Queue struct {
	ID          string
	Team        string // code: accounts, portal, courses, network, hardware…
	Campus      string // code; empty for all
	NameFrench  string
	NameEnglish string
	Mail        string // address of its mailbox; empty for none
	Calendar    string // identifier of its opening hours; empty for those of the house
	ClosedAt    time.Time
}

// Name is the queue's name in a language, or in the other one.
func (q Queue) Name(l campus.Locale) string {
	if l == campus.English && q.NameEnglish != "" || q.NameFrench == "" {
		return q.NameEnglish
	}
	return q.NameFrench
}

// MayHandle reports whether somebody may read and change a ticket as an agent:
// their right reaches everybody, or the campus of the ticket.
func MayHandle(v campus.Viewer, t Ticket) bool {
	return v.CanFor(campus.RightHelpdesk, []campus.Affiliation{{Campus: t.Campus}})
}

// Reach is whose tickets somebody may handle as an agent: everybody's, or those of
// some campuses, by their codes.
func Reach(v campus.Viewer) (everywhere bool, campuses []string) {
	everywhere, within := v.Scope(campus.RightHelpdesk)
	for _, m := range within {
		// A mandate that is narrower than a campus reaches no ticket: those carry only
		// their campus.
		if m.Campus != "" && m.Programme == "" && m.Unit == "" {
			campuses = append(campuses, m.Campus)
		}
	}
	return everywhere, campuses
}

// MayUse reports whether tickets that somebody may handle can be in a queue: one of no
// campus takes in those of all.
func MayUse(v campus.Viewer, q Queue) bool {
	return q.Campus == "" || MayHandle(v, Ticket{Campus: q.Campus})
}
