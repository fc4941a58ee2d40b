package identity

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Cards shows how one's access is: the open sessions.
func (m *Module) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	sessions, err := m.Sessions(ctx, v.Person)
	if err != nil {
		return nil, err
	}
	card := contract.Card{
		ID: "identity.access", Title: i18n.T(ctx, "identity.card.title"), Rank: 30, Aside: true,
		Link: contract.Link{Label: i18n.T(ctx, "identity.card.manage"), URL: "/identity/account"},
	}
	do, err := m.nextAct(ctx, v)
	if err != nil {
		return nil, err
	}
	if len(do) > 0 {
		card.Rank = 10 // something to do now, no longer only how one is doing
	}
	card.Rows = append(card.Rows, do...)
	const most = 3
	for i, s := range sessions {
		if i == most {
			card.Rows = append(card.Rows, contract.CardRow{
				Title: i18n.T(ctx, "identity.card.more", "count", len(sessions)-most), URL: "/identity/sessions"})
			break
		}
		name, _ := appliance(ctx, s.UserAgent)
		row := contract.CardRow{Title: name, Detail: i18n.T(ctx, "identity.card.since", "when", i18n.Date(ctx, s.SignedInAt, i18n.Ago))}
		switch {
		case s.ID == v.Session:
			row.Tag, row.Tone = i18n.T(ctx, "identity.sessions.this_one"), "good"
		case s.Shared:
			row.Tag, row.Tone = i18n.T(ctx, "identity.sessions.shared"), "warn"
		}
		card.Rows = append(card.Rows, row)
	}
	return []contract.Card{card}, nil
}

// nextAct is the one thing that would be most useful to do about one's access, if
// there is any.
func (m *Module) nextAct(ctx context.Context, v campus.Viewer) ([]contract.CardRow, error) {
	remind, err := m.reach.Reminder(ctx, v.Person, m.clock.Now())
	if err != nil {
		return nil, err
	}
	if remind {
		return []contract.CardRow{{
			Title: i18n.T(ctx, "identity.account.remind_do"), Detail: i18n.T(ctx, "identity.account.remind"), URL: reach.StillURL,
			Tag: i18n.T(ctx, "identity.card.to_do"), Tone: "warn",
		}}, nil
	}
	advice, to, ok, err := m.enrol.Advice(ctx, v.Person)
	if err != nil || !ok {
		return nil, err
	}
	return []contract.CardRow{{Title: i18n.T(ctx, advice), URL: to, Tag: i18n.T(ctx, "identity.card.to_do"), Tone: "warn"}}, nil
}
