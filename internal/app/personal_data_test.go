package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// telling finds the columns that can hold something about a person. It is meant to
// find too much: what is about nobody stands in aboutNobody with its reason.
var telling = regexp.MustCompile(`^(person|people|user|owner|agent|actor|author|subject|member|manager|holder|who)(_id)?$` +
	`|_by$|^(login|typed|identifier|mail|phone|mobile|telephone|given_name|family_name|folded_name|display_name|names?|student_number|employee_number)$` +
	`|^(address|peer|user_agent|network|place|photo|photo_ref|birth.*|gender|words|note)$|^sent_to$|^to_(key|masked)$`)

// naming finds those of them that hold a person's identifier: an erasure has to know
// them.
var naming = regexp.MustCompile(`^(person|people|user|owner|agent|actor|author|member|manager|holder)(_id)?$|_by$`)

// aboutNobody are tables, or single columns, that look as if they were about people.
var aboutNobody = map[string]string{
	"jobs_ticks":                        "names of schedules",
	"identity_alarms":                   "networks that attack, counted without accounts",
	"identity_upstream_keys":            "keys of the house",
	"identity_upstream_lost":            "counts by the hour",
	"identity_journal_head":             "end of the chain",
	"identity_spent_challenges":         "hashes that belong to nobody",
	"portal_feeds":                      "sites",
	"portal_feed_items":                 "headlines of sites",
	"sso_registry":                      "a version",
	"sso_alarms":                        "certificates and secrets",
	"sso_contact_mails":                 "services and days",
	"sso_keys":                          "keys of the house",
	"sso_saml_sources":                  "addresses of federations",
	"sso_saml_entities":                 "services of federations",
	"sso_oidc_requests":                 "what clients asked for, before anybody signed in",
	"sso_oidc_seen":                     "hashes that belong to nobody",
	"sso_oidc_registrations.invited_by": "the hash of a token",
	"sso_oidc_registrations.peer":       "address of a program's server",
	"identity_journal.agent":            "the browser; who acted stands in actor_id",
	"identity_bulk_orders.agent":        "the browser; who ordered stands in asked_by",
	"privacy_messages.author":           "person or officer",
	"privacy_head":                      "end of the chain",
	"privacy_proofs.subject":            "a fingerprint under our key, which nobody is recognised in",
	"privacy_steps":                     "names of tables, and counts",
	"helpdesk_queues":                   "teams, and their mailboxes",
	"helpdesk_tickets.last_by":          "requester or agent",
	"helpdesk_messages.author":          "requester, agent or house; who it was stands in author_id",
	"helpdesk_events.actor":             "requester, agent or house; who it was stands in actor_id",
}

// schema is the columns of each table, with their types.
type schema map[string]map[string]string

func schemaOf(t *testing.T, d *db.DB) schema {
	t.Helper()
	query := `SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	if d.Dialect() == db.Postgres {
		query = `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	rows, err := d.Read().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	s := schema{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(table, "goose_") || strings.HasSuffix(table, "_db_version") || strings.HasPrefix(table, "schema_") {
			continue
		}
		if s[table] == nil {
			s[table] = map[string]string{}
		}
		s[table][column] = strings.ToUpper(kind)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// holdingsOf is what all rooms declare, in the order of the rooms.
func holdingsOf(ctx context.Context, rooms []contract.Module) []contract.Holding {
	var all []contract.Holding
	for _, room := range rooms {
		if holder, ok := room.(contract.PersonalData); ok {
			all = append(all, holder.Holdings(ctx)...)
		}
	}
	return all
}

// undeclared lists what the rooms keep about people without saying so, and what
// they declare that is not there.
func undeclared(s schema, holdings []contract.Holding) []string {
	var wrong []string
	declared := map[string]contract.Holding{}
	for _, h := range holdings {
		if s[h.Table] == nil {
			wrong = append(wrong, fmt.Sprintf("%s is declared, and there is no such table", h.Table))
			continue
		}
		declared[h.Table] = h
		for _, trace := range h.Traces {
			if s[h.Table][trace.Column] == "" {
				wrong = append(wrong, fmt.Sprintf("%s.%s is erased by, and there is no such column", h.Table, trace.Column))
			}
			if trace.Parent != "" && (s[trace.Parent][trace.Key] == "" || s[trace.Parent][trace.ParentColumn] == "") {
				wrong = append(wrong, fmt.Sprintf("%s.%s goes through %s.%s, which is not there", h.Table, trace.Column, trace.Parent, trace.ParentColumn))
			}
			for column := range trace.Set {
				if s[h.Table][column] == "" {
					wrong = append(wrong, fmt.Sprintf("%s.%s is overwritten, and there is no such column", h.Table, column))
				}
			}
		}
	}
	for table, columns := range s {
		for column := range columns {
			if !telling.MatchString(column) || aboutNobody[table] != "" || aboutNobody[table+"."+column] != "" {
				continue
			}
			h, ok := declared[table]
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%s.%s can hold personal data, and no room declares the table", table, column))
				continue
			}
			if naming.MatchString(column) && !slices.ContainsFunc(h.Traces, func(trace contract.Trace) bool { return trace.Column == column }) {
				wrong = append(wrong, fmt.Sprintf("%s.%s names people, and nothing says what an erasure does with it", table, column))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

func eachDemo(t *testing.T, f func(*testing.T, *House)) {
	t.Run("sqlite", func(t *testing.T) { h, _ := openDemo(t, dbtest.SQLiteDSN(t)); f(t, h) })
	t.Run("postgres", func(t *testing.T) { h, _ := openDemo(t, dbtest.PostgresDSN(t)); f(t, h) })
}

func TestEveryTableWithPersonalDataIsDeclared(t *testing.T) {
	eachDemo(t, func(t *testing.T, h *House) {
		s := schemaOf(t, h.DB)
		holdings := holdingsOf(spoken(t, campus.English), h.modules)
		for _, wrong := range undeclared(s, holdings) {
			t.Error(wrong)
		}
		for table := range aboutNobody {
			if name, column, one := strings.Cut(table, "."); s[name] == nil || one && s[name][column] == "" {
				t.Errorf("%s is excepted, and is not there", table)
			}
		}
	})
}

// Without any one of the declarations the test above has something to say, if only
// the table has a column by which it can.
func TestNoDeclarationCanBeLeftOut(t *testing.T) {
	h, _ := openDemo(t)
	s, holdings := schemaOf(t, h.DB), holdingsOf(spoken(t, campus.English), h.modules)
	before := len(undeclared(s, holdings))
	quiet := 0
	for i, left := range holdings {
		seen := slices.ContainsFunc(slices.Collect(func(yield func(string) bool) {
			for column := range s[left.Table] {
				if !yield(column) {
					return
				}
			}
		}), func(column string) bool {
			return telling.MatchString(column) && aboutNobody[left.Table+"."+column] == ""
		})
		if !seen {
			quiet++ // such as the steps of a sign-in, which only their sign-in ties to somebody
			continue
		}
		if len(undeclared(s, slices.Delete(slices.Clone(holdings), i, i+1))) == before {
			t.Errorf("nobody misses the declaration of %s", left.Table)
		}
	}
	if quiet > len(holdings)/2 {
		t.Errorf("%d of %d declarations are not looked for", quiet, len(holdings))
	}
}

func TestEveryDeclarationCanBeReadAndFillsTheRegister(t *testing.T) {
	h, _ := openDemo(t)
	for _, l := range campus.Locales {
		ctx := spoken(t, l)
		for _, held := range holdingsOf(ctx, h.modules) {
			for _, text := range []string{held.What, held.Why, held.Basis, held.Until} {
				if text == "" || strings.Contains(text, "⟦") {
					t.Errorf("%s: %s says %q", l, held.Table, text)
				}
			}
			if !slices.Contains(contract.Grounds, held.Ground) {
				t.Errorf("%s stands on no legal basis: %q", held.Table, held.Ground)
			}
			if len(held.Data) == 0 {
				t.Errorf("%s has no category of data", held.Table)
			}
			for _, trace := range held.Traces {
				if trace.Fate == contract.Kept && trace.Why == "" {
					t.Errorf("%s.%s is kept, and nothing says why", held.Table, trace.Column)
				}
			}
		}
	}
}

// spoken is a context in a language, with all sentences of the house.
func spoken(t *testing.T, l campus.Locale) context.Context {
	t.Helper()
	texts, err := loadTexts(defaultZone, platformTexts()...)
	if err != nil {
		t.Fatal(err)
	}
	return i18n.With(t.Context(), texts.For(l))
}

// column is what a migration says of a column beyond its type.
type column struct {
	choice  string // the first value that a CHECK allows
	boolean bool
	small   bool   // a count of 32 bits
	table   string // that it refers to, with the key there
	key     string
}

// columnsOf reads the migrations.
func columnsOf(t *testing.T, rooms []contract.Module) map[string]column {
	t.Helper()
	table := regexp.MustCompile(`CREATE TABLE (\w+)`)
	check := regexp.MustCompile(`CHECK \((\w+) IN \(([^)]*)\)`)
	boolean := regexp.MustCompile(`^\s*(\w+)\s+BOOLEAN`)
	small := regexp.MustCompile(`^\s*(\w+)\s+INTEGER`)
	refers := regexp.MustCompile(`^\s*(\w+)\s.*REFERENCES (\w+) \((\w+)\)`)
	columns := map[string]column{}
	for _, room := range rooms {
		err := fs.WalkDir(room.Migrations(), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".sql" {
				return err
			}
			text, err := fs.ReadFile(room.Migrations(), name)
			if err != nil {
				return err
			}
			at := ""
			for line := range strings.Lines(string(text)) {
				if m := table.FindStringSubmatch(line); m != nil {
					at = m[1]
				}
				if m := check.FindStringSubmatch(line); m != nil {
					c := columns[at+"."+m[1]]
					for value := range strings.SplitSeq(m[2], ",") {
						if value = strings.Trim(value, " '"); value != "" && c.choice == "" {
							c.choice = value
						}
					}
					columns[at+"."+m[1]] = c
				}
				if m := boolean.FindStringSubmatch(line); m != nil {
					c := columns[at+"."+m[1]]
					c.boolean = true
					columns[at+"."+m[1]] = c
				}
				if m := small.FindStringSubmatch(line); m != nil {
					c := columns[at+"."+m[1]]
					c.small = true
					columns[at+"."+m[1]] = c
				}
				if m := refers.FindStringSubmatch(line); m != nil {
					c := columns[at+"."+m[1]]
					c.table, c.key = m[2], m[3]
					columns[at+"."+m[1]] = c
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return columns
}

// rowValues are what columns hold in the rows of the test where a mark would not do,
// by name or by table and name.
var rowValues = map[string]any{
	"facts": "{}", "detail": "{}", "chain": "[]", "kept": "{}", "findings": "[]", "diagnostic": "{}", "audience": "{}", "document": "{}",
	"body": "{}", "was": "{}", "becomes": "{}", "moves": "{}",
	"phones": "[]", "functions": "[]", "audiences": "{}", "rule": "{}",
	"provisioning_accounts.target_id": "moodle", "identity_factors.kind": "key", "privacy_erasures.state": "dismissed", "privacy_exports.state": "ready",
	"identity_locks.fired":      "[]",
	"helpdesk_tickets.priority": 2, "routed": "[]", "services": "[]", "campuses": "[]",
	"directory_records.brought": true,
}

// marked is a text that tells from which column it comes.
func marked(table, column string) string { return "mk-" + table + "-" + column }

// momentOf is an instant that tells from which table it comes.
func momentOf(n int) time.Time {
	return time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 1000 * time.Second)
}

// fill gives somebody one row in every declared table.
func fill(t *testing.T, h *House, s schema, who campus.PersonID, login string) []contract.Holding {
	t.Helper()
	holdings := holdingsOf(spoken(t, campus.English), h.modules)
	known := columnsOf(t, h.modules)
	filled := map[string]bool{}
	// Queues are about nobody, and much refers to one.
	if err := h.DB.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO helpdesk_queues (id, team, campus, name_fr, name_en, mail, calendar_id, closed_at) VALUES ($1, 'accounts', '', $2, $2, '', '', 0) ON CONFLICT DO NOTHING`,
			marked("helpdesk_queues", "id"), marked("helpdesk_queues", "name_fr"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for n, held := range holdings {
		// The chain of proofs is written by erasures alone.
		if len(held.Traces) == 0 || held.Table == "identity_people" || held.Table == "privacy_proofs" || filled[held.Table] {
			continue
		}
		filled[held.Table] = true
		row := map[string]any{}
		for column, kind := range s[held.Table] {
			switch c := known[held.Table+"."+column]; {
			case c.choice != "":
				row[column] = c.choice
			case c.boolean:
				row[column] = true
			case c.small && h.DB.Dialect() == db.Postgres && kind != "BIGINT", c.small && h.DB.Dialect() == db.SQLite && !strings.HasSuffix(column, "_at") && column != "seq" && column != "at":
				row[column] = 7
			case c.table != "":
				row[column] = marked(c.table, c.key)
			case strings.Contains(kind, "INT"):
				row[column] = int64(db.At(momentOf(n)))
			case kind == "BYTEA" || kind == "BLOB":
				row[column] = []byte(marked(held.Table, column))
			default:
				row[column] = marked(held.Table, column)
			}
			for _, name := range []string{column, held.Table + "." + column} {
				if value, ok := rowValues[name]; ok {
					row[column] = value
				}
			}
		}
		for _, trace := range held.Traces {
			switch {
			case trace.Parent != "":
				row[trace.Column] = marked(trace.Parent, trace.Key)
			case trace.By == contract.ByLogin:
				row[trace.Column] = login
			case trace.By == contract.Mentions:
				row[trace.Column] = `{"ordered_by":"` + string(who) + `"}`
			case trace.By == contract.ByID:
				row[trace.Column] = string(who)
			}
		}
		if held.Table == "jobs" {
			row["state"], row["name"] = "dead", "test.nothing"
		}
		var columns, holders []string
		var args []any
		for column, value := range row {
			columns, args = append(columns, column), append(args, value)
			holders = append(holders, fmt.Sprintf("$%d", len(args)))
		}
		err := h.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO "+held.Table+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(holders, ", ")+") ON CONFLICT DO NOTHING", args...)
			return err
		})
		if err != nil {
			t.Errorf("give somebody a row in %s: %v", held.Table, err)
		}
	}
	return holdings
}

// somebodyClosed adds a person whose account is closed.
func somebodyClosed(t *testing.T, h *House) (who campus.PersonID, login, mail string) {
	t.Helper()
	login, mail = "zoe.zerbinette", "zoe.zerbinette@valmont.example"
	err := h.DB.InTx(t.Context(), func(tx db.Tx) (err error) {
		who, err = h.identity.AddPerson(t.Context(), tx, identity.Person{
			Login: login, Mail: mail, GivenName: "Zoé", FamilyName: "Zerbinette", StudentNumber: "29999999", State: account.Closed, Locale: campus.French,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return who, login, mail
}

func TestAnExportLeavesNoDeclaredTableOut(t *testing.T) {
	eachDemo(t, func(t *testing.T, h *House) {
		who, login, _ := somebodyClosed(t, h)
		s, known := schemaOf(t, h.DB), columnsOf(t, h.modules)
		holdings := fill(t, h, s, who, login)
		var all bytes.Buffer
		archive := &contract.Archive{Create: func(name string) (io.Writer, error) { all.WriteString("\n" + name + "\n"); return &all, nil }}
		for _, room := range h.modules {
			if holder, ok := room.(contract.PersonalData); ok {
				if err := holder.Export(spoken(t, campus.English), who, archive); err != nil {
					t.Errorf("%s: %v", room.Name(), err)
				}
			}
		}
		text := all.String()
		for n, held := range holdings {
			// A row that only says who acted stays when they go: it is about something else.
			acted := !slices.ContainsFunc(held.Traces, func(trace contract.Trace) bool { return trace.Fate != contract.Cleared })
			if held.Withheld != "" || acted && held.Table != "portal_news" || held.Table == "identity_people" {
				continue
			}
			if parent := slices.IndexFunc(slices.Collect(maps.Keys(s[held.Table])), func(c string) bool {
				known := known[held.Table+"."+c]
				return known.table != "" && known.table != "identity_people" && strings.Contains(text, "mk-"+known.table+"-")
			}); parent >= 0 {
				continue // exported with what it belongs to
			}
			at := momentOf(n)
			if !strings.Contains(text, "mk-"+held.Table+"-") && !strings.Contains(text, at.Format("2006-01-02T15:04:05")) && !strings.Contains(text, fmt.Sprint(int64(db.At(at)))) {
				t.Errorf("the export says nothing of %s, and no declaration says why", held.Table)
			}
		}
		if !strings.Contains(text, "Zerbinette") {
			t.Error("the export does not name the person")
		}
	})
}

func TestAfterAnErasureNothingIsLeftButWhatADeclarationKeeps(t *testing.T) {
	eachDemo(t, func(t *testing.T, h *House) {
		ctx, s := t.Context(), schemaOf(t, h.DB)
		who, login, mail := somebodyClosed(t, h)
		holdings := fill(t, h, s, who, login)
		if left := leftovers(t, h, s, nil, string(who)); len(left) < 40 {
			t.Fatalf("before, only %d columns name the person: %v", len(left), left)
		}
		engine := h.privacy.Erasures()
		place, err := engine.Prepare(ctx, erasure.Order{Person: who, Cause: erasure.WhenDue})
		if err != nil {
			t.Fatal(err)
		}
		var order string
		if err := h.DB.InTx(ctx, func(tx db.Tx) error { order, err = place(ctx, tx); return err }); err != nil {
			t.Fatal(err)
		}
		if _, err := h.DB.Read().QueryContext(ctx, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		if err := engine.CarryOut(ctx, order); err != nil {
			t.Fatal(err)
		}
		if err := engine.CarryOut(ctx, order); err != nil { // a job may run twice
			t.Fatal(err)
		}
		kept := map[string]bool{}
		for _, held := range holdings {
			for _, trace := range held.Traces {
				if trace.Fate == contract.Kept {
					kept[held.Table+"."+trace.Column] = true
				}
			}
		}
		// The job that carries it out knows the erasure only, by its number.
		for _, left := range leftovers(t, h, s, kept, string(who), login, mail, "Zerbinette", "29999999") {
			t.Errorf("%s still speaks of who was erased", left)
		}
		proofs, err := engine.Proofs(ctx, login, 10, 0)
		if err != nil || len(proofs) != 1 || proofs[0].Facts.Rows() < 40 {
			t.Errorf("the proofs are %+v, %v", proofs, err)
		}
		if held, broken, err := engine.Verify(ctx); err != nil || broken != 0 || held < 1 {
			t.Errorf("the chain holds %d, breaks at %d: %v", held, broken, err)
		}
	})
}

// leftovers lists the columns in which one of the signs stands.
func leftovers(t *testing.T, h *House, s schema, kept map[string]bool, signs ...string) []string {
	t.Helper()
	var left []string
	for table, columns := range s {
		for column, kind := range columns {
			if kept[table+"."+column] || !strings.Contains(kind, "TEXT") && !strings.Contains(kind, "CHAR") {
				continue
			}
			for _, sign := range signs {
				var n int
				if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE "+column+" LIKE $1", "%"+sign+"%").Scan(&n); err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					left = append(left, table+"."+column+" ("+sign+")")
				}
			}
		}
	}
	slices.Sort(left)
	return left
}
