package mailroom

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
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
