package portal

import (
	"cmp"
	"context"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// block is one part of the home page.
type block string

const (
	blockCards         block = "cards"    // wide cards of the rooms
	blockServices      block = "services" // pinned and last used
	blockNews          block = "news"
	blockActs          block = "acts"          // quick acts
	blockNotifications block = "notifications" // what is unread
	blockAsideCards    block = "aside"         // narrow cards of the rooms
	blockDesk          block = "desk"          // the publishers' own state
)

// arrangement is the home of one face: what comes first, and how much of it.
type arrangement struct {
	main, aside []block
	services    int // tiles
	news        int // lines below the two articles with pictures
}

// arrangements make the home differ: a student opens services, a teacher too but
// wants their news before the rooms' cards, an administrator first sees what is
// broken. On a phone, main comes before aside.
var arrangements = map[campus.Face]arrangement{
	campus.FaceStudent: {
		main: []block{blockCards, blockServices, blockNews}, aside: []block{blockNotifications, blockAsideCards, blockActs},
		services: 6, news: 3,
	},
	campus.FaceTeacher: {
		main: []block{blockServices, blockCards, blockNews}, aside: []block{blockNotifications, blockDesk, blockActs, blockAsideCards},
		services: 8, news: 3,
	},
	campus.FaceStaff: {
		main: []block{blockCards, blockNews, blockServices}, aside: []block{blockDesk, blockNotifications, blockActs, blockAsideCards},
		services: 6, news: 3,
	},
	campus.FaceAgent: {
		main: []block{blockActs, blockCards, blockServices, blockNews}, aside: []block{blockNotifications, blockAsideCards, blockDesk},
		services: 6, news: 0,
	},
	campus.FaceAdmin: {
		main: []block{blockCards, blockActs, blockServices, blockNews}, aside: []block{blockAsideCards, blockNotifications, blockDesk},
		services: 4, news: 0,
	},
	campus.FaceGuest: {
		main: []block{blockServices, blockNews}, aside: []block{blockNotifications, blockAsideCards, blockActs},
		services: 6, news: 3,
	},
}

// act is something that people of one face do often.
type act struct{ Label, Detail, URL, Icon string }

// acts are the quick acts of a viewer: what their rights lead to, taken from the
// navigation of the rooms, and what is always at hand.
func (m *Module) acts(ctx context.Context, v campus.Viewer) []act {
	var list []act
	add := func(key, url, icon string) {
		list = append(list, act{i18n.T(ctx, "portal.act."+key), i18n.T(ctx, "portal.act."+key+"_detail"), url, icon})
	}
	if v.Can(campus.RightNews) {
		add("write", "/portal/desk/new", "edit")
	}
	face := v.Face()
	switch face {
	case campus.FaceAgent:
		add("locked_out", "/portal/help", "lock")
		add("desks", "/portal/help#desks", "clock")
	case campus.FaceTeacher:
		add("help_student", "/portal/help", "help")
	case campus.FaceStaff:
		add("desks", "/portal/help#desks", "clock")
	case campus.FaceStudent, campus.FaceGuest:
		add("stuck", "/portal/help", "help")
	}
	for _, n := range m.Navigators() {
		for _, item := range n.Nav(ctx, v) {
			if item.Group == groupAdministration && item.URL != "/portal/desk" {
				list = append(list, act{Label: item.Label, URL: item.URL, Icon: item.Icon})
			}
		}
	}
	return list
}

// groupAdministration is the group of contract.NavItem that holds what runs the
// house.
const groupAdministration = 2

// cards asks every room for its cards and returns them in order, with the rooms
// that did not answer.
func (m *Module) cards(ctx context.Context, v campus.Viewer) (wide, aside []contract.Card, silent []silence) {
	for _, a := range askAll(ctx, patience, m.Cards(), func(ctx context.Context, p contract.CardProvider) ([]contract.Card, error) {
		return p.Cards(ctx, v)
	}) {
		if a.err != nil {
			silent = append(silent, m.silent(ctx, "cards", a.room, a.err))
			continue
		}
		for _, c := range a.value {
			if c.Aside {
				aside = append(aside, c)
			} else {
				wide = append(wide, c)
			}
		}
	}
	byRank := func(a, b contract.Card) int { return cmp.Or(a.Rank-b.Rank, cmp.Compare(a.ID, b.ID)) }
	slices.SortStableFunc(wide, byRank)
	slices.SortStableFunc(aside, byRank)
	return wide, aside, silent
}

// belonging says in a few words what the viewer belongs to: "Licence
// informatique · Campus Rives".
func (m *Module) belonging(ctx context.Context, v campus.Viewer) string {
	l := i18n.Locale(ctx)
	for _, kind := range []campus.Kind{campus.Teacher, campus.Staff, campus.Student, campus.Guest} {
		for _, a := range v.Affiliations {
			if a.Kind != kind {
				continue
			}
			text := i18n.T(ctx, "portal.kind."+string(kind))
			if a.Programme != "" {
				text = place.NameOf(m.Places.Programmes(), a.Programme, l)
			}
			if a.Campus != "" {
				text += " · " + place.NameOf(m.Places.Campuses(), a.Campus, l)
			}
			return text
		}
	}
	return ""
}
