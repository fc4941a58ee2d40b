package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// command runs amphi on the data of a house and fails the test unless it
// succeeds.
func command(t *testing.T, data, text string, arguments ...string) string {
	t.Helper()
	said, code := house.Command(t, data, text, arguments...)
	if code != 0 {
		t.Fatalf("amphi %s gave %d and said:\n%s", strings.Join(arguments, " "), code, said)
	}
	return said
}

func TestABackupOfARunningHouseBecomesAHouse(t *testing.T) {
	t.Parallel()
	original := house.Shared(t)
	archive := filepath.Join(t.TempDir(), "amphi.tar.gz")
	command(t, original.Folder(), "", "backup", "--with-key", archive)

	data := filepath.Join(t.TempDir(), "restored")
	command(t, data, "", "restore", archive)
	if said, code := house.Command(t, data, "", "restore", archive); code == 0 || !strings.Contains(said, "exists") {
		t.Errorf("a second restore over the first should be refused, it gave %d and said %q", code, said)
	}

	h := house.Serve(t, data)
	tab := signedIn(t, h, browser.Desk, "student")
	tab.Sees("Bonjour Lina.")
	tab.Visit("/portal/news")
	if pictures := tab.Pictures(); len(pictures) == 0 {
		t.Error("the news should have their pictures")
	} else {
		for _, p := range pictures {
			if p.Width == 0 {
				t.Errorf("the picture %s is broken", p.Address)
			}
		}
	}
}

func TestADamagedArchiveChangesNothing(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "amphi.tar.gz")
	command(t, house.Shared(t).Folder(), "", "backup", archive)
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"cut short":      whole[:len(whole)/2],
		"not an archive": []byte("not an archive"),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "damaged.tar.gz")
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			data := filepath.Join(t.TempDir(), "restored")
			if said, code := house.Command(t, data, "", "restore", file); code == 0 {
				t.Errorf("it should be refused, the command said %q", said)
			}
			left, err := os.ReadDir(data)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range left {
				t.Errorf("it left %s behind", entry.Name())
			}
		})
	}
}

func TestEveryMistakeOfAConfigurationIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "amphi.toml")
	text := "[server]\nbase_url = \"http://ent.example/\"\nlisten = 8420\n\n[identity]\nno_such_key = true\n\n[institution]\nlanguage = \"de\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said, code := house.Command(t, t.TempDir(), "", "config", "check", "--config", file)
	if code != 2 {
		t.Errorf("the command should end with 2, it ended with %d", code)
	}
	for _, want := range []string{"line 2: server.base_url", "line 3: server.listen", "line 6: identity.no_such_key", "line 9: institution.language"} {
		if !strings.Contains(said, want) {
			t.Errorf("it should say %q, it says:\n%s", want, said)
		}
	}
	if strings.Contains(said, "goroutine") {
		t.Errorf("it should explain, it says:\n%s", said)
	}
}

func TestAPersonAddedFromTheCommandLineCanEnter(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	command(t, h.Folder(), "une phrase assez longue\n", "person", "add", "zoe.martin", "--mail", "zoe.martin@valmont.example",
		"--given-name", "Zoé", "--family-name", "Martin", "--affiliation", "teacher:rives", "--password-stdin")
	answer, _ := enter(t, h, client(t), url.Values{"username": {"zoe.martin"}, "password": {"une phrase assez longue"}})
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("signing in answered %s", answer.Status)
	}

	command(t, h.Folder(), "", "person", "close", "zoe.martin", "--by", "staff", "--reason", "contract_ended")
	answer, body := enter(t, h, client(t), url.Values{"username": {"zoe.martin"}, "password": {"une phrase assez longue"}})
	if answer.StatusCode < 400 || !strings.Contains(body, "identity.") {
		t.Errorf("a closed account should be refused with a reason, the answer is %s", answer.Status)
	}
}
