package following

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var _ ticket.Follower = (*Following)(nil)

// TicketChanged implements [ticket.Follower]: the requester reads in the portal that
// somebody answered, and how it ended. A ticket has one notice, which tells the
// latest.
func (f *Following) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	if h.After.Requester == "" || h.By.Person == h.After.Requester {
		return nil
	}
	what, tone := "", ""
	for _, m := range h.Messages {
		if !m.Internal && m.By.Role == ticket.Agent && !(h.Opened() && m.Channel != ticket.ByPortal) {
			what = "answered"
		}
	}
	if !h.Opened() && h.Before.State != h.After.State {
		switch h.After.State {
		case ticket.Waiting:
			what, tone = "waiting", "warn"
		case ticket.Solved, ticket.Closed:
			what, tone = "solved", "good"
		case ticket.Merged:
			what = "merged"
		}
	}
	if what == "" {
		return nil
	}
	say := func(l campus.Locale, part string) string {
		return f.Texts.For(l).T("helpdesk.following.notice."+what+part, "number", ticket.Spoken(h.After.Number), "subject", h.After.Subject)
	}
	return f.Notices.Notify(ctx, tx, h.After.Requester, contract.Notice{
		Room: "helpdesk", Key: "helpdesk.ticket." + h.After.ID, Icon: "chat", Tone: tone, URL: TicketURL(h.After.Number),
		TitleFrench: say(campus.French, ""), TitleEnglish: say(campus.English, ""), DetailFrench: h.After.Subject, DetailEnglish: h.After.Subject,
	})
}
