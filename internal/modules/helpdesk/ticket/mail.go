package ticket

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// ByMailID is the ticket of a mail with this Message-ID, or [Missing].
func (x *Tickets) ByMailID(ctx context.Context, name string) (Ticket, error) {
	return found(sqlgen.New(x.DB.Read()).TicketByMailID(ctx, name))
}

// MailIDs are the names of the mails of a ticket that everybody reads, oldest first,
// at most the last thirty.
func (x *Tickets) MailIDs(ctx context.Context, tx db.Tx, ticket string) ([]string, error) {
	list, err := sqlgen.New(tx).MailIDs(ctx, ticket)
	if err != nil {
		return nil, fmt.Errorf("read the names of mails: %w", err)
	}
	return list[max(0, len(list)-30):], nil
}

// NameMail keeps the Message-ID under which a message left.
func (x *Tickets) NameMail(ctx context.Context, tx db.Tx, message, name string) error {
	if err := sqlgen.New(tx).NameMail(ctx, sqlgen.NameMailParams{ID: message, MailID: name}); err != nil {
		return fmt.Errorf("name a mail: %w", err)
	}
	return nil
}
