package handling

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var _ ticket.Follower = (*Handling)(nil)

// TicketChanged implements [ticket.Follower]: those who watch a ticket, and who has
// it, hear what others do with it. One notice stands for all changes of a ticket that
// were not read yet.
func (h *Handling) TicketChanged(ctx context.Context, tx db.Tx, x ticket.Happening) error {
	what := news(x)
	if what == "" {
		return nil
	}
	watchers, err := h.watchers(ctx, tx, x.After.ID)
	if err != nil {
		return err
	}
	told := map[campus.PersonID]bool{"": true, x.By.Person: true}
	for _, who := range append(watchers, x.After.Assignee) {
		if told[who] {
			continue
		}
		told[who] = true
		french, english := h.Texts.For(campus.French), h.Texts.For(campus.English)
		said := func(p *i18n.Printer) string {
			return p.T("helpdesk.handling.news."+what, "number", ticket.Spoken(x.After.Number))
		}
		if err := h.Notices.Notify(ctx, tx, who, contract.Notice{
			Room: "helpdesk", Key: "ticket-" + x.After.ID, TitleFrench: said(french), TitleEnglish: said(english),
			URL: URL(x.After.Number), Icon: "chat",
		}); err != nil {
			return fmt.Errorf("tell who watches a ticket: %w", err)
		}
	}
	return nil
}

// news names what is worth telling of a change; empty for nothing.
func news(x ticket.Happening) string {
	switch {
	case x.Opened():
		return ""
	case x.Before.Assignee != x.After.Assignee && x.After.Assignee != "" && (len(x.Messages) == 0 || x.After.Assignee != x.By.Person): // who answers takes it by the way
		return "given"
	case x.After.State == ticket.Merged && x.Before.State != ticket.Merged, happened(x, "merged_in"):
		return "merged"
	case len(x.Messages) > 0:
		return "said"
	case x.Before.State != x.After.State:
		return "state"
	default:
		return ""
	}
}

func happened(x ticket.Happening, kind string) bool {
	for _, e := range x.Events {
		if e.Kind == kind {
			return true
		}
	}
	return false
}
