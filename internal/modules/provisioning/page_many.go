package provisioning

import (
	"context"
	"net/http"
	"strconv"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// previewSize is how many accounts a preview names.
const previewSize = 20

// manyView is a preview of an act on many accounts.
type manyView struct {
	Target, Name string
	Filter       ledger.Filter
	Count        int64
	Lines        []lineView
	Allowed      int64 // closures that need no word
}

// retryPage shows whom a retry of many would be about.
func (m *Module) retryPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	f := filterOf(s.Service.ID, r.URL.Query())
	view := manyView{Target: s.Service.ID, Name: m.name(ctx, s), Filter: f}
	if view.Count, err = m.ledger.Count(ctx, f); err != nil {
		return err
	}
	f.Limit = previewSize
	lines, err := m.ledger.List(ctx, f)
	if err != nil {
		return err
	}
	for _, line := range lines {
		view.Lines = append(view.Lines, lineOf(ctx, s, line))
	}
	return web.Render(w, r, http.StatusOK, retryTempl(view))
}

// retryMany puts the accounts that a filter chooses in front of the queue.
func (m *Module) retryMany(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	n, err := m.ledger.HurryAll(ctx, filterOf(s.Service.ID, form))
	if err != nil {
		return err
	}
	if err := m.DB.InTx(ctx, func(tx db.Tx) error { return m.worker.Start(ctx, tx, s.Service.ID) }); err != nil {
		return err
	}
	m.Log.InfoContext(ctx, "provisioning: many accounts are tried again", "target", s.Service.ID, "many", n, "by", web.Viewer(r).Person)
	web.Flash(w, r, "provisioning.flash.retried_many", "count", strconv.Itoa(n))
	return web.SeeOther(w, r, "/provisioning/targets/"+s.Service.ID)
}

// closuresPage shows which closures wait for a word.
func (m *Module) closuresPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	c, err := m.ledger.Closures(ctx, s.Service.ID)
	if err != nil {
		return err
	}
	view := manyView{Target: s.Service.ID, Name: m.name(ctx, s), Count: c.Waiting, Allowed: max(s.BrakeShare*c.Open/100, s.Service.BrakeFloor)}
	lines, err := m.ledger.Closing(ctx, s.Service.ID, previewSize)
	if err != nil {
		return err
	}
	for _, line := range lines {
		view.Lines = append(view.Lines, lineOf(ctx, s, line))
	}
	return web.Render(w, r, http.StatusOK, closuresTempl(view))
}

// letClosuresGo lets as many closures through as were shown. When more wait by
// now, nobody has agreed to them.
func (m *Module) letClosuresGo(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	agreed, err := strconv.ParseInt(form.Get("count"), 10, 64)
	if err != nil {
		return web.FormMalformed.From(err)
	}
	c, err := m.ledger.Closures(ctx, s.Service.ID)
	if err != nil {
		return err
	}
	if c.Waiting > agreed {
		return ClosuresChanged.With(fault.Args{"service": m.name(ctx, s), "agreed": agreed, "count": c.Waiting})
	}
	if err := m.ledger.LetGo(ctx, s.Service.ID, agreed); err != nil {
		return err
	}
	m.Log.WarnContext(ctx, "provisioning: closures were let go", "target", s.Service.ID, "many", agreed, "by", web.Viewer(r).Person)
	if err := m.DB.InTx(ctx, func(tx db.Tx) error { return m.worker.Start(ctx, tx, s.Service.ID) }); err != nil {
		return err
	}
	web.Flash(w, r, "provisioning.flash.let_go")
	return web.SeeOther(w, r, "/provisioning#"+s.Service.ID)
}

// crumbs lead back to the target.
func crumbs(ctx context.Context, view manyView) []ui.Link {
	return []ui.Link{{Label: t(ctx, "overview.title"), URL: "/provisioning"}, {Label: view.Name, URL: "/provisioning/targets/" + view.Target}}
}
