package jobs

import (
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// TestAClaimDoesNotSortTheBacklog guards a factor of five in throughput, which
// one innocent change of the query loses.
func TestAClaimDoesNotSortTheBacklog(t *testing.T) {
	d := dbtest.Open(t, db.Migrations{Name: Name, FS: Migrations()})
	s := newStore(d, []string{"helpdesk.receipt"})
	var plan strings.Builder
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		rows, err := tx.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.claimQ, "worker", 2, 1, 8, "helpdesk.receipt")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return err
			}
			plan.WriteString(detail + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan.String(), "USING INDEX jobs_due") || strings.Contains(plan.String(), "TEMP B-TREE") {
		t.Errorf("the plan is\n%s", plan.String())
	}
}
