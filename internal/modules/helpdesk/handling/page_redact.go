package handling

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// blackened stands where something was taken out; its length tells nothing.
const blackened = "█████"

// maxWhy is how long the reason of a redaction may be, in characters.
const maxWhy = 300

// redactView is the page on which something is taken out of a message.
type redactView struct {
	ticket.Ticket
	Message  ticket.Message
	Pieces   string // one passage to take out per line
	All      bool   // the whole text
	Files    []string
	Why      string
	Problems web.Problems
}

func (h *Handling) redactPage(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	m, _, err := h.message(r, t)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, redactTempl(redactView{Ticket: t, Message: m}))
}

// rest is what stays of the message, or false when a passage does not stand in it.
// Nothing can be put into somebody's mouth: the text only loses parts.
func (v redactView) rest() (string, bool) {
	if v.All {
		return blackened, true
	}
	text := v.Message.Body
	for piece := range strings.Lines(v.Pieces) {
		if piece = strings.TrimSpace(piece); piece == "" {
			continue
		}
		if !strings.Contains(text, piece) && !strings.Contains(v.Message.Folded, piece) {
			return "", false
		}
		text = strings.ReplaceAll(text, piece, blackened)
	}
	return text, true
}

func (v *redactView) check() {
	rest, found := v.rest()
	switch {
	case !found:
		v.Problems.Add("pieces", "helpdesk.handling.problem.piece")
	case rest == v.Message.Body && v.Message.Folded == "" && len(v.Files) == 0:
		v.Problems.Add("pieces", "helpdesk.handling.problem.nothing")
	}
	switch {
	case v.Why == "":
		v.Problems.Add("why", "helpdesk.handling.problem.why_missing")
	case utf8.RuneCountInString(v.Why) > maxWhy:
		v.Problems.Add("why", "helpdesk.handling.problem.why_long", "limit", maxWhy)
	}
}

// redact takes something out of a message, for good: out of the database, the search
// and the file store. The journal keeps who did it, when and why.
func (h *Handling) redact(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	m, thread, err := h.message(r, t)
	if err != nil {
		return err
	}
	view := redactView{
		Ticket: t, Message: m, Pieces: strings.ReplaceAll(values.Get("pieces"), "\r\n", "\n"), All: values.Get("all") != "", Why: campus.OneLine(values.Get("why")),
	}
	for _, f := range m.Files {
		if f.Ref != "" && slices.Contains(values["file"], f.ID) {
			view.Files = append(view.Files, f.ID)
		}
	}
	if view.check(); view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, redactTempl(view))
	}
	rest, _ := view.rest()
	gone := forgotten(t, thread, m, rest, view.Files)
	if _, err := h.change(r, t, 0, func(ctx context.Context, tx db.Tx, work *ticket.Work) error {
		if rest != m.Body || m.Folded != "" && (view.All || view.Pieces != "") {
			work.Redact(m.ID, rest, view.Why)
		}
		for _, f := range m.Files {
			if slices.Contains(view.Files, f.ID) {
				work.RedactFile(f.ID, view.Why)
				if err := h.Files.LetGo(ctx, tx, f.Ref); err != nil {
					return err
				}
			}
		}
		return words.Forget(ctx, tx, t.ID, gone)
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.redacted")
	return web.SeeOther(w, r, URL(t.Number)+"#m-"+m.ID)
}

// forgotten are the words by which the ticket is no longer found: those of what goes,
// less those that stand elsewhere in it.
func forgotten(t ticket.Ticket, thread ticket.Thread, m ticket.Message, rest string, files []string) []string {
	before := words.In(t, thread)
	left := ticket.Thread{Messages: slices.Clone(thread.Messages)}
	for i := range left.Messages {
		if left.Messages[i].ID == m.ID {
			left.Messages[i].Body, left.Messages[i].Folded = rest, ""
			left.Messages[i].Files = slices.DeleteFunc(slices.Clone(m.Files), func(f ticket.Attachment) bool { return slices.Contains(files, f.ID) })
		}
	}
	after := words.In(t, left)
	return slices.DeleteFunc(before, func(w string) bool { return slices.Contains(after, w) })
}
