package support

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// maxFlag is how long what somebody says about a failed sign-in may be, in
// characters.
const maxFlag = 500

// flagView is the page "It failed".
type flagView struct {
	Code     string // of this browser's sign-in; empty when there is none
	Text     string
	Sent     bool
	Problems web.Problems
}

// flagPage lets people point at their own failed sign-in. A browser without one
// is told so, and where to go.
func (s *Support) flagPage(w http.ResponseWriter, r *http.Request) error {
	a, err := s.Visitor.Story(r, codeOf(r.URL.Query().Get("at")))
	if none(err) {
		return web.Render(w, r, http.StatusOK, flagTempl(flagView{}))
	}
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, flagTempl(flagView{Code: a.Code, Text: a.Flag, Sent: !a.FlaggedAt.IsZero()}))
}

func (s *Support) flag(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	a, err := s.Visitor.Story(r, codeOf(values.Get("at")))
	if none(err) {
		return web.Render(w, r, http.StatusOK, flagTempl(flagView{}))
	}
	if err != nil {
		return err
	}
	view := flagView{Code: a.Code, Text: strings.TrimSpace(strings.ReplaceAll(values.Get("text"), "\r\n", "\n"))}
	if utf8.RuneCountInString(view.Text) > maxFlag {
		view.Problems.Add("text", "identity.support.problem.flag_long", "limit", maxFlag)
		return web.Render(w, r, http.StatusUnprocessableEntity, flagTempl(view))
	}
	if err := s.DB.InTx(r.Context(), func(tx db.Tx) error { return s.Stories.Flag(r.Context(), tx, a.ID, view.Text) }); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/login/flag?at="+a.Code)
}

// codeOf is the stored form of an incident code; empty for what is none.
func codeOf(text string) string {
	code, _ := attempt.ParseCode(text)
	return code
}

// none reports whether a browser has no sign-in to point at.
func none(err error) bool {
	if err == nil {
		return false
	}
	kind := fault.Of(err).Reason.Kind()
	return kind == fault.NotFound || kind == fault.Gone
}

func (v flagView) title(ctx context.Context) string {
	return i18n.T(ctx, "identity.support.flag.title"+v.variant())
}

func (v flagView) lead(ctx context.Context) string {
	return i18n.T(ctx, "identity.support.flag.lead"+v.variant())
}

func (v flagView) variant() string {
	switch {
	case v.Code == "":
		return "_none"
	case v.Sent:
		return "_sent"
	default:
		return ""
	}
}

func (v flagView) submit(ctx context.Context) string {
	return i18n.T(ctx, "identity.support.flag.submit"+v.variant())
}

func (v flagView) button() string {
	if v.Sent {
		return ui.QuietButton
	}
	return ui.MainButton
}
