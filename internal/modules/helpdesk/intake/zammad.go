package intake

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// zammad reads what Zammad's REST API gives: a line with "users" as GET
// /api/v1/users, and for each ticket GET /api/v1/tickets/{id}?expand=true with
// "articles" as GET /api/v1/ticket_articles/by_ticket/{id}?expand=true.
type zammad struct {
	people map[string]person // by login, identifier and address
}

type zammadLine struct {
	Users []struct {
		ID        int64  `json:"id"`
		Login     string `json:"login"`
		Email     string `json:"email"`
		Firstname string `json:"firstname"`
		Lastname  string `json:"lastname"`
		Phone     string `json:"phone"`
		Mobile    string `json:"mobile"`
	} `json:"users"`

	ID         int64           `json:"id"`
	Number     string          `json:"number"`
	Title      string          `json:"title"`
	Group      string          `json:"group"`
	State      string          `json:"state"`
	Priority   string          `json:"priority"`
	Customer   string          `json:"customer"`
	CustomerID int64           `json:"customer_id"`
	Owner      string          `json:"owner"`
	OwnerID    int64           `json:"owner_id"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	CloseAt    time.Time       `json:"close_at"`
	TimeUnit   json.RawMessage `json:"time_unit"` // minutes, as a number or as a text
	Articles   []struct {
		Type        string    `json:"type"`
		Sender      string    `json:"sender"`
		From        string    `json:"from"`
		CreatedBy   string    `json:"created_by"`
		CreatedByID int64     `json:"created_by_id"`
		CreatedAt   time.Time `json:"created_at"`
		Body        string    `json:"body"`
		ContentType string    `json:"content_type"`
		Internal    bool      `json:"internal"`
		MessageID   string    `json:"message_id"`
		Attachments []struct {
			Filename string `json:"filename"`
			Data     string `json:"data"` // base64, when the export has it
		} `json:"attachments"`
	} `json:"articles"`
}

var zammadStates = map[string]ticket.State{
	"new": ticket.New, "open": ticket.Open, "pending reminder": ticket.Waiting, "pending close": ticket.Solved, "closed": ticket.Closed, "merged": ticket.Closed, "removed": ticket.Closed,
}

func (z *zammad) read(line []byte) (*foreign, error) {
	var l zammadLine
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, fmt.Errorf("it is no ticket of Zammad: %w", err)
	}
	for _, u := range l.Users {
		p := person{Mail: mailOf(u.Email), Name: strings.TrimSpace(u.Firstname + " " + u.Lastname), Phone: cmp.Or(u.Phone, u.Mobile)}
		for _, key := range []string{u.Login, strconv.FormatInt(u.ID, 10), u.Email} {
			if key != "" {
				z.people[strings.ToLower(key)] = p
			}
		}
	}
	if l.Users != nil {
		return nil, nil // a line about people, no ticket
	}
	f := &foreign{
		Label: "Zammad #" + l.Number, Subject: l.Title, Queue: l.Group, State: zammadStates[l.State], stateSaid: l.State, Priority: zammadPriority(l.Priority),
		Requester: z.who(l.Customer, l.CustomerID), Owner: z.who(l.Owner, l.OwnerID), Opened: l.CreatedAt, Changed: l.UpdatedAt, Closed: l.CloseAt, Solved: l.CloseAt,
	}
	if l.ID != 0 {
		f.ID = strconv.FormatInt(l.ID, 10)
	}
	if minutes, err := strconv.ParseFloat(strings.Trim(string(l.TimeUnit), `"`), 64); err == nil && minutes > 0 && minutes < 1e6 {
		f.Spent = time.Duration(minutes * float64(time.Minute))
	}
	for _, a := range l.Articles {
		s := said{By: z.who(a.CreatedBy, a.CreatedByID), Staff: a.Sender == "Agent", At: a.CreatedAt, Internal: a.Internal, Body: a.Body, MailID: strings.Trim(a.MessageID, "<>")}
		if strings.HasPrefix(a.ContentType, "text/html") {
			s.Body = plain(a.Body)
		}
		// The address of a mail is nearer to the truth than who put it into the system.
		if from, err := mail.ParseAddress(a.From); err == nil && a.Sender == "Customer" {
			s.By = person{Mail: mailOf(from.Address), Name: cmp.Or(from.Name, s.By.Name)}
		}
		switch a.Type {
		case "email":
			s.Channel = ticket.ByMail
		case "phone":
			s.Channel = ticket.ByPhone
		}
		for _, one := range a.Attachments {
			content, err := contentOf(one.Data)
			if err != nil {
				return f, fmt.Errorf("the file %q: %w", one.Filename, err)
			}
			s.Files = append(s.Files, file{one.Filename, content})
		}
		f.Said = append(f.Said, s)
	}
	return f, nil
}

func (z *zammad) who(login string, id int64) person {
	if login == "-" || login == "" && id <= 1 { // nobody, as Zammad says it
		return person{}
	}
	for _, key := range []string{strings.ToLower(login), strconv.FormatInt(id, 10)} {
		if p, ok := z.people[key]; ok {
			return p
		}
	}
	return person{Mail: mailOf(login), Name: login}
}

func zammadPriority(said string) ticket.Priority {
	switch {
	case strings.HasPrefix(said, "1"):
		return ticket.Low
	case strings.HasPrefix(said, "3"):
		return ticket.High
	}
	return ticket.Normal
}

// contentOf decodes a file; nothing is a file that was not exported.
func contentOf(data string) ([]byte, error) {
	if data == "" {
		return nil, nil
	}
	content, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(data))
	if err != nil {
		return nil, fmt.Errorf("its content is not base64: %w", err)
	}
	return content, nil
}
