package intake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// glpi reads what GLPI's REST API (apirest.php) gives: a line with "users" as GET
// /User and "emails" as GET /UserEmail, and for each ticket GET /Ticket/{id} with
// "_followups", "_tasks", "_solutions" and "_users" as the lists below it, and
// "_category" for the name of its category. A ticket, a follow-up, a task and a
// solution may each have "_documents": GET /Document/{id} with "data", the file of
// the same document in base64.
type glpi struct {
	zone   *time.Location // of the server: its dates name none
	people map[int64]person
}

type glpiSaid struct {
	UsersID   int64          `json:"users_id"`
	Content   string         `json:"content"`
	IsPrivate int            `json:"is_private"`
	Date      string         `json:"date"`
	Created   string         `json:"date_creation"`
	Seconds   int64          `json:"actiontime"`
	Documents []glpiDocument `json:"_documents"`
}

// glpiDocument is a file, or the address of one that lies elsewhere.
type glpiDocument struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Filename string `json:"filename"`
	Link     string `json:"link"`
	Data     string `json:"data"`
}

type glpiLine struct {
	Users []struct {
		ID        int64  `json:"id"`
		Name      string `json:"name"`
		Realname  string `json:"realname"`
		Firstname string `json:"firstname"`
		Phone     string `json:"phone"`
	} `json:"users"`
	Emails []struct {
		UsersID   int64  `json:"users_id"`
		Email     string `json:"email"`
		IsDefault int    `json:"is_default"`
	} `json:"emails"`

	ID        int64          `json:"id"`
	Name      string         `json:"name"`
	Content   string         `json:"content"`
	Status    int            `json:"status"`
	Priority  int            `json:"priority"`
	Date      string         `json:"date"`
	DateMod   string         `json:"date_mod"`
	SolveDate string         `json:"solvedate"`
	CloseDate string         `json:"closedate"`
	Recipient int64          `json:"users_id_recipient"`
	Category  string         `json:"_category"`
	Followups []glpiSaid     `json:"_followups"`
	Tasks     []glpiSaid     `json:"_tasks"`
	Solutions []glpiSaid     `json:"_solutions"`
	Documents []glpiDocument `json:"_documents"`
	Actors    []struct {
		UsersID int64  `json:"users_id"`
		Type    int    `json:"type"` // 1 requester, 2 assigned, 3 observer
		Mail    string `json:"alternative_email"`
	} `json:"_users"`
}

// glpiStates are those of CommonITILObject, glpiPriorities go from very low to major.
var (
	glpiStates     = map[int]ticket.State{1: ticket.New, 2: ticket.Open, 3: ticket.Open, 4: ticket.Waiting, 5: ticket.Solved, 6: ticket.Closed}
	glpiPriorities = map[int]ticket.Priority{1: ticket.Low, 2: ticket.Low, 3: ticket.Normal, 4: ticket.High, 5: ticket.Urgent, 6: ticket.Urgent}
)

func (g *glpi) read(line []byte) (*foreign, error) {
	var l glpiLine
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, fmt.Errorf("it is no ticket of GLPI: %w", err)
	}
	for _, u := range l.Users {
		name := strings.TrimSpace(u.Firstname + " " + u.Realname)
		if name == "" {
			name = u.Name
		}
		known := g.people[u.ID]
		g.people[u.ID] = person{Mail: known.Mail, Name: name, Phone: u.Phone}
	}
	for _, e := range l.Emails {
		known := g.people[e.UsersID]
		if known.Mail == "" || e.IsDefault != 0 {
			known.Mail = mailOf(e.Email)
			g.people[e.UsersID] = known
		}
	}
	if l.Users != nil || l.Emails != nil {
		return nil, nil // a line about people, no ticket
	}
	f := &foreign{
		Label: "GLPI #" + strconv.FormatInt(l.ID, 10), Subject: html.UnescapeString(l.Name), Queue: l.Category, State: glpiStates[l.Status], stateSaid: strconv.Itoa(l.Status), Priority: glpiPriorities[l.Priority],
	}
	if l.ID != 0 {
		f.ID = strconv.FormatInt(l.ID, 10)
	}
	for _, date := range []struct {
		into *time.Time
		said string
	}{{&f.Opened, l.Date}, {&f.Changed, l.DateMod}, {&f.Solved, l.SolveDate}, {&f.Closed, l.CloseDate}} {
		at, err := g.date(date.said)
		if err != nil {
			return f, err
		}
		*date.into = at
	}
	staff := map[int64]bool{}
	for _, a := range l.Actors {
		p := g.people[a.UsersID]
		if a.UsersID == 0 {
			p = person{Mail: mailOf(a.Mail), Name: a.Mail}
		}
		switch {
		case a.Type == 1 && f.Requester == (person{}):
			f.Requester = p
		case a.Type == 2:
			staff[a.UsersID] = true
			if f.Owner == (person{}) {
				f.Owner = p
			}
		}
	}
	if f.Requester == (person{}) {
		f.Requester = g.people[l.Recipient]
	}
	// GLPI may name a document of a note beside the ticket too: there it would be read
	// by people for whom it was not meant.
	below := map[int64]bool{}
	for _, list := range [][]glpiSaid{l.Followups, l.Tasks, l.Solutions} {
		for _, s := range list {
			for _, d := range s.Documents {
				below[d.ID] = true
			}
		}
	}
	own := slices.DeleteFunc(slices.Clone(l.Documents), func(d glpiDocument) bool { return below[d.ID] })
	if l.Content != "" || len(own) > 0 {
		first := said{By: f.Requester, At: f.Opened, Body: glpiText(l.Content)}
		if err := first.bring(own); err != nil {
			return f, err
		}
		f.Said = append(f.Said, first)
	}
	for _, list := range []struct {
		said  []glpiSaid
		staff bool
	}{{l.Followups, false}, {l.Tasks, true}, {l.Solutions, true}} {
		for _, s := range list.said {
			when := s.Date
			if when == "" {
				when = s.Created
			}
			at, err := g.date(when)
			if err != nil {
				return f, err
			}
			by := g.people[s.UsersID]
			one := said{By: by, Staff: list.staff || staff[s.UsersID] || by != f.Requester, At: at, Internal: s.IsPrivate != 0, Body: glpiText(s.Content)}
			if err := one.bring(s.Documents); err != nil {
				return f, err
			}
			f.Said = append(f.Said, one)
			f.Spent += time.Duration(max(0, s.Seconds)) * time.Second
		}
	}
	slices.SortStableFunc(f.Said, func(a, b said) int { return a.At.Compare(b.At) })
	return f, nil
}

// bring puts documents with a message, each once. One that is only an address is
// said in its words.
func (s *said) bring(list []glpiDocument) error {
	seen := map[int64]bool{}
	for _, d := range list {
		if d.ID != 0 && seen[d.ID] {
			continue
		}
		seen[d.ID] = true
		name := cmp.Or(d.Filename, d.Name, "document "+strconv.FormatInt(d.ID, 10))
		if d.Filename == "" && d.Data == "" && d.Link != "" {
			s.Body = strings.TrimSpace(s.Body + "\n\n" + name + ": " + d.Link)
			continue
		}
		content, err := contentOf(d.Data)
		if err != nil {
			return fmt.Errorf("the document %q: %w", name, err)
		}
		s.Files = append(s.Files, file{html.UnescapeString(name), content})
	}
	return nil
}

// date reads a date in the zone of the server; none is the zero time.
func (g *glpi) date(text string) (time.Time, error) {
	if text == "" || strings.HasPrefix(text, "0000") {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateTime, text, g.zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("the date %q cannot be read", text)
	}
	return at.UTC(), nil
}

// glpiText is a text of GLPI, which keeps HTML with its signs written as entities.
func glpiText(content string) string {
	if !strings.Contains(content, "<") {
		content = html.UnescapeString(content)
	}
	return html.UnescapeString(plain(content))
}
