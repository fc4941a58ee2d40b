package cas

import (
	"html"
	"net/url"
	"strings"
)

// Difference names how the address that a ticket was validated for differs from
// the one that it was issued for. The room has a sentence for each.
type Difference string

// The differences, from the plainest to the vaguest.
const (
	Same          Difference = ""
	Unreadable    Difference = "unreadable"
	OtherScheme   Difference = "scheme"
	OtherHost     Difference = "host"
	OtherPort     Difference = "port"
	Entities      Difference = "entities"       // &amp; instead of &
	DoublyEscaped Difference = "doubly_escaped" // %2520 instead of %20
	OtherEscapes  Difference = "escapes"        // + instead of %20 and the like
	TrailingSlash Difference = "trailing_slash"
	SessionInPath Difference = "session_in_path" // ;jsessionid=…
	OtherPath     Difference = "path"
	QueryLost     Difference = "query_lost"
	QueryAdded    Difference = "query_added"
	OtherQuery    Difference = "query"
)

// Differences lists every difference that has a sentence.
var Differences = []Difference{
	Unreadable, OtherScheme, OtherHost, OtherPort, Entities, DoublyEscaped, OtherEscapes,
	TrailingSlash, SessionInPath, OtherPath, QueryLost, QueryAdded, OtherQuery,
}

// Compare tells how received differs from the address that a ticket was issued
// for. The comparison itself is that of the specification (§2.5.1): the same
// address, after the normalisation that RFC 3986 calls equivalent.
func Compare(issued ServiceURL, received string) Difference {
	got, err := ParseServiceURL(received)
	if err != nil {
		return Unreadable
	}
	switch {
	case got.canonical == issued.canonical:
		return Same
	case sameAfter(issued, html.UnescapeString(received)):
		return Entities
	case sameAfter(issued, unescapeOnce(received)):
		return DoublyEscaped
	case got.scheme != issued.scheme:
		return OtherScheme
	case got.host != issued.host:
		return OtherHost
	case got.port != issued.port:
		return OtherPort
	case got.path != issued.path:
		return comparePaths(issued, got)
	case got.query == "":
		return QueryLost
	case issued.query == "":
		return QueryAdded
	case unescapeOnce(strings.ReplaceAll(got.query, "+", " ")) == unescapeOnce(strings.ReplaceAll(issued.query, "+", " ")):
		return OtherEscapes
	default:
		return OtherQuery
	}
}

func comparePaths(issued, got ServiceURL) Difference {
	switch {
	case unescapeOnce(got.path) == unescapeOnce(issued.path):
		return OtherEscapes
	case strings.TrimSuffix(got.path, "/") == strings.TrimSuffix(issued.path, "/"):
		return TrailingSlash
	case withoutParameters(got.path) == withoutParameters(issued.path):
		return SessionInPath
	default:
		return OtherPath
	}
}

func sameAfter(issued ServiceURL, changed string) bool {
	s, err := ParseServiceURL(changed)
	return err == nil && s.canonical == issued.canonical
}

func unescapeOnce(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

// withoutParameters drops ";name=value" from the last segment.
func withoutParameters(path string) string {
	cut := strings.LastIndex(path, "/")
	last, _, _ := strings.Cut(path[cut+1:], ";")
	return path[:cut+1] + last
}
