package oidcop

import (
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The paths that more than one file needs.
const (
	authorizePath   = "/oidc/authorize"
	tokenPath       = "/oidc/token"
	userInfoPath    = "/oidc/userinfo"
	introspectPath  = "/oidc/introspect"
	revokePath      = "/oidc/revoke"
	pushPath        = "/oidc/par"
	deviceCodePath  = "/oidc/device"
	registerPath    = "/oidc/register"
	logoutPath      = "/oidc/logout"
	keysPath        = "/oidc/jwks"
	devicePath      = "/device"
	deviceAllowPath = "/device/allow"
)

// smallBody is more than any question of a program has, in bytes.
const smallBody = 64 << 10

// Routes lists the addresses. Those under /.well-known are named by Discovery and
// RFC 8414; the others are ours, and clients read them there.
func (p *Provider) Routes(r *web.Router) {
	r.Handle("GET /.well-known/openid-configuration", forEverybody(p.metadata), web.Static)
	r.Handle("GET /.well-known/oauth-authorization-server", forEverybody(p.metadata), web.Static)
	r.Handle("GET /oidc/jwks", forEverybody(p.publishKeys), web.Static)

	// Browsers come here, sent by clients.
	r.Handle("GET /oidc/authorize", p.authorize, web.Public)
	r.Handle("POST /oidc/authorize", p.authorizePosted, web.Public, web.CrossSite, web.BodyLimit(smallBody))
	r.Handle("GET /oidc/continue.js", p.continueScript, web.Static)
	r.Handle("GET /oidc/logout", p.logout, web.Public)
	r.Handle("POST /oidc/logout", p.logoutPosted, web.Public, web.CrossSite, web.BodyLimit(smallBody))
	r.Handle("POST /oidc/logout/confirm", p.confirmLogout, web.Public)

	// Asked by programs: no session, no language, no shell.
	program := func(path string, h web.Handler) {
		r.Handle("POST "+path, h, web.Static, web.CrossSite, web.BodyLimit(smallBody))
		r.Handle("OPTIONS "+path, p.preflight, web.Static)
	}
	program(tokenPath, p.program(p.token))
	program(revokePath, p.program(p.revoke))
	program(pushPath, p.program(p.push))
	program(deviceCodePath, p.program(p.awaitDevice))
	program(introspectPath, p.program(p.introspect))
	program(userInfoPath, p.program(p.userInfo))
	r.Handle("GET /oidc/userinfo", p.program(p.userInfo), web.Static)

	r.Handle("POST /oidc/register", p.program(p.register), web.Static, web.CrossSite, web.BodyLimit(smallBody))
	r.Handle("GET /oidc/register/{client}", p.program(p.readRegistration), web.Static)
	r.Handle("PUT /oidc/register/{client}", p.program(p.changeRegistration), web.Static, web.CrossSite, web.BodyLimit(smallBody))
	r.Handle("DELETE /oidc/register/{client}", p.dropRegistration, web.Static, web.CrossSite)

	// For people who sign a device in.
	r.Handle("GET /device", p.devicePage)
	r.Handle("POST /device", p.typedCode)
	r.Handle("GET /device/allow", p.allowPage)
	r.Handle("POST /device/allow", p.decideDevice)
	r.Handle("GET /device/done", p.deviceDonePage)
}
