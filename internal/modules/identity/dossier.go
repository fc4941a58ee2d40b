package identity

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var (
	_ contract.Dossier      = (*Module)(nil)
	_ contract.PersonalData = (*Module)(nil)
	_ contract.Retention    = (*Module)(nil)
)

// About implements contract.Dossier: how somebody's account stands and until when
// they are registered, for the secretariat that looks after them and for those who
// help or administer.
func (m *Module) About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	p, err := m.PersonByID(ctx, who)
	if err != nil {
		return nil, err
	}
	keeps := v.CanFor(campus.RightSecretariat, p.Affiliations)
	if !keeps && !v.CanFor(campus.RightHelpdesk, p.Affiliations) && !v.Can(campus.RightAdmin) && !v.CanFor(campus.RightDirectory, p.Affiliations) {
		return nil, nil
	}
	standing, err := m.lifecycle.Standing(ctx, who)
	if err != nil {
		return nil, err
	}
	registrations, err := m.lifecycle.Registrations(ctx, who)
	if err != nil {
		return nil, err
	}
	say := func(key string, pairs ...any) string { return i18n.T(ctx, "identity.dossier."+key, pairs...) }
	card := contract.Card{ID: "identity.account", Title: say("title"), Rank: 0}
	tone := "good"
	if !p.State.Usable() {
		tone = "warn"
	}
	card.Rows = append(card.Rows, contract.CardRow{
		Title: p.Login, Detail: decider(ctx, standing), Tag: i18n.T(ctx, "identity.lifecycle.state."+string(p.State)), Tone: tone,
	})
	for _, r := range registrations {
		row := contract.CardRow{Title: i18n.T(ctx, "identity.lifecycle.kind."+string(r.Kind)), Detail: say("for_ever")}
		if !r.Until.IsZero() {
			row.Detail = say("until", "day", i18n.Date(ctx, r.Until.Add(-time.Second), i18n.Short)) // its last moment lies on the last day
			if r.Until.Before(m.clock.Now()) {
				row.Tag, row.Tone = say("over"), "warn"
			}
		}
		card.Rows = append(card.Rows, row)
	}
	switch {
	case keeps:
		card.Link = contract.Link{Label: say("decide"), URL: "/identity/accounts/" + string(who)}
	case v.Can(campus.RightHelpdesk):
		card.Link = contract.Link{Label: say("help"), URL: "/identity/support/people/" + string(who)}
	}
	beside, err := m.support.Beside(ctx, v, who)
	return append([]contract.Card{card}, beside...), err
}

// decider is who can change how an account stands; nobody has to, mostly.
func decider(ctx context.Context, s lifecycle.Standing) string {
	if s.Office == "" {
		return ""
	}
	return s.Who(ctx)
}

// aboutElsewhere are the cards of the other rooms on somebody.
func (m *Module) aboutElsewhere(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	if m.dossiers == nil {
		return nil, nil
	}
	var cards []contract.Card
	for _, room := range m.dossiers() {
		if room == contract.Dossier(m) {
			continue // the page shows more than its own card
		}
		about, err := room.About(ctx, v, who)
		if err != nil {
			return nil, err
		}
		cards = append(cards, about...)
	}
	return cards, nil
}

// DueForErasure lists the closed accounts whose data has been kept long enough.
func (m *Module) DueForErasure(ctx context.Context, now time.Time, after campus.PersonID, size int) ([]contract.Due, error) {
	return m.lifecycle.DueForErasure(ctx, now, after, size)
}

// Watch gives the room the place where people read who opened their file.
func (m *Module) Watch(by contract.Looks) { m.looks = by }

// looked notes that an agent opened somebody's file; a room that stands alone in a
// test notes nothing.
func (m *Module) looked(ctx context.Context, l contract.Look) error {
	if m.looks == nil {
		return nil
	}
	return m.looks.Looked(ctx, l)
}
