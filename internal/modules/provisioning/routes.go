package provisioning

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the room.
func (m *Module) Routes(r *web.Router) {
	r.Handle("GET /provisioning/mine", m.minePage)

	agent := web.Needs(agents...)
	r.Handle("GET /provisioning", m.overviewPage, agent)
	r.Handle("GET /provisioning/targets/{id}", m.targetPage, agent)
	r.Handle("GET /provisioning/people/{id}", m.personPage, agent)
	r.Handle("POST /provisioning/people/{id}/retry", m.retryPerson, agent)

	officer := web.Needs(campus.RightAdmin, campus.RightPrivacy)
	r.Handle("GET /provisioning/removals", m.removalsPage, officer)
	r.Handle("POST /provisioning/removals/{id}", m.settleRemoval, officer)

	admin := web.Needs(campus.RightAdmin)
	r.Handle("GET /provisioning/people/{id}/adopt/{target}", m.adoptPage, admin)
	r.Handle("POST /provisioning/people/{id}/adopt/{target}", m.adopt, admin)
	r.Handle("GET /provisioning/targets/{id}/accounts.csv", m.exportAccounts, admin)
	r.Handle("GET /provisioning/targets/{id}/retry", m.retryPage, admin)
	r.Handle("POST /provisioning/targets/{id}/retry", m.retryMany, admin)
	r.Handle("GET /provisioning/targets/{id}/closures", m.closuresPage, admin)
	r.Handle("POST /provisioning/targets/{id}/closures", m.letClosuresGo, admin)
	r.Handle("POST /provisioning/targets/{id}/pause", m.pause, admin)
	r.Handle("POST /provisioning/targets/{id}/resume", m.resume, admin)
	r.Handle("POST /provisioning/targets/{id}/compare", m.compare, admin)
	r.Handle("POST /provisioning/targets/{id}/once", m.tryOnce, admin)
}
