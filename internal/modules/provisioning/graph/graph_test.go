package graph_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/graph"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

func open(t *testing.T, change func(*graph.Config)) (*pretend.Graph, *graph.Graph) {
	t.Helper()
	there := pretend.NewGraph("client", "the-secret", "g-l2", "g-l3")
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	c := graph.Config{
		Tenant: "valmont", ClientID: "client", ClientSecret: "the-secret", TokenURL: server.URL + "/token", UsageLocation: "FR", Licences: []string{"sku-a1"},
		GroupIDs: map[string]string{"promo-l2": "g-l2", "promo-l3": "g-l3", "promo-gone": "g-gone"},
	}
	if change != nil {
		change(&c)
	}
	g, err := graph.New(target.Line{Base: server.URL + "/v1.0", Timeout: time.Second, Rate: 1000}, c)
	if err != nil {
		t.Fatal(err)
	}
	return there, g
}

func lina() target.Account {
	return target.Account{Key: "0198-lina", Login: "lmartin", GivenName: "Lina", FamilyName: "O'Martin", Mail: "lina.o'martin@valmont.example", Groups: []string{"promo-l2"}}
}

func TestAUserIsMadeFoundChangedSuspendedAndDeleted(t *testing.T) {
	there, g := open(t, nil)
	id, err := g.Create(t.Context(), lina())
	if err != nil {
		t.Fatal(err)
	}
	found, ok, err := g.Find(t.Context(), lina())
	if err != nil || !ok || found.ID != id || found.Key != "0198-lina" {
		t.Fatalf("found %+v, %t, %v", found, ok, err)
	}
	u := there.Users("lina.o'martin@valmont.example")
	if len(u) != 1 || u[0]["usageLocation"] != "FR" || u[0]["assignedLicenses"] == nil || !there.In("lina.o'martin@valmont.example", "g-l2") {
		t.Errorf("made as %v", u)
	}
	later := lina()
	later.Groups = []string{"promo-l3"}
	if err := g.Change(t.Context(), id, later); err != nil {
		t.Fatal(err)
	}
	if there.In("lina.o'martin@valmont.example", "g-l2") || !there.In("lina.o'martin@valmont.example", "g-l3") {
		t.Error("the groups did not follow")
	}
	if err := g.Suspend(t.Context(), id, later); err != nil || there.Users(later.Mail)[0]["accountEnabled"] != false {
		t.Errorf("suspended: %v", err)
	}
	if err := g.Change(t.Context(), id, later); err != nil || there.Users(later.Mail)[0]["accountEnabled"] != true {
		t.Errorf("let in again: %v", err)
	}
	for range 2 {
		if err := g.Delete(t.Context(), id, later); err != nil || len(there.Users(later.Mail)) != 0 {
			t.Errorf("deleted: %v", err)
		}
	}
	if err := g.Change(t.Context(), id, later); !target.Is(err, target.Gone) {
		t.Errorf("changing what is gone: %v", err)
	}
	if n := there.Tokens(); n != 1 {
		t.Errorf("%d tokens for one conversation", n)
	}
}

func TestThrottlingSaysWhenToComeBack(t *testing.T) {
	there, g := open(t, nil)
	there.Busy(17 * time.Second)
	_, err := g.Probe(t.Context())
	if f := target.FailureOf(err); f.Kind != target.Busy || f.After != 17*time.Second {
		t.Errorf("%v after %s", err, f.After)
	}
}

func TestALicenceOrAGroupThatIsMissingDoesNotHideTheAccount(t *testing.T) {
	there, g := open(t, nil)
	there.NoLicences = true
	if id, err := g.Create(t.Context(), lina()); !target.Is(err, target.Partial) || id == "" {
		t.Errorf("no licence left: %q, %v", id, err)
	}
	there.NoLicences = false
	a := lina()
	a.Groups = []string{"promo-gone"}
	found, _, err := g.Find(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Change(t.Context(), found.ID, a); !target.Is(err, target.Partial) {
		t.Errorf("no such group: %v", err)
	}
}

func TestALostAnswerLeavesAUserThatIsFound(t *testing.T) {
	there, g := open(t, nil)
	there.Lose(1)
	if _, err := g.Create(t.Context(), lina()); !target.Is(err, target.Down) || !target.FailureOf(err).Maybe {
		t.Fatalf("the failure is %v", err)
	}
	if _, ok, err := g.Find(t.Context(), lina()); !ok || err != nil {
		t.Errorf("found afterwards: %t, %v", ok, err)
	}
}

func TestAUserWithADirectoryRoleIsTakenForPrivileged(t *testing.T) {
	there, g := open(t, func(c *graph.Config) { c.Adopt = true })
	mail := lina().Mail
	there.Add(map[string]any{"userPrincipalName": mail, "mailNickname": "lmartin", "employeeId": "4711"})
	if r, ok, err := g.Find(t.Context(), lina()); err != nil || !ok || r.Privileged != "" || r.Number != "4711" {
		t.Errorf("without a role: %+v, %t, %v", r, ok, err)
	}
	there.Roles = map[string]string{mail: "Global Administrator"}
	if r, ok, err := g.Find(t.Context(), lina()); err != nil || !ok || r.Privileged != "directory role Global Administrator" {
		t.Errorf("with a role: %+v, %t, %v", r, ok, err)
	}
	there.HideRoles = true // nobody can tell: then it is not taken over either
	if r, ok, err := g.Find(t.Context(), lina()); err != nil || !ok || r.Privileged == "" {
		t.Errorf("with roles that may not be read: %+v, %t, %v", r, ok, err)
	}
}

func TestAUserIsReadByItsIdentifier(t *testing.T) {
	_, g := open(t, nil)
	id, err := g.Create(t.Context(), lina())
	if err != nil {
		t.Fatal(err)
	}
	if r, ok, err := g.At(t.Context(), id, lina()); err != nil || !ok || r.Key != lina().Key {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
	if _, ok, err := g.At(t.Context(), "nobody", lina()); err != nil || ok {
		t.Errorf("nobody: %t, %v", ok, err)
	}
}

func TestAWrongSecretIsTheTenantsAffairAndStaysSecret(t *testing.T) {
	_, g := open(t, func(c *graph.Config) { c.ClientSecret = "a-wrong-secret" })
	_, err := g.Probe(t.Context())
	if !target.Is(err, target.Denied) || strings.Contains(err.Error(), "a-wrong-secret") {
		t.Errorf("denied: %v", err)
	}
}

func TestTheListFollowsItsPages(t *testing.T) {
	_, g := open(t, nil)
	for i := range 5 {
		a := target.Account{Key: fmt.Sprint("k", i), Login: fmt.Sprint("u", i), FamilyName: "X", Mail: fmt.Sprintf("u%d@valmont.example", i)}
		if _, err := g.Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	if err := g.List(t.Context(), func(target.Remote) error { n++; return nil }); err != nil || n != 5 {
		t.Errorf("%d users, %v", n, err)
	}
}

func TestTheListFollowsItsPagesOverTLS(t *testing.T) {
	there := pretend.NewGraph("client", "the-secret")
	g, err := graph.New(target.Line{Base: "https://graph.valmont.example/v1.0", Timeout: time.Second, Rate: 1000, Transport: pretend.Network{"graph.valmont.example": there}}, graph.Config{
		Tenant: "valmont", ClientID: "client", ClientSecret: "the-secret", TokenURL: "https://graph.valmont.example/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := g.Create(t.Context(), target.Account{Key: fmt.Sprint("k", i), Login: fmt.Sprint("u", i), FamilyName: "X", Mail: fmt.Sprintf("u%d@valmont.example", i)}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	if err := g.List(t.Context(), func(target.Remote) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d users, %v", n, err)
	}
}
