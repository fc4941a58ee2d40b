package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// rt reads what Request Tracker's REST2 gives: for each ticket GET
// /REST/2.0/ticket/{id}?fields[Queue]=Name with "transactions" as GET
// /REST/2.0/ticket/{id}/history?fields=Type,Creator,Created, each with "attachments"
// as GET /REST/2.0/attachment/{id}, and with "Requestor" as GET /REST/2.0/user/{name}:
// beside a ticket, RT 5.0 says no more of people than their names.
type rt struct{}

// rtUser is somebody: an object with an identifier, or the identifier alone.
type rtUser struct {
	ID   string
	Mail string
	Name string
}

// UnmarshalJSON reads both forms.
func (u *rtUser) UnmarshalJSON(text []byte) error {
	var whole struct {
		ID           json.RawMessage `json:"id"`
		EmailAddress string          `json:"EmailAddress"`
		RealName     string          `json:"RealName"`
		Name         string          `json:"Name"`
	}
	if len(text) > 0 && text[0] != '{' {
		u.ID = strings.Trim(string(text), `"`)
		return nil
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return err
	}
	*u = rtUser{ID: strings.Trim(string(whole.ID), `"`), Mail: whole.EmailAddress, Name: whole.RealName}
	if u.Name == "" {
		u.Name = whole.Name
	}
	return nil
}

func (u rtUser) person() person {
	if u.ID == "Nobody" || u.ID == "RT_System" {
		return person{}
	}
	p := person{Mail: mailOf(u.Mail), Name: u.Name}
	if p.Mail == "" {
		p.Mail = mailOf(u.ID)
	}
	if p.Name == "" {
		p.Name = u.ID
	}
	return p
}

// rtNumber is a number that RT writes as one, or as a text.
type rtNumber int64

// UnmarshalJSON reads both forms; what is no number is 0.
func (n *rtNumber) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err == nil {
		*n = rtNumber(value)
	}
	return nil
}

type rtLine struct {
	ID      rtNumber `json:"id"`
	Subject string   `json:"Subject"`
	Status  string   `json:"Status"`
	Queue   struct {
		ID   json.RawMessage `json:"id"`
		Name string          `json:"Name"`
	} `json:"Queue"`
	Requestor    []rtUser `json:"Requestor"`
	Owner        rtUser   `json:"Owner"`
	Created      string   `json:"Created"`
	Resolved     string   `json:"Resolved"`
	LastUpdated  string   `json:"LastUpdated"`
	Priority     rtNumber `json:"Priority"`
	TimeWorked   rtNumber `json:"TimeWorked"` // minutes
	Transactions []struct {
		Type        string `json:"Type"`
		Kind        string `json:"type"` // always "transaction"; without a field of its own it would be taken for Type
		Creator     rtUser `json:"Creator"`
		Created     string `json:"Created"`
		Attachments []struct {
			ContentType string `json:"ContentType"`
			Filename    string `json:"Filename"`
			Content     string `json:"Content"` // base64
			MessageID   string `json:"MessageId"`
		} `json:"attachments"`
	} `json:"transactions"`
}

var rtStates = map[string]ticket.State{
	"new": ticket.New, "open": ticket.Open, "stalled": ticket.Waiting, "resolved": ticket.Solved, "rejected": ticket.Closed, "deleted": ticket.Closed,
}

func (rt) read(line []byte) (*foreign, error) {
	var l rtLine
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, fmt.Errorf("it is no ticket of Request Tracker: %w", err)
	}
	number := strconv.FormatInt(int64(l.ID), 10)
	f := &foreign{
		Label: "RT #" + number, Subject: l.Subject, Queue: l.Queue.Name, State: rtStates[l.Status], stateSaid: l.Status, Priority: rtPriority(int64(l.Priority)), Owner: l.Owner.person(),
		Spent: time.Duration(max(0, l.TimeWorked)) * time.Minute,
	}
	if l.ID > 0 {
		f.ID = number
	}
	if f.Queue == "" {
		f.Queue = strings.Trim(string(l.Queue.ID), `"`)
	}
	if f.State == ticket.Solved { // long ago: nobody is asked any more whether it is
		f.State = ticket.Closed
	}
	if len(l.Requestor) > 0 {
		f.Requester = l.Requestor[0].person()
	}
	for _, date := range []struct {
		into *time.Time
		said string
	}{{&f.Opened, l.Created}, {&f.Changed, l.LastUpdated}, {&f.Solved, l.Resolved}} {
		at, err := rtDate(date.said)
		if err != nil {
			return f, err
		}
		*date.into = at
	}
	for _, x := range l.Transactions {
		if !slices.Contains([]string{"Create", "Correspond", "Comment"}, x.Type) {
			continue
		}
		at, err := rtDate(x.Created)
		if err != nil {
			return f, err
		}
		s := said{By: x.Creator.person(), At: at, Internal: x.Type == "Comment"}
		s.Staff = x.Type == "Correspond" && !slices.ContainsFunc(l.Requestor, func(u rtUser) bool { return u.person().Mail == s.By.Mail })
		if x.Type == "Create" { // whoever typed it in
			s.By = f.Requester
		}
		rich := ""
		for _, a := range x.Attachments {
			content, err := contentOf(a.Content)
			if err != nil {
				return f, fmt.Errorf("the attachment %q: %w", a.Filename, err)
			}
			if s.MailID == "" {
				s.MailID = strings.Trim(a.MessageID, "<>")
			}
			switch {
			case strings.HasPrefix(a.ContentType, "multipart/"):
			case a.Filename != "":
				s.Files = append(s.Files, file{a.Filename, content})
			case a.ContentType == "text/plain":
				s.Body += string(content)
			case a.ContentType == "text/html":
				rich += plain(string(content))
			}
		}
		if strings.TrimSpace(s.Body) == "" {
			s.Body = rich
		}
		// RT gives what was written on its own pages an identifier too.
		if s.MailID != "" && !strings.HasPrefix(s.MailID, "rt-") {
			s.Channel = ticket.ByMail
		}
		if strings.TrimSpace(s.Body) != "" || len(s.Files) > 0 {
			f.Said = append(f.Said, s)
		}
	}
	return f, nil
}

// rtPriority reads RT's number: 0 is usual, 100 the most urgent that it names.
func rtPriority(n int64) ticket.Priority {
	switch {
	case n >= 80:
		return ticket.Urgent
	case n >= 50:
		return ticket.High
	}
	return ticket.Normal
}

// rtDate reads a date; RT says 1970 for none.
func rtDate(text string) (time.Time, error) {
	if text == "" || strings.HasPrefix(text, "1970-01-01") {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("the date %q cannot be read", text)
}
