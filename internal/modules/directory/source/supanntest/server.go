// Package supanntest is a real OpenLDAP server with an invented university in it,
// described as SupAnn wants it: people, groups and structures.
package supanntest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

// Where things are in the directory, and its accounts.
const (
	Base   = "dc=univ,dc=example"
	People = "ou=people," + Base
	Groups = "ou=groups," + Base
	Units  = "ou=structures," + Base

	// Reader may read everything, as much as it likes.
	Reader = "cn=amphi,ou=services," + Base
	// Limited is handed [Limit] entries of a search.
	Limited  = "cn=limited,ou=services," + Base
	Admin    = "cn=root," + Base
	Password = "cherche-seulement"
	Limit    = 300
)

// Server is a running slapd.
type Server struct{ *ldaptest.Server }

// Start starts a slapd with as many people. More are further lines of its
// configuration.
func Start(t testing.TB, count int, more ...string) *Server {
	t.Helper()
	return &Server{ldaptest.Start(t, ldaptest.Directory{
		Schema: schema(), Modules: []string{"syncprov"}, Entries: entries(count), Config: configuration() + strings.Join(more, "\n"),
	})}
}

// As connects as an account, to change what is there.
func (s *Server) As(t testing.TB, dn string) *ldap.Conn {
	t.Helper()
	return s.Server.As(t, dn, Password)
}

// configuration is that of the database, where every change is told (syncprov) and a
// password policy may stand.
func configuration() string {
	return fmt.Sprintf(`maxsize 1073741824
suffix "%s"
rootdn "%s"
rootpw %s
index objectClass,entryUUID,entryCSN,uid eq
limits dn.exact="%[4]s" size=unlimited time=unlimited
limits dn.exact="%[5]s" size=%[6]d
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="%[4]s" read by dn.exact="%[5]s" read by * none
overlay ppolicy
overlay syncprov
syncprov-checkpoint 100 10
`, Base, Admin, Password, Reader, Limited, Limit)
}
