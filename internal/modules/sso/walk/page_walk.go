package walk

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// view is a walk with its two sides.
type view struct {
	ID, Name, Trace string
	Start           string // where the visit begins; may be empty
	Outside         bool   // and it is another site
	Began           time.Time
	Given           []given
	Incidents       []Incident
	Verdict         string
	Tone            ui.Tone
}

// given is one answer of ours, and what the service did with it.
type given struct {
	Facts []ui.Fact
	Tag   string
	Tone  ui.Tone
}

// page shows where to begin, and what happened since.
func (x *Walk) page(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := x.Service(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	began, err := x.since(r.PathValue("trace"))
	if err != nil {
		return err
	}
	answers, err := x.Answers.Walked(ctx, web.Viewer(r).Session, s.ID, began)
	if err != nil {
		return err
	}
	v := view{ID: s.ID, Name: s.Name(i18n.Locale(ctx)), Trace: r.PathValue("trace"), Start: StartURL(s), Began: began}
	v.Outside = !strings.HasPrefix(v.Start, "/")
	if v.Incidents, err = x.Incidents(ctx, s, began); err != nil {
		return err
	}
	now := x.Clock.Now()
	for _, a := range answers {
		v.Given = append(v.Given, givenOf(ctx, a, now))
	}
	v.Verdict, v.Tone = verdict(ctx, answers, len(v.Incidents), now)
	return web.Render(w, r, http.StatusOK, walkTempl(v))
}

// givenOf puts both sides of an answer into words.
func givenOf(ctx context.Context, a answer.Answer, now time.Time) given {
	g := given{Facts: []ui.Fact{
		{Label: i18n.T(ctx, "sso.walk.given.address"), Text: a.Address},
		{Label: i18n.T(ctx, "sso.walk.given.at"), Body: ui.When(a.IssuedAt.Time(), i18n.Full)},
	}}
	key := outcome(a, now)
	g.Tag, g.Tone = i18n.T(ctx, "sso.walk.given."+key), map[string]ui.Tone{"redeemed": ui.Good, "refused": ui.Bad, "ignored": ui.Bad}[key]
	if a.UsedAt != 0 {
		took := a.UsedAt.Sub(a.IssuedAt)
		g.Facts = append(g.Facts, ui.Fact{Label: i18n.T(ctx, "sso.walk.given.took"), Text: took.Round(time.Millisecond).String()})
	}
	if a.Peer != "" {
		g.Facts = append(g.Facts, ui.Fact{Label: i18n.T(ctx, "sso.walk.given.peer"), Text: a.Peer})
	}
	return g
}

// outcome is what became of an answer.
func outcome(a answer.Answer, now time.Time) string {
	switch {
	case a.State == answer.Refused:
		return "refused"
	case a.UsedAt != 0:
		return "redeemed"
	case now.Sub(a.IssuedAt.Time()) > answer.Patience:
		return "ignored"
	default:
		return "waiting"
	}
}

// verdict is the walk in one sentence.
func verdict(ctx context.Context, answers []answer.Answer, incidents int, now time.Time) (string, ui.Tone) {
	seen := map[string]int{}
	for _, a := range answers {
		seen[outcome(a, now)]++
	}
	said := func(key string, tone ui.Tone) (string, ui.Tone) { return i18n.T(ctx, "sso.walk.verdict."+key), tone }
	switch {
	case seen["refused"] > 0 || incidents > 0 && seen["redeemed"] == 0:
		return said("refused", ui.Bad)
	case seen["ignored"] > 0:
		return said("ignored", ui.Bad)
	case len(answers) >= 3:
		return said("again", ui.Warn)
	case seen["redeemed"] > 0:
		return said("fine", ui.Good)
	case seen["waiting"] > 0:
		return said("waiting", ui.Info)
	default:
		return said("nothing", ui.Info)
	}
}
