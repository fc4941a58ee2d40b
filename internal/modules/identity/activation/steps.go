package activation

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// step is one page of the way, in the order in which people go through them.
type step int

const (
	stepWho step = iota
	stepCode
	stepPassword
	stepFactor
	stepDone
)

var stepNames = []string{"who", "code", "password", "factor", "done"}

// letterSteps is the way of those who were invited: their letter proves what a
// certificate and a code prove of the others.
var letterSteps = []string{"letter", "password", "factor", "done"}

// way is what the top and the foot of a page say about where one is.
type way struct {
	names []string
	now   int
	// skipped is a step that was left for another day.
	skipped step
}

func wayOf(now step, invited bool) way {
	if invited {
		return way{names: letterSteps, now: max(int(now)-1, 0)}
	}
	return way{names: stepNames, now: int(now)}
}

// over is the line above the title: "Step 2 of 5".
func (y way) over(ctx context.Context) string {
	return i18n.T(ctx, "identity.activation.step", "step", y.now+1, "steps", len(y.names))
}

func (y way) stages(ctx context.Context) []ui.Stage {
	stages := make([]ui.Stage, len(y.names))
	for i, name := range y.names {
		stages[i] = ui.Stage{State: ui.StageDone, Title: i18n.T(ctx, "identity.activation.stage."+name)}
		switch {
		case i == y.now && i < len(y.names)-1:
			stages[i].State = ui.StageNow
		case i > y.now, y.skipped > 0 && name == stepNames[y.skipped]:
			stages[i].State = ui.StageLater
		}
	}
	return stages
}

// cookie keeps the secret of the activation that this browser has begun.
const cookie = "amphi_activation"

// keep gives the browser the secret of an activation.
func (x *Activation) keep(w http.ResponseWriter, r *http.Request, token string) {
	web.SetCookie(w, r, cookie, token, x.config.Lasts)
}

// at is the activation that this browser has begun.
func (x *Activation) at(r *http.Request) (begun, error) {
	return x.begunByToken(r.Context(), web.Cookie(r, cookie))
}

// desk says where those go whom the page cannot help; empty when nobody said.
func (x *Activation) desk(ctx context.Context) string {
	return i18n.Pick(ctx, x.config.DeskFrench, x.config.DeskEnglish)
}

// footLinks stand below every step. Who is in needs no way in.
func footLinks(ctx context.Context) []ui.Link {
	help := ui.Link{Label: i18n.T(ctx, "identity.activation.link.help"), URL: "/portal/help"}
	if ui.ShellOf(ctx).Viewer.SignedIn() {
		return []ui.Link{help}
	}
	return []ui.Link{{Label: i18n.T(ctx, "identity.activation.link.sign_in"), URL: "/login"}, help}
}
