package bulk

import (
	"fmt"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// report sends the list of an order as a table: who, and what became of them. Once
// the first line is sent a failure can only cut the file short.
func (x *Bulk) report(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), web.Viewer(r)
	o, err := x.Order(ctx, by, r.PathValue("id"))
	if err != nil {
		return err
	}
	lines, err := x.lines(ctx, by, o.ID, "", Most, 0)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.csv"`, o.Act, o.AskedAt.In(x.Zone).Format("2006-01-02")))
	file := table.NewWriter(w)
	head := []string{
		i18n.T(ctx, "identity.lifecycle.file.login"), i18n.T(ctx, "identity.lifecycle.file.name"), t(ctx, "column.was"),
		t(ctx, "column.outcome"), t(ctx, "column.why"), t(ctx, "column.code"),
	}
	if err := file.Write(head); err != nil {
		return fmt.Errorf("send a report: %w", err)
	}
	for _, l := range lines {
		err := file.Write([]string{
			l.Login, l.Name, i18n.T(ctx, "identity.lifecycle.state."+string(l.WasState)),
			t(ctx, "outcome."+string(l.Outcome)), why(ctx, l.Why, l.WasState), l.Why,
		})
		if err != nil {
			return fmt.Errorf("send a report: %w", err)
		}
	}
	file.Flush()
	if err := file.Error(); err != nil {
		return fmt.Errorf("send a report: %w", err)
	}
	return nil
}
