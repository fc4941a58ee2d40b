package operations

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// overviewView is what the overview shows.
type overviewView struct {
	// Failing counts the checks that did not pass.
	Failing  int
	Checks   []checkRow
	Version  string
	Started  time.Time
	Database string // which engine
	Size     string // of the database, worded
	Queues   []queueRow
}

type checkRow struct {
	Name, Detail string
	OK           bool
	Essential    bool
	Why          explained
	Took         string
}

type queueRow struct {
	Label, URL string
	Number     int
	Bad        bool // a person is needed
}

func (m *Module) overview(w http.ResponseWriter, r *http.Request) error {
	view, err := m.overviewView(r.Context())
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, overviewPage(view))
}

func (m *Module) overviewView(ctx context.Context) (overviewView, error) {
	view := overviewView{Version: m.deps.Version, Started: m.deps.Started, Database: labelled(ctx, "operations.database", string(m.deps.DB.Dialect()))}
	for _, check := range m.deps.Doctor.Checks(ctx) {
		if !check.OK {
			view.Failing++
		}
		view.Checks = append(view.Checks, rowOf(ctx, check))
	}
	size, err := databaseSize(ctx, m.deps.DB)
	if err != nil {
		return view, err
	}
	view.Size = fmt.Sprint(printed(ctx, i18n.Bytes(size)))
	view.Queues, err = m.queues(ctx)
	return view, err
}

func rowOf(ctx context.Context, check health.Check) checkRow {
	row := checkRow{Name: check.Name, Detail: check.Detail, OK: check.OK, Essential: check.Essential, Took: fmt.Sprintf("%d\u202fms", check.Took.Milliseconds())}
	if check.Reason != nil {
		row.Why = explain(ctx, check.Reason.Code())
	}
	return row
}

// queues lists what waits, with the page that shows it.
func (m *Module) queues(ctx context.Context) ([]queueRow, error) {
	var rows []queueRow
	for _, state := range jobStates {
		n, err := m.deps.Board.Count(ctx, jobs.Filter{State: state})
		if err != nil {
			return nil, err
		}
		rows = append(rows, queueRow{
			Label: i18n.T(ctx, "operations.queue.jobs_"+string(state)), Number: n,
			URL: "/operations/jobs?state=" + string(state), Bad: state == jobs.Dead && n > 0,
		})
	}
	for _, state := range []string{mailer.StateWaiting, mailer.StateGivenUp} {
		n, err := m.deps.Outbox.Counted(ctx, mailer.Filter{State: state})
		if err != nil {
			return nil, err
		}
		rows = append(rows, queueRow{
			Label: i18n.T(ctx, "operations.queue.outbox_"+state), Number: n,
			URL: "/operations/outbox?state=" + state, Bad: state == mailer.StateGivenUp && n > 0,
		})
	}
	return append(rows, queueRow{Label: i18n.T(ctx, "operations.queue.writes"), Number: m.deps.DB.Stats().Queued}), nil
}

// printed words a fact in the language of ctx.
func printed(ctx context.Context, fact any) any {
	if printer := i18n.Of(ctx); printer != nil {
		return printer.Value(fact)
	}
	return fact
}

// databaseSize is how many bytes the database takes. The engines have no word for it in common.
func databaseSize(ctx context.Context, d *db.DB) (int64, error) {
	query := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if d.Dialect() == db.Postgres {
		query = `SELECT pg_database_size(current_database())`
	}
	var size int64
	if err := d.Read().QueryRowContext(ctx, query).Scan(&size); err != nil {
		return 0, fmt.Errorf("measure the database: %w", err)
	}
	return size, nil
}
