package mailroom

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// mailsURL is where those who run the desk see what became of each mail.
const mailsURL = "/helpdesk/setup/mail"

// Routes lists the addresses of the alcove. All of it is for those who run the desk.
func (m *Mailroom) Routes(r *web.Router) {
	runs := web.Needs(campus.RightDesks)
	r.Handle("GET /helpdesk/setup/mail", m.mailsPage, runs)
	r.Handle("GET /helpdesk/setup/mail/{id}/raw", m.raw, runs)
	r.Handle("POST /helpdesk/setup/mail/{id}/open", m.makeRequest, runs)
	r.Handle("POST /helpdesk/setup/mail/{id}/again", m.readAgain, runs)
}

// pageSize is how many mails the list shows at once.
const pageSize = 50

// waiting is the filter of mails that were not read yet.
const waiting = "waiting"

// mailsView is the list of mails, and what mail needs to come here.
type mailsView struct {
	Filter string
	Tally  map[string]int // mails by what the filters are called
	Total  int
	Page   int
	Mails  []sqlgen.HelpdeskMail
	// Numbers are the tracking numbers of the mails' tickets.
	Numbers map[string]string
	Queues  []ticket.Queue
	Config  Config
	Boxes   []boxView
}

// boxView is how a mailbox was found.
type boxView struct {
	Address, User string
	Reason        string // why it could not be emptied; empty when it could
	Seen          bool
}

func (m *Mailroom) mailsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	view := mailsView{Config: m.config, Numbers: map[string]string{}, Tally: map[string]int{}}
	state := ""
	if view.Filter = r.URL.Query().Get("outcome"); view.Filter == waiting {
		state = waiting
	} else if !slices.Contains(outcomes, view.Filter) {
		view.Filter = ""
	}
	outcome := view.Filter
	if state != "" {
		outcome = ""
	}
	q := sqlgen.New(m.DB.Read())
	tally, err := q.Tally(ctx)
	if err != nil {
		return err
	}
	for _, row := range tally {
		name := row.Outcome
		if row.State == waiting {
			name = waiting
		}
		view.Tally[name] += int(row.Mails)
		view.Tally[""] += int(row.Mails)
	}
	view.Total = view.Tally[view.Filter]
	if view.Page, err = strconv.Atoi(r.URL.Query().Get("page")); err != nil {
		view.Page = 1
	}
	view.Page = min(max(view.Page, 1), view.pages())
	if view.Mails, err = q.Page(ctx, sqlgen.PageParams{Outcome: outcome, State: state, Most: pageSize, Skip: int32((view.Page - 1) * pageSize)}); err != nil {
		return err
	}
	for _, mail := range view.Mails {
		if mail.TicketID == "" || view.Numbers[mail.TicketID] != "" {
			continue
		}
		t, err := m.Tickets.ByID(ctx, mail.TicketID)
		if errors.Is(err, ticket.Missing) {
			continue
		}
		if err != nil {
			return err
		}
		view.Numbers[mail.TicketID] = t.Number
	}
	if view.Queues, err = m.Tickets.Queues(ctx); err != nil {
		return err
	}
	view.Queues = slices.DeleteFunc(view.Queues, func(q ticket.Queue) bool { return !q.ClosedAt.IsZero() })
	for _, box := range m.boxes {
		seen, problem := box.state()
		b := boxView{Address: box.config.Address, User: box.config.User, Seen: seen}
		if problem != nil {
			b.Reason = fault.Of(problem).Reason.Code()
		}
		view.Boxes = append(view.Boxes, b)
	}
	return web.Render(w, r, http.StatusOK, mailsTempl(view))
}

func (v mailsView) pages() int { return max(1, (v.Total+pageSize-1)/pageSize) }

// url is the address of another page of the list.
func (v mailsView) url(page int) string {
	query := url.Values{}
	if v.Filter != "" {
		query.Set("outcome", v.Filter)
	}
	if page > 1 {
		query.Set("page", strconv.Itoa(page))
	}
	if len(query) == 0 {
		return mailsURL
	}
	return mailsURL + "?" + query.Encode()
}

// filters are for what became of some mail: twelve, most of them empty, would not fit
// on a screen.
func (v mailsView) filters(ctx context.Context) []ui.TabLink {
	list := []ui.TabLink{{Label: i18n.T(ctx, "helpdesk.mailroom.page.every"), URL: mailsURL, Current: v.Filter == "", Count: v.Tally[""], Counted: true}}
	for _, name := range append([]string{waiting}, outcomes...) {
		if v.Tally[name] > 0 || v.Filter == name {
			list = append(list, ui.TabLink{
				Label: i18n.T(ctx, "helpdesk.mailroom.filter."+name), URL: mailsURL + "?outcome=" + name, Current: v.Filter == name, Count: v.Tally[name], Counted: true,
			})
		}
	}
	return list
}

// listens reports whether mail can come here at all.
func (v mailsView) listens() bool { return v.Config.Listen != "" || len(v.Config.IMAP) > 0 }

// raw gives a mail as it came, to be saved: nothing of it is shown by the browser.
func (m *Mailroom) raw(w http.ResponseWriter, r *http.Request) error {
	row, err := m.mail(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if row.FileRef == "" {
		return MailMissing
	}
	content, meta, err := m.Files.Open(r.Context(), files.Ref(row.FileRef))
	if errors.Is(err, files.NotFound) {
		return MailMissing.From(err)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "message/rfc822")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "mail-" + strings.ToLower(row.ID) + ".eml"}))
	h.Set("Content-Length", strconv.FormatInt(meta.Size, 10))
	_, err = io.Copy(w, content)
	if closeErr := content.Close(); err == nil {
		err = closeErr
	}
	return err
}

// makeRequest makes a request of a mail that was left alone.
func (m *Mailroom) makeRequest(w http.ResponseWriter, r *http.Request) error {
	t, err := m.openByHand(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.mailroom.flash.made", "number", ticket.Spoken(t.Number))
	return web.SeeOther(w, r, mailsURL)
}

// readAgain has a mail that waits read once more, without waiting for the next try.
func (m *Mailroom) readAgain(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, err := m.mail(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if row.State != waiting {
		return MailSettled
	}
	if err := m.DB.InTx(ctx, func(tx db.Tx) error { return jobs.Enqueue(ctx, tx, readMail{ID: row.ID}) }); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.mailroom.flash.again")
	return web.SeeOther(w, r, mailsURL+"?outcome="+waiting)
}
