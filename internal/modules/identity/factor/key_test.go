package factor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/factortest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// plug registers a key or passkey of somebody.
func (h *house) plug(p account.Person, key *factortest.Authenticator, passkey bool) Factor {
	h.t.Helper()
	f, err := h.tryPlug(p, key, passkey)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func (h *house) tryPlug(p account.Person, key *factortest.Authenticator, passkey bool) (Factor, error) {
	h.t.Helper()
	begun, err := h.BeginKey(h.t.Context(), arriving(p), passkey)
	if err != nil {
		return Factor{}, err
	}
	answer, err := key.Create(begun.Options)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.ConfirmKey(h.t.Context(), on(arriving(p)), begun.ID, answer, "")
}

// touch proves a key of the actor and returns what was sent, to send it again.
func (h *house) touch(a entry.Actor, key *factortest.Authenticator) (f Factor, again func(entry.Actor) error, err error) {
	h.t.Helper()
	begun, err := h.BeginKeyProof(h.t.Context(), a)
	if err != nil {
		return f, nil, err
	}
	answer, err := key.Get(begun.Options)
	if err != nil {
		h.t.Fatal(err)
	}
	f, err = h.ProveKey(h.t.Context(), on(a), begun.ID, answer)
	return f, func(as entry.Actor) error {
		_, err := h.ProveKey(context.Background(), on(as), begun.ID, answer)
		return err
	}, err
}

func TestAKeyProvesAndItsAnswerIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		key.Verifies = false
		f := h.plug(lina, key, false)
		if f.Kind != entry.SecurityKey || f.Label == "" || f.Passkey {
			t.Errorf("registered %+v", f)
		}
		got, again, err := h.touch(arriving(lina), key)
		want(t, err, nil)
		if got.ID != f.ID || got.Kind != entry.SecurityKey {
			t.Errorf("proved %+v", got)
		}
		want(t, again(arriving(lina)), CeremonyOver)
		if list, err := h.Of(t.Context(), lina.ID); err != nil || !list[0].SuspendedAt.IsZero() {
			t.Errorf("sending an answer twice suspended the key: %+v, %v", list, err)
		}
	})
}

func TestOneAnswerSentByManyTabsLetsOneIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, counts := range map[string]bool{"a key that counts": true, "a passkey that does not": false} {
			p := h.person(strings.ReplaceAll(name, " ", ""))
			key := factortest.New(origin)
			key.Counts = counts
			h.plug(p, key, true)
			begun, err := h.BeginKeyProof(t.Context(), arriving(p))
			want(t, err, nil)
			answer, err := key.Get(begun.Options)
			want(t, err, nil)
			wins, _ := atOnce(8, func(int) error {
				_, err := h.ProveKey(context.Background(), on(arriving(p)), begun.ID, answer)
				return err
			})
			if wins != 1 {
				t.Errorf("%s: %d got in", name, wins)
			}
		}
	})
}

func TestAnAnswerBelongsToOneSignInAndFiveMinutes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		key := factortest.New(origin)
		h.plug(lina, key, false)
		h.plug(hugo, key, false)
		answer := func(a entry.Actor, as entry.Actor) error {
			begun, err := h.BeginKeyProof(t.Context(), a)
			want(t, err, nil)
			sent, err := key.Get(begun.Options)
			want(t, err, nil)
			_, err = h.ProveKey(t.Context(), on(as), begun.ID, sent)
			return err
		}
		want(t, answer(arriving(lina), entry.Actor{Person: lina.ID, Attempt: "two"}), CeremonyOver)
		want(t, answer(arriving(lina), entry.Actor{Person: lina.ID, Session: "one"}), CeremonyOver)
		want(t, answer(arriving(lina), arriving(hugo)), CeremonyOver)
		want(t, answer(arriving(lina), arriving(lina)), nil)

		begun, err := h.BeginKeyProof(t.Context(), arriving(lina))
		want(t, err, nil)
		sent, err := key.Get(begun.Options)
		want(t, err, nil)
		_, err = h.ProveKey(t.Context(), on(arriving(lina)), begun.ID+"A", sent)
		want(t, err, CeremonyOver)
		registering, err := h.BeginKey(t.Context(), arriving(lina), false)
		want(t, err, nil)
		_, err = h.ProveKey(t.Context(), on(arriving(lina)), registering.ID, sent)
		want(t, err, CeremonyOver) // a challenge for another purpose
		h.clock.Advance(ceremonyLasts)
		_, err = h.ProveKey(t.Context(), on(arriving(lina)), begun.ID, sent)
		want(t, err, CeremonyOver)
	})
}

func TestTheAnswerToAnotherSiteIsRefusedAsPhishing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		h.plug(lina, key, true)
		for _, site := range []string{"https://amphi.example.evil.test", "http://amphi.example", "https://amphi.example:8443", "https://login.amphi.example"} {
			key.Origin = site
			_, _, err := h.touch(arriving(lina), key)
			want(t, err, KeyOrigin)
			if got := fault.Of(err).Args["origin"]; got != site {
				t.Errorf("the page is said to be %v", got)
			}
			_, err = h.tryPlug(h.person("x"+strings.Map(letters, site)), key, true)
			want(t, err, KeyOrigin)
			_, err = h.enter(key)
			want(t, err, KeyOrigin)
		}
	})
}

func letters(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r
	}
	return -1
}

func TestAKeyThatCountsBackwardsIsStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		h.plug(lina, key, false)
		copied := key.Clone()
		for range 3 {
			_, _, err := h.touch(arriving(lina), key)
			want(t, err, nil)
		}
		_, again, err := h.touch(arriving(lina), copied)
		want(t, err, KeyCloned)
		h.told("key_cloned", "identity.key_cloned")
		if last := h.post.letters[len(h.post.letters)-1]; !last.Urgent {
			t.Error("the letter can wait")
		}
		want(t, again(arriving(lina)), Suspended)
		_, _, err = h.touch(arriving(lina), key) // nobody can tell which of them is the copy
		want(t, err, Suspended)
		list, err := h.Of(t.Context(), lina.ID)
		want(t, err, nil)
		if len(list) != 1 || list[0].SuspendedAt.IsZero() || list[0].Usable(h.clock.Now()) {
			t.Errorf("listed as %+v", list)
		}
		required, err := h.Required(t.Context(), lina, campusAddress, "")
		want(t, err, nil)
		if !required.Needed || required.Enrol {
			t.Errorf("a stopped key is not asked for any more: %+v", required)
		}
		want(t, h.Remove(t.Context(), on(arriving(lina)), list[0].ID), nil)
	})
}

func TestAPasskeyThatIsCopiedByItsMakerCountsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		key.Counts, key.BackedUp = false, true
		f := h.plug(lina, key, true)
		if !f.BackedUp || !f.Passkey || f.Kind != entry.Passkey {
			t.Errorf("registered %+v", f)
		}
		for _, device := range []*factortest.Authenticator{key, key.Clone(), key} {
			_, _, err := h.touch(arriving(lina), device)
			want(t, err, nil)
		}
		key.BackedUp = false // the flag that never changes did
		_, _, err := h.touch(arriving(lina), key)
		want(t, err, KeyRefused)
	})
}

// enter signs in with whatever passkey answers.
func (h *house) enter(key *factortest.Authenticator) (who string, err error) {
	h.t.Helper()
	begun, err := h.BeginEntry(h.t.Context())
	if err != nil {
		return "", err
	}
	answer, err := key.Get(begun.Options)
	if err != nil {
		h.t.Fatal(err)
	}
	id, f, err := h.FinishEntry(h.t.Context(), on(entry.Actor{}), begun.ID, answer)
	if err == nil && f.Kind != entry.Passkey {
		h.t.Errorf("entered by %+v", f)
	}
	return string(id), err
}

func TestAPasskeyOpensTheDoorAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		h.plug(lina, key, true)
		who, err := h.enter(key)
		want(t, err, nil)
		if who != string(lina.ID) {
			t.Errorf("it is %s", who)
		}
		key.Verifies = false
		_, err = h.enter(key)
		want(t, err, KeyUnverified)
		key.Verifies = true
		hugo := h.person("hugo")
		key.Credentials[0].UserHandle = []byte(hugo.ID) // says that it is somebody else's
		_, err = h.enter(key)
		want(t, err, KeyRefused)
		key.Credentials[0].UserHandle = []byte(lina.ID)
		list, err := h.Of(t.Context(), lina.ID)
		want(t, err, nil)
		want(t, h.Remove(t.Context(), on(arriving(lina)), list[0].ID), nil)
		_, err = h.enter(key)
		want(t, err, KeyUnknown)
	})
}

func TestAnAnswerIsNoUseForAnotherAim(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		h.plug(lina, key, true)
		begun, err := h.BeginEntry(t.Context())
		want(t, err, nil)
		answer, err := key.Get(begun.Options)
		want(t, err, nil)
		_, err = h.ProveKey(t.Context(), on(arriving(lina)), begun.ID, answer)
		want(t, err, CeremonyOver)
		_, _, err = h.FinishEntry(t.Context(), on(entry.Actor{}), begun.ID, answer)
		want(t, err, nil)
		_, _, err = h.FinishEntry(t.Context(), on(entry.Actor{}), begun.ID, answer)
		want(t, err, CeremonyOver)
	})
}

func TestTheKeyOfSomebodyElseProvesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		linas, hugos := factortest.New(origin), factortest.New(origin)
		h.plug(lina, linas, true)
		h.plug(hugo, hugos, true)
		begun, err := h.BeginKeyProof(t.Context(), arriving(lina))
		want(t, err, nil)
		answer, err := hugos.Sign(hugos.Credentials[0], begun.Options)
		want(t, err, nil)
		_, err = h.ProveKey(t.Context(), on(arriving(lina)), begun.ID, answer)
		want(t, err, KeyUnknown)
		// Hugo's key under the name of Lina's.
		forged := *hugos.Credentials[0]
		forged.ID, forged.UserHandle = linas.Credentials[0].ID, linas.Credentials[0].UserHandle
		answer, err = hugos.Sign(&forged, begun.Options)
		want(t, err, nil)
		_, err = h.ProveKey(t.Context(), on(arriving(lina)), begun.ID, answer)
		want(t, err, KeyRefused)
		_, err = h.BeginKeyProof(t.Context(), arriving(h.person("nina")))
		want(t, err, Missing)
	})
}

func TestRegistrationChecksWhatComesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		key.Verifies = false
		_, err := h.tryPlug(lina, key, true)
		want(t, err, KeyUnverified)
		key.Verifies = true
		begun, err := h.BeginKey(t.Context(), arriving(lina), true)
		want(t, err, nil)
		answer, err := key.Create(begun.Options)
		want(t, err, nil)
		_, err = h.ConfirmKey(t.Context(), on(arriving(lina)), begun.ID, []byte("{}"), "")
		want(t, err, KeyRefused)
		_, err = h.ConfirmKey(t.Context(), on(arriving(h.person("hugo"))), begun.ID, answer, "")
		want(t, err, CeremonyOver)
		wins, _ := atOnce(4, func(int) error {
			_, err := h.ConfirmKey(context.Background(), on(arriving(lina)), begun.ID, answer, "the blue key")
			return err
		})
		if wins != 1 {
			t.Errorf("registered %d times", wins)
		}
		list, err := h.Of(t.Context(), lina.ID)
		want(t, err, nil)
		if len(list) != 1 || list[0].Label != "the blue key" {
			t.Errorf("listed as %+v", list)
		}
		next, err := h.BeginKey(t.Context(), arriving(lina), false)
		want(t, err, nil)
		if !strings.Contains(string(next.Options), "excludeCredentials") {
			t.Errorf("the same key may be registered twice: %s", next.Options)
		}
	})
}

func TestKeysNeedAHouseWithANameAndAnEncryptedWay(t *testing.T) {
	for base, works := range map[string]bool{
		"https://amphi.example": true, "https://amphi.example:8443/": true, "http://localhost:8080": true,
		"http://amphi.example": false, "https://192.0.2.7": false, "http://127.0.0.1:8080": false, "https://[2001:db8::1]": false,
	} {
		rp, _, err := relyingParty(base, "Université")
		if err != nil || (rp != nil) != works {
			t.Errorf("%s: %v, %v", base, rp != nil, err)
		}
	}
	if _, _, err := relyingParty("amphi", "Université"); err == nil {
		t.Error("an address without a host was taken")
	}
}

func TestSpentChallengesAreForgottenWhenTheyCouldNotBeUsedAnyway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		key := factortest.New(origin)
		h.plug(lina, key, false)
		_, again, err := h.touch(arriving(lina), key)
		want(t, err, nil)
		want(t, h.forget(t.Context()), nil)
		want(t, again(arriving(lina)), CeremonyOver)
		h.clock.Advance(ceremonyLasts + time.Second)
		want(t, h.forget(t.Context()), nil)
		var left int
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_spent_challenges").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d left, %v", left, err)
		}
	})
}
