package limit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops bounds how much of X-Forwarded-For is read: no real chain of proxies is longer.
const maxHops = 16

// ClientAddr is the address that a request comes from. X-Forwarded-For counts only as far as
// proxies named in trusted vouch for it: it is read from its end, and the first address that is not
// a trusted proxy is the client, whatever somebody wrote further left. The answer is the zero Addr
// only when the connection itself has no address (a Unix socket that is not trusted).
func ClientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer := remote(r.RemoteAddr)
	if len(trusted) == 0 || !within(peer, trusted) {
		return peer
	}
	// Several headers of this name are one list, in order.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	hops = hops[max(0, len(hops)-maxHops):]
	client := peer
	for _, hop := range slices.Backward(hops) {
		address := remote(strings.TrimSpace(hop))
		if !address.IsValid() {
			return client // rubbish: what the last trusted proxy saw still holds
		}
		client = address
		if !within(address, trusted) {
			return client
		}
	}
	return client
}

// Undeclared reports whether a request names a client that nobody vouches for: a proxy is missing
// from trusted, and everybody behind it counts as one address, or somebody lies.
func Undeclared(r *http.Request, trusted []netip.Prefix) bool {
	return r.Header.Get("X-Forwarded-For") != "" && !within(remote(r.RemoteAddr), trusted)
}

// remote reads an address with or without a port.
func remote(text string) netip.Addr {
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap().WithZone("")
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

func within(address netip.Addr, networks []netip.Prefix) bool {
	return address.IsValid() && slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// Networks reads a list of networks or single addresses, as they stand in the configuration.
func Networks(texts []string) ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			networks = append(networks, netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}
