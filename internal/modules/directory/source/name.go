package source

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// canonicalDN writes equal DNs alike: servers differ in case, spaces and escapes.
func canonicalDN(raw string) string {
	dn, err := ldap.ParseDN(raw)
	if err != nil { // not a DN after all; it still equals itself
		return strings.ToLower(strings.TrimSpace(raw))
	}
	return strings.ToLower(dn.String())
}
