package calendar

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// perPage is how many ends a page lists.
const perPage = 50

// view is the calendar as a page.
type view struct {
	Table       ui.TableProps
	Page, Pages int
	Total       int
	// Partly says that a source could not be read.
	Partly bool
}

func (v view) pageURL(page int) string { return "/sso/calendar?page=" + strconv.Itoa(page) }

func (c *Calendar) page(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := c.All(ctx)
	if err != nil {
		if len(all) == 0 {
			return err
		}
		c.Log.WarnContext(ctx, "part of the calendar of ends is not there", "error", err)
	}
	v := view{Total: len(all), Pages: max(1, (len(all)+perPage-1)/perPage), Partly: err != nil}
	v.Page, _ = strconv.Atoi(r.URL.Query().Get("page")) // no number is the first page
	v.Page = max(1, min(v.Page, v.Pages))
	v.Table = table(ctx, all[(v.Page-1)*perPage:min(v.Page*perPage, len(all))], c.DB.Now().Time())
	return web.Render(w, r, http.StatusOK, calendarTempl(v))
}

// table is what ends, as columns.
func table(ctx context.Context, list []Expiring, now time.Time) ui.TableProps {
	p := ui.TableProps{Caption: i18n.T(ctx, "sso.calendar.title"), QuietCaption: true}
	for _, column := range []string{"name", "what", "ends", "left", "contact"} {
		p.Columns = append(p.Columns, ui.Column{Label: i18n.T(ctx, "sso.calendar.column."+column)})
	}
	for _, e := range list {
		what := i18n.T(ctx, "sso.calendar.kind."+string(e.Kind))
		if e.Detail != "" {
			what += " (" + e.Detail + ")"
		}
		contact := e.Contact
		switch {
		case contact == "" && e.URL == "": // our own, which nobody else could renew
			contact = i18n.T(ctx, "sso.calendar.administrators")
		case contact == "":
			contact = i18n.T(ctx, "sso.calendar.no_contact")
		}
		p.Rows = append(p.Rows, []ui.Cell{
			ui.LinkCell(e.Name(i18n.Locale(ctx)), e.URL), ui.TextCell(what), ui.BodyCell(ui.When(e.Ends, i18n.Day)),
			ui.BodyCell(leftCell(tone(e.Ends, now), left(ctx, e.Ends, now))), ui.TextCell(contact),
		})
	}
	return p
}

// manyDays is from when on years say more than days.
const manyDays = 2 * 365

// left says how long something has to go.
func left(ctx context.Context, ends, now time.Time) string {
	if !ends.After(now) {
		return i18n.T(ctx, "sso.calendar.over")
	}
	days := int(ends.Sub(now) / (24 * time.Hour))
	if days >= manyDays {
		return i18n.T(ctx, "sso.calendar.years", "count", (days+182)/365)
	}
	return i18n.T(ctx, "sso.calendar.days", "count", days)
}

// tone is how pressing an end is.
func tone(ends, now time.Time) ui.Tone {
	switch days, soon := due(ends, now); {
	case !soon:
		return ""
	case days <= 7:
		return ui.Bad
	default:
		return ui.Warn
	}
}
