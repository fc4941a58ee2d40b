package provisioning

import (
	"context"
	"net/http"
	"strconv"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// removalsView is what services have still to remove.
type removalsView struct {
	Lines       []removalView
	Page, Pages int
}

func (v removalsView) pageURL(page int) string {
	return "/provisioning/removals?page=" + strconv.Itoa(page)
}

type removalView struct {
	ID, Service string
	Facts       []ui.Fact
	Stuck       bool // somebody has to mend something
}

// removalsPage shows the accounts of people who were erased that services have not
// removed yet. The person is named by the identifier in the service alone: it is what
// an administrator needs there.
func (m *Module) removalsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page, _ := strconv.Atoi(r.URL.Query().Get("page")) // no number is the first page
	page = max(1, page)
	open, total, err := m.ledger.OpenRemovals(ctx, perPage, (page-1)*perPage)
	if err != nil {
		return err
	}
	view := removalsView{Page: page, Pages: max(1, int((total+perPage-1)/perPage))}
	for _, o := range open {
		view.Lines = append(view.Lines, m.removalView(ctx, o))
	}
	return web.Render(w, r, http.StatusOK, removalsTempl(view))
}

func (m *Module) removalView(ctx context.Context, r ledger.Removal) removalView {
	v := removalView{ID: r.ID, Service: m.called(ctx, r.TargetID)}
	fact := func(key, text string) {
		if text != "" {
			v.Facts = append(v.Facts, ui.Fact{Label: t(ctx, "fact."+key), Text: text})
		}
	}
	v.Facts = append(v.Facts, ui.Fact{Label: t(ctx, "fact.asked"), Body: ui.When(r.AskedAt.Time(), i18n.Moment)})
	fact("remote", r.RemoteID)
	reason := m.reasonOf(r)
	fact("reason", reason)
	fact("detail", r.Detail)
	if reason != TargetMissing.Code() {
		v.Facts = append(v.Facts, ui.Fact{Label: t(ctx, "fact.next_try"), Body: ui.When(r.DueAt.Time(), i18n.Moment)})
	}
	v.Stuck = reason != ""
	return v
}

// settleRemoval has a removal tried now, or ends one that was done by hand.
func (m *Module) settleRemoval(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	removal, ok, err := m.ledger.Removal(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if !ok || removal.State() != contract.RemovalAsked {
		return RemovalOver
	}
	switch form.Get("act") {
	case "retry":
		err = m.DB.InTx(ctx, func(tx db.Tx) error {
			if _, err := m.ledger.HurryRemoval(ctx, tx, removal.ID); err != nil {
				return err
			}
			return m.worker.Start(ctx, tx, removal.TargetID)
		})
		web.Flash(w, r, "provisioning.flash.retried")
	case "by_hand":
		err = m.DB.InTx(ctx, func(tx db.Tx) error {
			return m.worker.EndRemoval(ctx, tx, removal, contract.RemovalByHand, web.Viewer(r).Person)
		})
		web.Flash(w, r, "provisioning.flash.removed_by_hand")
	default:
		return web.FormMalformed
	}
	if err != nil {
		return err
	}
	m.Log.InfoContext(ctx, "provisioning: a removal was settled", "target", removal.TargetID, "removal", removal.ID, "act", form.Get("act"), "by", web.Viewer(r).Person)
	return web.SeeOther(w, r, "/provisioning/removals")
}
