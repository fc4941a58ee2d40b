package cas

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxServiceURL is the longest address of a service that we take. Servers in
// front of real services refuse longer request lines anyway.
const MaxServiceURL = 4096

// Why an address cannot be that of a service. The texts are for logs; people
// read the sentences of the room.
var (
	ErrTooLong    = errors.New("the address is too long")
	ErrCharacters = errors.New("the address holds characters that no address has")
	ErrScheme     = errors.New("the address must begin with the scheme https or http")
	ErrUserInfo   = errors.New("the address holds a name or password before the host")
	ErrHost       = errors.New("the host of the address cannot be read")
	ErrDots       = errors.New("the path of the address climbs by dot segments")
	ErrUnreadable = errors.New("the address cannot be read")
)

// ServiceURL is the address of a service, read strictly: what browsers, other
// servers and we could understand differently is refused instead of guessed.
type ServiceURL struct {
	origin    string // scheme://host[:port], as a browser would write it
	scheme    string
	host      string
	port      string // "" for the scheme's own
	path      string // normalised, at least "/"
	query     string // normalised, without a ticket of ours
	address   string // what the browser is sent to, before the ticket is added
	canonical string
}

// ParseServiceURL reads the service parameter (§2.1.1).
func ParseServiceURL(text string) (ServiceURL, error) {
	if len(text) > MaxServiceURL {
		return ServiceURL{}, ErrTooLong
	}
	if !utf8.ValidString(text) {
		return ServiceURL{}, ErrCharacters
	}
	for i := range len(text) {
		// A backslash is a slash for browsers and a letter for servers.
		if c := text[i]; c < 0x20 || c == 0x7f || c == '\\' {
			return ServiceURL{}, ErrCharacters
		}
	}
	text = escapeForeign(text)
	u, err := url.Parse(text)
	if err != nil {
		return ServiceURL{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	var s ServiceURL
	s.scheme = strings.ToLower(u.Scheme)
	if s.scheme != "https" && s.scheme != "http" || u.Opaque != "" {
		return ServiceURL{}, ErrScheme
	}
	if u.User != nil || strings.Contains(u.Host, "@") {
		return ServiceURL{}, ErrUserInfo
	}
	if s.host, s.port, err = hostPort(u, s.scheme); err != nil {
		return ServiceURL{}, err
	}
	s.path = normaliseEscapes(u.EscapedPath())
	if s.path == "" {
		s.path = "/"
	}
	if climbs(s.path) {
		return ServiceURL{}, ErrDots
	}
	s.query = normaliseEscapes(withoutTicket(u.RawQuery))
	s.origin = s.scheme + "://" + s.host
	if s.port != "" {
		s.origin += ":" + s.port
	}
	s.canonical = s.origin + s.path
	if s.query != "" {
		s.canonical += "?" + s.query
	}
	s.address = s.origin + u.EscapedPath()
	if q := withoutTicket(u.RawQuery); q != "" {
		s.address += "?" + q
	}
	if u.Fragment != "" {
		s.address += "#" + u.EscapedFragment()
	}
	return s, nil
}

// Origin is scheme, host and port, as the Origin header writes them (RFC 6454).
func (s ServiceURL) Origin() string { return s.origin }

// Scheme is https or http.
func (s ServiceURL) Scheme() string { return s.scheme }

// Host is the name of the server, without port.
func (s ServiceURL) Host() string { return s.host }

// String is the normalised address, without fragment: two addresses with the
// same String lead a browser to the same place (RFC 3986 §6.2.2).
func (s ServiceURL) String() string { return s.canonical }

// Address is where to send the browser when there is no ticket to bring.
func (s ServiceURL) Address() string { return s.address }

// The parameters in which a ticket travels: that of CAS (§2.2.4), and that of
// SAML 1.1, for clients that name their address in TARGET.
const (
	TicketParameter   = "ticket"
	ArtifactParameter = "SAMLart"
)

// WithTicket is where to send the browser with its ticket (§2.2.4): the ticket
// joins the query, before a fragment.
func (s ServiceURL) WithTicket(parameter, ticket string) string {
	return s.withQuery(parameter + "=" + ticket)
}

// WithGrant is the address by which a proxy is given its proxy-granting ticket
// (§2.5.4).
func (s ServiceURL) WithGrant(grant, iou string) string {
	return s.withQuery("pgtId=" + grant + "&pgtIou=" + iou)
}

func (s ServiceURL) withQuery(more string) string {
	before, fragment, hasFragment := strings.Cut(s.address, "#")
	switch {
	case !strings.Contains(before, "?"):
		before += "?"
	case !strings.HasSuffix(before, "?") && !strings.HasSuffix(before, "&"):
		before += "&"
	}
	before += more
	if hasFragment {
		before += "#" + fragment
	}
	return before
}

// IsLoopback reports whether the address names this machine itself.
func (s ServiceURL) IsLoopback() bool {
	if s.host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(s.host, "[]"))
	if err != nil {
		return false
	}
	return ip.Is4() && ip.IsLoopback() || ip == netip.IPv6Loopback()
}

// escapeForeign writes as %XX what RFC 3986 does not allow in an address but
// people and programs put there anyway: spaces, accents, braces. Afterwards the
// address fits in a Location header.
func escapeForeign(text string) string {
	const allowed = "-._~:/?#[]@!$&'()*+,;=%"
	clean := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(allowed, c) >= 0
	}
	// The host is not escaped but turned to its ASCII form later.
	start := 0
	if i := strings.Index(text, "://"); i >= 0 {
		if j := strings.IndexAny(text[i+3:], "/?#"); j >= 0 {
			start = i + 3 + j
		} else {
			start = len(text)
		}
	}
	var b strings.Builder
	b.WriteString(text[:start])
	for i := start; i < len(text); i++ {
		if clean(text[i]) {
			b.WriteByte(text[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", text[i])
		}
	}
	return b.String()
}

var defaultPorts = map[string]string{"https": "443", "http": "80"}

// hostPort returns the host as browsers write it and the port when it is not the
// scheme's own.
func hostPort(u *url.URL, scheme string) (host, port string, err error) {
	host, err = canonicalHost(u.Hostname())
	if err != nil {
		return "", "", err
	}
	port = u.Port()
	if strings.HasSuffix(u.Host, ":") || len(port) > 5 || strings.HasPrefix(port, "0") {
		return "", "", ErrHost
	}
	if port == defaultPorts[scheme] {
		port = ""
	}
	return host, port, nil
}

// canonicalHost lowers the case, turns accents into their ASCII form and refuses
// what a browser would read as another host: numbers that are not an address in
// four parts (0x7f.1), zones, names that end with a dot.
func canonicalHost(name string) (string, error) {
	if name == "" || len(name) > 253 {
		return "", ErrHost
	}
	if strings.Contains(name, ":") {
		ip, err := netip.ParseAddr(name)
		if err != nil || ip.Zone() != "" {
			return "", ErrHost
		}
		return "[" + ip.String() + "]", nil
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.String(), nil
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || ascii == "" {
		return "", ErrHost
	}
	labels := strings.Split(ascii, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", ErrHost
		}
	}
	last := labels[len(labels)-1]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return "", ErrHost // browsers take such a name for a number
	}
	return ascii, nil
}

// normaliseEscapes makes equal addresses equal texts (RFC 3986 §6.2.2.1 and
// §6.2.2.2): upper-case digits after %, and no escape where none is needed.
func normaliseEscapes(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+2 >= len(text) {
			b.WriteByte(text[i])
			continue
		}
		high, low := unhex(text[i+1]), unhex(text[i+2])
		if high < 0 || low < 0 {
			b.WriteByte('%')
			continue
		}
		c := byte(high<<4 | low)
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
		i += 2
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// climbs reports whether some server could read the path as one that leaves the
// directory it seems to be in: dot segments, also behind escapes that are
// decoded once too often, and Tomcat's "..;".
func climbs(path string) bool {
	for range 4 {
		for _, segment := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
			name, _, _ := strings.Cut(segment, ";")
			if name == "." || name == ".." {
				return true
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return false
		}
		path = decoded
	}
	return true // nothing honest is escaped four times
}

// withoutTicket takes a service ticket out of a query. It comes from bookmarks
// and reloads; every client removes it before it names its own address.
func withoutTicket(query string) string {
	if !strings.Contains(query, TicketParameter+"=") && !strings.Contains(query, ArtifactParameter+"=") {
		return query
	}
	parts := strings.Split(query, "&")
	kept := parts[:0]
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if (name == TicketParameter || name == ArtifactParameter) && (ServiceTicket.Made(value) || ProxyTicket.Made(value)) {
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, "&")
}
