package figures_test

import (
	"os"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/figures"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

func TestLengthsOfTimeAreSaidAsPeopleSayThem(t *testing.T) {
	texts := i18ntest.Load(t, time.UTC, clock.At(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)), os.DirFS("."), web.Locales)
	for _, c := range []struct {
		d               time.Duration
		english, french string
	}{
		{0, "less than a minute", "moins d’une minute"},
		{59 * time.Second, "less than a minute", "moins d’une minute"},
		{time.Minute, "1 minute", "1 minute"},
		{time.Hour, "1 hour", "1 heure"},
		{2*time.Hour + 5*time.Minute, "2 hours 5 minutes", "2 heures 5 minutes"},
		{47 * time.Hour, "47 hours", "47 heures"},
		{100*time.Hour + 40*time.Minute, "101 hours", "101 heures"},
	} {
		for l, want := range map[campus.Locale]string{campus.English: c.english, campus.French: c.french} {
			if got := figures.Spoken(i18n.With(t.Context(), texts.For(l)), c.d); got != want {
				t.Errorf("%s is said as %q, want %q", c.d, got, want)
			}
		}
	}
	ctx := i18n.With(t.Context(), texts.For(campus.English))
	if none, some := figures.Spent(ctx, 0), figures.Spent(ctx, 90); none != "–" || some != "1 hour 30 minutes" {
		t.Errorf("no time is said as %q, an hour and a half as %q", none, some)
	}
}
