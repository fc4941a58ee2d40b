package i18ntest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestTestsShareSentencesAndNotTheTime(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "locales"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, l := range campus.Locales {
		if err := os.WriteFile(filepath.Join(dir, "locales", string(l)+".toml"), []byte("[room]\nhello = \"hello\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	first := Load(t, time.UTC, clock.At(noon), os.DirFS(dir))
	if err := os.RemoveAll(dir); err != nil { // whoever reads again finds nothing
		t.Fatal(err)
	}
	second := Load(t, time.UTC, clock.At(noon.AddDate(1, 0, 0)), os.DirFS(dir))
	if got := second.For(campus.English).T("room.hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	for _, x := range []struct {
		texts *i18n.Catalogue
		want  string
	}{{first, "Sunday 22 November"}, {second, "Sunday 22 November 2026"}} {
		if got := x.texts.For(campus.English).Date(noon, i18n.Day); got != x.want {
			t.Errorf("the day is said as %q, want %q", got, x.want)
		}
	}
}
