package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// The browser and the server word their verdicts alike; here they must reach the
// same ones.
func TestTheBrowserTicksWhatTheServerWouldAccept(t *testing.T) {
	t.Parallel()
	h := house.StartWith(t, []string{"AMPHI_IDENTITY__PASSWORD__UPPER=true", "AMPHI_IDENTITY__PASSWORD__SPECIAL=true"})
	catalogue, err := i18n.Load(time.UTC, clock.System(), (&identity.Module{}).Locales())
	if err != nil {
		t.Fatal(err)
	}
	texts := catalogue.For(campus.French)
	config := renewal.Defaults()
	config.Upper, config.Special = true, true
	asked := config.Rules()
	// The open page knows no name, only the identifier that is typed into it.
	about := rules.About{Login: "student"}

	tab := visitor(t, h, browser.Phone)
	tab.Visit("/password")
	tab.Fill("Identifiant", about.Login)
	label := texts.T("identity.renewal.new")
	for _, plain := range []string{
		"a", "Ab1!", "gravier", "gravier93lampe", "Gravier-93-lampe", "Gravier 93 lampe", "gravier lampe cerise tunnel", "zyxwvutsrqponmlkjihg",
		"Ab1!Ab1!Ab1!Ab1!", "S-t-U-d-e-N-t-93!", "Mârtïn-93-xyzt", "Gravier93lampe🐸", "سلام٣٤٥ نافذةA!", "Iloveyou2026!!", "e\u0301te\u0301-Gravier-93", "Œuvre-ß-Ærø-93",
	} {
		tab.Fill(label, plain)
		broken := asked.Check(plain, about)
		for _, r := range asked.List() {
			if r.Where != rules.Live {
				continue
			}
			verdict := "identity.renewal.kept"
			if slices.ContainsFunc(broken, func(b rules.Rule) bool { return b.Key == r.Key }) {
				verdict = "identity.renewal.broken"
			}
			if line := oneLine(texts.T(r.Key, r.Pairs...) + texts.T(verdict)); !strings.Contains(oneLine(tab.Text()), line) {
				t.Errorf("%q: the page does not say %q", plain, line)
			}
		}
	}

	// What the browser cannot know is asked once the rest is right.
	for plain, verdict := range map[string]string{"Iloveyou!2026!": "identity.renewal.broken", "Gravier-93-lampe": "identity.renewal.kept"} {
		tab.Fill(label, plain)
		tab.Sees(oneLine(texts.T(rules.KeyBreached) + texts.T(verdict)))
	}

	tab.Click("DisclosureTriangle", texts.T("identity.renewal.phrase.title"))
	tab.Press(texts.T("identity.renewal.phrase.again"))
	tab.Press(texts.T("identity.renewal.phrase.use"))
	phrase := tab.Value(label)
	if broken := asked.Check(phrase, rules.About{}); len(broken) > 0 || tab.Value(texts.T("identity.renewal.again")) != phrase {
		t.Errorf("the passphrase %q is not in both fields, or breaks %v", phrase, broken)
	}
	tab.Sees(texts.T("identity.renewal.same"))
	tab.Check()
	tab.Picture("new-password")
}

// oneLine is a text with plain spaces only.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
