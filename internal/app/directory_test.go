package app

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const directoryTestConfig = `
[server]
data_dir = %q
[[directory.sources]]
id = "registrar"
kind = "csv"
name_en = "Registrar"
preset = "none"
[directory.sources.csv]
file = %q
whole = true
key = "student_number"
[[directory.sources.affiliations]]
kind = "student"
campus = "campus"
programme = "programme"
[[directory.register.names]]
login = "{given:1}{family}"
mail = "{given}.{family}@valmont.example"
`

func TestTheDirectoryIsKeptFromAShell(t *testing.T) {
	folder := t.TempDir()
	file, config, data := filepath.Join(folder, "people.csv"), filepath.Join(folder, "amphi.toml"), filepath.Join(folder, "data")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	people := func(from, to int) string {
		text := "student_number;family_name;given_name;campus;programme;groups\n"
		for i := from; i < to; i++ {
			text += fmt.Sprintf("%d;Dupont;Élise;rives;l1;td%d\n", 1000+i, i%3)
		}
		return text
	}
	write(config, fmt.Sprintf(directoryTestConfig, data, file))
	write(file, people(0, 40)+"2000;;Nobody;rives;l1;\n")
	run := func(code int, arguments ...string) string {
		t.Helper()
		var out, wrong bytes.Buffer
		if got := Main(append([]string{"directory"}, append(arguments, "--config", config)...), nil, &out, &wrong); got != code {
			t.Fatalf("amphi directory %v ended with %d: %s %s", arguments, got, out.String(), wrong.String())
		}
		return out.String() + wrong.String()
	}
	says := func(said string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(said, word) {
				t.Errorf("it does not say %q:\n%s", word, said)
			}
		}
	}
	count := func(query string) (n int) {
		t.Helper()
		d, err := sql.Open("sqlite", filepath.Join(data, "amphi.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	says(run(0, "check"), "Registrar: Rehearsal", "people.csv:42", "The record has no family name.")
	if n := count("SELECT COUNT(*) FROM identity_people"); n != 0 {
		t.Fatalf("a check brought %d people", n)
	}
	says(run(0, "sync", "--lines", "0"), "Registrar: Done", "edupont40", "elise.dupont2@valmont.example")
	if n := count("SELECT COUNT(*) FROM identity_registrations WHERE kind = 'student' AND until_at = 0 AND source = 'registrar'"); n != 40 {
		t.Errorf("%d people are registered", n)
	}
	if n := count("SELECT COUNT(*) FROM directory_group_people WHERE group_code = 'td1'"); n != 13 {
		t.Errorf("%d people are in the group", n)
	}
	says(run(0, "sync", "--full", "--only", "refusal"), "Unchanged                       40")

	write(file, people(2, 40))
	says(run(0, "sync"), "Departure", "Élise Dupont")
	if n := count("SELECT COUNT(*) FROM identity_registrations r JOIN identity_people p ON p.id = r.person_id WHERE r.until_at > 0 AND p.state = 'invited'"); n != 2 {
		t.Errorf("%d people have left and kept their account", n)
	}

	write(file, people(20, 40))
	says(run(1, "sync"), "Stopped, waits for you", "directory.register.too_many_gone")
	write(file, "student_number;family_name;given_name;campus;programme;groups\n")
	says(run(1, "sync"), "directory.register.source_empty")
	if n := count("SELECT COUNT(*) FROM identity_registrations WHERE until_at > 0"); n != 2 {
		t.Errorf("%d people have left", n)
	}

	says(run(1, "import", file, "--source", "registrar", "--dry-run", "--language", "fr"), "Répétition", "Départs", "directory.register.source_empty")
	says(run(1, "sync", "--source", "nobody"), "directory.register.source_unknown")
}

func TestTokensOfProgramsAreKeptFromAShell(t *testing.T) {
	folder := t.TempDir()
	config := filepath.Join(folder, "amphi.toml")
	text := fmt.Sprintf("[server]\ndata_dir = %q\n[[directory.sources]]\nid = \"hr\"\nkind = \"api\"\n", filepath.Join(folder, "data"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(code int, arguments ...string) string {
		t.Helper()
		var out, wrong bytes.Buffer
		if got := Main(append([]string{"directory", "token"}, append(arguments, "--config", config)...), nil, &out, &wrong); got != code {
			t.Fatalf("amphi directory token %v ended with %d: %s %s", arguments, got, out.String(), wrong.String())
		}
		return out.String() + wrong.String()
	}
	if secret := run(0, "add", "hr", "Payroll", "--days", "30"); !strings.HasPrefix(secret, "amphi-push-") || strings.Count(secret, "\n") != 1 {
		t.Errorf("it prints more than the secret: %q", secret)
	}
	if said := run(1, "add", "hr", "Payroll", "--days", "731"); !strings.Contains(said, "directory.token_days_unfit") {
		t.Errorf("two years and a day: %s", said)
	}
	ends := time.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly)
	list := run(0, "list")
	if !strings.Contains(list, "ends "+ends) || !strings.Contains(list, "used never") || !strings.Contains(list, "Payroll") || strings.Contains(list, "amphi-push-") {
		t.Errorf("the list is %s", list)
	}
	run(0, "revoke", strings.Fields(list)[0])
	if list := run(0, "list"); !strings.Contains(list, "revoked ") || strings.Contains(list, "ends ") {
		t.Errorf("after it was revoked the list is %s", list)
	}
	var out bytes.Buffer
	if code := Main([]string{"journal", "export", "--config", config}, nil, &out, &out); code != 0 || !strings.Contains(out.String(), "push_token_made") || !strings.Contains(out.String(), "push_token_revoked") {
		t.Errorf("the journal says %s", out.String())
	}
}
