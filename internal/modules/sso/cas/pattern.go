package cas

import (
	"net/url"
	"strings"
)

// LoopbackPattern is the pattern that admits every program on this machine. It
// is for demonstrations: on a server that people reach, "this machine" is the
// reader's own.
const LoopbackPattern = "loopback"

// Pattern says which addresses belong to a service:
//
//	https://moodle.univ.fr             everything on that origin
//	https://apps.univ.fr/wiki          /wiki and below; not /wikipedia
//	https://apps.univ.fr/wiki/*        the same: people write the star
//	https://apps.univ.fr/*/login       one path segment of any name
//	https://apps.univ.fr/sso/login$    that path only
//	https://*.sites.univ.fr            one label of any name; not sites.univ.fr
//	https://apps.univ.fr:8443/x        a port is part of the origin
//	loopback                           this machine, any port
//
// Scheme, host and port are compared whole and never by substring; the query of
// an address is the service's own affair.
type Pattern struct {
	text     string
	loopback bool
	scheme   string
	host     string // behind "*." when wildcard
	port     string
	wildcard bool
	segments []string
	exact    bool
}

// PatternError is why a text is no pattern. Its Key names the sentence that the
// administrator's page shows; Error is the same in English for the configuration.
type PatternError struct{ Key, text string }

// Error is the reason in English.
func (e *PatternError) Error() string { return e.text }

// What can be wrong with a pattern.
var (
	ErrPatternUnreadable = &PatternError{"unreadable", "is not an address such as https://moodle.univ.fr/"}
	ErrPatternScheme     = &PatternError{"scheme", "must begin with https:// or http://"}
	ErrPatternUserInfo   = &PatternError{"userinfo", "must not hold a name or password before the host"}
	ErrPatternHost       = &PatternError{"host", "has a host that cannot be read"}
	ErrPatternWildcard   = &PatternError{"wildcard", `may use * only as the whole first label of the host ("*.sites.univ.fr") or as a whole path segment`}
	ErrPatternQuery      = &PatternError{"query", "must not hold a query or a fragment: they are never compared"}
	ErrPatternDots       = &PatternError{"dots", "must not hold . or .. as a path segment"}
)

// PatternErrors lists them all, for the test that each has its sentence.
var PatternErrors = []*PatternError{
	ErrPatternUnreadable, ErrPatternScheme, ErrPatternUserInfo, ErrPatternHost, ErrPatternWildcard, ErrPatternQuery, ErrPatternDots,
}

// ParsePattern reads a pattern. Every error is a *[PatternError].
func ParsePattern(text string) (Pattern, error) {
	text = strings.TrimSpace(text)
	if text == LoopbackPattern {
		return Pattern{text: text, loopback: true}, nil
	}
	p := Pattern{text: text}
	if len(text) > MaxServiceURL || strings.ContainsAny(text, "\\ \t\r\n\x00") {
		return Pattern{}, ErrPatternUnreadable
	}
	if strings.ContainsAny(text, "?#") {
		return Pattern{}, ErrPatternQuery
	}
	scheme, rest, ok := strings.Cut(text, "://")
	p.scheme = strings.ToLower(scheme)
	if !ok || p.scheme != "https" && p.scheme != "http" {
		return Pattern{}, ErrPatternScheme
	}
	authority, path, _ := strings.Cut(rest, "/")
	if strings.Contains(authority, "@") {
		return Pattern{}, ErrPatternUserInfo
	}
	authority, p.wildcard = strings.CutPrefix(authority, "*.")
	if strings.Contains(authority, "*") {
		return Pattern{}, ErrPatternWildcard
	}
	u, err := url.Parse(p.scheme + "://" + authority + "/")
	if err != nil {
		return Pattern{}, ErrPatternHost
	}
	if p.host, p.port, err = hostPort(u, p.scheme); err != nil {
		return Pattern{}, ErrPatternHost
	}
	// "*.fr" would hand a whole top-level domain over.
	if p.wildcard && (strings.HasPrefix(p.host, "[") || !strings.Contains(p.host, ".") || strings.Trim(p.host, "0123456789.") == "") {
		return Pattern{}, ErrPatternWildcard
	}
	path, p.exact = strings.CutSuffix(path, "$")
	return p, p.readPath(path)
}

func (p *Pattern) readPath(path string) error {
	if !p.exact {
		if path == "*" {
			path = ""
		}
		path = strings.TrimRight(strings.TrimSuffix(path, "/*"), "/")
	}
	if path == "" && !p.exact {
		return nil
	}
	if climbs("/" + path) {
		return ErrPatternDots
	}
	for segment := range strings.SplitSeq(normaliseEscapes(escapeForeign("/" + path))[1:], "/") {
		if strings.Contains(segment, "*") && segment != "*" {
			return ErrPatternWildcard
		}
		p.segments = append(p.segments, segment)
	}
	return nil
}

// String is the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Loopback reports whether the pattern admits this machine.
func (p Pattern) Loopback() bool { return p.loopback }

// Key is what an index files the pattern under; see [ServiceURL.Keys].
func (p Pattern) Key() string {
	if p.loopback {
		return LoopbackPattern
	}
	host := p.host
	if p.wildcard {
		host = "*." + host
	}
	key := p.scheme + "://" + host
	if p.port != "" {
		key += ":" + p.port
	}
	return key
}

// Keys lists the keys of the patterns that can match s, the most specific first.
func (s ServiceURL) Keys() []string {
	keys := []string{s.origin}
	if _, parent, ok := strings.Cut(s.host, "."); ok {
		key := s.scheme + "://*." + parent
		if s.port != "" {
			key += ":" + s.port
		}
		keys = append(keys, key)
	}
	if s.IsLoopback() {
		keys = append(keys, LoopbackPattern)
	}
	return keys
}

// Match reports whether the address belongs to the pattern.
func (p Pattern) Match(s ServiceURL) bool {
	if p.loopback {
		return s.IsLoopback()
	}
	return p.matchOrigin(s) && p.matchPath(s.path)
}

func (p Pattern) matchOrigin(s ServiceURL) bool {
	if s.scheme != p.scheme || s.port != p.port {
		return false
	}
	if !p.wildcard {
		return s.host == p.host
	}
	_, parent, ok := strings.Cut(s.host, ".")
	return ok && parent == p.host
}

func (p Pattern) matchPath(path string) bool {
	rest := path[1:]
	for i, want := range p.segments {
		got, after, more := strings.Cut(rest, "/")
		if got != want && (want != "*" || got == "") {
			return false
		}
		if last := i == len(p.segments)-1; last {
			return !p.exact || !more
		}
		if !more {
			return false
		}
		rest = after
	}
	return true
}

// Weight orders patterns that match the same address: the larger is the more
// specific one and wins.
func (p Pattern) Weight() int {
	if p.loopback {
		return 0
	}
	weight := 1 + 4*len(p.segments)
	if p.exact {
		weight += 2
	}
	if !p.wildcard {
		weight++
	}
	return weight
}
