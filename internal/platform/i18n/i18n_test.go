package i18n

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

const frenchFile = `
[platform.time]
now = "à l’instant"
past = "il y a {duration}"
future = "dans {duration}"
today = "aujourd’hui"
yesterday = "hier"
[platform.time.seconds]
one = "{count} seconde"
other = "{count} secondes"
[platform.time.minutes]
one = "{count} minute"
other = "{count} minutes"
[platform.time.hours]
one = "{count} heure"
other = "{count} heures"
[platform.time.days]
one = "{count} jour"
other = "{count} jours"
[room]
hello = "Bonjour {name}"
limit = "limite {size}"
[room.letters]
one = "{count} lettre"
other = "{count} lettres"
`

var noon = time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)

func catalogue(t *testing.T) *Catalogue {
	t.Helper()
	english := strings.NewReplacer("Bonjour", "Hello", "lettre", "letter", "à l’instant", "just now", "il y a {duration}", "{duration} ago", "hier", "yesterday").Replace(frenchFile)
	files := fstest.MapFS{"locales/fr.toml": {Data: []byte(frenchFile)}, "locales/en.toml": {Data: []byte(english)}}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(paris, clock.At(noon), files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSentencesTakeFactsAndPlurals(t *testing.T) {
	c := catalogue(t)
	fr, en := c.For(campus.French), c.For(campus.English)
	for _, x := range []struct{ got, want string }{
		{fr.T("room.hello", "name", "Zoë"), "Bonjour Zoë"},
		{en.T("room.hello", "name", "<b>"), "Hello <b>"},                             // escaping is the view's work
		{en.T("room.hello", "name", "مريم Œillet"), "Hello \u2068مريم Œillet\u2069"}, // the sentence keeps its direction
		{fr.T("room.hello", "name", []string{"שרה", "Zoë"}), "Bonjour \u2068שרה, Zoë\u2069"},
		{fr.T("room.letters", "count", 0), "0 lettre"}, // French zero is singular
		{en.T("room.letters", "count", 0), "0 letters"},
		{fr.T("room.letters", "count", 2), "2 lettres"},
		{fr.T("room.limit", "size", Bytes(3328599655)), "limite 3,1\u00a0Go"},
		{en.T("room.limit", "size", Bytes(262144)), "limite 256\u00a0KB"},
		{fr.T("room.limit", "size", 90*time.Minute), "limite 1 heure 30 minutes"},
		{fr.T("room.nothing"), "⟦room.nothing⟧"},
		{c.Raw(campus.French, "room.hello"), "Bonjour {name}"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestInstantsAreSaidAsPeopleSayThem(t *testing.T) {
	c := catalogue(t)
	for _, x := range []struct {
		locale campus.Locale
		at     time.Time
		style  Style
		want   string
	}{
		{campus.French, noon, Moment, "dimanche 22 novembre à 12\u202fh"},
		{campus.French, noon.Add(5 * time.Minute), Clock, "12\u202fh\u202f05"},
		{campus.English, noon.Add(5 * time.Minute), Moment, "Sunday 22 November at 12:05"},
		{campus.French, time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC), Day, "lundi 1er mars 2027"},
		{campus.French, time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC), Clock, "10\u202fh"}, // summer time
		{campus.French, noon.Add(-20 * time.Second), Ago, "à l’instant"},
		{campus.English, noon.Add(-3 * time.Minute), Ago, "3 minutes ago"},
		{campus.French, noon.Add(2 * time.Hour), Ago, "dans 2 heures"},
		{campus.French, noon.Add(-13 * time.Hour), Ago, "hier"},
		{campus.French, noon.Add(-72 * time.Hour), Ago, "jeudi 19 novembre"},
		{campus.French, noon, Short, "22 nov."},
		{campus.English, noon, Full, "22 November 2026 at 12:00"},
	} {
		if got := c.For(x.locale).Date(x.at, x.style); got != x.want {
			t.Errorf("%v %v: got %q, want %q", x.locale, x.at, got, x.want)
		}
	}
}

func TestTheSameSentencesAreSaidAtAnotherTime(t *testing.T) {
	c := catalogue(t)
	later := c.At(clock.At(noon.AddDate(1, 0, 0))).For(campus.English)
	if got := later.Date(noon, Day); got != "Sunday 22 November 2026" {
		t.Errorf("a year later the day is %q", got)
	}
	if got := later.T("room.hello", "name", "Zoë"); got != "Hello Zoë" {
		t.Errorf("a year later the sentence is %q", got)
	}
	if got := c.For(campus.English).Date(noon, Day); got != "Sunday 22 November" {
		t.Errorf("today the day is %q", got)
	}
}

func TestALanguageThatIsMissingOrAKeyDefinedTwiceIsAnError(t *testing.T) {
	only := fstest.MapFS{"locales/fr.toml": {Data: []byte("[a]\nb = \"c\"\n")}}
	if _, err := Load(time.UTC, clock.System(), only); err == nil {
		t.Error("no English, and no error")
	}
	both := fstest.MapFS{"locales/fr.toml": {Data: []byte("[a]\nb = \"c\"\n")}, "locales/en.toml": {Data: []byte("[a]\nb = \"c\"\n")}}
	if _, err := Load(time.UTC, clock.System(), both, both); err == nil || !strings.Contains(err.Error(), "a.b") {
		t.Errorf("got %v", err)
	}
}
