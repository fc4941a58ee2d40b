package bell_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/bell"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	lina = campustest.Lina().Person
	paul = campustest.Paul().Person
)

func each(t *testing.T, f func(t *testing.T, b *bell.Bell, c *clock.Manual)) {
	c := clock.At(noon)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(noon)
		f(t, &bell.Bell{DB: d, Clock: c}, c)
	}, db.Migrations{Name: "portal", FS: new(portal.Module).Migrations()})
}

func notify(t *testing.T, b *bell.Bell, to campus.PersonID, n contract.Notice) {
	t.Helper()
	if err := b.DB.InTx(t.Context(), func(tx db.Tx) error { return b.Notify(t.Context(), tx, to, n) }); err != nil {
		t.Fatal(err)
	}
}

func waiting(t *testing.T, b *bell.Bell, who campus.PersonID) bell.Waiting {
	t.Helper()
	w, err := b.Waiting(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheMostUrgentNotificationComesFirst(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, c *clock.Manual) {
		if _, urgent := waiting(t, b, lina).Urgent(); urgent {
			t.Error("nothing is urgent yet")
		}
		for _, n := range []contract.Notice{
			{TitleFrench: "perdu demain", Tone: "bad"}, {TitleFrench: "bientôt", Tone: "warn"}, {TitleFrench: "fait", Tone: "good"}, {TitleFrench: "à lire"},
		} {
			notify(t, b, lina, n)
			c.Advance(time.Minute)
		}
		w := waiting(t, b, lina)
		var order []string
		for _, n := range w.First {
			order = append(order, n.Title(campus.French))
		}
		if got := strings.Join(order, ", "); w.Count != 4 || got != "perdu demain, bientôt, à lire, fait" {
			t.Errorf("%d wait: %s", w.Count, got)
		}
		if n, urgent := w.Urgent(); !urgent || n.Notice.Tone != "bad" {
			t.Errorf("urgent: %v %+v", urgent, n.Notice)
		}
	})
}

func TestANoticeReplacesTheOneWithItsKey(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		notify(t, b, lina, contract.Notice{Key: "room", TitleFrench: "B212"})
		first := waiting(t, b, lina).First[0]
		if _, err := b.Read(t.Context(), lina, first.ID); err != nil {
			t.Fatal(err)
		}
		notify(t, b, lina, contract.Notice{Key: "room", TitleFrench: "B214"})
		notify(t, b, paul, contract.Notice{Key: "room", TitleFrench: "pour Paul"})
		notify(t, b, lina, contract.Notice{TitleFrench: "sans clef"})
		notify(t, b, lina, contract.Notice{TitleFrench: "sans clef"})
		list, total, err := b.Page(t.Context(), lina, 1)
		if err != nil || total != 3 || len(list) != 3 {
			t.Fatalf("%d of %d, %v", len(list), total, err)
		}
		if w := waiting(t, b, lina); w.Count != 3 {
			t.Errorf("a replaced notice is news again: %d wait", w.Count)
		}
	})
}

func TestNobodyTouchesAnothersNotifications(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		notify(t, b, lina, contract.Notice{TitleFrench: "pour Lina", URL: "/x"})
		id := waiting(t, b, lina).First[0].ID
		if _, err := b.Read(t.Context(), paul, id); !errors.Is(err, bell.Missing) {
			t.Errorf("Paul reads it: %v", err)
		}
		if err := b.Mark(t.Context(), paul, id, true); !errors.Is(err, bell.Missing) {
			t.Errorf("Paul marks it: %v", err)
		}
		if n, err := b.MarkAll(t.Context(), paul); err != nil || n != 0 {
			t.Errorf("Paul marks %d, %v", n, err)
		}
		if w := waiting(t, b, lina); w.Count != 1 {
			t.Errorf("%d wait for Lina", w.Count)
		}
		for _, odd := range []string{"", "\xff", "x", strings.Repeat("a", 4000)} {
			if err := b.Mark(t.Context(), lina, odd, true); !errors.Is(err, bell.Missing) {
				t.Errorf("%q: %v", odd, err)
			}
		}
	})
}

func TestTheCountFollowsWhatOneDoesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		notify(t, b, lina, contract.Notice{TitleFrench: "a"})
		notify(t, b, lina, contract.Notice{TitleFrench: "b"})
		w := waiting(t, b, lina)
		if err := b.Mark(t.Context(), lina, w.First[0].ID, true); err != nil {
			t.Fatal(err)
		}
		if got := waiting(t, b, lina).Count; got != 1 {
			t.Errorf("after reading one, %d wait", got)
		}
		if err := b.Mark(t.Context(), lina, w.First[0].ID, false); err != nil {
			t.Fatal(err)
		}
		if got := waiting(t, b, lina).Count; got != 2 {
			t.Errorf("after unreading it, %d wait", got)
		}
		if n, err := b.MarkAll(t.Context(), lina); err != nil || n != 2 {
			t.Errorf("marked %d, %v", n, err)
		}
		if got := waiting(t, b, lina).Count; got != 0 {
			t.Errorf("after reading all, %d wait", got)
		}
	})
}

func TestAnUndoneTransactionTellsNobody(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		no := errors.New("no")
		err := b.DB.InTx(t.Context(), func(tx db.Tx) error {
			if err := b.Notify(t.Context(), tx, lina, contract.Notice{TitleFrench: "a"}); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) || waiting(t, b, lina).Count != 0 {
			t.Errorf("%v, %d wait", err, waiting(t, b, lina).Count)
		}
	})
}

func TestANotificationLeadsToUsOrToHTTPSOnly(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		for url, ok := range map[string]bool{
			"": true, "/portal/news": true, "https://moodle.example/x": true,
			"//evil.example": false, "http://evil.example": false, "javascript:alert(1)": false, `/\evil.example`: false, "evil": false,
		} {
			err := b.DB.InTx(t.Context(), func(tx db.Tx) error {
				return b.Notify(t.Context(), tx, lina, contract.Notice{TitleFrench: "a", URL: url})
			})
			if (err == nil) != ok {
				t.Errorf("%q: %v", url, err)
			}
		}
	})
}

func TestALongNoticeIsCutNotLost(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		notify(t, b, lina, contract.Notice{TitleFrench: strings.Repeat("é", 1000), Tone: "purple"})
		n := waiting(t, b, lina).First[0]
		if got := []rune(n.Title(campus.English)); len(got) != 140 || got[139] != '…' || n.Notice.Tone != "" {
			t.Errorf("%d characters, tone %q", len(got), n.Notice.Tone)
		}
	})
}

func TestWhatIsBroughtInComesOnceWithItsAge(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, _ *clock.Manual) {
		once := func(key string, read bool) error {
			return b.DB.InTx(t.Context(), func(tx db.Tx) error {
				return b.NotifyOnce(t.Context(), tx, lina, contract.Notice{Key: key, TitleFrench: key}, noon.Add(-time.Hour), read)
			})
		}
		for range 2 {
			if err := errors.Join(once("old", true), once("new", false)); err != nil {
				t.Fatal(err)
			}
		}
		list, total, err := b.Page(t.Context(), lina, 1)
		if err != nil || total != 2 || !list[0].At.Equal(noon.Add(-time.Hour)) || waiting(t, b, lina).Count != 1 {
			t.Errorf("%d in all, %+v, %v", total, list, err)
		}
		if once("", false) == nil {
			t.Error("without a key it would come again at each start")
		}
	})
}

func TestOldNotificationsAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, b *bell.Bell, c *clock.Manual) {
		notify(t, b, lina, contract.Notice{TitleFrench: "vieux"})
		c.Advance(48 * time.Hour)
		notify(t, b, lina, contract.Notice{TitleFrench: "récent"})
		if err := b.Forget(t.Context(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		list, _, err := b.Page(t.Context(), lina, 1)
		if err != nil || len(list) != 1 || list[0].Title(campus.French) != "récent" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
