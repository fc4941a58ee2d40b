package factor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
)

func TestRecoveryCodesWorkOnceEach(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		h.register(lina, 0)
		h.register(hugo, 0)
		set, err := h.NewCodes(t.Context(), on(arriving(lina)))
		want(t, err, nil)
		if len(set.Codes) != codesInSet || len(set.Codes[0]) != 14 {
			t.Errorf("made %v", set.Codes)
		}
		_, err = h.NewCodes(t.Context(), on(arriving(hugo)))
		want(t, err, nil)
		typed := strings.ToUpper(strings.ReplaceAll(set.Codes[3], "-", " "))
		_, err = h.ProveCode(t.Context(), on(arriving(hugo)), typed)
		want(t, err, RecoveryWrong) // of another account
		f, err := h.ProveCode(t.Context(), on(arriving(lina)), typed)
		want(t, err, nil)
		if f.CodesLeft != codesInSet-1 {
			t.Errorf("%d left", f.CodesLeft)
		}
		h.told("recovery_code_used", "identity.factor_used_recovery")
		h.told("recovery_codes_made", "identity.factor_added")
		_, err = h.ProveCode(t.Context(), on(arriving(lina)), typed)
		want(t, err, RecoveryUsed)
		wins, _ := atOnce(freeTries-1, func(int) error {
			_, err := h.ProveCode(t.Context(), on(arriving(lina)), set.Codes[5])
			return err
		})
		if wins != 1 {
			t.Errorf("one code worked %d times", wins)
		}
		fresh, err := h.NewCodes(t.Context(), on(arriving(lina)))
		want(t, err, nil)
		h.clock.Advance(longest)
		_, err = h.ProveCode(t.Context(), on(arriving(lina)), set.Codes[0])
		want(t, err, RecoveryWrong) // of the older sheet
		h.clock.Advance(longest)
		_, err = h.ProveCode(t.Context(), on(arriving(lina)), fresh.Codes[0])
		want(t, err, nil)
	})
}

func TestRecoveryCodesAreStoredAsKeyedHashes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		h.register(lina, 0)
		set, err := h.NewCodes(t.Context(), on(arriving(lina)))
		want(t, err, nil)
		rows, err := h.DB.Read().QueryContext(t.Context(), "SELECT mac FROM identity_recovery_codes")
		want(t, err, nil)
		defer rows.Close() //nolint:errcheck // only read
		for rows.Next() {
			var mac string
			want(t, rows.Scan(&mac), nil)
			for _, c := range set.Codes {
				if strings.Contains(mac, strings.ReplaceAll(c, "-", "")) {
					t.Fatal("a code is stored in clear")
				}
			}
		}
		want(t, rows.Err(), nil)
	})
}

// phone gives somebody a mobile number.
func (h *house) phone(p account.Person, id string, usable time.Time, replaces string) {
	h.post.points[p.ID] = append(h.post.points[p.ID], reach.Point{ID: id, Channel: reach.MobilePhone, Value: "+33612345678", Masked: "+33 6 •• •• •• 78", UsableAt: usable, Replaces: replaces})
}

func (h *house) lastCode() string { return h.post.codes[len(h.post.codes)-1] }

func TestAPhoneIsRegisteredAndProvesByItsCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		h.phone(lina, "p1", h.clock.Now().Add(-time.Hour), "")
		h.post.points[lina.ID] = append(h.post.points[lina.ID], reach.Point{ID: reach.MailPoint, Channel: reach.Mail, UsableAt: h.clock.Now().Add(-day)})
		list, err := h.Candidates(t.Context(), lina.ID)
		want(t, err, nil)
		if len(list) != 1 || list[0].Kind != entry.SMS {
			t.Errorf("candidates %+v", list)
		}
		_, err = h.BeginPoint(t.Context(), arriving(lina), reach.MailPoint)
		want(t, err, NotAllowed) // its mailbox is behind this very door
		_, err = h.BeginPoint(t.Context(), arriving(lina), "p1")
		want(t, err, nil)
		f, err := h.ConfirmPoint(t.Context(), on(arriving(lina)), "p1", "", h.lastCode())
		want(t, err, nil)

		_, err = h.Send(t.Context(), arriving(lina), f.ID)
		want(t, err, nil)
		right := h.lastCode()
		_, err = h.ProveSent(t.Context(), entry.Actor{Person: lina.ID, Attempt: "two"}, f.ID, right)
		want(t, err, code.Missing) // read off a screen elsewhere
		hugo := h.person("hugo")
		_, err = h.ProveSent(t.Context(), arriving(hugo), f.ID, right)
		want(t, err, Missing)
		wins, _ := atOnce(3, func(int) error {
			_, err := h.ProveSent(t.Context(), arriving(lina), f.ID, right)
			return err
		})
		if wins != 1 {
			t.Errorf("one code worked %d times", wins)
		}
		h.clock.Advance(longest)
		_, err = h.Send(t.Context(), arriving(lina), f.ID)
		want(t, err, nil)
		h.clock.Advance(CodeLasts)
		_, err = h.ProveSent(t.Context(), arriving(lina), f.ID, h.lastCode())
		want(t, err, code.Expired)
	})
}

func TestANumberThatChangesInTheRecordCountsAfterItsDelay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		h.phone(lina, "old", h.clock.Now().Add(-time.Hour), "")
		_, err := h.BeginPoint(t.Context(), arriving(lina), "old")
		want(t, err, nil)
		f, err := h.ConfirmPoint(t.Context(), on(arriving(lina)), "old", "", h.lastCode())
		want(t, err, nil)
		from := h.clock.Now().Add(3 * day)
		h.phone(lina, "new", from, "old")
		_, err = h.BeginPoint(t.Context(), arriving(lina), "new")
		want(t, err, Waits)
		_, err = h.Send(t.Context(), arriving(lina), f.ID)
		want(t, err, nil) // to the old one, meanwhile

		h.post.points[lina.ID] = h.post.points[lina.ID][1:] // the old one goes before its time
		_, err = h.Send(t.Context(), arriving(lina), f.ID)
		want(t, err, Waits)
		list, err := h.Of(t.Context(), lina.ID)
		want(t, err, nil)
		if list[0].Usable(h.clock.Now()) || list[0].UsableAt != from {
			t.Errorf("listed as %+v", list[0])
		}
		h.clock.Advance(3 * day)
		_, err = h.Send(t.Context(), arriving(lina), f.ID)
		want(t, err, nil)
		_, err = h.ProveSent(t.Context(), arriving(lina), f.ID, h.lastCode())
		want(t, err, nil)
		h.post.points[lina.ID] = nil
		_, err = h.Send(t.Context(), arriving(lina), f.ID)
		want(t, err, PointGone)
		required, err := h.Required(t.Context(), lina, campusAddress, "")
		want(t, err, nil)
		if !required.Needed {
			t.Error("a phone that is gone opened the door")
		}
	})
}

func TestAGatewayThatIsDownSendsNothingAndOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		h.phone(lina, "p1", h.clock.Now().Add(-time.Hour), "")
		_, err := h.BeginPoint(t.Context(), arriving(lina), "p1")
		want(t, err, nil)
		f, err := h.ConfirmPoint(t.Context(), on(arriving(lina)), "p1", "", h.lastCode())
		want(t, err, nil)
		h.post.down = errors.New("no gateway")
		if _, err := h.Send(t.Context(), arriving(lina), f.ID); !errors.Is(err, h.post.down) {
			t.Errorf("sent: %v", err)
		}
		_, err = h.ProveSent(t.Context(), arriving(lina), f.ID, h.lastCode())
		want(t, err, code.Missing) // what was not sent was not issued
		required, err := h.Required(t.Context(), lina, campusAddress, "")
		want(t, err, nil)
		if !required.Needed {
			t.Error("without a gateway no factor is asked for")
		}
	})
}

func TestACodePassedOnWorksOnceAndNamesBoth(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		desk, lina, hugo := h.person("desk", agent), h.person("lina"), h.person("hugo")
		_, err := h.Relay(t.Context(), on(arriving(desk)), desk, lina)
		want(t, err, Missing) // without a factor the password is enough
		h.register(lina, 0)
		h.register(hugo, 0)
		older, err := h.Relay(t.Context(), on(arriving(desk)), desk, lina)
		want(t, err, nil)
		given, err := h.Relay(t.Context(), on(arriving(desk)), desk, lina)
		want(t, err, nil)
		if len(given.Code) != RelayedLetters+1 || len(given.Spelled) != RelayedLetters {
			t.Errorf("given %+v", given)
		}
		h.told("relayed_code", "identity.relayed_code_given")
		if e := h.post.events[len(h.post.events)-1]; e.Person != lina.ID || e.Actor != desk.ID {
			t.Errorf("the journal says %+v", e)
		}
		_, err = h.ProveRelayed(t.Context(), on(arriving(hugo)), given.Code)
		want(t, err, code.Missing)
		_, err = h.ProveRelayed(t.Context(), on(arriving(lina)), older.Code)
		want(t, err, code.Superseded)
		f, err := h.ProveRelayed(t.Context(), on(arriving(lina)), strings.ToLower(given.Code))
		want(t, err, nil)
		if f.Kind != entry.Relayed {
			t.Errorf("proved %+v", f)
		}
		if e := h.post.events[len(h.post.events)-1]; e.Kind != "identity.relayed_code_used" || campus.PersonID(e.Facts["given_by"]) != desk.ID {
			t.Errorf("the journal says %+v", e)
		}
		_, err = h.ProveRelayed(t.Context(), on(arriving(lina)), given.Code)
		want(t, err, code.Used)
		h.clock.Advance(time.Hour)
		late, err := h.Relay(t.Context(), on(arriving(desk)), desk, lina)
		want(t, err, nil)
		h.clock.Advance(RelayLasts)
		_, err = h.ProveRelayed(t.Context(), on(arriving(lina)), late.Code)
		want(t, err, code.Expired)
	})
}
