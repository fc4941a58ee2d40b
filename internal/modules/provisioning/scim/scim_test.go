package scim_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/scim"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

func open(t *testing.T, adopt bool) (*pretend.SCIM, *scim.SCIM) {
	t.Helper()
	there := pretend.NewSCIM("bearer-token")
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	s, err := scim.New(target.Line{Base: server.URL + "/scim/v2", Timeout: time.Second, Rate: 1000}, scim.Config{Token: "bearer-token", Adopt: adopt})
	if err != nil {
		t.Fatal(err)
	}
	return there, s
}

func lina() target.Account {
	return target.Account{Key: "0198-lina", Login: "lmartin", GivenName: "Lina", FamilyName: "Martin", Mail: "lina@valmont.example", Groups: []string{"promo-l2"}}
}

func TestAUserIsMadeFoundChangedSuspendedAndDeleted(t *testing.T) {
	for name, noPatch := range map[string]bool{"by PATCH": false, "by PUT": true} {
		t.Run(name, func(t *testing.T) {
			there, s := open(t, false)
			there.NoPatch = noPatch
			id, err := s.Create(t.Context(), lina())
			if err != nil {
				t.Fatal(err)
			}
			found, ok, err := s.Find(t.Context(), lina())
			if err != nil || !ok || found.ID != id || found.Login != "lmartin" {
				t.Fatalf("found %+v, %t, %v", found, ok, err)
			}
			if g := there.GroupsOf("lmartin"); !slices.Equal(g, []string{"amphi:promo-l2"}) {
				t.Errorf("groups %q", g)
			}
			renamed := lina()
			renamed.Login, renamed.Groups = "lduval", []string{"promo-l3"}
			if err := s.Change(t.Context(), id, renamed); err != nil {
				t.Fatal(err)
			}
			if g := there.GroupsOf("lduval"); !slices.Equal(g, []string{"amphi:promo-l3"}) {
				t.Errorf("groups after the change %q", g)
			}
			if err := s.Suspend(t.Context(), id, renamed); err != nil {
				t.Fatal(err)
			}
			if u := there.Users("lduval"); len(u) != 1 || u[0]["active"] != false || u[0]["externalId"] != "0198-lina" {
				t.Errorf("suspended: %v", u)
			}
			for range 2 {
				if err := s.Delete(t.Context(), id, renamed); err != nil || len(there.Users("lduval")) != 0 {
					t.Errorf("deleted: %v", err)
				}
			}
			if err := s.Change(t.Context(), id, renamed); !target.Is(err, target.Gone) {
				t.Errorf("changing what is gone: %v", err)
			}
		})
	}
}

func TestAnotherUserWithTheLoginIsAdoptedOrStandsInTheWay(t *testing.T) {
	there, s := open(t, false)
	there.Add("lmartin", "")
	if _, _, err := s.Find(t.Context(), lina()); !target.Is(err, target.Taken) {
		t.Errorf("without leave to adopt: %v", err)
	}
	there, s = open(t, true)
	there.Add("lmartin", "")
	if _, ok, err := s.Find(t.Context(), lina()); !ok || err != nil {
		t.Errorf("with leave to adopt: %t, %v", ok, err)
	}
	there.Add("pdurand", "somebody-else")
	if _, _, err := s.Find(t.Context(), target.Account{Key: "k", Login: "pdurand"}); !target.Is(err, target.Taken) {
		t.Errorf("an account with another key: %v", err)
	}
}

func TestAUserWithRolesIsTakenForPrivileged(t *testing.T) {
	role := map[string]any{"roles": []any{map[string]any{"value": "admin"}}}
	entitled := map[string]any{"entitlements": []any{map[string]any{"value": "billing"}}}
	plain := map[string]any{"emails": []any{map[string]any{"value": "lina@valmont.example", "primary": true}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"employeeNumber": "4711"}}
	for name, c := range map[string]struct {
		more             map[string]any
		privileged, mail string
	}{"a role": {role, "role admin", ""}, "an entitlement": {entitled, "entitlement billing", ""}, "neither": {plain, "", "lina@valmont.example"}} {
		there, s := open(t, true)
		there.Add("lmartin", "", c.more)
		r, ok, err := s.Find(t.Context(), lina())
		if err != nil || !ok || r.Privileged != c.privileged || r.Mail != c.mail || name == "neither" && r.Number != "4711" {
			t.Errorf("%s: %+v, %t, %v", name, r, ok, err)
		}
	}
}

func TestAUserIsReadByItsIdentifier(t *testing.T) {
	there, s := open(t, true)
	there.Add("lmartin", "0198-lina")
	if r, ok, err := s.At(t.Context(), "1", lina()); err != nil || !ok || r.Key != "0198-lina" {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
	if _, ok, err := s.At(t.Context(), "2", lina()); err != nil || ok {
		t.Errorf("nobody: %t, %v", ok, err)
	}
}

func TestALostAnswerLeavesAUserThatIsFound(t *testing.T) {
	there, s := open(t, false)
	there.Doubles = true
	there.Lose(1)
	_, err := s.Create(t.Context(), lina())
	if f := target.FailureOf(err); err == nil || !f.Maybe {
		t.Fatalf("the failure is %v", err)
	}
	if _, ok, err := s.Find(t.Context(), lina()); !ok || err != nil {
		t.Errorf("found afterwards: %t, %v", ok, err)
	}
}

func TestTheListGoesThroughEveryPage(t *testing.T) {
	there, s := open(t, false)
	for i := range 10 {
		there.Add(fmt.Sprint("u", i), fmt.Sprint("k", i))
	}
	n := 0
	if err := s.List(t.Context(), func(target.Remote) error { n++; return nil }); err != nil || n != 10 {
		t.Errorf("%d users, %v", n, err)
	}
}

func TestATokenThatIsRefusedIsTheServicesAffair(t *testing.T) {
	there, s := open(t, false)
	if said, err := s.Probe(t.Context()); err != nil || said == "" {
		t.Errorf("%q, %v", said, err)
	}
	there.Token = "another"
	if _, err := s.Probe(t.Context()); !target.Is(err, target.Denied) {
		t.Errorf("denied: %v", err)
	}
}
