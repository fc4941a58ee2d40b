package ldapbind

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/jimlambrt/gldap"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

const (
	domainBase = "dc=campus,dc=example"
	rightHere  = "Juste-1234567"
)

// activeDirectory is an LDAP server that answers binds as Active Directory does:
// who is called data-532 gets sub-code 532 once the password is right. The
// changes of unicodePwd that it took are sent to changes.
func activeDirectory(t *testing.T, changes chan<- []gldap.Change) *Directory {
	t.Helper()
	said := func(code string) string {
		return "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data " + code + ", v2580\x00"
	}
	server, err := gldap.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	routes, err := gldap.NewMux()
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(routes.Bind(func(w *gldap.ResponseWriter, r *gldap.Request) {
		m, err := r.GetSimpleBindMessage()
		must(err)
		answer := r.NewBindResponse(gldap.WithResponseCode(gldap.ResultInvalidCredentials))
		answer.SetDiagnosticMessage(said("52e"))
		name, _, _ := strings.Cut(strings.TrimPrefix(m.UserName, "cn="), ",")
		code, special := strings.CutPrefix(name, "data-")
		switch {
		case name == "amphi", string(m.Password) == rightHere && !special:
			answer = r.NewBindResponse(gldap.WithResponseCode(gldap.ResultSuccess))
		case special && (string(m.Password) == rightHere || code == "775"):
			answer.SetDiagnosticMessage(said(code))
		}
		must(w.Write(answer))
	}))
	must(routes.Search(func(w *gldap.ResponseWriter, r *gldap.Request) {
		m, err := r.GetSearchMessage()
		must(err)
		if _, after, found := strings.Cut(m.Filter, "(sAMAccountName="); found {
			name, _, _ := strings.Cut(after, ")")
			soon := (time.Now().Add(5*24*time.Hour).UnixMicro())*10 + 116444736000000000
			if !strings.HasPrefix(name, "amphi-") {
				must(w.Write(r.NewSearchResponseEntry("cn="+name+","+domainBase, gldap.WithAttributes(map[string][]string{
					"sAMAccountName": {name}, "objectGUID": {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"}, expiryAttribute: {strconv.FormatInt(soon, 10)},
				}))))
			}
		}
		must(w.Write(r.NewSearchDoneResponse(gldap.WithResponseCode(gldap.ResultSuccess))))
	}))
	must(routes.Modify(func(w *gldap.ResponseWriter, r *gldap.Request) {
		m, err := r.GetModifyMessage()
		must(err)
		changes <- m.Changes
		must(w.Write(r.NewModifyResponse(gldap.WithResponseCode(gldap.ResultSuccess))))
	}))
	must(server.Router(routes))
	address := freeAddress(t)
	done := make(chan error, 1)
	go func() { done <- server.Run(address) }()
	for range 100 {
		if server.Ready() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	d, err := New(upstream.Config{ID: "ad", Kind: upstream.KindLDAP, LDAP: upstream.LDAPConfig{
		URLs: []string{"ldap://" + address}, BindDN: "cn=amphi," + domainBase, BindPassword: "x", Base: domainBase, Active: true, Change: "service",
	}}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, idle := range []chan *ldap.Conn{d.servers.seekers, d.servers.binders} {
			for range len(idle) {
				must((<-idle).Close()) // the server waits for its guests to leave
			}
		}
		must(server.Stop())
		must(<-done)
	})
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestTheSubCodesOfActiveDirectoryAreRead(t *testing.T) {
	d := activeDirectory(t, nil)
	for code, want := range map[string]struct {
		reason *fault.Reason
		proved bool
	}{
		"525": {upstream.Refused, false}, "52e": {upstream.Refused, false}, "530": {upstream.HoursForbidden, true}, "531": {upstream.PlaceForbidden, true},
		"532": {upstream.PasswordExpired, true}, "533": {upstream.AccountDisabled, true}, "701": {upstream.AccountExpired, true},
		"773": {upstream.PasswordReset, true}, "775": {upstream.AccountLocked, false}, "9999": {upstream.Refused, false},
	} {
		_, err := d.Check(t.Context(), "data-"+code, rightHere)
		if f := failureOf(t, err); f.Reason != want.reason || f.Proved != want.proved || f.Code != "data "+code || f.Untested {
			t.Errorf("%s: %+v", code, f)
		}
		if code == "775" {
			continue // said before the password is looked at
		}
		_, err = d.Check(t.Context(), "data-"+code, "faux")
		if f := failureOf(t, err); f.Reason != upstream.Refused || f.Proved {
			t.Errorf("%s with a wrong password: %+v", code, f)
		}
	}
}

func TestActiveDirectoryNamesPeopleByTheirGUID(t *testing.T) {
	a, err := activeDirectory(t, nil).Check(t.Context(), "lea.marin", rightHere)
	if err != nil {
		t.Fatal(err)
	}
	if a.Subject != "04030201-0605-0807-090a-0b0c0d0e0f10" || a.Issuer != domainBase {
		t.Errorf("it answers %+v", a)
	}
	if len(a.Remarks) != 1 || fmt.Sprint(a.Remarks[0].Args["days"]) != "5" {
		t.Errorf("the remarks are %+v", a.Remarks)
	}
}

func TestAnExpiredPasswordOfActiveDirectoryIsChangedWithTheOldOne(t *testing.T) {
	changes := make(chan []gldap.Change, 1)
	d := activeDirectory(t, changes)
	if f := failureOf(t, d.Change(t.Context(), "data-532", "faux", "Nouveau-1")); f.Reason != upstream.Refused {
		t.Fatalf("with a wrong old password: %+v", f)
	}
	if err := d.Change(t.Context(), "data-532", rightHere, "Né-1"); err != nil {
		t.Fatal(err)
	}
	got := <-changes
	// The server's library leaves the value's tag and length before it.
	if len(got) != 2 || got[0].Modification.Type != "unicodePwd" || !strings.HasSuffix(got[1].Modification.Vals[0], "\"\x00N\x00\xe9\x00-\x001\x00\"\x00") {
		t.Errorf("it was asked to change %+v", got)
	}
}
