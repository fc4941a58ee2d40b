package throttle

import (
	"net/netip"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

func TestStrangersOfANetworkThatFailsWaitApartFromThoseWhoLiveThere(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	c := Defaults()
	th := New(c, now)
	from, machine := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("127.0.0.1")
	stranger, resident, local := GuessOf("lmartin", "p1", "", from), GuessOf("lmartin", "p1", "d1", from), GuessOf("lmartin", "p1", "", machine)
	for i := range doubt {
		if lane := th.Lane(stranger); lane != password.Ordinary {
			t.Fatalf("after %d failures, the lane is %d", i, lane)
		}
		th.Failed(stranger)
		th.Failed(local)
	}
	for who, c := range map[string]struct {
		guess Guess
		want  password.Lane
	}{
		"a stranger of the network":            {stranger, password.Doubtful},
		"a person in a browser of theirs":      {resident, password.Known},
		"a stranger of another network":        {GuessOf("lmartin", "p1", "", netip.MustParseAddr("203.0.113.1")), password.Ordinary},
		"everybody behind an undeclared proxy": {local, password.Ordinary},
	} {
		if lane := th.Lane(c.guess); lane != c.want {
			t.Errorf("%s waits in lane %d, want %d", who, lane, c.want)
		}
	}
	now.Advance(c.NetworkEvery)
	if lane := th.Lane(stranger); lane != password.Ordinary {
		t.Errorf("a moment later, the lane is %d", lane)
	}
}
