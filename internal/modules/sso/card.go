package sso

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// brokenSince is how far back an incident makes a service count as broken.
const brokenSince = 24 * time.Hour

// Cards tells administrators which services fail, and which certificates and
// secrets end, before people call.
func (m *Module) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	if !v.Can(campus.RightAdmin) {
		return nil, nil
	}
	cards, err := m.calendar.Cards(ctx, v)
	if err != nil {
		return nil, err
	}
	broken, err := m.brokenServices(ctx)
	if err != nil || len(broken) == 0 {
		return cards, err
	}
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	card := contract.Card{
		ID: "sso.broken", Rank: 0, Title: i18n.T(ctx, "sso.card.title"),
		Link: contract.Link{Label: i18n.T(ctx, "sso.card.all"), URL: "/sso/services"},
	}
	for _, b := range broken {
		s := x.Get(b.service)
		if s == nil {
			continue // deleted since
		}
		card.Rows = append(card.Rows, contract.CardRow{
			Title: s.Name(i18n.Locale(ctx)), Detail: i18n.Date(ctx, b.latest, i18n.Ago), URL: "/sso/services/" + s.ID,
			Tag: i18n.T(ctx, "sso.incidents", "count", b.times), Tone: "warn",
		})
	}
	if len(card.Rows) == 0 {
		return cards, nil
	}
	return append(cards, card), nil
}

// brokenService is a service with incidents lately.
type brokenService struct {
	service string
	times   int64
	latest  time.Time
}

func (m *Module) brokenServices(ctx context.Context) ([]brokenService, error) {
	rows, err := sqlgen.New(m.DB.Read()).BrokenServices(ctx, m.DB.Now().Add(-brokenSince))
	if err != nil {
		return nil, fmt.Errorf("list broken services: %w", err)
	}
	list := make([]brokenService, len(rows))
	for i, row := range rows {
		list[i] = brokenService{row.ServiceID, row.Times, db.Time(row.Latest).Time()}
	}
	return list, nil
}
