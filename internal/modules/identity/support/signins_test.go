package support

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestABrowserLearnsOfItsOwnSignInAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, a := SignIns{Stories: h.stories, Visitor: h}, h.failed()
		r, err := http.NewRequest(http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.SignInHere(r, a.Code); ok || err != nil {
			t.Errorf("another browser's: %t, %v", ok, err)
		}
		h.mine = a.Code
		for _, typed := range []string{"", a.Code, a.Code[:3] + " " + a.Code[4:]} {
			got, ok, err := s.SignInHere(r, typed)
			if !ok || err != nil || got.Code != a.Code || got.Typed != "lina" || got.Reason != "platform.too_many_requests" || got.Facts["wait"] != "3 minutes" {
				t.Errorf("%q: %+v, %t, %v", typed, got, ok, err)
			}
		}
		for _, typed := range []string{"222-222", "nonsense"} {
			if _, ok, err := s.SignInHere(r, typed); ok || err != nil {
				t.Errorf("%q: %t, %v", typed, ok, err)
			}
		}
		h.must(h.DB.InTx(t.Context(), func(tx db.Tx) error {
			a.Shared = true
			return h.stories.Change(t.Context(), tx, &a)
		}))
		if _, ok, err := s.SignInHere(r, ""); ok || err != nil {
			t.Errorf("a shared computer tells of who sat there: %t, %v", ok, err)
		}
	})
}

func TestACodeThatWasReadOutTellsNothingOfAnAccount(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, a := SignIns{Stories: h.stories, Visitor: h}, h.failed()
		tell := func(reason string) string {
			t.Helper()
			h.must(h.DB.InTx(t.Context(), func(tx db.Tx) error {
				return h.stories.Add(t.Context(), tx, &a, attempt.Step{Stage: entry.StagePolicy, Result: attempt.Failed, Reason: reason})
			}))
			got, ok, err := s.SignInElsewhere(t.Context(), a.Code)
			if !ok || err != nil || got.Typed != "" || len(got.Facts) != 0 || got.Service != "" {
				t.Errorf("%+v, %t, %v", got, ok, err)
			}
			return got.Reason
		}
		if got := tell("identity.account_suspended"); got != "" {
			t.Errorf("a stranger learns %s", got)
		}
		if got := tell("identity.wrong_credentials"); got != "identity.wrong_credentials" {
			t.Errorf("what is the same for everybody is kept back: %q", got)
		}
		if _, ok, err := s.SignInElsewhere(t.Context(), "222-222"); ok || err != nil {
			t.Errorf("a code that nobody got: %t, %v", ok, err)
		}
	})
}

func TestNewPasswordsAreThoseOfLately(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	s := SignIns{History: func(context.Context, campus.PersonID, int) ([]journal.Entry, error) {
		var list []journal.Entry
		for i, kind := range []string{"identity.password_changed", "identity.signed_in", "identity.password_reset", "identity.password_changed"} {
			list = append(list, journal.Entry{At: now.AddDate(0, 0, -10*i), Event: journal.Event{Kind: kind}})
		}
		return list, nil
	}}
	got, err := s.NewPasswords(t.Context(), "lina", now.AddDate(0, 0, -25))
	if err != nil || len(got) != 2 || !got[0].Equal(now) || !got[1].Equal(now.AddDate(0, 0, -20)) {
		t.Errorf("%v, %v", got, err)
	}
}
