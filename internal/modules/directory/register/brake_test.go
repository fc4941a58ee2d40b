package register

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

func TestASourceThatSuddenlyReturnsNothingIsStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(3)...)
		r := h.read("hr")
		want(t, r, Held, 0, 0, 3, 0, 0)
		if r.Reason.Reason != SourceEmpty || len(h.told) != 1 || !strings.Contains(h.told[0].DetailFrench, "3 personnes") || h.told[0].URL != "/directory/runs/"+r.ID {
			t.Errorf("held for %v, told %+v", r.Reason, h.told)
		}
		if _, s := h.person("login1"); !s.Until[campus.Student].IsZero() {
			t.Error("somebody left")
		}
	})
}

func TestTheBrakeStopsARunUntilSomebodyLetsItPass(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		held := h.read("hr", some(80)...)
		want(t, held, Held, 0, 0, 20, 0, 0)
		if held.Reason.Reason != TooManyGone {
			t.Errorf("held for %v", held.Reason)
		}
		if n := h.count("SELECT COUNT(*) FROM directory_records WHERE gone_at > 0"); n != 0 {
			t.Errorf("%d people left before anybody agreed", n)
		}
		if err := h.Release(t.Context(), campus.Viewer{Person: "x", Rights: []campus.Right{campus.RightAdmin}}, held.ID); !errors.Is(err, Reserved) {
			t.Errorf("an administrator without the right: %v", err)
		}
		if _, err := h.Resume(t.Context(), held.ID); !errors.Is(err, RunSettled) {
			t.Errorf("a held run was resumed: %v", err)
		}
		if err := h.Release(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Release(t.Context(), officer, held.ID); !errors.Is(err, RunSettled) {
			t.Errorf("released twice: %v", err)
		}
		r, err := h.Resume(t.Context(), held.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Done, 0, 0, 20, 0, 0)
		if r.Counts.Applied != 20 || h.count("SELECT COUNT(*) FROM directory_records WHERE gone_at > 0") != 20 {
			t.Errorf("applied %d", r.Counts.Applied)
		}
		// A later run is stopped again, and one that is given up does nothing.
		held = h.read("hr", some(50)...)
		if err := h.Drop(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		if r, err := h.RunByID(t.Context(), held.ID); err != nil || r.State != Superseded {
			t.Errorf("given up: %+v %v", r, err)
		}
	})
}

func TestTheBrakeStopsTooManyChanges(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		list := some(100)
		for i := range 20 {
			list[i].Values["family_name"] = []string{"Mojibake"}
		}
		r := h.read("hr", list...)
		want(t, r, Held, 0, 20, 0, 0, 0)
		if r.Reason.Reason != TooManyChanged {
			t.Errorf("held for %v", r.Reason)
		}
		want(t, h.read("hr", some(100)...), Done, 0, 0, 0, 0, 0)
		if r, err := h.RunByID(t.Context(), r.ID); err != nil || r.State != Superseded {
			t.Errorf("the held run is %+v %v", r, err)
		}
	})
}

func TestAProgramThatTakesEverybodyAwayIsStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, err := h.Push(t.Context(), "api", some(60)); err != nil {
			t.Fatal(err)
		}
		left := 0
		for i := range 60 {
			_, err := h.Push(t.Context(), "api", []source.Record{{Kind: source.Person, Key: fmt.Sprint("k", i), Gone: true}})
			if errors.Is(err, PushHeld) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			left++
		}
		if left != 10 {
			t.Errorf("%d people left before the brake", left)
		}
	}, source.Config{ID: "api", Kind: source.KindAPI})
}

func TestWhatSomebodyLetPassIsCarriedOutBeforeTheNextReading(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		held := h.read("hr", some(80)...)
		if err := h.Release(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		want(t, h.read("hr", some(80)...), Done, 0, 0, 0, 0, 0)
		r, err := h.RunByID(t.Context(), held.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Done, 0, 0, 20, 0, 0)
	})
}
