package enrol

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// listView is somebody's factors and how well they are prepared.
type listView struct {
	Bar     factor.Bar
	Factors []factor.Factor // without the recovery codes
	Codes   factor.Factor
	// HasCodes: a set of recovery codes was made; MayHaveCodes: it is offered.
	HasCodes, MayHaveCodes bool
	Trusted                []trustedView
	Now                    time.Time
}

// trustedView is one browser in which no factor is asked.
type trustedView struct {
	Name            string
	LastSeen, Until time.Time
}

func (x *Enrol) listPage(w http.ResponseWriter, r *http.Request) error {
	who, now := web.Viewer(r).Person, x.Clock.Now()
	factors, err := x.Factors.Of(r.Context(), who)
	if err != nil {
		return err
	}
	view := listView{Bar: factor.Health(factors, now), Now: now, MayHaveCodes: x.offers(entry.Recovery)}
	for _, f := range factors {
		if alone(f) {
			view.Factors = append(view.Factors, f)
		}
	}
	view.Codes, view.HasCodes = recovery(factors)
	devices, err := x.Devices.List(r.Context(), who)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.Trusted(now) {
			view.Trusted = append(view.Trusted, trustedView{device.Name(i18n.Of(r.Context()), d.Agent), d.LastSeenAt, d.TrustEndsAt})
		}
	}
	return web.Render(w, r, http.StatusOK, listTempl(view))
}

// fullBar is the level of somebody who has nothing better to do.
const fullBar = 4

// health says the bar in words.
func (v listView) health(ctx context.Context) string {
	return i18n.T(ctx, "identity.enrol.health.level_"+strconv.Itoa(max(0, min(fullBar, v.Bar.Level))))
}

func (v listView) tone() ui.Tone {
	switch {
	case v.Bar.Level <= 0:
		return ui.Bad
	case v.Bar.Level == 1:
		return ui.Warn
	default:
		return ui.Good
	}
}

// addLabel names the main act: the first factor and the second are worth a word
// of their own.
func (v listView) addLabel(ctx context.Context) string {
	switch len(v.Factors) {
	case 0:
		return i18n.T(ctx, "identity.enrol.list.add_first")
	case 1:
		return i18n.T(ctx, "identity.enrol.list.add_second")
	default:
		return i18n.T(ctx, "identity.enrol.list.add")
	}
}

// state is a tag for a factor that proves nothing at the moment.
func (v listView) state(ctx context.Context, f factor.Factor) (tone ui.Tone, text string) {
	switch {
	case !f.SuspendedAt.IsZero():
		return ui.Bad, i18n.T(ctx, "identity.enrol.list.suspended")
	case f.Gone:
		return ui.Bad, i18n.T(ctx, "identity.enrol.list.gone")
	case f.UsableAt.After(v.Now):
		return ui.Warn, i18n.T(ctx, "identity.enrol.list.waiting")
	default:
		return "", ""
	}
}

// detail is the small line of a factor: what it is, and when it was used.
func (v listView) detail(ctx context.Context, f factor.Factor) string {
	used := i18n.T(ctx, "identity.enrol.list.unused")
	if !f.LastUsedAt.IsZero() {
		used = i18n.T(ctx, "identity.enrol.list.used", "when", i18n.Date(ctx, f.LastUsedAt, i18n.Ago))
	}
	what := kindName(ctx, f.Kind)
	if f.Point != "" {
		what += " " + f.Point
	}
	return what + " · " + used
}
