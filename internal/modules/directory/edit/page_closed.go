package edit

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// closedLine is one unit that was closed here.
type closedLine struct {
	Code, Name, By string
	At             time.Time
}

// closed are the units that were closed here and that the viewer may open again.
func (d *Desk) closed(ctx context.Context, v campus.Viewer) ([]closedLine, error) {
	chart, err := unit.Said(ctx, d.DB.Read())
	if err != nil {
		return nil, err
	}
	hand, err := byhand.Of(ctx, d.DB.Read(), byhand.Unit)
	if err != nil {
		return nil, err
	}
	var list []closedLine
	for _, u := range chart.Units() {
		c, ok := hand[u.Code][unit.PartClosed]
		if !ok || !MayArrange(v, chart, u) {
			continue
		}
		for part, value := range hand[u.Code] {
			u = u.With(part, value.Text)
		}
		by, err := d.nameOf(ctx, c.By)
		if err != nil {
			return nil, err
		}
		list = append(list, closedLine{Code: u.Code, Name: u.Name(i18n.Locale(ctx)), By: by, At: c.At})
	}
	return list, nil
}

func (d *Desk) closedPage(w http.ResponseWriter, r *http.Request) error {
	list, err := d.closed(r.Context(), web.Viewer(r))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, closedTempl(list))
}

// reopen puts a closed unit back where it stood.
func (d *Desk) reopen(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	list, err := d.closed(ctx, v)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Code == r.PathValue("code") {
			back := byhand.Change{Kind: byhand.Unit, Subject: c.Code, Part: unit.PartClosed, Back: true, By: v.Person}
			return d.finish(w, r, []byhand.Change{back}, unitURL(c.Code), "directory.edit.reopened")
		}
	}
	return byhand.EditMissing
}
