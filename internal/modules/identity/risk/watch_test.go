package risk

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// spray tries one password on many accounts from one address.
func (h *house) spray(accounts int, from netip.Addr) {
	h.t.Helper()
	for i := range accounts {
		h.note(Signal{Circumstances: Circumstances{Identifier: fmt.Sprint("account", i), Address: from}, Outcome: Refused})
	}
}

func (h *house) alarms() []Alarm {
	h.t.Helper()
	alarms, err := h.Alarms(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return alarms
}

func TestOneNetworkThatTriesManyAccountsRaisesAnAlarm(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.spray(15, abroad)
		if len(h.alarms()) != 0 {
			t.Fatal("fifteen accounts are an alarm")
		}
		h.spray(60, abroad)
		h.clock.Advance(time.Minute)
		h.spray(60, abroad)
		got := h.alarms()
		if len(got) != 1 || got[0].Everywhere || got[0].Network != abroad.String() || got[0].Accounts < 40 || got[0].Place.Name(campus.English) != "far away" || !got[0].LastAt.After(got[0].Since) {
			t.Fatalf("%+v", got)
		}
		h.work()
		if kinds := h.kinds(root); !slices.Equal(kinds, []string{"spray_network"}) {
			t.Errorf("the administrator got %v", kinds)
		}
		if checks := h.Health(t.Context()); checks[0].OK || checks[0].Reason != SprayGoesOn {
			t.Errorf("%+v", checks)
		}
		h.welcome(lina, "laptop", home)
		if v := h.assess(Circumstances{Person: lina, Address: abroad}); !slices.Contains(v.Fired, "spraying") {
			t.Errorf("a new browser from there: %v", v.Fired)
		}
		if v := h.assess(Circumstances{Person: lina, Address: home}); slices.Contains(v.Fired, "spraying") {
			t.Errorf("a new browser from elsewhere: %v", v.Fired)
		}
		if v := h.assess(Circumstances{Person: lina, Address: abroad, Device: "laptop"}); slices.Contains(v.Fired, "spraying") {
			t.Errorf("a known browser from there: %v", v.Fired)
		}
		h.clock.Advance(quietFor + time.Second)
		if err := h.closeAlarms(t.Context()); err != nil {
			t.Fatal(err)
		}
		if checks := h.Health(t.Context()); len(h.alarms()) != 0 || !checks[0].OK {
			t.Error("the alarm does not end")
		}
		h.clock.Advance(time.Hour)
		h.spray(60, abroad)
		h.work()
		if got := h.kinds(root); len(h.alarms()) != 1 || len(got) != 2 {
			t.Errorf("a second attack: %d alarms, letters %v", len(h.alarms()), got)
		}
	})
}

func TestWhatIsNoAttack(t *testing.T) {
	for name, happens := range map[string]func(h *house){
		"a campus that mistypes on a Monday and gets in": func(h *house) {
			for i := range 100 {
				who := account.Person{ID: campus.PersonID(fmt.Sprint("p", i)), Login: fmt.Sprint("p", i)}
				h.welcome(who, "", campusNet)
				h.refuse(1, who, "", campusNet)
			}
		},
		"one account tried a hundred times": func(h *house) { h.refuse(100, lina, "", abroad) },
		"people who mistype in their own browsers": func(h *house) {
			for i := range 100 {
				h.refuse(1, account.Person{ID: campus.PersonID(fmt.Sprint("p", i)), Login: fmt.Sprint("p", i)}, "laptop", campusNet)
			}
		},
		"everybody behind a proxy that nobody declared": func(h *house) { h.spray(100, netip.MustParseAddr("127.0.0.1")) },
		"forty accounts in forty hours": func(h *house) {
			for i := range 40 {
				h.clock.Advance(time.Hour)
				h.note(Signal{Circumstances: Circumstances{Identifier: fmt.Sprint("a", i), Address: abroad}, Outcome: Refused})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := openOne(t)
			happens(h)
			if got := h.alarms(); len(got) != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAHouseholdWithManyIPv6AddressesIsOneNetwork(t *testing.T) {
	h := openOne(t)
	address := netip.MustParseAddr("2001:db8:1:2::1")
	for i := range 60 {
		h.note(Signal{Circumstances: Circumstances{Identifier: fmt.Sprint("account", i), Address: address}, Outcome: Refused})
		address = address.Next()
	}
	if got := h.alarms(); len(got) != 1 || got[0].Network != "2001:db8:1:2::/64" {
		t.Errorf("%+v", got)
	}
	h.welcome(lina, "laptop", netip.MustParseAddr("2001:db8:9:9::1"))
	if v := h.assess(Circumstances{Person: lina, Address: netip.MustParseAddr("2001:db8:9:9:aaaa::7"), Device: "laptop"}); len(v.Fired) != 0 {
		t.Errorf("her house is new to her: %v", v.Fired)
	}
}

func TestAnAttackFromManyNetworksIsSeenAsOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		address := netip.MustParseAddr("10.0.0.1")
		for i := range 400 {
			h.note(Signal{Circumstances: Circumstances{Identifier: fmt.Sprint("account", i), Address: address}, Outcome: Refused})
			address = address.Next()
		}
		got := h.alarms()
		if len(got) != 1 || !got[0].Everywhere || got[0].Networks < 150 || got[0].Accounts < 150 {
			t.Fatalf("%+v", got)
		}
		h.work()
		if kinds := h.kinds(root); !slices.Equal(kinds, []string{"spray_everywhere"}) {
			t.Errorf("the administrator got %v", kinds)
		}
		h.welcome(lina, "laptop", home)
		v := h.assess(Circumstances{Person: lina, Address: home})
		if !slices.Contains(v.Fired, "spraying") || v.Act != AskFactor {
			t.Errorf("%+v", v)
		}
	})
}

func TestAHundredThousandTriesDoNotSwellTheMemory(t *testing.T) {
	w := newWatch(Defaults(), clock.At(morning().Now()))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	attack := func(from, to int) {
		for i := from; i < to; i++ {
			network, who := fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255), fmt.Sprint("account", i)
			w.failed(network, who)
			w.here(network)
			w.everywhere()
			w.raised.Allow(network)
		}
	}
	attack(0, 2*watchedNetworks)
	before := heap()
	attack(0, 100_000)
	after := heap()
	if after > before+1<<20 {
		t.Errorf("the memory grew from %d to %d bytes", before, after)
	}
	if after > 64<<20 {
		t.Errorf("%d bytes are kept", after)
	}
	if accounts, networks, spraying := w.everywhere(); !spraying || accounts < 80_000 || accounts > 120_000 || networks < 80_000 {
		t.Errorf("%d accounts from %d networks, spraying %v", accounts, networks, spraying)
	}
	runtime.KeepAlive(w)
}

func TestLettersHaveAllTheirSentences(t *testing.T) {
	h := openOne(t)
	for _, l := range campus.Locales {
		for _, kind := range []string{"locked_failures", "locked_rules", "locked_owner", "unlock", "spray_network", "spray_everywhere"} {
			for _, part := range []string{"subject", "text", "action", "sms"} {
				key := "identity.letter." + kind + "." + part
				said := h.texts.For(l).T(key, "until", h.clock.Now(), "wait", time.Minute, "lasts", time.Hour, "code", "123456", "accounts", 20, "networks", 30, "network", "192.0.2.1", "at", h.clock.Now())
				if strings.ContainsAny(said, "⟦{") {
					t.Errorf("%s: %s says %q", l, key, said)
				}
			}
		}
	}
}
