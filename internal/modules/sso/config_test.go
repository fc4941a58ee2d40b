package sso

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// read reads a configuration file with this text.
func read(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "amphi.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	house := struct {
		SSO Config `toml:"sso"`
	}{Defaults()}
	err := config.Read(path, nil, &house)
	return house.SSO, err
}

func TestTheExampleOfTheDocumentationIsAccepted(t *testing.T) {
	page, err := os.ReadFile("../../../docs/services/cas.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```toml\n")
	example, _, _ = strings.Cut(example, "```")
	c, err := read(t, example)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Services) != 1 || c.Services[0].Name("en") != "University wiki" || len(c.Services[0].Audience.Kinds) != 2 || !c.Services[0].Releases(registry.Mail) {
		t.Errorf("%+v", c.Services)
	}
}

func TestEveryMistakeOfTheConfigurationIsTold(t *testing.T) {
	_, err := read(t, `[sso]
loop_turns = 1
[sso.cas]
ticket_lifetime = "10m"

[[sso.services]]
id = "a"
name_fr = "A"
patterns = ["https://*"]

[[sso.services]]
id = "a"
name_fr = "A"
patterns = ["https://a.fr"]
contact = "nobody"
`)
	var all *config.Error
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	for _, want := range []string{"line 4: sso.cas.ticket_lifetime", "line 2: sso.loop_turns", "line 9: sso.services[0].patterns", "line 12: sso.services[1].id", "line 15: sso.services[1].contact"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
}
