package enrol

import (
	"context"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/qr"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// preparation is one step of being ready before the semester.
type preparation struct {
	Key  string // "first", "second" or "codes"
	URL  string
	Done bool
}

// prepareView is the three steps. A stranger, who comes from the help page or
// from a sheet of paper, sees them without what is done.
type prepareView struct {
	Stranger bool
	Steps    []preparation
	Address  string // as people type it
	QR       string // SVG
}

func (x *Enrol) preparePage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	view := prepareView{Stranger: !v.SignedIn(), Steps: []preparation{{Key: "first", URL: AddURL}, {Key: "second", URL: AddURL}}}
	if x.offers(entry.Recovery) {
		view.Steps = append(view.Steps, preparation{Key: "codes", URL: CodesURL})
	}
	if !view.Stranger {
		factors, err := x.Factors.Of(r.Context(), v.Person)
		if err != nil {
			return err
		}
		n := count(factors, x.Clock.Now())
		codes, _ := recovery(factors)
		for i := range view.Steps {
			s := &view.Steps[i]
			s.Done = s.Key == "first" && n >= 1 || s.Key == "second" && n >= 2 || s.Key == "codes" && codes.CodesLeft > 0
		}
	}
	address := web.Absolute(r, PrepareURL)
	picture, err := qr.SVG(address, "")
	if err != nil {
		return err
	}
	view.QR, view.Address = picture, strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
	return web.Render(w, r, http.StatusOK, prepareTempl(view))
}

// next is the first step that is not done; ok is false when all are.
func (v prepareView) next() (preparation, bool) {
	for _, s := range v.Steps {
		if !s.Done {
			return s, true
		}
	}
	return preparation{}, false
}

// way draws the steps: what is done, what comes now.
func (v prepareView) way(ctx context.Context) []ui.Stage {
	next, _ := v.next()
	stages := make([]ui.Stage, len(v.Steps))
	for i, s := range v.Steps {
		stage := ui.Stage{
			State: ui.StageLater, Title: i18n.T(ctx, "identity.enrol.prepare."+s.Key), Detail: i18n.T(ctx, "identity.enrol.prepare."+s.Key+"_detail"),
		}
		switch {
		case s.Done:
			stage.State = ui.StageDone
		case s.Key == next.Key && !v.Stranger:
			stage.State = ui.StageNow
		}
		stages[i] = stage
	}
	return stages
}
