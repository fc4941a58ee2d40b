package handling

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// stillWriting is how long somebody counts as writing after their last word;
// draftLasts how long what was never sent is kept.
const (
	stillWriting = 3 * time.Minute
	draftLasts   = 14 * 24 * time.Hour
)

// draft is what an agent is writing.
type draft struct {
	Agent          campus.PersonID
	Note           bool
	Body           string
	Begun, Changed time.Time
}

func (h *Handling) drafts(ctx context.Context, ticket string) ([]draft, error) {
	rows, err := sqlgen.New(h.DB.Read()).Drafts(ctx, ticket)
	if err != nil {
		return nil, fmt.Errorf("read drafts: %w", err)
	}
	list := make([]draft, len(rows))
	for i, row := range rows {
		list[i] = draft{campus.PersonID(row.AgentID), row.Internal != 0, row.Body, row.BegunAt.Time(), row.ChangedAt.Time()}
	}
	return list, nil
}

// saveDraft keeps what the viewer writes; an empty text is no draft.
func (h *Handling) saveDraft(r *http.Request, t ticket.Ticket, body string, note bool) error {
	ctx, who := r.Context(), web.Viewer(r).Person
	if len(body) > 4*maxBody { // bytes of so many characters
		body = strings.ToValidUTF8(body[:4*maxBody], "")
	}
	return h.DB.InTx(ctx, func(tx db.Tx) error {
		if strings.TrimSpace(body) == "" {
			return h.dropDraft(ctx, tx, t.ID, who)
		}
		var internal int64
		if note {
			internal = 1
		}
		return sqlgen.New(tx).KeepDraft(ctx, sqlgen.KeepDraftParams{TicketID: t.ID, AgentID: string(who), Internal: internal, Body: body, NowAt: tx.Now()})
	})
}

func (h *Handling) dropDraft(ctx context.Context, tx db.Tx, ticket string, who campus.PersonID) error {
	return sqlgen.New(tx).DropDraft(ctx, sqlgen.DropDraftParams{TicketID: ticket, AgentID: string(who)})
}

// addWriting says who else is writing.
func (h *Handling) addWriting(ctx context.Context, view *ticketView) (err error) {
	view.Writing, err = h.writing(ctx, view.ID, view.Me)
	return err
}

// writing words who writes in a ticket besides somebody.
func (h *Handling) writing(ctx context.Context, ticket string, besides campus.PersonID) ([]string, error) {
	drafts, err := h.drafts(ctx, ticket)
	if err != nil {
		return nil, err
	}
	now := h.Clock.Now()
	var others []campus.PersonID
	for _, d := range drafts {
		others = append(others, d.Agent)
	}
	known, err := h.Register.KnownPeople(ctx, others)
	if err != nil {
		return nil, err
	}
	var said []string
	for _, d := range drafts {
		k, ok := known[d.Agent]
		if !ok || d.Agent == besides || now.Sub(d.Changed) > stillWriting {
			continue
		}
		said = append(said, i18n.T(ctx, "helpdesk.handling.writing", "name", nameOf(k), "since", i18n.Date(ctx, d.Begun, i18n.Ago)))
	}
	return said, nil
}

// pulse is what a page that is being written on learns every few seconds.
type pulse struct {
	Writing string `json:"writing"` // who else writes, in words; empty for nobody
	Changed string `json:"changed"` // that the ticket was changed, in words
}

// keepDraft keeps what the page holds, and says what happens around it. Scripts ask;
// without them the page says it when it is opened.
func (h *Handling) keepDraft(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if values.Get("touched") != "" {
		if err := h.saveDraft(r, t, values.Get("body"), values.Get("kind") == "note"); err != nil {
			return err
		}
	}
	ctx := r.Context()
	writing, err := h.writing(ctx, t.ID, web.Viewer(r).Person)
	if err != nil {
		return err
	}
	answer := pulse{Writing: strings.Join(writing, " ")}
	if read := version(values.Get("version")); read != 0 && read != t.Version {
		answer.Changed = i18n.T(ctx, "helpdesk.handling.changed")
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(answer)
}

// Jobs registers the alcove's jobs.
func (h *Handling) Jobs(r *jobs.Registry) {
	r.Every("helpdesk.forget_drafts", 24*time.Hour, func(ctx context.Context) error {
		return h.DB.InTx(ctx, func(tx db.Tx) error { return sqlgen.New(tx).ForgetDrafts(ctx, tx.Now().Add(-draftLasts)) })
	})
}
