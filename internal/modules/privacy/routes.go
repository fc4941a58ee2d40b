package privacy

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the room. None is public: the first ones show
// people their own data, the others are the data protection officer's.
func (m *Module) Routes(r *web.Router) {
	r.Handle("GET /privacy", m.minePage)
	r.Handle("GET /privacy/export", m.exportPage)
	r.Handle("POST /privacy/export", m.askExport)
	r.Handle("POST /privacy/export/{id}/file", m.exportFile)
	r.Handle("POST /privacy/export/{id}/delete", m.dropExport)
	r.Handle("GET /privacy/requests/new", m.newRequestPage)
	r.Handle("POST /privacy/requests", m.newRequest)
	r.Handle("GET /privacy/requests/{id}", m.requestPage)
	r.Handle("POST /privacy/requests/{id}/reply", m.reply)
	r.Handle("POST /privacy/requests/{id}/withdraw", m.withdrawRequest)

	officer := web.Needs(campus.RightPrivacy)
	r.Handle("GET /privacy/desk", m.deskPage, officer)
	r.Handle("GET /privacy/desk/{id}", m.casePage, officer)
	r.Handle("POST /privacy/desk/{id}/take", m.takeCase, officer)
	r.Handle("POST /privacy/desk/{id}/ask", m.askPerson, officer)
	r.Handle("POST /privacy/desk/{id}/extend", m.extendCase, officer)
	r.Handle("POST /privacy/desk/{id}/answer", m.answerCase, officer)
	r.Handle("GET /privacy/desk/{id}/decide", m.decidePage, officer)
	r.Handle("POST /privacy/desk/{id}/decide", m.decide, officer)
	r.Handle("POST /privacy/desk/{id}/erase", m.eraseCase, officer)
	r.Handle("GET /privacy/due", m.duePage, officer)
	r.Handle("GET /privacy/due/{id}", m.dueOnePage, officer)
	r.Handle("POST /privacy/due/{id}/let", m.letDue, officer)
	r.Handle("POST /privacy/due/{id}/dismiss", m.dismissDue, officer)
	r.Handle("GET /privacy/holds", m.holdsPage, officer)
	r.Handle("POST /privacy/holds", m.placeHold, officer)
	r.Handle("POST /privacy/holds/{id}/lift", m.liftHold, officer)
	r.Handle("GET /privacy/looks", m.looksPage, officer)
	r.Handle("GET /privacy/proofs", m.proofsPage, officer)
	r.Handle("GET /privacy/register", m.registerPage, officer)
	r.Handle("GET /privacy/register.csv", m.registerCSV, officer)
	r.Handle("GET /privacy/register.json", m.registerJSON, officer)
}
