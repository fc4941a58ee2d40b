package identity

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestAnImaginedSignInMeetsTheConditionsOfARealOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := i18n.With(t.Context(), h.texts.For(campus.English))
		foresee := func(c contract.Circumstances) map[string]contract.Condition {
			t.Helper()
			if !c.Address.IsValid() {
				c.Address = netip.MustParseAddr("198.51.100.7")
			}
			c.At = h.clock.Now()
			met, err := h.Foresee(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			byName := map[string]contract.Condition{}
			for _, condition := range met {
				if strings.Contains(condition.Name+condition.Message+condition.Next, "⟦") {
					t.Errorf("%+v", condition)
				}
				byName[condition.Name] = condition
			}
			return byName
		}
		v, err := h.Somebody(ctx, "lmartin")
		if err != nil || v.Person != h.lina {
			t.Fatalf("%+v, %v", v, err)
		}
		met := foresee(contract.Circumstances{Person: h.lina, KnownBrowser: true})
		for name, condition := range met {
			if condition.Outcome == contract.Stops {
				t.Errorf("%s stops Lina: %s", name, condition.Message)
			}
		}
		if met["The account"].Outcome != contract.Passes || met["The second factor"].Outcome != contract.Passes {
			t.Errorf("%+v", met)
		}
		if met := foresee(contract.Circumstances{Person: h.lina, Service: "paper", FreshFactor: true}); met["The second factor"].Outcome != contract.Asks {
			t.Errorf("a service that wants a factor: %+v", met["The second factor"])
		}
		var graces int
		if err := h.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM identity_factor_grace").Scan(&graces); err != nil || graces != 0 {
			t.Errorf("looking ahead started %d graces, %v", graces, err)
		}
		err = h.db.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE identity_people SET state = 'closed' WHERE id = $1", string(h.lina))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if condition := foresee(contract.Circumstances{Person: h.lina})["The account"]; condition.Outcome != contract.Stops || condition.Code != "identity.account_closed" || condition.Message == "" {
			t.Errorf("a closed account: %+v", condition)
		}
	})
}
