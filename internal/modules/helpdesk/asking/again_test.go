package asking_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// stumbling follows tickets, and makes the database undo the first transaction in
// which it hears of one through no fault of the transaction's own.
type stumbling struct{ runs int }

// TicketChanged implements ticket.Follower.
func (s *stumbling) TicketChanged(ctx context.Context, tx db.Tx, _ ticket.Happening) error {
	if s.runs++; s.runs > 1 {
		return nil
	}
	if tx.Dialect() == db.Postgres {
		return &pgconn.PgError{Code: "40001"} // as two transactions that cannot both be
	}
	_, err := tx.ExecContext(ctx, "ROLLBACK") // as SQLite does when the disk is full
	return errors.Join(err, errors.New("the whole group is lost"))
}

func TestARequestIsOneRequestWhenItsTransactionRunsTwice(t *testing.T) {
	lina := tickettest.English(campustest.Lina())
	for name, test := range map[string]struct {
		viewer campus.Viewer
		mail   string
	}{
		"of who has signed in": {viewer: lina, mail: lina.Mail},
		"of a stranger":        {mail: "nobody@home.example"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *tickettest.Front) {
				again := &stumbling{}
				f.Tickets.Connect(f.Desk, f.Desk, f.Following, again)
				f.Viewer = test.viewer
				c := pagetest.Still()
				resp := withFile(t, f, c, request("contact", test.mail, "name", "Somebody"))
				if !f.Viewer.SignedIn() {
					resp, _ = pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
				}
				if again.runs != 2 {
					t.Fatalf("it ran %d times", again.runs)
				}
				got := only(t, f, f.Viewer.Person, test.mail)
				if got.Requester != f.Viewer.Person || got.RequesterMail != test.mail || got.RequesterName == "" || got.ProvedAt.IsZero() {
					t.Errorf("who asked is lost: %+v", got)
				}
				if f.Viewer.SignedIn() && got.Campus != lina.Affiliations[0].Campus {
					t.Errorf("the campus is lost: %q", got.Campus)
				}
				if files := brought(t, f, got); len(files) != 1 || files[0].Name != "error.log" || files[0].Ref == "" {
					t.Errorf("it has the files %+v", files)
				}
				if to := resp.Header.Get("Location"); to != "/helpdesk/follow/"+got.Number && to != "/helpdesk/follow/"+got.Number+"?opened=yes" {
					t.Errorf("the browser is led to %q", to)
				}
			})
		})
	}
}
