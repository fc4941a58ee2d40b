package ldapbind

import (
	"context"
	"errors"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// TestWhoGoesAwayInTheLineDoesNotMakeTheDirectorySeemDown: in the rush of the
// morning one closed tab would refuse everybody's password for a while.
func TestWhoGoesAwayInTheLineDoesNotMakeTheDirectorySeemDown(t *testing.T) {
	s, err := newServers(upstream.Config{LDAP: upstream.LDAPConfig{URLs: []string{"ldap://127.0.0.1:1"}, Pool: 1}}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	for range cap(s.busy) {
		s.busy <- struct{}{}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	err = s.asUser(gone, func(*ldap.Conn) error { return nil })
	if !errors.Is(err, context.Canceled) || !s.downSince.IsZero() {
		t.Errorf("%v, down since %v", err, s.downSince)
	}
}
