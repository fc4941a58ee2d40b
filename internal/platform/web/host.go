package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// HostForeign: the browser asks for another site's name, and got us.
var HostForeign = fault.Declare(fault.Forbidden, "platform.host_foreign")

// rebound reports whether a request that came over loopback carries the name of
// another site. A house on this machine alone trusts who can reach it (the demo
// with its public password, every program on this machine as a service), and a
// site that lets its own name lead to 127.0.0.1 ("DNS rebinding") would reach it
// from its visitors' browsers, as same-origin. A house with a public address is
// not concerned: its cookies do not go to another name.
func (s *Server) rebound(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil || !loopback(local.String()) || !loopback(s.BaseURL.Host) {
		return false
	}
	_, err := netip.ParseAddr(hostName(r.Host))
	return err != nil && !loopback(r.Host) // a number cannot be made to lead elsewhere
}

// loopback reports whether a host, with or without a port, is this machine.
func loopback(host string) bool {
	name := hostName(host)
	address, err := netip.ParseAddr(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && address.IsLoopback()
}

// hostName is a host in lower case, without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
}
