package risk

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}

func (h *house) assess(c Circumstances) Verdict {
	h.t.Helper()
	v, err := h.Assess(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestWhatHappenedBeforeDecidesOnASignIn(t *testing.T) {
	atHome := Circumstances{Person: lina, Address: home, Device: "laptop"}
	elsewhere := Circumstances{Person: lina, Address: abroad}
	for _, c := range []struct {
		name   string
		before func(h *house)
		c      Circumstances
		fired  []string
		act    Act
	}{
		{"the first sign-in of all", func(*house) {}, elsewhere, nil, Allow},
		{"at home as always", func(h *house) { h.welcome(lina, "laptop", home) }, atHome, nil, Allow},
		{"a new browser at home", func(h *house) { h.welcome(lina, "laptop", home) },
			Circumstances{Person: lina, Address: home}, []string{"new_device"}, Allow},
		{"a new browser on the campus", func(h *house) { h.welcome(lina, "laptop", home) },
			Circumstances{Person: lina, Address: campusNet}, []string{"new_device"}, Allow},
		{"a new browser in a new network", func(h *house) { h.welcome(lina, "laptop", campusNet) },
			Circumstances{Person: lina, Address: home}, []string{"new_device", "new_network"}, AskFactor},
		{"abroad after the holidays", func(h *house) {
			h.welcome(lina, "laptop", home)
			h.clock.Advance(3 * 24 * time.Hour)
		}, elsewhere, []string{"new_device", "new_country"}, AskFactor},
		{"abroad an hour later", func(h *house) {
			h.welcome(lina, "laptop", home)
			h.clock.Advance(time.Hour)
		}, elsewhere, []string{"new_device", "new_country", "travel"}, Lock},
		{"somebody else's past does not count", func(h *house) { h.welcome(hugo, "laptop", home) }, elsewhere, nil, Allow},
		{"a past of more than five weeks does not count", func(h *house) {
			h.welcome(lina, "laptop", home)
			h.clock.Advance(36 * 24 * time.Hour)
		}, elsewhere, nil, Allow},
		{"a stopped try is no past", func(h *house) {
			h.note(Signal{Circumstances: elsewhere, Outcome: Stopped, Verdict: Verdict{Signal: "s"}})
			h.welcome(lina, "laptop", home)
			h.clock.Advance(24 * time.Hour)
		}, elsewhere, []string{"new_device", "new_country"}, AskFactor},
		{"wrong passwords of an hour ago are not guessing", func(h *house) {
			h.welcome(lina, "laptop", home)
			h.refuse(5, lina, "", abroad)
			h.clock.Advance(time.Hour + time.Minute)
		}, Circumstances{Person: lina, Address: home}, []string{"new_device"}, Allow},
		{"wrong passwords a moment ago are", func(h *house) {
			h.welcome(lina, "laptop", home)
			h.refuse(5, lina, "", abroad)
		}, Circumstances{Person: lina, Address: home}, []string{"new_device", "guessed"}, AskFactor},
		{"those of a known browser are not", func(h *house) {
			h.welcome(lina, "laptop", home)
			h.refuse(5, lina, "laptop", home)
		}, Circumstances{Person: lina, Address: home}, []string{"new_device"}, Allow},
		{"tried from five networks within a day", func(h *house) {
			h.welcome(lina, "laptop", home)
			for range 5 {
				h.clock.Advance(2 * time.Hour)
				h.refuse(1, lina, "", abroad.Next())
				h.refuse(1, lina, "", campusNet)
				h.refuse(1, lina, "", campusNet.Next())
				h.refuse(1, lina, "", home.Next())
				h.refuse(1, lina, "", home.Next().Next())
			}
			h.clock.Advance(2 * time.Hour)
		}, Circumstances{Person: lina, Address: home}, []string{"new_device", "stuffing"}, AskFactor},
		{"a stolen password at home", func(h *house) { h.welcome(lina, "laptop", home) },
			Circumstances{Person: lina, Address: home, Device: "laptop", Breached: true}, []string{"breached"}, AskFactor},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				c.before(h)
				v := h.assess(c.c)
				if !slices.Equal(v.Fired, c.fired) || v.Act != c.act || v.Signal == "" {
					t.Errorf("noticed %q, act %q; want %q, %q", v.Fired, v.Act, c.fired, c.act)
				}
			})
		})
	}
}

func TestARuleThatIsOffNoticesAndDoesNotCount(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Points.NewDevice, c.Points.NewCountry = 0, 0 })
	h.welcome(lina, "laptop", home)
	h.clock.Advance(24 * time.Hour)
	v := h.assess(Circumstances{Person: lina, Address: abroad})
	if v.Score != 0 || len(v.Findings) != 0 || v.Act != Allow || !slices.Equal(v.Fired, []string{"new_device", "new_country"}) {
		t.Errorf("%+v", v)
	}
}

func TestThresholdsOfNilDoNothing(t *testing.T) {
	c := Defaults()
	for _, k := range []struct {
		ask, lock, score int
		act              Act
	}{
		{30, 100, 29, Allow}, {30, 100, 30, AskFactor}, {30, 100, 99, AskFactor}, {30, 100, 100, Lock},
		{0, 100, 99, Allow}, {0, 100, 100, Lock}, {30, 0, 1000, AskFactor}, {0, 0, 1000, Allow},
	} {
		c.AskFactor, c.Lock = k.ask, k.lock
		if got := c.act(k.score); got != k.act {
			t.Errorf("%d points with thresholds %d and %d: %q, want %q", k.score, k.ask, k.lock, got, k.act)
		}
	}
}

func TestTheHeaviestFindingComesFirst(t *testing.T) {
	h := openOne(t)
	h.welcome(lina, "laptop", home)
	h.clock.Advance(time.Hour)
	v := h.assess(Circumstances{Person: lina, Address: abroad})
	if v.Score != 100 || v.Findings[0].Rule != "travel" || v.Findings[0].Points != 50 {
		t.Errorf("%+v", v)
	}
}

func TestAVerdictGoesOnInAnotherRequest(t *testing.T) {
	for _, v := range []Verdict{
		{Act: AskFactor, Score: 50, Signal: "0193", Fired: []string{"new_device", "new_country"}},
		{Act: Allow, Signal: "0193", Fired: []string{}},
	} {
		if back := ParseVerdict(v.Text()); !reflect.DeepEqual(back, v) {
			t.Errorf("written %+v, read %+v", v, back)
		}
	}
	for _, text := range []string{"", "factor", "lock", "act=lock", "act= x y", "1 2 3"} {
		if v := ParseVerdict(text); v.Signal != "" || v.Act != Allow {
			t.Errorf("%q is read as %+v", text, v)
		}
	}
}

func TestTheSameTryIsNotedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.welcome(lina, "laptop", home)
		c := Circumstances{Person: lina, Address: abroad, Identifier: "lmartin"}
		v := h.assess(c)
		h.note(Signal{Circumstances: c, Outcome: Stopped, Verdict: v, Incident: "K7F-3Q9"})
		h.note(Signal{Circumstances: c, Outcome: In, Verdict: ParseVerdict(v.Text()), Proved: "totp", Incident: "K7F-3Q9"})
		var outcome, proved, fired string
		var n int
		row := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*), MAX(outcome), MAX(proved), MAX(fired) FROM identity_signals WHERE judged")
		if err := row.Scan(&n, &outcome, &proved, &fired); err != nil || n != 1 || outcome != "in" || proved != "totp" || fired != strings.Join(v.Fired, " ") {
			t.Errorf("%d rows, %q %q %q, %v", n, outcome, proved, fired, err)
		}
	})
}

func TestEveryRuleIsExplainedInBothLanguages(t *testing.T) {
	h := openOne(t)
	for _, l := range campus.Locales {
		printer := h.texts.For(l)
		ctx := i18n.With(t.Context(), printer)
		for _, r := range rule.All {
			for _, part := range []string{"title", "meaning"} {
				if !printer.Has("identity.risk.rule." + r.Name + "." + part) {
					t.Errorf("%s: %s has no %s", l, r.Name, part)
				}
			}
			counts := []int{1, 7}
			if r.Name == "travel" || r.Name == "breached" || r.Name == "hour" || r.Name == "open_wifi" || strings.HasPrefix(r.Name, "new_") {
				counts = []int{0}
			}
			for _, n := range counts {
				said := Explain(ctx, Finding{Rule: r.Name, Facts: rule.Facts{Count: n, Km: 5700, Took: time.Hour, Here: h.Place(abroad), There: h.Place(home)}})
				if strings.ContainsAny(said, "⟦{<") || said == "" {
					t.Errorf("%s: %s says %q", l, r.Name, said)
				}
			}
		}
	}
}

func TestAJourneyIsExplainedInWords(t *testing.T) {
	h := openOne(t)
	f := Finding{Rule: "travel", Facts: rule.Facts{Km: 5700, Took: 2 * time.Hour, Here: h.Place(abroad), There: h.Place(home)}}
	for l, want := range map[campus.Locale][]string{
		campus.English: {"home of Lina", "far away", "5700 km", "2 hours"},
		campus.French:  {"home of Lina", "far away", "5700 km", "2 heures"},
	} {
		said := Explain(i18n.With(t.Context(), h.texts.For(l)), f)
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("%s: no %q in %q", l, w, said)
			}
		}
	}
}
