package nextcloud_test

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/nextcloud"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

func open(t *testing.T, c nextcloud.Config) (*pretend.Nextcloud, *nextcloud.Nextcloud) {
	t.Helper()
	there := pretend.NewNextcloud("amphi", "app-password")
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	c.User, c.Password = "amphi", "app-password"
	n, err := nextcloud.New(target.Line{Base: server.URL, Timeout: time.Second, Rate: 1000}, c)
	if err != nil {
		t.Fatal(err)
	}
	return there, n
}

func lina() target.Account {
	return target.Account{Key: "0198-lina", Login: "lmartin", GivenName: "Lina", FamilyName: "Martin", Mail: "lina@valmont.example", Groups: []string{"promo l2/a"}}
}

func TestAnAccountIsMadeFoundChangedSuspendedAndDeleted(t *testing.T) {
	there, n := open(t, nextcloud.Config{Quota: "20 GB"})
	if _, ok, err := n.Find(t.Context(), lina()); ok || err != nil {
		t.Fatalf("before it is made: %t, %v", ok, err)
	}
	id, err := n.Create(t.Context(), lina())
	if err != nil {
		t.Fatal(err)
	}
	u, ok := there.Get("lmartin")
	if !ok || u.Quota != "20 GB" || u.DisplayName != "Lina Martin" || !slices.Equal(u.Groups, []string{"amphi:promo l2/a"}) {
		t.Errorf("made as %+v", u)
	}
	renamed := lina()
	renamed.Login, renamed.FamilyName, renamed.Groups = "lduval", "Duval", []string{"promo-l3"}
	if err := n.Change(t.Context(), id, renamed); err != nil {
		t.Fatal(err)
	}
	if u, _ := there.Get("lmartin"); u.DisplayName != "Lina Duval" || !slices.Equal(u.Groups, []string{"amphi:promo-l3"}) {
		t.Errorf("changed to %+v", u)
	}
	if err := n.Suspend(t.Context(), id, renamed); err != nil {
		t.Fatal(err)
	}
	if u, _ := there.Get("lmartin"); u.Enabled {
		t.Error("not suspended")
	}
	if err := n.Change(t.Context(), id, renamed); err != nil {
		t.Fatal(err)
	}
	if u, _ := there.Get("lmartin"); !u.Enabled {
		t.Error("not let in again")
	}
	for range 2 {
		if err := n.Delete(t.Context(), id, renamed); err != nil {
			t.Errorf("deleted: %v", err)
		}
	}
	if err := n.Change(t.Context(), id, renamed); !target.Is(err, target.Gone) {
		t.Errorf("changing what is gone: %v", err)
	}
}

func TestALostAnswerMakesNoSecondAccount(t *testing.T) {
	there, n := open(t, nextcloud.Config{UserID: nextcloud.ByKey})
	there.Lose(1)
	if _, err := n.Create(t.Context(), lina()); !target.Is(err, target.Down) || !target.FailureOf(err).Maybe {
		t.Fatalf("the failure is %v", err)
	}
	if id, err := n.Create(t.Context(), lina()); err != nil || id != "0198-lina" {
		t.Errorf("asked again: %q, %v", id, err)
	}
	keys := 0
	if err := n.List(t.Context(), func(r target.Remote) error {
		if r.Key == "0198-lina" {
			keys++
		}
		return nil
	}); err != nil || keys != 1 {
		t.Errorf("listed %d times, %v", keys, err)
	}
}

func TestWhoeverIsCalledLikeAnAdministratorDoesNotBecomeOne(t *testing.T) {
	there, n := open(t, nextcloud.Config{})
	there.Put(pretend.NextcloudUser{ID: "root", Enabled: true, Groups: []string{"admin"}})
	there.Put(pretend.NextcloudUser{ID: "amphi", Enabled: true}) // in whose name we keep accounts
	there.Put(pretend.NextcloudUser{ID: "chief", Enabled: true, Subadmin: []string{"lab"}})
	there.Put(pretend.NextcloudUser{ID: "lmartin", Enabled: true})
	for login, refused := range map[string]bool{"root": true, "amphi": true, "chief": true, "lmartin": false} {
		a := lina()
		a.Login = login
		if _, found, err := n.Find(t.Context(), a); found == refused || target.Is(err, target.Privileged) != refused {
			t.Errorf("%s: found %t, %v", login, found, err)
		}
	}
}

func TestAnAccountWithAnotherAddressBearsNoKey(t *testing.T) {
	there, n := open(t, nextcloud.Config{})
	there.Put(pretend.NextcloudUser{ID: "lmartin", Enabled: true, Email: "somebody@elsewhere.example"})
	if r, ok, err := n.Find(t.Context(), lina()); err != nil || !ok || r.Key != "" || r.Mail != "somebody@elsewhere.example" {
		t.Errorf("found %+v, %t, %v", r, ok, err)
	}
}

func TestAnAccountIsReadByItsIdentifier(t *testing.T) {
	there, n := open(t, nextcloud.Config{})
	there.Put(pretend.NextcloudUser{ID: "root", Enabled: true, Groups: []string{"admin"}})
	there.Put(pretend.NextcloudUser{ID: "lmartin", Enabled: true})
	if r, ok, err := n.At(t.Context(), "lmartin", lina()); err != nil || !ok || r.Key != lina().Key {
		t.Errorf("hers: %+v, %t, %v", r, ok, err)
	}
	if r, ok, err := n.At(t.Context(), "root", lina()); err != nil || !ok || r.Key != "" {
		t.Errorf("the administrator's: %+v, %t, %v", r, ok, err)
	}
	if _, ok, err := n.At(t.Context(), "nobody", lina()); err != nil || ok {
		t.Errorf("nobody's: %t, %v", ok, err)
	}
}

func TestAWrongPasswordIsTheServicesAffair(t *testing.T) {
	there, n := open(t, nextcloud.Config{})
	if said, err := n.Probe(t.Context()); err != nil || said == "" {
		t.Errorf("%q, %v", said, err)
	}
	there.Password = "another"
	if _, err := n.Probe(t.Context()); !target.Is(err, target.Denied) {
		t.Errorf("denied: %v", err)
	}
}
