package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// redaction is something that somebody wrote by mistake, and that goes.
type redaction struct {
	message string
	body    string
	file    string // identifier of an attachment; message is then empty
}

// Redact replaces the text of a message by what may stay of it; the quotations that
// came with it go. The journal keeps who did it, when and why, and nothing of the
// text.
func (w *Work) Redact(message, rest, why string) {
	w.redactions = append(w.redactions, redaction{message: message, body: rest})
	w.Happened("redacted", "message", message, "why", why)
}

// RedactFile takes a file away: its name goes too. The caller lets go of what is in
// the file store.
func (w *Work) RedactFile(attachment, why string) {
	w.redactions = append(w.redactions, redaction{file: attachment})
	w.Happened("file_redacted", "why", why)
}

// RedactedFile is the reason code that a file bears which was taken away.
const RedactedFile = "helpdesk.file_redacted"

// Unmerge takes a merge back: the ticket goes on where it was.
func (w *Work) Unmerge(to State) error {
	if w.Ticket.State != Merged {
		return WrongState
	}
	w.Ticket.MergedInto = ""
	w.become(to)
	return nil
}

// hide writes the redactions of a work. What is not of this ticket is not there.
func hide(ctx context.Context, q *sqlgen.Queries, ticket string, now time.Time, list []redaction) error {
	for _, r := range list {
		var n int64
		var err error
		if r.file != "" {
			n, err = q.RedactAttachment(ctx, sqlgen.RedactAttachmentParams{TicketID: ticket, ID: r.file, Refused: RedactedFile})
		} else {
			n, err = q.RedactMessage(ctx, sqlgen.RedactMessageParams{TicketID: ticket, ID: r.message, Body: r.body, RedactedAt: db.At(now)})
		}
		if err == nil && n == 0 {
			return Missing
		}
		if err != nil {
			return fmt.Errorf("redact: %w", err)
		}
	}
	return nil
}
