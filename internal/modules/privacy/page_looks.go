package privacy

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// looksView is who opened somebody's file, and whose files somebody opened, with
// the names that people do not read on their own page.
type looksView struct {
	Login, Name string
	Unknown     bool
	At, By      []namedLook
}

type namedLook struct {
	look
	Name string // of the other one
}

func (m *Module) looksPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	view := looksView{Login: strings.ToLower(strings.TrimSpace(r.URL.Query().Get("login")))}
	if view.Login == "" {
		return web.Render(w, r, http.StatusOK, looksTempl(view))
	}
	who, err := m.byLogin(ctx, view.Login)
	if isReason(err, erasure.PersonMissing) {
		view.Unknown = true
		return web.Render(w, r, http.StatusOK, looksTempl(view))
	}
	if err != nil {
		return err
	}
	known, err := m.who(ctx, who)
	if err != nil {
		return err
	}
	view.Name = displayName(known)
	at, err := m.looksAt(ctx, who)
	if err != nil {
		return err
	}
	rows, err := sqlgen.New(m.DB.Read()).LooksBy(ctx, sqlgen.LooksByParams{AgentID: string(who), Size: looksShown})
	if err != nil {
		return fmt.Errorf("list at whom somebody looked: %w", err)
	}
	by := looksOf(rows)
	var ids []campus.PersonID
	for _, l := range at {
		ids = append(ids, l.Agent)
	}
	for _, row := range rows {
		ids = append(ids, campus.PersonID(row.PersonID))
	}
	names, err := m.names(ctx, ids...)
	if err != nil {
		return err
	}
	for _, l := range at {
		view.At = append(view.At, namedLook{l, names[l.Agent]})
	}
	for i, l := range by {
		view.By = append(view.By, namedLook{l, names[campus.PersonID(rows[i].PersonID)]})
	}
	return web.Render(w, r, http.StatusOK, looksTempl(view))
}
