package support

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// recentOnCard is how many sign-ins a card shows.
const recentOnCard = 5

// Beside makes the cards that stand beside a request to the help desk. They say as
// much as the page of the person shows, and no secret.
func (s *Support) Beside(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	if !v.Can(campus.RightHelpdesk) {
		return nil, nil
	}
	said := func(key string, pairs ...any) string { return i18n.T(ctx, "identity.support."+key, pairs...) }
	now := s.Clock.Now()

	factors, err := s.Factors.Of(ctx, who)
	if err != nil {
		return nil, err
	}
	proofs := contract.Card{ID: "identity.factors", Title: said("factors.title"), Rank: 5, Empty: said("factors.none")}
	for _, f := range factors {
		at := personView{Now: now}
		proofs.Rows = append(proofs.Rows, contract.CardRow{Title: factorName(ctx, f), Detail: factorDetail(ctx, f), Tag: factorTag(ctx, f, at), Tone: string(factorTone(f, at))})
	}

	points, err := s.Contacts.Points(ctx, who)
	if err != nil {
		return nil, err
	}
	reach := contract.Card{ID: "identity.points", Title: said("points.title"), Rank: 8, Empty: said("points.none")}
	for _, p := range points {
		usable := p.Usable(now)
		reach.Rows = append(reach.Rows, contract.CardRow{Title: said("channel." + string(p.Channel)), Detail: p.Masked, Tag: pointTag(ctx, usable), Tone: string(pointTone(usable))})
	}

	devices, err := s.Devices.List(ctx, who)
	if err != nil {
		return nil, err
	}
	trusted := 0
	for _, d := range devices {
		if d.Trusted(now) {
			trusted++
		}
	}
	list, err := s.Stories.Of(ctx, who, recentOnCard)
	if err != nil {
		return nil, err
	}
	recent := contract.Card{ID: "identity.recent", Title: said("recent.title"), Rank: 4, Empty: said("recent.none")}
	for _, a := range list {
		recent.Rows = append(recent.Rows, contract.CardRow{
			Title: a.Code + " · " + i18n.Date(ctx, a.StartedAt, i18n.Ago), Detail: recentDetail(ctx, a), URL: "/identity/support/incidents/" + a.Code,
			Tag: said("recent." + string(a.Outcome)), Tone: string(outcomeTone(a.Outcome)),
		})
	}
	recent.Rows = append(recent.Rows, contract.CardRow{Title: said("account.device_count", "count", len(devices)), Detail: said("account.trusted_count", "count", trusted)})
	return []contract.Card{recent, proofs, reach}, nil
}
