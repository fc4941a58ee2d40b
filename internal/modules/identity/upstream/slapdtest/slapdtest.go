// Package slapdtest is a real OpenLDAP server with its password policy, as a
// university's directory would be: people whose passwords are right,
// expired, set by somebody else, or whose account is locked.
package slapdtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

// The people of the directory. Each has [Password].
const (
	Fine    = "amelie.quere"  // nothing stands in her way
	Expired = "noel.fabre"    // his password ended long ago
	Reset   = "ines.saidi"    // somebody else set hers
	Locked  = "hugo.lambert"  // his account is locked
	Grace   = "gaelle.jaouen" // hers ended, and opens the door three times more
	Soon    = "theo.marchand" // his ends within five days
	Nobody  = "personne.ici"  // has no entry
	Slow    = "driss.benali"  // nothing stands in his way either
)

// Password is everybody's, until they change it.
const Password = "vieux-Phare-1897"

// The account that searches, and where.
const (
	Base            = "ou=people,dc=valmont,dc=example"
	Service         = "cn=amphi,ou=services,dc=valmont,dc=example"
	ServicePassword = "cherche-seulement"
)

// Server is a running slapd.
type Server = ldaptest.Server

// Start starts slapd with these people.
func Start(t testing.TB) *Server {
	t.Helper()
	return ldaptest.Start(t, ldaptest.Directory{Config: configuration, Entries: people(time.Now())})
}

// configuration is that of the database: the password policy of slapo-ppolicy(5), and
// who may read what.
const configuration = `suffix "dc=valmont,dc=example"
rootdn "cn=root,dc=valmont,dc=example"
index objectClass,uid,mail eq
access to attrs=userPassword by dn.exact="` + Service + `" write by self write by anonymous auth by * none
access to * by dn.exact="` + Service + `" read by self read by * none
overlay ppolicy
ppolicy_default "cn=usual,ou=policies,dc=valmont,dc=example"
ppolicy_use_lockout
`

// people is the content of the directory.
func people(now time.Time) string {
	var b strings.Builder
	entry := func(dn string, lines ...string) { fmt.Fprintf(&b, "dn: %s\n%s\n\n", dn, strings.Join(lines, "\n")) }
	entry("dc=valmont,dc=example", "objectClass: dcObject", "objectClass: organization", "dc: valmont", "o: Valmont")
	for _, unit := range []string{"people", "services", "policies"} {
		entry("ou="+unit+",dc=valmont,dc=example", "objectClass: organizationalUnit", "ou: "+unit)
	}
	entry(Service, "objectClass: organizationalRole", "objectClass: simpleSecurityObject", "cn: amphi", "userPassword: "+ServicePassword)
	policy := func(name string, lines ...string) {
		entry("cn="+name+",ou=policies,dc=valmont,dc=example", append([]string{
			"objectClass: applicationProcess", "objectClass: pwdPolicy", "cn: " + name, "pwdAttribute: userPassword", "pwdMaxAge: 7776000", "pwdExpireWarning: 604800",
			"pwdMinLength: 10", "pwdCheckQuality: 1", "pwdInHistory: 2", "pwdLockout: TRUE", "pwdMaxFailure: 5", "pwdLockoutDuration: 900", "pwdMustChange: TRUE", "pwdAllowUserChange: TRUE",
		}, lines...)...)
	}
	policy("usual")
	policy("patient", "pwdGraceAuthNLimit: 3")
	stamp := func(ago time.Duration) string { return now.Add(-ago).UTC().Format("20060102150405Z") }
	const day = 24 * time.Hour
	person := func(login, given, family, kind string, changed time.Duration, lines ...string) {
		entry("uid="+login+","+Base, append([]string{
			"objectClass: inetOrgPerson", "uid: " + login, "cn: " + given + " " + family, "givenName: " + given, "sn: " + family,
			"mail: " + login + "@valmont.example", "employeeType: " + kind, "userPassword: " + Password, "pwdChangedTime: " + stamp(changed),
		}, lines...)...)
	}
	person(Fine, "Amelie", "Quere", "student", day)
	person(Slow, "Driss", "Benali", "staff", day)
	person(Expired, "Noel", "Fabre", "student", 400*day)
	person(Reset, "Ines", "Saidi", "student", day, "pwdReset: TRUE")
	person(Locked, "Hugo", "Lambert", "student", day, "pwdAccountLockedTime: 000001010000Z")
	person(Grace, "Gaelle", "Jaouen", "staff", 400*day, "pwdPolicySubentry: cn=patient,ou=policies,dc=valmont,dc=example")
	person(Soon, "Theo", "Marchand", "student", 85*day+12*time.Hour)
	return b.String()
}
