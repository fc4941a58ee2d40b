package operations

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestTheCardTellsAnAdministratorWhatFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := i18n.With(t.Context(), h.texts.For(campus.English))
		for _, v := range []campus.Viewer{campustest.Lina(), campustest.Sam(), {}} {
			if cards, err := h.module.Cards(ctx, v); err != nil || len(cards) > 0 {
				t.Errorf("%s got %d cards, %v", v.Login, len(cards), err)
			}
		}
		h.checks = []health.Check{health.Pass("a.b", ""), health.Fail("c.d", JobsGaveUp)}
		h.enqueue(true)
		cards, err := h.module.Cards(ctx, campustest.Alix())
		if err != nil || len(cards) != 1 || len(cards[0].Rows) != 2 {
			t.Fatalf("got %+v, %v", cards, err)
		}
		if row := cards[0].Rows[0]; row.Title != "c.d" || row.Tone != "bad" || row.Detail == "" {
			t.Errorf("the failing check: %+v", row)
		}
		if row := cards[0].Rows[1]; row.Tag != "1" || row.URL != "/operations/jobs?state=dead" {
			t.Errorf("the job that gave up: %+v", row)
		}
	}, tables...)
}
