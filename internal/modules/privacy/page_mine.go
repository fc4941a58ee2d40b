package privacy

import (
	"context"
	"fmt"
	"net/http"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/archive"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// mineView is what is held about the reader.
type mineView struct {
	Rooms    []roomView
	Services []serviceView
	Looks    []look
	Requests []Request
	Copy     *archive.Copy // the newest
	Officer  string        // mail address
	Keep     int           // days that looks stay
	All      bool          // every room is unfolded, as for printing
}

// roomView is what one room holds.
type roomView struct {
	Room, Name string
	Holdings   []contract.Holding
}

// serviceView is one program outside the house, and what it was told.
type serviceView struct {
	contract.Disclosure
	Account *contract.ServiceAccount
}

// requestsShown is how many of their requests somebody sees.
const requestsShown = 20

func (m *Module) minePage(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), web.Viewer(r).Person
	view := mineView{Officer: m.config.OfficerMail, Keep: int(m.config.KeepLooks.Hours() / 24), All: r.URL.Query().Has("all")}
	for _, room := range m.Rooms() {
		holder, ok := room.(contract.PersonalData)
		if !ok {
			continue
		}
		view.Rooms = append(view.Rooms, roomView{room.Name(), roomName(ctx, room.Name()), holder.Holdings(ctx)})
	}
	var err error
	if view.Services, err = m.servicesOf(r); err != nil {
		return err
	}
	if view.Looks, err = m.looksAt(ctx, who); err != nil {
		return err
	}
	rows, err := sqlgen.New(m.DB.Read()).RequestsOf(ctx, sqlgen.RequestsOfParams{PersonID: string(who), Size: requestsShown})
	if err != nil {
		return fmt.Errorf("list the requests of a person: %w", err)
	}
	view.Requests = requestsOf(rows)
	copies, err := m.archives.Of(ctx, who)
	if err != nil {
		return err
	}
	if len(copies) > 0 {
		view.Copy = &copies[0]
	}
	return web.Render(w, r, http.StatusOK, mineTempl(view))
}

// servicesOf asks the rooms what programs outside were told about the viewer, and
// whether the viewer has an account there.
func (m *Module) servicesOf(r *http.Request) ([]serviceView, error) {
	ctx, who := r.Context(), web.Viewer(r).Person
	var ledger contract.ServiceAccounts
	for _, room := range m.Rooms() {
		if l, ok := room.(contract.ServiceAccounts); ok {
			ledger = l
		}
	}
	var list []serviceView
	for _, room := range m.Rooms() {
		teller, ok := room.(contract.Discloser)
		if !ok {
			continue
		}
		told, err := teller.Disclosures(ctx, who)
		if err != nil {
			return nil, err
		}
		for _, d := range told {
			view := serviceView{Disclosure: d}
			if ledger != nil {
				account, ok, err := ledger.AccountIn(ctx, who, d.Service)
				if err != nil {
					return nil, err
				}
				if ok {
					view.Account = &account
				}
			}
			list = append(list, view)
		}
	}
	return list, nil
}

func (v serviceView) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{{Label: i18n.T(ctx, "privacy.column.what"), Text: v.What}, {Label: i18n.T(ctx, "privacy.column.purpose"), Text: v.Why}}
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "privacy."+key), Text: text})
		}
	}
	add("column.ground", ground(ctx, v.Basis))
	add("mine.owner", v.Owner)
	add("mine.contact", v.Contact)
	if !v.First.IsZero() {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "privacy.mine.first_told"), Body: ui.When(v.First, i18n.Day)})
	}
	if !v.Last.IsZero() {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "privacy.mine.last_told"), Body: ui.When(v.Last, i18n.Day)})
	}
	if !v.Agreed.IsZero() {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "privacy.mine.agreed"), Body: ui.When(v.Agreed, i18n.Day)})
	}
	if v.Account != nil {
		add("mine.account", i18n.T(ctx, "privacy.account."+string(v.Account.State)))
		add("mine.account_rule", v.Account.Rule)
	}
	return facts
}

// ground names a legal basis and its place in the law.
func ground(ctx context.Context, g contract.Ground) string {
	if g.Article() == "" {
		return ""
	}
	return i18n.T(ctx, "privacy.ground_at", "ground", i18n.T(ctx, "privacy.ground."+string(g)), "article", g.Article())
}

// basis is the legal basis of a holding: the ground, and the room's own words.
func basis(ctx context.Context, h contract.Holding) string {
	if g := ground(ctx, h.Ground); g != "" {
		return g
	}
	return h.Basis
}
