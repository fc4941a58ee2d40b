package operations

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

type outboxView struct {
	Filter []ui.TabLink
	Rows   []messageRow
	Pages  pages
}

// messageRow is one message as the list and its own page show it.
type messageRow struct {
	ID, Channel, Kind, To, Subject, State string
	Attempts                              int
	Created, Changed                      time.Time
	Tone                                  ui.Tone
	Why                                   explained
	Detail, ProviderRef                   string
}

type messageView struct {
	messageRow
	Readable  bool
	Text      string
	Previewed bool // there is an HTML form to look at
}

func (m *Module) outbox(w http.ResponseWriter, r *http.Request) error {
	state := r.URL.Query().Get("state")
	if !slices.Contains(mailer.States, state) {
		state = ""
	}
	ctx := r.Context()
	total, err := m.deps.Outbox.Counted(ctx, mailer.Filter{State: state})
	if err != nil {
		return err
	}
	turn := pagesOf("/operations/outbox", state, r.URL.Query().Get("page"), total)
	list, err := m.deps.Outbox.Outbox(ctx, mailer.Filter{State: state, Limit: pageSize, Offset: turn.offset()})
	if err != nil {
		return err
	}
	view := outboxView{Filter: filterOf(ctx, "/operations/outbox", "operations.message_state", state, mailer.States), Pages: turn}
	for _, record := range list {
		view.Rows = append(view.Rows, rowOfMessage(ctx, record))
	}
	return web.Render(w, r, http.StatusOK, outboxPage(view))
}

func (m *Module) message(w http.ResponseWriter, r *http.Request) error {
	kept, err := m.deps.Outbox.Message(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	view := messageView{messageRow: rowOfMessage(r.Context(), kept.Record), Readable: kept.Readable, Text: kept.Text, Previewed: kept.HTML != ""}
	if kept.Readable {
		view.To = kept.FullTo
	}
	return web.Render(w, r, http.StatusOK, messagePage(view))
}

// previewPolicy lets a mail's own styles apply and nothing else happen: no script, no picture, no
// form, no link that opens in our window. The page of the message shows it in a frame.
const previewPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"

func (m *Module) preview(w http.ResponseWriter, r *http.Request) error {
	kept, err := m.deps.Outbox.Message(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if kept.HTML == "" {
		return NoPreview
	}
	w.Header().Set("Content-Security-Policy", previewPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = io.WriteString(w, kept.HTML)
	return err
}

func rowOfMessage(ctx context.Context, record mailer.Record) messageRow {
	row := messageRow{
		ID: record.ID, Channel: labelled(ctx, "operations.channel", record.Channel), Kind: record.Kind, To: record.To, Subject: record.Subject,
		State: labelled(ctx, "operations.message_state", record.State), Attempts: record.Attempts,
		Created: record.Created, Changed: record.Changed, Detail: record.Detail, ProviderRef: record.ProviderRef,
	}
	if row.Subject == "" {
		row.Subject = record.Kind // short messages have none
	}
	switch {
	case record.State == mailer.StateSent:
		row.Tone = ui.Good
	case record.State == mailer.StateGivenUp:
		row.Tone = ui.Bad
	case record.Reason != "":
		row.Tone = ui.Warn
	}
	if record.Reason != "" {
		row.Why = explain(ctx, record.Reason)
	}
	return row
}
