package app

import (
	"context"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// growing are the tables that grow with people, or with every day. Reading one whole
// is slow some day, and nobody sees it coming.
var growing = []string{
	"identity_people", "identity_affiliations", "identity_passwords", "identity_sessions", "identity_attempts", "identity_journal", "identity_points", "identity_factors",
	"directory_entries", "directory_choices", "directory_records", "directory_pushed", "directory_group_people", "directory_changes",
	"provisioning_accounts", "provisioning_removals", "portal_notifications",
	"sso_answers", "sso_logouts", "sso_proxy_grants", "sso_oidc_grants", "sso_incidents",
	"helpdesk_tickets", "helpdesk_messages", "helpdesk_attachments", "helpdesk_events", "helpdesk_facts", "helpdesk_mails", "helpdesk_visits",
}

// readWhole are the queries that do read one: to go through it in pieces, to count it,
// or at night.
var readWhole = map[string]string{
	"identity countPeople":                  "once, at the start",
	"identity/journal doneToOthers":         "a copy of somebody's data, prepared in the background",
	"identity/reach prunePoints":            "at night",
	"helpdesk/routing latest":               "the newest hundred, by an index",
	"helpdesk/counter forgetVisits":         "at night",
	"helpdesk/mailroom tally":               "the page of the mailroom",
	"helpdesk/mailroom page":                "by an index, in pages",
	"provisioning/ledger countStates":       "by an index that has all that is counted",
	"provisioning/ledger targetsWithWork":   "by an index of those with work alone",
	"provisioning/ledger countOpenRemovals": "by an index of the open ones alone",
	"provisioning/ledger openRemovals":      "by an index of the open ones alone",
	"sso/answer pruneAnswers":               "at night, in pieces",
	"sso/trace unusedAnswers":               "the report of the registry",
	"sso brokenServices":                    "the report of the registry",
}

// TestNoQueryReadsAGrowingTableWhole asks SQLite how it would answer each query while
// it knows nothing of the values, as it prepares them.
func TestNoQueryReadsAGrowingTableWhole(t *testing.T) {
	d := dbtest.Open(t, schemas()...)
	asked, used := 0, map[string]bool{}
	modules := filepath.Join("..", "modules")
	err := filepath.WalkDir(modules, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".sql.go") {
			return err
		}
		alcove, _, _ := strings.Cut(filepath.ToSlash(strings.TrimPrefix(path, modules+string(filepath.Separator))), "/internal/")
		for name, query := range dbtest.Queries(t, path) {
			asked++
			name = alcove + " " + name
			for _, table := range readsWhole(t, d, name, query) {
				used[name] = true
				if readWhole[name] == "" {
					t.Errorf("%s reads all of %s:\n%s", name, table, query)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked < 500 {
		t.Errorf("only %d queries were found", asked)
	}
	for name := range readWhole {
		if !used[name] {
			t.Errorf("%s reads no growing table whole any more: take it off the list", name)
		}
	}
}

var (
	argument = regexp.MustCompile(`\$(\d+)`)
	named    = regexp.MustCompile(`(?i)\b(?:from|join|update)\s+([a-z_]+)(?:\s+(?:as\s+)?([a-z]+))?`)
	scanned  = regexp.MustCompile(`^SCAN ([a-z_]+)`)
)

// readsWhole names the growing tables of which a query reads every row.
func readsWhole(t *testing.T, d *db.DB, name, query string) (tables []string) {
	t.Helper()
	most := 0
	for _, m := range argument.FindAllStringSubmatch(query, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	query = strings.ReplaceAll(query, "/*SLICE:", "/*")
	most = max(most, strings.Count(query, "?"))
	rows, err := d.Read().QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, make([]any, most)...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer rows.Close()
	called := map[string]string{}
	for _, m := range named.FindAllStringSubmatch(query, -1) {
		called[m[1]], called[m[2]] = m[1], m[1]
	}
	for rows.Next() {
		var node, parent, unused int
		var step string
		if err := rows.Scan(&node, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		m := scanned.FindStringSubmatch(step)
		if m == nil {
			continue
		}
		for _, table := range growing {
			if called[m[1]] == table {
				tables = append(tables, table)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}
