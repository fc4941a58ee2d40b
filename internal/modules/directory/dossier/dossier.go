// Package dossier is the file of one person: what every room knows of them, for
// those who look after them.
package dossier

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Why a file is not opened.
var (
	// Missing: there is nobody of this identifier.
	Missing = fault.Declare(fault.NotFound, "directory.dossier_missing")
	// Elsewhere: the viewer looks after others.
	Elsewhere = fault.Declare(fault.Forbidden, "directory.dossier_elsewhere")
)

// Dossier is the alcove.
type Dossier struct {
	Register contract.Register
	// Rooms are those that know something about a person.
	Rooms func() []contract.Dossier
	Looks contract.Looks
}

// openers are the rights that open a file, over the people that they reach. The
// help desk has a page of its own, which asks for a reason.
var openers = []campus.Right{campus.RightSecretariat, campus.RightDirectory, campus.RightAdmin, campus.RightPrivacy}

// Routes lists the addresses of the alcove.
func (d *Dossier) Routes(r *web.Router) {
	r.Handle("GET /directory/people/{id}/file", d.page, web.NeedsSomewhere(openers...))
}

// URL is the address of somebody's file.
func URL(who campus.PersonID) string { return "/directory/people/" + string(who) + "/file" }

// view is one file.
type view struct {
	contract.Known
	Wide, Aside []contract.Card
}

func (d *Dossier) page(w http.ResponseWriter, r *http.Request) error {
	ctx, v, who := r.Context(), web.Viewer(r), campus.PersonID(r.PathValue("id"))
	known, err := d.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	k, ok := known[who]
	if !ok {
		return Missing
	}
	as, ok := opens(v, k.Subject.Affiliations)
	if !ok {
		return Elsewhere
	}
	if err := d.Looks.Looked(ctx, contract.Look{By: v.Person, About: who, As: as, What: "directory.dossier.look"}); err != nil {
		return err
	}
	page := view{Known: k}
	for _, room := range d.Rooms() {
		cards, err := room.About(ctx, v, who)
		if err != nil {
			return err
		}
		for _, c := range cards {
			if c.Aside {
				page.Aside = append(page.Aside, c)
			} else {
				page.Wide = append(page.Wide, c)
			}
		}
	}
	for _, cards := range [][]contract.Card{page.Wide, page.Aside} {
		slices.SortStableFunc(cards, func(a, b contract.Card) int { return cmp.Or(a.Rank-b.Rank, cmp.Compare(a.ID, b.ID)) })
	}
	return web.Render(w, r, http.StatusOK, fileTempl(page))
}

// opens says by which right a viewer opens the file of somebody with these
// affiliations.
func opens(v campus.Viewer, somebody []campus.Affiliation) (campus.Right, bool) {
	i := slices.IndexFunc(openers, func(r campus.Right) bool { return v.CanFor(r, somebody) })
	if i < 0 {
		return "", false
	}
	return openers[i], true
}

// MayOpen reports whether a viewer may open the file of somebody with these
// affiliations.
func MayOpen(v campus.Viewer, somebody []campus.Affiliation) bool {
	_, ok := opens(v, somebody)
	return ok
}

// number is the student number, or that there is none.
func (v view) number(ctx context.Context) string {
	return cmp.Or(v.Subject.StudentNumber, i18n.T(ctx, "directory.dossier.no_number"))
}
