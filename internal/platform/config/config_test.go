package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type server struct {
	Listen  string        `toml:"listen" help:"where to listen"`
	Timeout time.Duration `toml:"timeout"`
	Max     int           `toml:"max"`
	Secret  string        `toml:"secret" secret:"true"`
}

func (s server) Check() []Problem {
	if s.Max < 0 {
		return []Problem{{Key: "max", Text: "must not be negative"}}
	}
	return nil
}

type service struct {
	Name string   `toml:"name"`
	URLs []string `toml:"urls"`
}

type sample struct {
	Server   server    `toml:"server"`
	Services []service `toml:"services"`
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "amphi.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEveryMistakeIsToldAtOnceWithItsLine(t *testing.T) {
	file := write(t, `[server]
listne = "127.0.0.1:1"
timeout = "soon"
max = "many"

[[services]]
name = "one"
[[services]]
nmae = "two"
`)
	err := Read(file, nil, &sample{})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	for line, want := range map[int]string{2: "did you mean server.listen?", 3: "timeout", 4: "max", 9: "nmae"} {
		found := false
		for _, p := range e.Problems {
			found = found || p.Line == line && strings.Contains(p.String(), want)
		}
		if !found {
			t.Errorf("nothing about %q on line %d in:\n%v", want, line, err)
		}
	}
	if len(e.Problems) != 4 {
		t.Errorf("want 4 problems, got:\n%v", err)
	}
}

func TestAValueOutOfRangeIsToldByItsOwner(t *testing.T) {
	err := Read(write(t, "[server]\n\nmax = -1\n"), nil, &sample{})
	if err == nil || !strings.Contains(err.Error(), "line 3: server.max: must not be negative") {
		t.Fatalf("got %v", err)
	}
}

func TestAValueOutOfRangeIsToldBesideOtherMistakes(t *testing.T) {
	err := Read(write(t, "[server]\ntimeout = \"soon\"\nmax = -1\n"), nil, &sample{})
	for _, want := range []string{"line 2: server.timeout", "line 3: server.max: must not be negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	c := sample{Server: server{Listen: "default"}}
	err := Read(write(t, "[server]\nlisten = \"file\"\nmax = 3\n"), []string{"AMPHI_SERVER__LISTEN=environment", "AMPHI_SERVER__MAX=7", "AMPHI_SERVER__TIMEOUT=90s", "AMPHI_TEST_POSTGRES=x"}, &c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Listen != "environment" || c.Server.Max != 7 || c.Server.Timeout != 90*time.Second {
		t.Fatalf("got %+v", c.Server)
	}
}

func TestASecretComesFromItsFileAndIsNeverPrinted(t *testing.T) {
	secret := write(t, "s3cr3t\n")
	var c sample
	if err := Read(write(t, "[server]\nsecret_file = \""+secret+"\"\n"), nil, &c); err != nil {
		t.Fatal(err)
	}
	if c.Server.Secret != "s3cr3t" {
		t.Fatalf("got %q", c.Server.Secret)
	}
	var b strings.Builder
	if err := Print(&b, c); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "s3cr3t") || !strings.Contains(b.String(), Masked) {
		t.Fatalf("printed:\n%s", b.String())
	}
}

func TestASecretWithinAListOfTablesComesFromItsFile(t *testing.T) {
	secret := write(t, "s3cr3t\n")
	var c struct {
		Towers []struct {
			Server server `toml:"server"`
		} `toml:"towers"`
	}
	text := "[[towers]]\n[towers.server]\nmax = 1\n[[towers]]\n[towers.server]\nsecret_file = \""
	if err := Read(write(t, text+secret+"\"\n"), nil, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Towers) != 2 || c.Towers[0].Server.Secret != "" || c.Towers[1].Server.Secret != "s3cr3t" {
		t.Fatalf("got %+v", c)
	}
	err := Read(write(t, text+secret+".missing\"\n"), nil, &c)
	if err == nil || !strings.Contains(err.Error(), "line 6: towers[1].server.secret_file") {
		t.Fatalf("it says %v", err)
	}
}

func TestWhatIsPrintedCanBeReadBack(t *testing.T) {
	before := sample{Server: server{Listen: "a\"b", Timeout: time.Minute, Max: 4}, Services: []service{{"x", []string{"u", "v"}}}}
	var b strings.Builder
	if err := Print(&b, before); err != nil {
		t.Fatal(err)
	}
	var after sample
	if err := Read(write(t, b.String()), nil, &after); err != nil {
		t.Fatalf("%v in:\n%s", err, b.String())
	}
	if after.Server != before.Server || len(after.Services) != 1 || after.Services[0].URLs[1] != "v" {
		t.Fatalf("got %+v", after)
	}
}

func TestDurationsArePrintedAsPeopleWriteThem(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 90 * time.Second: "1m30s", time.Minute: "1m", 720 * time.Hour: "720h", 10*time.Hour + 10*time.Minute: "10h10m", time.Hour + time.Second: "1h0m1s"} {
		if got := short(d); got != want {
			t.Errorf("%d is printed as %s, people write %s", d, got, want)
		}
	}
}

func TestTheExplanationNamesEveryKeyInItsTable(t *testing.T) {
	var b strings.Builder
	if err := Explain(&b, sample{Server: server{Listen: "x", Timeout: time.Minute, Secret: "s3cr3t"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n## `[server]`\n", "| `listen` | `\"x\"` | where to listen |", "| `timeout` | `\"1m\"` |", "`secret_file`",
		"\n## `[[services]]`\n", "| `urls` |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "s3cr3t") {
		t.Error("the explanation shows a secret")
	}
}

func TestKeysWithoutHelpAreFound(t *testing.T) {
	bare := strings.Join(Unexplained(sample{}), " ")
	if bare != "server.timeout server.max server.secret services.name services.urls" {
		t.Errorf("found %q", bare)
	}
}

func TestABrokenFileIsToldWithItsLine(t *testing.T) {
	err := Read(write(t, "[server]\nlisten = \n"), nil, &sample{})
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Fatalf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("[server]\nlisten = 1\n[[services]]\nname = 2")
	f.Add("a.b.c = {d = [1, {e = 2}]}")
	f.Fuzz(func(t *testing.T, text string) {
		file := write(t, text)
		err := Read(file, nil, &sample{})
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("a mistake without a place: %v", err)
		}
	})
}
