package push

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const tokensURL = "/directory/tokens"

// Routes lists the pages on which tokens are kept.
func (d *Door) Routes(r *web.Router) {
	keeper := web.Needs(campus.RightDirectory)
	r.Handle("GET /directory/tokens", d.tokensPage, keeper)
	r.Handle("POST /directory/tokens", d.makeToken, keeper)
	r.Handle("POST /directory/tokens/{id}/revoke", d.revokeToken, keeper)
}

// tokensView is the page of tokens.
type tokensView struct {
	Sources  []ui.Option
	Source   string
	Label    string
	Days     string
	Lives    []ui.Option // how long a token may hold
	Rows     [][]ui.Cell
	Fresh    string // a secret that was just made
	Address  string // where the program knocks with it
	Problems web.Problems
}

// mostLabel bounds what a token is called.
const mostLabel = 80

func (d *Door) tokensPage(w http.ResponseWriter, r *http.Request) error {
	return d.renderTokens(w, r, http.StatusOK, tokensView{})
}

func (d *Door) makeToken(w http.ResponseWriter, r *http.Request) error {
	if ok, err := d.Confirm(w, r); err != nil || !ok {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	v := tokensView{Source: form.Get("source"), Label: strings.TrimSpace(form.Get("label")), Days: form.Get("days")}
	src, known := d.sourceOf(v.Source)
	if !known {
		v.Problems.Add("source", "directory.tokens.source_missing")
	}
	switch {
	case v.Label == "":
		v.Problems.Add("label", "directory.tokens.label_missing")
	case utf8.RuneCountInString(v.Label) > mostLabel:
		v.Problems.Add("label", "directory.tokens.label_long", "most", mostLabel)
	}
	days, err := strconv.Atoi(cmp.Or(v.Days, strconv.Itoa(UsualDays)))
	if err != nil || days < 1 || days > MostDays {
		v.Problems.Add("days", "directory.tokens.days_unfit", "most", MostDays)
	}
	if v.Problems.Any() {
		return d.renderTokens(w, r, http.StatusUnprocessableEntity, v)
	}
	_, secret, err := d.AddToken(r.Context(), Order{Source: v.Source, Label: v.Label, Days: days, Request: r})
	if err != nil {
		return err
	}
	// Shown here and nowhere else: no redirect could carry it.
	return d.renderTokens(w, r, http.StatusOK, tokensView{Fresh: secret, Address: web.Absolute(r, doorOf(src))})
}

// doorOf is the address at which a source is pushed into.
func doorOf(c source.Config) string {
	if c.Kind == source.KindSCIM {
		return "/scim/v2"
	}
	return "/api/directory/v1"
}

func (d *Door) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := d.RevokeToken(r.Context(), r, r.PathValue("id")); err != nil {
		return err
	}
	web.Flash(w, r, "directory.tokens.revoked_now")
	return web.SeeOther(w, r, tokensURL)
}

func (d *Door) renderTokens(w http.ResponseWriter, r *http.Request, status int, v tokensView) error {
	ctx := r.Context()
	for _, c := range d.pushed() {
		v.Sources = append(v.Sources, ui.Option{Value: c.ID, Label: c.Name(i18n.Locale(ctx))})
	}
	if len(v.Sources) == 1 {
		v.Source = v.Sources[0].Value
	}
	v.Days = cmp.Or(v.Days, strconv.Itoa(UsualDays))
	for _, days := range []int{30, 90, 180, UsualDays, MostDays} {
		v.Lives = append(v.Lives, ui.Option{Value: strconv.Itoa(days), Label: i18n.T(ctx, "directory.tokens.days", "count", days)})
	}
	tokens, err := d.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		v.Rows = append(v.Rows, d.tokenRow(ctx, t))
	}
	return web.Render(w, r, status, tokensTempl(v))
}

// tokenRow is one token in the table.
func (d *Door) tokenRow(ctx context.Context, t Token) []ui.Cell {
	name := t.Source
	if c, ok := d.sourceOf(t.Source); ok {
		name = c.Name(i18n.Locale(ctx))
	}
	used := ui.TextCell(i18n.T(ctx, "directory.tokens.never"))
	if !t.UsedAt.IsZero() {
		used = ui.BodyCell(usedTempl(t))
	}
	last := ui.BodyCell(revokeTempl(t))
	now := d.Clock.Now()
	switch {
	case !t.RevokedAt.IsZero():
		last = ui.BodyCell(ui.Tag("", i18n.T(ctx, "directory.tokens.revoked")))
	case !t.Holds(now):
		last = ui.BodyCell(ui.Tag("", i18n.T(ctx, "directory.tokens.ended")))
	}
	return []ui.Cell{ui.TextCell(t.Label), ui.TextCell(name), ui.BodyCell(ui.When(t.MadeAt, i18n.Day)), used, ui.BodyCell(endsTempl(t, t.Holds(now) && t.EndsAt.Sub(now) < warnedBefore)), last}
}
