package factor

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/factortest"
)

var campusAddress, elsewhere = netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("198.51.100.7")

func staff(p *account.Person) {
	p.Affiliations = []campus.Affiliation{{Kind: campus.Staff, Unit: "dsi"}}
}
func agent(p *account.Person) { p.Rights = []campus.Right{campus.RightHelpdesk} }
func admin(p *account.Person) { p.Rights = []campus.Right{campus.RightAdmin} }

func TestThePolicySaysWhoNeedsAFactorAndWhy(t *testing.T) {
	c := Defaults()
	c.RequiredKinds, c.RequiredRights = []campus.Kind{campus.Staff}, []campus.Right{campus.RightAdmin}
	c.RequiredServices, c.RequiredOutside, c.Networks = []string{"payroll"}, true, []string{"192.0.2.0/24"}
	eachWith(t, c, func(t *testing.T, h *house) {
		cases := []struct {
			name    string
			p       account.Person
			from    netip.Addr
			service string
			why     string
		}{
			{"a student on campus", h.person("lina"), campusAddress, "", ""},
			{"a student on campus, IPv4 in IPv6", h.person("ines"), netip.MustParseAddr("::ffff:192.0.2.10"), "", ""},
			{"a student at home", h.person("hugo"), elsewhere, "", why + "outside"},
			{"a student with no address", h.person("nora"), netip.Addr{}, "", why + "outside"},
			{"a student opening a service that asks", h.person("nina"), campusAddress, "payroll", why + "service"},
			{"somebody of the staff", h.person("paul", staff), campusAddress, "", why + "staff"},
			{"an administrator", h.person("root", admin), campusAddress, "payroll", why + "admin"},
		}
		for _, one := range cases {
			got, err := h.Required(t.Context(), one.p, one.from, one.service)
			want(t, err, nil)
			if got.Needed || got.Why != one.why || got.Enrol != (one.why != "") {
				t.Errorf("%s: %+v", one.name, got)
			}
		}
	})
}

func TestGraceBeginsOnceAndEnds(t *testing.T) {
	c := Defaults()
	c.RequiredKinds = []campus.Kind{campus.Staff}
	eachWith(t, c, func(t *testing.T, h *house) {
		paul := h.person("paul", staff)
		first, err := h.Required(t.Context(), paul, campusAddress, "")
		want(t, err, nil)
		if !first.PutOff(h.clock.Now()) || first.Until != h.clock.Now().Add(14*day) {
			t.Errorf("at first %+v", first)
		}
		h.clock.Advance(10 * day)
		second, err := h.Required(t.Context(), paul, campusAddress, "")
		want(t, err, nil)
		if second.Until != first.Until {
			t.Errorf("the grace moved to %v", second.Until)
		}
		h.clock.Advance(4 * day)
		if second.PutOff(h.clock.Now()) {
			t.Error("the grace does not end")
		}
	})
}

func TestWhoHasAFactorIsAlwaysAskedForOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		before, err := h.Required(t.Context(), lina, campusAddress, "")
		want(t, err, nil)
		h.register(lina, 0)
		after, err := h.Required(t.Context(), lina, campusAddress, "")
		want(t, err, nil)
		if before.Needed || !after.Needed || after.Why != why+"own" {
			t.Errorf("before %+v, after %+v", before, after)
		}
		h.config.Methods = []entry.Method{entry.Passkey} // the institution stops apps
		if stopped, err := h.Required(t.Context(), lina, campusAddress, ""); err != nil || !stopped.Needed || stopped.Enrol {
			t.Errorf("an app that is no longer allowed is no factor any more: %+v, %v", stopped, err)
		}
	})
}

func TestTheLastFactorStaysWithWhoMustHaveOne(t *testing.T) {
	c := Defaults()
	c.RequiredKinds = []campus.Kind{campus.Staff}
	eachWith(t, c, func(t *testing.T, h *house) {
		paul, lina := h.person("paul", staff), h.person("lina")
		_, pauls := h.register(paul, 0)
		_, linas := h.register(lina, 0)
		want(t, h.Remove(t.Context(), on(arriving(paul)), pauls.ID), Last)
		want(t, h.Remove(t.Context(), on(arriving(paul)), linas.ID), Missing)
		second := h.plug(paul, factortest.New(origin), false)
		want(t, h.Remove(t.Context(), on(arriving(paul)), pauls.ID), nil)
		want(t, h.Remove(t.Context(), on(arriving(paul)), second.ID), Last)
		h.told("factor_removed", "identity.factor_removed")

		_, err := h.NewCodes(t.Context(), on(arriving(lina)))
		want(t, err, nil)
		want(t, h.Remove(t.Context(), on(arriving(lina)), linas.ID), nil)
		if list, err := h.Of(t.Context(), lina.ID); err != nil || len(list) != 0 {
			t.Errorf("left with %+v, %v", list, err)
		}
		_, err = h.NewCodes(t.Context(), on(arriving(lina)))
		want(t, err, CodesAlone)
	})
}

func TestAFactorIsRenamedByItsOwner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		_, f := h.register(lina, 0)
		want(t, h.Rename(t.Context(), arriving(hugo), f.ID, "mine"), Missing)
		want(t, h.Rename(t.Context(), arriving(lina), f.ID, "  my\nold\x00 phone "), nil)
		list, err := h.Of(t.Context(), lina.ID)
		want(t, err, nil)
		if list[0].Label != "my old phone" {
			t.Errorf("called %q", list[0].Label)
		}
	})
}

func TestHealthGrowsWithWhatIsThere(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	app, key := Factor{Kind: entry.TOTP}, Factor{Kind: entry.SecurityKey}
	codes := Factor{Kind: entry.Recovery, CodesLeft: 10}
	cases := map[string]struct {
		factors []Factor
		level   int
		first   string
	}{
		"nothing":                    {nil, 0, "first"},
		"codes alone":                {[]Factor{codes}, 0, "first"},
		"an app":                     {[]Factor{app}, 1, "codes"},
		"an app and codes":           {[]Factor{app, codes}, 2, "second"},
		"an app and few codes":       {[]Factor{app, {Kind: entry.Recovery, CodesLeft: 1}}, 2, "codes_few"},
		"two apps and codes":         {[]Factor{app, app, codes}, 3, "passkey"},
		"an app, a key and codes":    {[]Factor{app, key, codes}, 4, ""},
		"a stopped key":              {[]Factor{{Kind: entry.SecurityKey, SuspendedAt: now}}, 0, "suspended"},
		"a number that is gone":      {[]Factor{app, {Kind: entry.SMS, Gone: true}}, 1, "gone"},
		"a number that counts later": {[]Factor{{Kind: entry.SMS, UsableAt: now.Add(day)}}, 0, "first"},
	}
	for name, c := range cases {
		bar := Health(c.factors, now)
		if bar.Level != c.level || c.first != "" && !slices.Contains(bar.Advice[:1], advice+c.first) || c.first == "" && len(bar.Advice) > 0 {
			t.Errorf("%s: %+v", name, bar)
		}
	}
}

func TestWhoMayPassACodeOn(t *testing.T) {
	c := Defaults()
	c.RelayKinds = []campus.Kind{campus.Staff}
	eachWith(t, c, func(t *testing.T, h *house) {
		unit := func(u string) func(*account.Person) {
			return func(p *account.Person) { p.Affiliations = []campus.Affiliation{{Kind: campus.Student, Unit: u}} }
		}
		paul, lina, hugo := h.person("paul", staff), h.person("lina", unit("dsi")), h.person("hugo", unit("library"))
		desk, root := h.person("desk", agent), h.person("root", admin)
		left := desk
		left.State = account.Closed
		cases := []struct {
			name   string
			by, to account.Person
			may    bool
		}{
			{"the help desk for a student", desk, hugo, true},
			{"staff within their unit", paul, lina, true},
			{"staff of another unit", paul, hugo, false},
			{"a student", lina, paul, false},
			{"for oneself", desk, desk, false},
			{"for somebody who may do more", desk, root, false},
			{"an administrator without the right", root, lina, false},
			{"somebody who left", left, hugo, false},
		}
		for _, one := range cases {
			if h.MayRelay(one.by, one.to) != one.may {
				t.Errorf("%s: %v", one.name, !one.may)
			}
			if !one.may {
				_, err := h.Relay(t.Context(), on(arriving(one.by)), one.by, one.to)
				want(t, err, RelayRefused)
			}
		}
	})
}
