package journal

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the alcove. Each person sees their own events;
// everybody's are for who runs the installation.
func (j *Journal) Routes(r *web.Router) {
	r.Handle("GET /identity/journal", j.ownPage)
	r.Handle("GET /identity/journal.csv", j.ownFile)
	r.Handle("GET /identity/journal/{event}/not-me", j.disownPage)
	r.Handle("POST /identity/journal/{event}/not-me", j.disown)
	r.Handle("GET /identity/journal/{event}/next-steps", j.nextStepsPage)
	r.Handle("GET /identity/journal/all", j.allPage, web.Needs(campus.RightAdmin))
}
