package guide

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Hits are what was found as the one search box shows it: units first, then people.
func (g *Guide) Hits(ctx context.Context, v campus.Viewer, found find.Found) []contract.Hit {
	var hits []contract.Hit
	for _, u := range found.Units {
		hits = append(hits, contract.Hit{Title: u.Name(localeOf(ctx)), Detail: u.About(localeOf(ctx)), URL: unitURL(u.Code), Icon: unitIcon(u)})
	}
	tree, err := g.Find.Units(ctx)
	if err != nil {
		g.Log.ErrorContext(ctx, "the units of people who were found are not named", "error", err)
	}
	for _, p := range found.People {
		l := g.lineOf(ctx, v, p, tree)
		hits = append(hits, contract.Hit{Title: l.Name, Detail: l.Detail, URL: l.URL, Icon: "user"})
	}
	return hits
}

// About is the directory's card on one person, for those who look after their entry:
// how far it is seen, and the photo.
func (g *Guide) About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	p, ok, err := g.Find.Person(ctx, who)
	if err != nil || !ok || !entry.Keeps(v, p.Affiliations) {
		return nil, err
	}
	card := contract.Card{ID: "directory.entry", Title: i18n.T(ctx, "directory.about.title"), Rank: 20, Link: contract.Link{Label: i18n.T(ctx, "directory.about.open"), URL: personURL(who)}}
	seen := contract.CardRow{Title: i18n.T(ctx, "directory.about.seen"), Detail: audienceLabel(ctx, p.Sight.Audience(entry.FieldEntry))}
	if p.Profile.Unlisted {
		seen.Detail, seen.Tag, seen.Tone = "", i18n.T(ctx, "directory.about.unlisted"), "warn"
	}
	card.Rows = append(card.Rows, seen)
	photo := contract.CardRow{Title: i18n.T(ctx, "directory.mine.photo"), Detail: i18n.T(ctx, "directory.about.no_photo")}
	if p.Photo {
		photo.Detail = i18n.T(ctx, "directory.about.photo")
	}
	card.Rows = append(card.Rows, photo)
	if office := g.office(ctx, p); office != "" {
		card.Rows = append(card.Rows, contract.CardRow{Title: i18n.T(ctx, "directory.field.office"), Detail: office})
	}
	names, err := g.groupNames(ctx, v, p)
	if err != nil {
		return nil, err
	}
	for _, name := range names[:min(len(names), mostGroups)] {
		card.Rows = append(card.Rows, contract.CardRow{Title: name, Detail: i18n.T(ctx, "directory.about.group")})
	}
	return []contract.Card{card}, nil
}

// mostGroups bounds the groups that a card names.
const mostGroups = 8
