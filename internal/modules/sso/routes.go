package sso

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the room. Those under /cas are published by the
// protocol; /cas/proxyValidate, /cas/proxy and /cas/samlValidate will join them.
func (m *Module) Routes(r *web.Router) {
	r.Handle("GET /cas/login", m.casLogin, web.Public)
	r.Handle("POST /cas/login", m.casLogin, web.Public, web.CrossSite)
	r.Handle("GET /cas/logout", m.casLogout, web.Public)
	r.Handle("POST /cas/logout", m.casLogout, web.Public, web.CrossSite)
	r.Handle("GET /cas/continue.js", m.continueScript, web.Static)

	// Asked by servers, not by browsers: no session, no language, no shell.
	r.Handle("GET /cas/validate", m.casValidate, web.Static)
	r.Handle("GET /cas/serviceValidate", m.casServiceValidate, web.Static)
	r.Handle("POST /cas/serviceValidate", m.casServiceValidate, web.Static, web.CrossSite)
	r.Handle("GET /cas/p3/serviceValidate", m.casServiceValidate, web.Static)
	r.Handle("POST /cas/p3/serviceValidate", m.casServiceValidate, web.Static, web.CrossSite)

	r.Handle("GET /sso/logos/{ref}", m.logoFile)

	admin := web.Needs(campus.RightAdmin)
	r.Handle("GET /sso/services", m.servicesPage, admin)
	r.Handle("GET /sso/services/new", m.newServicePage, admin)
	r.Handle("POST /sso/services", m.addService, admin, web.BodyLimit(logoBody))
	r.Handle("GET /sso/services/{id}", m.servicePage, admin)
	r.Handle("GET /sso/services/{id}/edit", m.editServicePage, admin)
	r.Handle("POST /sso/services/{id}", m.editService, admin, web.BodyLimit(logoBody))
	r.Handle("POST /sso/services/{id}/close", m.closeService, admin)
	r.Handle("POST /sso/services/{id}/open", m.openService, admin)
	r.Handle("GET /sso/services/{id}/delete", m.deleteServicePage, admin)
	r.Handle("POST /sso/services/{id}/delete", m.deleteService, admin)
}
