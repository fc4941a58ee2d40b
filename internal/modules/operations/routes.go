package operations

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes implements contract.Module. Every address needs the administrator's right.
func (m *Module) Routes(r *web.Router) {
	admin := web.Needs(campus.RightAdmin)
	r.Handle("GET /operations", m.overview, admin)
	r.Handle("GET /operations/jobs", m.jobs, admin)
	r.Handle("GET /operations/jobs/{id}", m.job, admin)
	r.Handle("POST /operations/jobs/{id}/run", m.runJob, admin)
	r.Handle("GET /operations/jobs/{id}/discard", m.confirmDiscard, admin)
	r.Handle("POST /operations/jobs/{id}/discard", m.discardJob, admin)
	r.Handle("GET /operations/outbox", m.outbox, admin)
	r.Handle("GET /operations/outbox/{id}", m.message, admin)
	r.Handle("GET /operations/outbox/{id}/preview", m.preview, admin)
	r.Handle("GET /operations/configuration", m.configuration, admin)
}
