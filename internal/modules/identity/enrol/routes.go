package enrol

import "github.com/amphi-campus/amphi/internal/platform/web"

// Routes lists every address of the pages. Those marked public are for somebody
// in the middle of a sign-in as well: each asks the door on whose behalf it acts
// and refuses strangers. The page about preparing shows a stranger the steps and
// nothing else.
func (x *Enrol) Routes(r *web.Router) {
	r.Handle("GET /identity/factors", x.listPage)
	r.Handle("GET /identity/factors/{id}", x.factorPage)
	r.Handle("POST /identity/factors/{id}", x.rename)
	r.Handle("GET /identity/factors/{id}/remove", x.removePage)
	r.Handle("POST /identity/factors/{id}/remove", x.remove)

	r.Handle("GET /identity/factors/add", x.addPage, web.Public)
	r.Handle("GET /login/prepare-factor", x.addPage, web.Public)
	r.Handle("POST /login/prepare-factor", x.later, web.Public)
	r.Handle("GET /identity/factors/totp", x.appPage, web.Public)
	r.Handle("POST /identity/factors/totp", x.addApp, web.Public)
	for _, kind := range pointKinds {
		r.Handle("GET "+addPages[kind], x.pointPage(kind), web.Public)
		r.Handle("POST "+addPages[kind], x.sendToPoint(kind), web.Public)
		r.Handle("GET "+addPages[kind]+"/code", x.pointCodePage(kind), web.Public)
		r.Handle("POST "+addPages[kind]+"/code", x.addPoint(kind), web.Public)
	}
	for _, kind := range keyKinds {
		r.Handle("GET "+addPages[kind], x.keyPage(kind), web.Public)
		r.Handle("POST "+addPages[kind], x.addKey(kind), web.Public)
	}
	r.Handle("GET /identity/factors/recovery-codes", x.codesPage, web.Public)
	r.Handle("POST /identity/factors/recovery-codes", x.makeCodes, web.Public)
	r.Handle("GET /identity/factors/recovery-codes/new", x.newCodesPage, web.Public)
	r.Handle("POST /identity/factors/recovery-codes/new", x.keepCodes, web.Public)
	r.Handle("GET /identity/factors/recovery-codes/file", x.codesFile, web.Public)

	r.Handle("GET /identity/factors/prepare", x.preparePage, web.Public)
	r.Handle("GET /identity/new-phone", x.movePage)
	r.Handle("GET /identity/new-phone/lost", x.lostPage)
	r.Handle("GET /identity/new-phone/done", x.movedPage)
	r.Handle("GET /identity/new-phone/{id}", x.moveOnePage)
	r.Handle("POST /identity/new-phone/{id}", x.moveOne)
}
