package activation

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the alcove. /activate is published: it stands on
// the printed sheet, so it is short. What is public there asks for its own
// proofs, step by step.
func (x *Activation) Routes(r *web.Router) {
	r.Handle("GET /activate", x.startPage, web.Public)
	r.Handle("POST /activate", x.startWithMobile, web.Public)
	r.Handle("GET /activate/other", x.otherPage, web.Public)
	r.Handle("POST /activate/other", x.startWithAddress, web.Public)
	r.Handle("GET /activate/desk", x.deskPage, web.Public)
	r.Handle("GET /activate/code", x.codePage, web.Public)
	r.Handle("POST /activate/code", x.proveCode, web.Public)
	r.Handle("POST /activate/code/send", x.sendCode, web.Public)
	r.Handle("GET /activate/password", x.passwordPage, web.Public)
	r.Handle("POST /activate/password", x.choosePassword, web.Public)
	r.Handle("POST /activate/later", x.goOnLater, web.Public)
	r.Handle("GET /activate/resume", x.resumePage, web.Public)
	r.Handle("POST /activate/resume", x.resumeHere, web.Public)
	r.Handle("GET /activate/invitation", x.letterPage, web.Public)
	r.Handle("POST /activate/invitation", x.acceptLetter, web.Public)
	r.Handle("GET /activate/factor", x.factorPage)
	r.Handle("GET /activate/done", x.donePage)

	agents := web.Needs(campus.RightSecretariat, campus.RightAdmin)
	r.Handle("GET /identity/invitations", x.invitationsPage, agents)
	r.Handle("GET /identity/invitations/new", x.invitePage, agents)
	r.Handle("POST /identity/invitations/new", x.sendInvitation, agents)
	r.Handle("GET /identity/invitations/guest", x.guestPage, agents)
	r.Handle("POST /identity/invitations/guest", x.sendGuestInvitation, agents)
	r.Handle("GET /identity/invitations/export.csv", x.exportInvitations, agents)
	r.Handle("POST /identity/invitations/{id}/again", x.sendInvitationAgain, agents)
	r.Handle("GET /identity/invitations/{id}/withdraw", x.withdrawPage, agents)
	r.Handle("POST /identity/invitations/{id}/withdraw", x.withdrawInvitation, agents)
	r.Handle("GET /identity/activation/sheet", x.sheetPage, agents)
}
