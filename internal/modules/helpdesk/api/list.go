package api

import (
	"database/sql"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// List is one page of tickets.
type List struct {
	Items []Ticket `json:"items"`
	// After begins the next page; it is empty on the last.
	After string `json:"after,omitempty"`
}

// Bounds of a page and of texts.
const (
	usualPage, largestPage = 50, 200
	longestSubject         = 300
	longestBody            = 100_000
	longestSearch          = 120
	mostValues             = 100 // of one parameter
)

// list answers with tickets, in the order of their last change: forward from a time
// for programs that keep up, otherwise the newest first.
func (a *API) list(w http.ResponseWriter, v visit) error {
	limit, err := v.number("limit", usualPage, largestPage)
	if err != nil {
		return err
	}
	q := v.URL.Query()
	for name := range q {
		if !isText(q.Get(name)) {
			return Unfit.With(fault.Args{"field": name})
		}
	}
	conditions, args := []string{"1 = 1"}, []any{}
	arg := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	in := func(column string, values []string) {
		first := len(args) + 1
		for _, value := range values {
			args = append(args, value)
		}
		conditions = append(conditions, column+" IN "+db.In(len(values), first))
	}
	if len(v.token.Queues) > 0 {
		in("queue_id", v.token.Queues)
	}
	if len(v.token.Campuses) > 0 {
		in("campus", v.token.Campuses)
	}
	for name, column := range map[string]string{"state": "state", "queue": "queue_id", "campus": "campus", "area": "area", "service": "service"} {
		if value := q.Get(name); value != "" {
			values := strings.Split(value, ",")
			if len(values) > mostValues {
				return Unfit.With(fault.Args{"field": name})
			}
			in(column, values)
		}
	}
	if text := q.Get("priority"); text != "" {
		p, err := priority(text)
		if err != nil {
			return err
		}
		conditions = append(conditions, "priority = "+arg(int(p)))
	}
	if address := q.Get("assignee"); address != "" {
		found, err := a.Register.FindPeople(v.Context(), contract.FieldMail, []string{strings.ToLower(address)})
		if err != nil {
			return fmt.Errorf("find an agent: %w", err)
		}
		who := found[strings.ToLower(address)]
		if who == "" {
			return Unfit.With(fault.Args{"field": "assignee"})
		}
		conditions = append(conditions, "assignee_id = "+arg(string(who)))
	}
	if typed := q.Get("q"); strings.TrimSpace(typed) != "" {
		if len(typed) > longestSearch {
			return Unfit.With(fault.Args{"field": "q"})
		}
		terms, err := a.Words.Terms(v.Context(), typed)
		if err != nil {
			return err
		}
		if len(terms) == 0 { // only what stands in every text
			return Unfit.With(fault.Args{"field": "q"})
		}
		for _, term := range terms {
			if len(term.Words) == 0 {
				return send(w, http.StatusOK, List{Items: []Ticket{}})
			}
			first := len(args) + 1
			for _, word := range term.Words {
				args = append(args, word)
			}
			conditions = append(conditions, "id IN (SELECT ticket_id FROM helpdesk_words WHERE word IN "+db.In(len(term.Words), first)+")")
		}
	}
	forward := q.Get("changed_since") != ""
	if forward {
		since, err := time.Parse(time.RFC3339, q.Get("changed_since"))
		if err != nil {
			return Unfit.With(fault.Args{"field": "changed_since"})
		}
		conditions = append(conditions, "changed_at >= "+arg(int64(db.At(since))))
	}
	order, sign := "changed_at DESC, id DESC", "<"
	if forward {
		order, sign = "changed_at, id", ">"
	}
	if after := q.Get("after"); after != "" {
		when, last, ok := strings.Cut(after, ".")
		at, err := strconv.ParseInt(when, 10, 64)
		if !ok || err != nil {
			return Unfit.With(fault.Args{"field": "after"})
		}
		conditions = append(conditions, "(changed_at, id) "+sign+" ("+arg(at)+", "+arg(last)+")")
	}
	var ids []string
	err = db.Each(v.Context(), a.DB.Read(), "SELECT id FROM helpdesk_tickets WHERE "+strings.Join(conditions, " AND ")+" ORDER BY "+order+" LIMIT "+strconv.Itoa(limit+1), args, func(rows *sql.Rows) error {
		var one string
		err := rows.Scan(&one)
		ids = append(ids, one)
		return err
	})
	if err != nil {
		return fmt.Errorf("list tickets: %w", err)
	}
	page := List{Items: []Ticket{}}
	more := len(ids) > limit
	// Those that were deleted a moment ago are left out.
	tickets, err := a.Tickets.ByIDs(v.Context(), ids[:min(limit, len(ids))])
	if err != nil {
		return err
	}
	agents, err := a.agents(v.Context(), tickets...)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		page.Items = append(page.Items, a.told(t, agents))
	}
	if more && len(tickets) > 0 {
		last := tickets[len(tickets)-1]
		page.After = strconv.FormatInt(int64(db.At(last.ChangedAt)), 10) + "." + last.ID
	}
	return send(w, http.StatusOK, page)
}

func priority(text string) (ticket.Priority, error) {
	for _, p := range ticket.Priorities {
		if p.Key() == text {
			return p, nil
		}
	}
	return 0, Unfit.With(fault.Args{"field": "priority"})
}
