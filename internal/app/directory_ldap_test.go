package app

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/supanntest"
)

func TestAThousandPeopleComeFromARealLDAPAndFollowIt(t *testing.T) {
	server := supanntest.Start(t, 1000)
	cfg := Defaults()
	cfg.Server.DataDir = t.TempDir()
	cfg.Directory.Sources = []source.Config{{
		ID: "ldap", Kind: source.KindLDAP, Preset: source.PresetSupAnn,
		LDAP: source.LDAPConfig{
			URLs: []string{server.URL}, StartTLS: true, CAFile: server.CAFile, BindDN: supanntest.Reader, BindPassword: supanntest.Password,
			Base: supanntest.People, GroupBase: supanntest.Groups, UnitBase: supanntest.Units, UnitFilter: "(objectClass=supannEntite)", Page: 100,
		},
	}}
	house, err := Open(t.Context(), cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(house.Close)
	count := func(query string) (n int) {
		t.Helper()
		if err := house.DB.Read().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	read := func() register.Counts {
		t.Helper()
		r, err := house.directory.Sources().Run(t.Context(), register.Order{Source: "ldap"})
		if err != nil || r.State != register.Done {
			t.Fatalf("%+v %v", r, err)
		}
		return r.Counts
	}

	if c := read(); c.Creations != 1000 || c.Conflicts != 0 {
		t.Fatalf("the first reading: %+v", c)
	}
	for what, c := range map[string]struct {
		query string
		least int
	}{
		"students":      {"SELECT COUNT(*) FROM identity_affiliations WHERE kind = 'student' AND programme <> ''", 800},
		"registrations": {"SELECT COUNT(DISTINCT person_id) FROM identity_registrations WHERE source = 'ldap'", 1000},
		"units":         {"SELECT COUNT(*) FROM directory_units", 5},
		"groups":        {"SELECT COUNT(DISTINCT group_code) FROM directory_group_people", 4},
		"members":       {"SELECT COUNT(*) FROM directory_group_people", 800},
		"telephones":    {"SELECT COUNT(*) FROM directory_entries WHERE phones <> '' AND office <> ''", 200},
		"unlisted":      {"SELECT COUNT(*) FROM directory_entries WHERE unlisted", 10},
	} {
		if n := count(c.query); n < c.least {
			t.Errorf("%d %s, at least %d are in the LDAP", n, what, c.least)
		}
	}
	time.Sleep(1100 * time.Millisecond) // the server counts changes in seconds
	if c := read(); c.Planned != 0 {
		t.Errorf("when nothing happened: %+v", c)
	}

	admin := server.As(t, supanntest.Admin)
	renamed := ldap.NewModifyRequest(supanntest.DN(supanntest.Login(1)), nil)
	renamed.Replace("sn", []string{"Quéméneur"})
	for _, err := range []error{
		admin.Modify(renamed),
		admin.ModifyDN(ldap.NewModifyDNRequest(supanntest.DN(supanntest.Login(2)), "uid=e99992", true, "")),
		admin.Del(ldap.NewDelRequest(supanntest.DN(supanntest.Login(3)), nil)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c := read()
	if c.Creations != 0 || c.Changes != 2 || c.Departures != 1 || c.Conflicts != 0 {
		t.Errorf("after a new name, a new login and a departure: %+v", c)
	}
	if count("SELECT COUNT(*) FROM identity_people WHERE family_name = 'Quéméneur'") != 1 || count("SELECT COUNT(*) FROM identity_people WHERE login = 'e99992'") != 1 ||
		count("SELECT COUNT(*) FROM identity_registrations WHERE until_at > 0") != 1 || count("SELECT COUNT(*) FROM identity_people") != 1000 {
		t.Error("the changes did not arrive")
	}

	server.Stop(t)
	if _, err := house.directory.Sources().Run(t.Context(), register.Order{Source: "ldap"}); err == nil {
		t.Error("a server that is down was read")
	}
	if count("SELECT COUNT(*) FROM identity_registrations WHERE until_at > 0") != 1 {
		t.Error("people left because the server was down")
	}
}
