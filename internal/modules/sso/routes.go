package sso

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/logo"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the room. Those of the protocols stand in their
// alcoves.
func (m *Module) Routes(r *web.Router) {
	for _, alcove := range m.alcoves() {
		alcove.Routes(r)
	}
	r.Handle("GET "+farewellPath, m.farewellPage, web.Public)

	admin := web.Needs(campus.RightAdmin)
	r.Handle("GET /sso/services", m.servicesPage, admin)
	r.Handle("GET /sso/services.toml", m.exportServices, admin)
	r.Handle("GET /sso/services/new", m.newServicePage, admin)
	r.Handle("POST /sso/services/import", m.importService, admin, web.BodyLimit(importBody))
	r.Handle("POST /sso/services", m.addService, admin, web.BodyLimit(logo.Body))
	r.Handle("GET /sso/services/{id}", m.servicePage, admin)
	r.Handle("GET /sso/services/{id}/edit", m.editServicePage, admin)
	r.Handle("POST /sso/services/{id}", m.editService, admin, web.BodyLimit(logo.Body))
	r.Handle("POST /sso/services/{id}/close", m.closeService, admin)
	r.Handle("POST /sso/services/{id}/open", m.openService, admin)
	r.Handle("POST /sso/services/{id}/secret", m.newSecret, admin)
	r.Handle("GET /sso/services/{id}/delete", m.deleteServicePage, admin)
	r.Handle("POST /sso/services/{id}/delete", m.deleteService, admin)
}
