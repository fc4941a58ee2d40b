package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func texts(t *testing.T) *i18n.Catalogue {
	t.Helper()
	c, err := loadTexts(defaultZone, platformTexts()...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryReasonSaysWhatHappenedAndWhatToDoNextInEveryLanguage(t *testing.T) {
	c := texts(t)
	for _, r := range fault.All() {
		for _, l := range campus.Locales {
			parts := []string{".message", ".next"}
			if r.To() != "" {
				parts = append(parts, ".action")
			}
			for _, part := range parts {
				if c.Raw(l, r.Code()+part) == "" {
					t.Errorf("%s: %s has no %s", l, r.Code(), part)
				}
			}
		}
	}
}

func TestBothLanguagesHaveTheSameKeys(t *testing.T) {
	c := texts(t)
	french, english := strings.Join(c.Keys(campus.French), "\n"), strings.Join(c.Keys(campus.English), "\n")
	for _, k := range c.Keys(campus.French) {
		if !c.For(campus.English).Has(k) {
			t.Errorf("en lacks %s", k)
		}
	}
	if french != english {
		for _, k := range c.Keys(campus.English) {
			if !c.For(campus.French).Has(k) {
				t.Errorf("fr lacks %s", k)
			}
		}
	}
}

// A key that code names in full must exist; keys put together at run time are
// seen by the page tests, which look for the brackets of a missing one.
func TestEveryLabelThatCodeNamesExists(t *testing.T) {
	c := texts(t)
	named := regexp.MustCompile(`i18n\.T\(ctx, "([a-z0-9_.]+)"[,)]`)
	err := filepath.WalkDir("../..", func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".templ") && !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range named.FindAllSubmatch(source, -1) {
			if !c.For(campus.French).Has(string(m[1])) {
				t.Errorf("%s names %s, which no language has", name, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheGeneratedPagesAreUpToDate(t *testing.T) {
	pages := map[string]func(io.Writer) error{
		"reasons.md":       func(w io.Writer) error { return writeReasons(w, texts(t)) },
		"configuration.md": explainConfig,
	}
	for name, write := range pages {
		var want bytes.Buffer
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../docs/" + name)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("docs/%s is not what amphi writes (%v): run make generate", name, err)
		}
	}
}

func TestEveryConfigurationKeyIsExplained(t *testing.T) {
	for _, key := range config.Unexplained(Defaults()) {
		t.Errorf("%s has no help: say in its tag what it does", key)
	}
}
