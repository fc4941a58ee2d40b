package following

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Copy is all that its requester may read of a request, for them to take along (GDPR,
// articles 15 and 20). Its times are those of RFC 3339.
type Copy struct {
	Number   string            `json:"number"`
	State    string            `json:"state"`
	Subject  string            `json:"subject"`
	Name     string            `json:"name,omitempty"`
	Mail     string            `json:"mail,omitempty"`
	Phone    string            `json:"phone,omitempty"`
	OpenedAt string            `json:"opened_at"`
	Facts    map[string]string `json:"facts,omitempty"`
	Messages []CopiedMessage   `json:"messages"`
	Rating   int               `json:"rating,omitempty"` // 1 to 3
	Words    string            `json:"rating_words,omitempty"`
}

// CopiedMessage is one thing that was said.
type CopiedMessage struct {
	At    string       `json:"at"`
	By    string       `json:"by"`
	Body  string       `json:"body"`
	Files []CopiedFile `json:"files,omitempty"`
}

// CopiedFile is a file beside a message. It can be fetched on the page of the request.
type CopiedFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
}

// CopyOf makes the copy of a request.
func (f *Following) CopyOf(ctx context.Context, t ticket.Ticket) (Copy, error) {
	thread, err := f.Tickets.Thread(ctx, t.ID)
	if err != nil {
		return Copy{}, err
	}
	c := Copy{
		Number: t.Number, State: string(t.State), Subject: t.Subject, Name: t.RequesterName, Mail: t.RequesterMail, Phone: t.RequesterPhone,
		OpenedAt: t.OpenedAt.Format(time.RFC3339), Facts: map[string]string{}, Messages: []CopiedMessage{}, Rating: int(t.Rating), Words: t.RatingWords,
	}
	for _, fact := range thread.Facts {
		c.Facts[fact.Label] = fact.Content
	}
	for _, said := range thread.Public().Messages {
		m := CopiedMessage{At: said.At.Format(time.RFC3339), By: string(said.By.Role), Body: said.Body}
		for _, file := range said.Files {
			m.Files = append(m.Files, CopiedFile{file.Name, file.Size})
		}
		c.Messages = append(c.Messages, m)
	}
	return c, nil
}

// OfPerson lists what somebody asked, the newest first: with their account, and from their
// address without having signed in, which an erasure takes as well.
func (f *Following) OfPerson(ctx context.Context, who campus.PersonID, mail string) ([]ticket.Ticket, error) {
	list, err := f.Tickets.Of(ctx, who)
	if err != nil || mail == "" {
		return list, err
	}
	alike, err := f.Tickets.OfMail(ctx, strings.ToLower(mail))
	if err != nil {
		return nil, err
	}
	for _, t := range alike {
		if t.Requester == "" {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b ticket.Ticket) int { return b.OpenedAt.Compare(a.OpenedAt) })
	return list, nil
}

// copy gives who has no account a copy of the requests that are open to this browser.
// Others get theirs with all that the house holds about them.
func (f *Following) copy(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list := []Copy{}
	for _, one := range f.Proving.Granted(r) {
		t, err := f.Tickets.ByID(ctx, one)
		if errors.Is(err, ticket.Missing) {
			continue
		}
		if err != nil {
			return err
		}
		c, err := f.CopyOf(ctx, t)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return web.SeeOther(w, r, FollowURL)
	}
	body, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Errorf("copy requests: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="requests.json"`)
	w.Write(body) // a client that went away is no failure of ours
	return nil
}
