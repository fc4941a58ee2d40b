package enrol

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// maxLabel bounds what people call a factor, in characters; package factor cuts
// at the same place.
const maxLabel = 60

// factorURL is the page of one factor.
func factorURL(id string) string { return ListURL + "/" + id }

// factorView is one factor.
type factorView struct {
	factor.Factor
	Problems web.Problems
	Now      time.Time
}

// checkLabel looks at a name that must be given.
func checkLabel(label string) (problems web.Problems) {
	switch {
	case label == "":
		problems.Add("label", "identity.enrol.problem.label_missing")
	case utf8.RuneCountInString(label) > maxLabel:
		problems.Add("label", "identity.enrol.problem.label_long", "limit", maxLabel)
	}
	return problems
}

// ours is the viewer's factor that the address names. Recovery codes have a page
// of their own.
func (x *Enrol) ours(r *http.Request) (factor.Factor, error) {
	f, err := x.owned(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err == nil && !alone(f) {
		err = factor.Missing
	}
	return f, err
}

func (x *Enrol) factorPage(w http.ResponseWriter, r *http.Request) error {
	f, err := x.ours(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, factorTempl(factorView{Factor: f, Now: x.Clock.Now()}))
}

func (x *Enrol) rename(w http.ResponseWriter, r *http.Request) error {
	f, err := x.ours(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	label := strings.TrimSpace(values.Get("label"))
	if problems := checkLabel(label); problems.Any() {
		f.Label = label
		return web.Render(w, r, http.StatusUnprocessableEntity, factorTempl(factorView{Factor: f, Problems: problems, Now: x.Clock.Now()}))
	}
	if err := x.Factors.Rename(r.Context(), entry.Actor{Person: web.Viewer(r).Person, Session: web.Viewer(r).Session}, f.ID, label); err != nil {
		return err
	}
	web.Flash(w, r, "identity.enrol.factor.renamed")
	return web.SeeOther(w, r, ListURL)
}

// facts are what is known of a factor.
func (v factorView) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{{Label: i18n.T(ctx, "identity.enrol.factor.kind"), Text: kindName(ctx, v.Kind)}}
	if v.Point != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.enrol.factor.point"), Text: v.Point})
	}
	facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.enrol.factor.added"), Body: ui.When(v.AddedAt, i18n.Day)})
	if v.LastUsedAt.IsZero() {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.enrol.factor.used"), Text: i18n.T(ctx, "identity.enrol.factor.never")})
	} else {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.enrol.factor.used"), Body: ui.When(v.LastUsedAt, i18n.Ago)})
	}
	if v.Kind == entry.Passkey || v.Kind == entry.SecurityKey {
		key := "identity.enrol.factor.only_here"
		if v.BackedUp {
			key = "identity.enrol.factor.copied"
		}
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.enrol.factor.copies"), Text: i18n.T(ctx, key)})
	}
	return facts
}
