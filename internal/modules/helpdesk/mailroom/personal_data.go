package mailroom

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var _ contract.Eraser = (*Mailroom)(nil)

// Holdings declares what the alcove keeps about people.
func (m *Mailroom) Holdings(ctx context.Context) []contract.Holding {
	days := int(m.config.Keep.Hours() / 24)
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_mails", "helpdesk.holding.mail", "days", days).On(contract.PublicTask, contract.DataWritings, contract.DataContact).
			Erased(contract.Delete("from_mail").Marked(contract.ByMail), contract.Delete("envelope_from").Marked(contract.ByMail),
				contract.Delete("ticket_id").Through("helpdesk_tickets", "id", "requester_id")),
		contract.Held(ctx, "helpdesk_mail_answers", "helpdesk.holding.mail_answer").On(contract.PublicTask, contract.DataContact).
			Erased(contract.Delete("mail").Marked(contract.ByMail)),
	}
}

// exportMost bounds what one person can have in one file.
const exportMost = 10_000

// Export writes which mails of somebody came in; what they say stands in the requests.
func (m *Mailroom) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return fmt.Errorf("export mails: %w", err)
	}
	type mail struct {
		At      time.Time `json:"at"`
		To      string    `json:"to"`
		Subject string    `json:"subject"`
		Outcome string    `json:"outcome"`
	}
	list := []mail{}
	if err := db.Each(ctx, m.DB.Read(), `SELECT received_at, envelope_to, subject, outcome FROM helpdesk_mails WHERE from_mail = $1 AND from_mail <> ''
		UNION ALL SELECT i.received_at, i.envelope_to, i.subject, i.outcome FROM helpdesk_mails i JOIN helpdesk_tickets t ON t.id = i.ticket_id WHERE t.requester_id = $2 AND i.from_mail <> $1 LIMIT $3`,
		[]any{known[who].Subject.Mail, string(who), exportMost}, func(rows *sql.Rows) error {
			var one mail
			var at db.Time
			err := rows.Scan(&at, &one.To, &one.Subject, &one.Outcome)
			one.At = at.Time()
			list = append(list, one)
			return err
		}); err != nil {
		return fmt.Errorf("export mails: %w", err)
	}
	return a.JSON("mails", list)
}

// Erase implements [contract.Eraser]: mails as they came go before the rows that name
// them.
func (m *Mailroom) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	var gone int64
	for after := ""; ; {
		rows, err := sqlgen.New(m.DB.Read()).FilesOf(ctx, sqlgen.FilesOfParams{AfterID: after, Mail: who.Mail, RequesterID: string(who.ID)})
		if err != nil {
			return nil, fmt.Errorf("list the mails of a person: %w", err)
		}
		for _, row := range rows {
			if err := m.deleteFile(ctx, row.FileRef); err != nil {
				return nil, err
			}
			after = row.ID
			gone++
		}
		if len(rows) == 0 {
			break
		}
	}
	if gone == 0 {
		return nil, nil
	}
	return []contract.Erased{{Table: "helpdesk_mails", Fate: contract.Deleted, Rows: gone}}, nil
}
