package register

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists the addresses of the alcove. All are for those who keep the
// directory.
func (e *Engine) Routes(r *web.Router) {
	keeper := web.Needs(campus.RightDirectory)
	r.Handle("GET /directory/sources", e.sourcesPage, keeper)
	r.Handle("POST /directory/sources/{id}/run", e.askRun, keeper)
	r.Handle("POST /directory/sources/{id}/identities", e.pass(budgetWaysIn), keeper)
	r.Handle("POST /directory/sources/{id}/creations", e.pass(budgetCreations), keeper)
	r.Handle("GET /directory/runs", e.runsPage, keeper)
	r.Handle("GET /directory/runs/{id}", e.runPage, keeper)
	r.Handle("GET /directory/runs/{id}/report.csv", e.reportCSV, keeper)
	r.Handle("POST /directory/runs/{id}/release", e.releaseRun, keeper)
	r.Handle("POST /directory/runs/{id}/drop", e.dropRun, keeper)
	r.Handle("GET /directory/conflicts", e.conflictsPage, keeper)
	r.Handle("GET /directory/conflicts/{id}", e.conflictPage, keeper)
	r.Handle("POST /directory/conflicts/{id}", e.decideConflict, keeper)
	r.Handle("GET /directory/origins/{person}", e.originsPage, keeper)
	r.Handle("POST /directory/origins/{person}", e.pinValue, keeper)
}
