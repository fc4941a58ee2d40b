package listing

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// View is a list that somebody keeps under a name.
type View struct {
	ID     string
	Name   string
	Query  url.Values
	Shared bool // all agents have it
}

// mostViews bounds how many lists one agent keeps, maxName how long their names are
// in bytes.
const (
	mostViews = 50
	maxName   = 80
)

// viewsOf are somebody's own lists, and those of all agents.
func (l *Listing) viewsOf(ctx context.Context, who campus.PersonID) ([]View, error) {
	var list []View
	err := db.Each(ctx, l.DB.Read(), "SELECT id, owner_id, name, filter FROM helpdesk_views WHERE owner_id IN ($1, '') ORDER BY name, id LIMIT 200", []any{string(who)}, func(rows *sql.Rows) error {
		var v View
		var owner, filter string
		if err := rows.Scan(&v.ID, &owner, &v.Name, &filter); err != nil {
			return err
		}
		v.Shared = owner == ""
		q, err := url.ParseQuery(filter)
		v.Query = q
		list = append(list, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read kept lists: %w", err)
	}
	return list, nil
}

// keepView keeps the list that is open under a name. Who runs the desk can keep it
// for everybody.
func (l *Listing) keepView(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	by := web.Viewer(r)
	name := campus.OneLine(form.Get("name"))
	if name == "" || len(name) > maxName {
		return ViewUnnamed.With(fault.Args{"limit": maxName})
	}
	owner := string(by.Person)
	if form.Get("shared") != "" && by.Can(campus.RightDesks) {
		owner = ""
	}
	filter := ReadFilter(form).Query().Encode()
	if err := l.DB.InTx(r.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(r.Context(), `INSERT INTO helpdesk_views (id, owner_id, name, filter, made_at)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT)
			WHERE (SELECT COUNT(*) FROM helpdesk_views v WHERE v.owner_id = $2) < $6`, id.New(), owner, name, filter, tx.Now(), mostViews)
		return err
	}); err != nil {
		return fmt.Errorf("keep a list: %w", err)
	}
	web.Flash(w, r, "helpdesk.listing.view_kept", "name", name)
	return web.SeeOther(w, r, "/helpdesk/tickets?"+filter)
}

func (l *Listing) dropView(w http.ResponseWriter, r *http.Request) error {
	by := web.Viewer(r)
	owners := []any{r.PathValue("id"), string(by.Person), string(by.Person)}
	if by.Can(campus.RightDesks) {
		owners[2] = ""
	}
	var dropped int64
	if err := l.DB.InTx(r.Context(), func(tx db.Tx) error {
		done, err := tx.ExecContext(r.Context(), "DELETE FROM helpdesk_views WHERE id = $1 AND owner_id IN ($2, $3)", owners...)
		if err != nil {
			return err
		}
		dropped, err = done.RowsAffected()
		return err
	}); err != nil {
		return fmt.Errorf("drop a list: %w", err)
	}
	if dropped == 0 {
		return ViewMissing
	}
	web.Flash(w, r, "helpdesk.listing.view_dropped")
	return web.SeeOther(w, r, "/helpdesk/tickets")
}
