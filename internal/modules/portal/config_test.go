package portal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// configuration is a file with the room's table.
type configuration struct {
	Portal portal.Config `toml:"portal"`
}

func readConfig(t *testing.T, text string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "amphi.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Read(file, nil, &configuration{Portal: portal.Defaults()})
}

func TestAWholeConfigurationIsAccepted(t *testing.T) {
	err := readConfig(t, `
[portal]
feed_every = "1h"
keep_notifications = "720h"
[portal.accessibility]
contact = "accessibilite@univ.example"
[[portal.feeds]]
id = "port"
name_fr = "Le Port"
url = "https://leport.univ.example/feed.xml"
audience = { kinds = ["student"], campuses = ["port"] }
[portal.help]
phone = "01 99 00 12 12"
[[portal.help.articles]]
id = "activer"
question_fr = "Comment activer mon compte ?"
answer_fr = "Ainsi."
[[portal.help.desks]]
name_fr = "Guichet"
hours_fr = ["lundi, de 8 h à 18 h"]
`)
	if err != nil {
		t.Error(err)
	}
}

func TestEveryMistakeOfTheConfigurationIsTold(t *testing.T) {
	err := readConfig(t, `
[portal]
feed_every = "1s"
max_picture = 12
[[portal.feeds]]
id = "Le Port"
url = "file:///etc/passwd"
[[portal.help.articles]]
id = "x"
`)
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, want := range []string{
		"line 3: portal.feed_every", "line 4: portal.max_picture", "portal.feeds[0].id", "portal.feeds[0].name_fr", "portal.feeds[0].url",
		"portal.help.articles[0].question_fr", "portal.help.articles[0].answer_fr",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
}
