package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestPeopleAreImportedFromAFileAndInvited(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "amphi.toml")
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("amphi.toml", "[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n")
	want := func(code int, texts []string, args ...string) {
		t.Helper()
		got, out := run(t, args...)
		if got != code {
			t.Errorf("%v: exit %d, want %d", args, got, code)
		}
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%v: no %q in %s", args, text, out)
			}
		}
	}

	wrong := write("wrong.csv", "login,mail,family_name,affiliation,mobile,locale\nlmartin,l@v.example,Martin,student,01 23 45 67 89,fr\nhpetit,h@v.example,Petit,student,,de\n")
	want(1, []string{"line 2: mobile", "line 3: the locale", "2 mistakes; nobody was added"}, "person", "import", "-c", config, wrong)
	want(1, []string{`the column "affiliation" is missing`, `"shoe_size" is none of the columns`}, "person", "import", "-c", config, write("columns.csv", "login,mail,family_name,shoe_size\n"))

	file := write("people.csv", "\ufefflogin,mail,given_name,family_name,student_number,mobile,recovery_mail,affiliation\n"+
		"lmartin,lina.martin@v.example,Lina,Martin,22104567,06 12 34 56 78,lina@mail.example,student:rives:info\n"+
		"sweber,sam.weber@v.example,Sam,\"Weber, Dr\",,,sam@mail.example,staff:rives:it teacher:rives\n")
	want(0, []string{"Nothing was changed. 2 people would be added"}, "person", "import", "-c", config, "--check", file)
	want(0, []string{"2 people were added", "0 were known"}, "person", "import", "-c", config, file)
	want(0, []string{"0 people were added", "2 were known"}, "person", "import", "-c", config, file)
	want(0, []string{"invited", "Weber, Dr"}, "person", "list", "-c", config)
	clash := write("clash.csv", "login,mail,family_name,affiliation\nlmartin,other@v.example,Martin,student\nNOT A LOGIN,x@v.example,X,student\nhpetit,h@v.example,Petit,student\n")
	want(1, []string{"line 2: lmartin is in the register with another address", "line 3:", "identity.login_form", "1 people were added", "2 people were refused"}, "person", "import", "-c", config, clash)

	want(0, []string{"The invitation of sweber leaves to sam@mail.example"}, "person", "invite", "-c", config, "sweber")
	want(1, []string{"identity.activation_nobody", "1 of 1 people were not invited"}, "person", "invite", "-c", config, "nobody")

	dated := write("dated.csv", "login,mail,family_name,affiliation,until\nlmartin,lina.martin@v.example,Martin,student,2027-08-31\nsweber,sam.weber@v.example,Weber,staff teacher,\n")
	want(1, []string{`line 2: until "31/08/27" is no day`}, "person", "import", "-c", config, write("odd.csv", "login,mail,family_name,affiliation,until\nlmartin,lina.martin@v.example,Martin,student,31/08/27\n"))
	registered := func(lines ...string) {
		t.Helper()
		err := configured{ConfigFile: config}.withIdentity(&terminal{Context: t.Context(), out: os.Stderr, err: os.Stderr}, func(ctx context.Context, _ *db.DB, m *identity.Module) error {
			var got []string
			for _, login := range []string{"lmartin", "sweber"} {
				p, err := m.PersonByLogin(ctx, login)
				if err != nil {
					return err
				}
				list, err := m.Lifecycle().Registrations(ctx, p.ID)
				if err != nil {
					return err
				}
				for _, r := range list {
					day := "no end"
					if !r.Until.IsZero() {
						day = r.Until.Format(time.DateTime)
					}
					got = append(got, fmt.Sprintf("%s %s %s %s", login, r.Kind, day, r.Source))
				}
			}
			if !slices.Equal(got, lines) {
				t.Errorf("registered: %q", got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want(0, []string{"Nothing was changed"}, "person", "import", "-c", config, "--check", dated)
	registered() // neither by a check, nor by a file that says nothing of it
	want(0, []string{"2 were known"}, "person", "import", "-c", config, dated)
	all := []string{"lmartin student 2027-08-31 22:00:00 import", "sweber staff no end import", "sweber teacher no end import"}
	registered(all...)
	want(0, []string{"2 were known"}, "person", "import", "-c", config, file)
	registered(all...)

	rest := write("rest.csv", "login,mail,family_name,affiliation,until\nlmartin,lina.martin@v.example,Martin,student,2027-08-31\nsweber,sam.weber@v.example,Weber,staff,\n")
	want(1, []string{"needs the column until"}, "person", "import", "-c", config, "--complete", file)
	want(1, []string{"1 people were refused"}, "person", "import", "-c", config, "--complete", write("clash2.csv", "login,mail,family_name,affiliation,until\nlmartin,other@v.example,Martin,student,\n"))
	want(0, []string{"sweber is not in the file: registered as teacher until today"}, "person", "import", "-c", config, "--complete", "--check", rest)
	want(0, []string{"2 were known"}, "person", "import", "-c", config, rest)
	registered(all...) // a file that does not claim to be complete, and one that was only checked
	want(0, []string{"sweber is not in the file: registered as teacher until today"}, "person", "import", "-c", config, "--complete", rest)
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(zone)
	tonight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, zone)
	registered(all[0], all[1], "sweber teacher "+tonight.UTC().Format(time.DateTime)+" import")
}
