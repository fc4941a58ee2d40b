package limit

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// take is Allow for tests that look at the wait: zero when allowed.
func (l *Limiter) take(key string) time.Duration {
	wait, ok := l.Allow(key)
	if ok != (wait == 0) {
		panic("the wait and the answer differ")
	}
	return wait
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestAfterTheBurstTheAnswerIsHowLongToWait(t *testing.T) {
	now := clock.At(noon)
	l := New(Rate{Every: 10 * time.Second, Burst: 3}, 0, now)
	for i := range 3 {
		if wait := l.take("a"); wait != 0 {
			t.Fatalf("try %d waits %v", i, wait)
		}
	}
	if taken := l.Taken("a"); taken != 3 || l.Taken("b") != 0 {
		t.Fatalf("%d are taken of a, %d of b", taken, l.Taken("b"))
	}
	for range 5 { // asking in vain does not make the wait longer
		if wait := l.take("a"); wait != 10*time.Second {
			t.Fatalf("waits %v", wait)
		}
	}
	if wait := l.Wait("a"); wait != 10*time.Second {
		t.Fatalf("told to wait %v", wait)
	}
	if l.take("b") != 0 || l.Wait("c") != 0 {
		t.Fatal("another key pays for it")
	}
	now.Advance(4 * time.Second)
	if wait := l.take("a"); wait != 6*time.Second {
		t.Fatalf("after 4 s, waits %v", wait)
	}
	now.Advance(6 * time.Second)
	if wait := l.take("a"); wait != 0 {
		t.Fatalf("after the wait, waits %v", wait)
	}
	l.Forget("a")
	if wait := l.take("a"); wait != 0 {
		t.Fatalf("forgotten, waits %v", wait)
	}
}

func TestABurstOfZeroNeverAllows(t *testing.T) {
	l := New(Rate{Every: time.Minute}, 0, clock.At(noon))
	if wait := l.take("a"); wait != time.Minute {
		t.Fatalf("waits %v", wait)
	}
}

func TestMemoryIsBoundedAndFullBucketsGoFirst(t *testing.T) {
	now := clock.At(noon)
	l := New(Rate{Every: time.Minute, Burst: 2}, 100, now)
	for i := range 1000 {
		l.take(fmt.Sprint("flood", i))
	}
	if l.Len() > 100 {
		t.Fatalf("%d keys remembered", l.Len())
	}
	now.Advance(time.Hour) // all are full again
	l.take("guesser")
	l.take("guesser")
	for i := range 90 {
		l.take(fmt.Sprint("later", i))
	}
	if l.take("guesser") == 0 {
		t.Fatal("an empty bucket was forgotten while full ones were kept")
	}
}

func TestManyAtOnceGetExactlyTheBurst(t *testing.T) {
	l := New(Rate{Every: time.Hour, Burst: 50}, 0, clock.At(noon))
	var passed atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 100 {
				if l.take("same") == 0 {
					passed.Add(1)
				}
				l.take(fmt.Sprint(i))
				l.Wait("same")
			}
		})
	}
	wait.Wait()
	if passed.Load() != 50 {
		t.Fatalf("%d passed", passed.Load())
	}
}

func TestAddressesAreCountedByHousehold(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:aaaa::1": "2001:db8:1:2::/64", "2001:db8:1:2:bbbb::9": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := AddressKey(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is counted as %s", text, got)
		}
	}
	if got := AddressKey(netip.Addr{}); got != "unknown" {
		t.Errorf("no address is counted as %s", got)
	}
}

func TestOnlyTrustedProxiesMaySayWhoTheClientIs(t *testing.T) {
	proxies, err := Networks([]string{"10.0.0.0/8", "127.0.0.1", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		peer      string
		forwarded []string
		trusted   []netip.Prefix
		want      string
	}{
		{"a direct client", "192.0.2.7:1234", nil, proxies, "192.0.2.7"},
		{"a direct client that lies", "192.0.2.7:1234", []string{"198.51.100.1"}, proxies, "192.0.2.7"},
		{"nobody is trusted", "10.0.0.1:1", []string{"198.51.100.1"}, nil, "10.0.0.1"},
		{"behind one proxy", "10.0.0.1:1", []string{"198.51.100.1"}, proxies, "198.51.100.1"},
		{"behind two proxies", "10.0.0.1:1", []string{"198.51.100.1, 10.0.0.2"}, proxies, "198.51.100.1"},
		{"a lie left of the client", "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.1"}, proxies, "198.51.100.1"},
		{"a lie in a header of its own", "10.0.0.1:1", []string{"203.0.113.9", "198.51.100.1"}, proxies, "198.51.100.1"},
		{"rubbish from the client", "10.0.0.1:1", []string{"<script>, 10.0.0.2"}, proxies, "10.0.0.2"},
		{"an empty header", "10.0.0.1:1", []string{""}, proxies, "10.0.0.1"},
		{"everything inside", "10.0.0.1:1", []string{"10.0.0.3"}, proxies, "10.0.0.3"},
		{"with ports and IPv6", "[::1]:99", []string{"[2001:db8::5]:443"}, proxies, "2001:db8::5"},
		{"mapped IPv4", "[::ffff:10.0.0.1]:9", []string{"::ffff:198.51.100.1"}, proxies, "198.51.100.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
			if got := ClientAddr(r, c.trusted); got.String() != c.want {
				t.Fatalf("%s, not %s", got, c.want)
			}
		})
	}
	if got := ClientAddr(&http.Request{RemoteAddr: "@"}, proxies); got.IsValid() {
		t.Fatalf("a socket without address is %s", got)
	}
	if _, err := Networks([]string{"10.0.0.0/40"}); err == nil {
		t.Fatal("an impossible network was read")
	}
}

func TestAProxyThatNobodyDeclaredIsNoticed(t *testing.T) {
	proxies, err := Networks([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	forwarded := http.Header{"X-Forwarded-For": {"198.51.100.1"}}
	for name, c := range map[string]struct {
		request *http.Request
		want    bool
	}{
		"a proxy outside trusted_proxies": {&http.Request{RemoteAddr: "127.0.0.1:9", Header: forwarded}, true},
		"a proxy that is trusted":         {&http.Request{RemoteAddr: "10.0.0.1:9", Header: forwarded}, false},
		"no proxy":                        {&http.Request{RemoteAddr: "127.0.0.1:9", Header: http.Header{}}, false},
	} {
		if got := Undeclared(c.request, proxies); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzClientAddrNeverPanics(f *testing.F) {
	f.Add("10.0.0.1:1", "198.51.100.1, 10.0.0.2")
	f.Add("[", "[]]")
	proxies := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	f.Fuzz(func(_ *testing.T, peer, forwarded string) {
		AddressKey(ClientAddr(&http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}}}, proxies))
	})
}

func BenchmarkTake(b *testing.B) {
	l := New(Rate{Every: time.Second, Burst: 5}, 0, clock.System())
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			l.take("same")
		}
	})
}

func TestWhatIsGivenBackCanBeTakenAgainAndNoMore(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	l := New(Rate{Every: time.Minute, Burst: 2}, 0, now)
	l.GiveBack("somebody") // who never took any
	for range 20 {
		if _, ok := l.Allow("somebody"); !ok {
			t.Fatal("what was given back is gone")
		}
		l.GiveBack("somebody")
	}
	for i := range 3 {
		if _, ok := l.Allow("somebody"); ok != (i < 2) {
			t.Errorf("token %d: %v", i, ok)
		}
	}
}
