package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// beside are networks that no address of the open internet lies in, besides those
// that the standard library knows: shared ones (RFC 6598), those of protocols and of
// measurements (RFC 6890, 2544), the former site-local ones (RFC 3879), and the ways by
// which IPv6 reaches IPv4 (RFC 6052, 3056, 4380, 4291).
var beside = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("64:ff9b:1::/48")}

// reachable reports whether a webhook may go to an address.
func reachable(a netip.Addr, allowed []netip.Prefix) bool {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(allowed, in) {
		return true
	}
	return a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(beside, in)
}

// guarded is a client that talks to the open internet and to allowed networks alone.
// The address is looked at when the connection is made, after its name was resolved:
// a name that changes its mind in between gains nothing.
func guarded(allowed []netip.Prefix) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !reachable(at.Addr(), allowed) {
			return fmt.Errorf("webhooks do not go to %s", address)
		}
		return nil
	}}
	return &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// target reads the address of a webhook: https, or http into a network that is
// allowed by its number.
func (a *API) target(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	unfit := AddressUnfit.With(fault.Args{"address": "https://…"})
	if err != nil || len(text) > 2000 || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, unfit
	}
	number, err := netip.ParseAddr(u.Hostname())
	inside := err == nil && reachable(number, a.Allowed)
	if err == nil && !inside {
		return nil, unfit
	}
	if u.Scheme == "https" || u.Scheme == "http" && inside && !reachable(number, nil) {
		return u, nil
	}
	return nil, unfit
}
