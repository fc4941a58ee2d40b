package following

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// mostOnCard is how many requests a card shows.
const mostOnCard = 4

// Cards implements contract.CardProvider: somebody who has open requests sees how
// far they are.
func (f *Following) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	list, err := f.Tickets.OpenOf(ctx, v.Person, mostOnCard)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	card := contract.Card{
		ID: "helpdesk.mine", Title: i18n.T(ctx, "helpdesk.following.mine"), Rank: 11, Aside: true,
		Link: contract.Link{Label: i18n.T(ctx, "helpdesk.following.all"), URL: MineURL},
	}
	for _, t := range list {
		card.Rows = append(card.Rows, row(ctx, t, TicketURL(t.Number)))
	}
	return []contract.Card{card}, nil
}

// About implements contract.Dossier: an agent sees somebody's requests, as far as
// their right reaches.
func (f *Following) About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	if !v.CanSomewhere(campus.RightHelpdesk) {
		return nil, nil
	}
	list, err := f.Tickets.Of(ctx, who)
	if err != nil {
		return nil, err
	}
	card := contract.Card{ID: "helpdesk.requests", Title: i18n.T(ctx, "helpdesk.following.requests"), Rank: 20, Empty: i18n.T(ctx, "helpdesk.following.requests_none")}
	for _, t := range list {
		if ticket.MayHandle(v, t) && len(card.Rows) < mostOnCard {
			card.Rows = append(card.Rows, row(ctx, t, "/helpdesk/tickets/"+t.Number))
		}
	}
	return []contract.Card{card}, nil
}

func row(ctx context.Context, t ticket.Ticket, to string) contract.CardRow {
	return contract.CardRow{
		Title: t.Subject, Detail: ticket.Spoken(t.Number) + " · " + i18n.Date(ctx, t.ChangedAt, i18n.Ago), URL: to,
		Tag: i18n.T(ctx, "helpdesk.following.tag."+string(t.State)), Tone: string(tone(t)),
	}
}

// mostHits bounds what the one search box shows of somebody's own requests.
const mostHits = 8

// Search finds somebody's own requests for the one search box.
func (f *Following) Search(ctx context.Context, v campus.Viewer, words string) ([]contract.Hit, error) {
	if !v.SignedIn() || campus.Fold(words) == "" {
		return nil, nil
	}
	list, err := f.Tickets.Of(ctx, v.Person)
	if err != nil {
		return nil, err
	}
	var hits []contract.Hit
	for _, t := range list {
		if len(hits) < mostHits && matches(t, words) {
			hits = append(hits, contract.Hit{
				Group: i18n.T(ctx, "helpdesk.following.mine"), Title: t.Subject, Detail: ticket.Spoken(t.Number) + " · " + i18n.T(ctx, "helpdesk.following.tag."+string(t.State)),
				URL: TicketURL(t.Number), Icon: "chat",
			})
		}
	}
	return hits, nil
}
