package ldapbind

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/testenv/slapd"
)

// directory is the client of a real server.
func directory(t *testing.T, s *slapd.Server, change func(*upstream.LDAPConfig)) *Directory {
	t.Helper()
	c := upstream.Config{ID: "annuaire", Kind: upstream.KindLDAP, NameFrench: "l’annuaire", NameEnglish: "the directory", LDAP: upstream.LDAPConfig{
		URLs: []string{s.TLSURL}, CAFile: s.CAFile, BindDN: slapd.Service, BindPassword: slapd.ServicePassword, Base: slapd.Base,
	}}
	if change != nil {
		change(&c.LDAP)
	}
	d, err := New(c, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// failureOf is the failure within an error, and fails the test for any other.
func failureOf(t *testing.T, err error) *upstream.Failure {
	t.Helper()
	var f *upstream.Failure
	if !errors.As(err, &f) {
		t.Fatalf("no failure of an upstream: %v", err)
	}
	return f
}

func TestARightPasswordSaysWhoItIs(t *testing.T) {
	s := slapd.Start(t)
	for name, change := range map[string]func(*upstream.LDAPConfig){
		"over ldaps":       nil,
		"over StartTLS":    func(c *upstream.LDAPConfig) { c.URLs, c.StartTLS = []string{s.URL}, true },
		"by a DN template": func(c *upstream.LDAPConfig) { c.DN = "uid={login}," + slapd.Base },
		"when the first server is off": func(c *upstream.LDAPConfig) {
			c.URLs = []string{"ldaps://localhost:1", s.TLSURL}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := directory(t, s, change).Check(t.Context(), slapd.Fine, slapd.Password)
			if err != nil {
				t.Fatal(err)
			}
			if a.Issuer != slapd.Base || len(a.Subject) != 36 || a.Attributes["mail"][0] != slapd.Fine+"@valmont.example" || len(a.Remarks) > 0 {
				t.Errorf("it answers %+v", a)
			}
		})
	}
}

func TestThePasswordPolicySaysWhatStandsInTheWay(t *testing.T) {
	s := slapd.Start(t)
	d := directory(t, s, nil)
	for login, want := range map[string]struct {
		reason *fault.Reason
		proved bool
	}{
		slapd.Expired: {upstream.PasswordExpired, true},
		slapd.Reset:   {upstream.PasswordReset, true},
		slapd.Locked:  {upstream.AccountLocked, false},
		slapd.Nobody:  {upstream.Refused, false},
	} {
		_, err := d.Check(t.Context(), login, slapd.Password)
		if err == nil {
			t.Errorf("%s got in", login)
			continue
		}
		if f := failureOf(t, err); f.Reason != want.reason || f.Proved != want.proved || f.Untested {
			t.Errorf("%s: %+v", login, f)
		}
	}
	for _, login := range []string{slapd.Fine, slapd.Expired, slapd.Reset} {
		_, err := d.Check(t.Context(), login, "faux")
		if f := failureOf(t, err); f.Reason != upstream.Refused || f.Proved {
			t.Errorf("%s with a wrong password: %+v", login, f)
		}
	}
	for login, key := range map[string]string{slapd.Soon: "identity.upstream.remark.expiring", slapd.Grace: "identity.upstream.remark.grace"} {
		a, err := d.Check(t.Context(), login, slapd.Password)
		if err != nil || len(a.Remarks) != 1 || a.Remarks[0].Key != key {
			t.Errorf("%s: %+v %v", login, a.Remarks, err)
		}
	}
}

func TestWhatIsTypedIsNoFilterAndNoEmptyBind(t *testing.T) {
	d := directory(t, slapd.Start(t), nil)
	for name, c := range map[string]struct{ login, password string }{
		"an empty password":      {slapd.Fine, ""}, // RFC 4513 §5.1.2: the bind would succeed
		"a filter":               {"*", slapd.Password},
		"a filter that closes":   {slapd.Fine + ")(uid=*", slapd.Password},
		"a zero byte":            {slapd.Fine + "\x00", slapd.Password},
		"no identifier":          {"", slapd.Password},
		"an endless identifier":  {strings.Repeat("a", 300), slapd.Password},
		"a DN for an identifier": {"uid=" + slapd.Fine + "," + slapd.Base, slapd.Password},
	} {
		_, err := d.Check(t.Context(), c.login, c.password)
		if f := failureOf(t, err); f.Reason != upstream.Refused {
			t.Errorf("%s: %+v", name, f)
		}
	}
	template := directory(t, slapd.Start(t), func(c *upstream.LDAPConfig) { c.DN = "uid={login}," + slapd.Base })
	_, err := template.Check(t.Context(), slapd.Fine+","+slapd.Base+"+cn=x", slapd.Password)
	if f := failureOf(t, err); f.Reason != upstream.Refused {
		t.Errorf("a template that is left: %+v", f)
	}
}

func TestADirectoryThatIsDownTestedNoPassword(t *testing.T) {
	s := slapd.Start(t)
	d := directory(t, s, func(c *upstream.LDAPConfig) { c.Patience = time.Minute })
	if _, err := d.Check(t.Context(), slapd.Fine, slapd.Password); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	var since time.Time
	for range 3 {
		started := time.Now()
		_, err := d.Check(t.Context(), slapd.Fine, slapd.Password)
		f := failureOf(t, err)
		at, _ := f.Args["since"].(time.Time)
		if f.Reason != upstream.Unreachable || !f.Untested || at.IsZero() || !since.IsZero() && !at.Equal(since) {
			t.Fatalf("an outage is %+v", f)
		}
		if since = at; time.Since(started) > time.Second {
			t.Error("each answer waits for a directory that is known to be down")
		}
	}
	if steps := d.Probe(t.Context()); len(steps) != 1 || steps[0].OK {
		t.Errorf("the probe says %+v", steps)
	}
	s.Resume(t)
	d.servers.mu.Lock()
	d.servers.retryAt = time.Now()
	d.servers.mu.Unlock()
	if _, err := d.Check(t.Context(), slapd.Fine, slapd.Password); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestACertificateOfSomebodyElseIsNoDirectory(t *testing.T) {
	s := slapd.Start(t)
	for name, change := range map[string]func(*upstream.LDAPConfig){
		"unknown authority": func(c *upstream.LDAPConfig) { c.CAFile = "" },
		"another name": func(c *upstream.LDAPConfig) {
			c.URLs = []string{strings.Replace(s.TLSURL, "localhost", "127.0.0.1", 1)}
		},
	} {
		_, err := directory(t, s, change).Check(t.Context(), slapd.Fine, slapd.Password)
		if f := failureOf(t, err); f.Reason != upstream.Unreachable || !f.Untested {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAnAccountThatMayNotSearchIsASettingAndNobodysPassword(t *testing.T) {
	d := directory(t, slapd.Start(t), func(c *upstream.LDAPConfig) { c.BindPassword = "faux" })
	_, err := d.Check(t.Context(), slapd.Fine, slapd.Password)
	if f := failureOf(t, err); f.Reason != upstream.Misconfigured || !f.Untested || !strings.Contains(f.Expected, slapd.Service) {
		t.Errorf("it is %+v", f)
	}
}

func TestAPasswordThatEndedIsChanged(t *testing.T) {
	s := slapd.Start(t)
	const fresh = "tout-Neuf-2026!"
	for _, c := range []struct {
		name, mode, login string
		want              *fault.Reason
	}{
		{"set by somebody else, by its owner", "user", slapd.Reset, nil},
		{"expired, by its owner", "user", slapd.Expired, upstream.PasswordExpired},
		{"expired, by the service", "service", slapd.Expired, nil},
		{"of somebody who is locked", "service", slapd.Locked, upstream.AccountLocked},
		{"of nobody", "service", slapd.Nobody, upstream.Refused},
	} {
		d := directory(t, s, func(l *upstream.LDAPConfig) { l.Change = c.mode })
		err := d.Change(t.Context(), c.login, slapd.Password, fresh)
		if c.want != nil {
			if f := failureOf(t, err); f.Reason != c.want {
				t.Errorf("%s: %+v", c.name, f)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, err := d.Check(t.Context(), c.login, fresh); err != nil {
			t.Errorf("%s: the new password: %v", c.name, err)
		}
	}
	d := directory(t, s, func(l *upstream.LDAPConfig) { l.Change = "service" })
	if f := failureOf(t, d.Change(t.Context(), slapd.Fine, "faux", fresh)); f.Reason != upstream.Refused {
		t.Errorf("with a wrong old password: %+v", f)
	}
	if f := failureOf(t, d.Change(t.Context(), slapd.Fine, slapd.Password, "court")); f.Reason != upstream.PasswordForm || f.Text == "" {
		t.Errorf("with a new one that is too short: %+v", f)
	}
}

func TestAnUnknownIdentifierTakesAsLongAsAWrongPassword(t *testing.T) {
	d := directory(t, slapd.Start(t), nil)
	d.learn(40 * time.Millisecond) // as if hashing there were slow
	for name, ask := range map[string]func(){
		"a check": func() {
			if _, err := d.Check(t.Context(), slapd.Nobody, "x"); err == nil {
				t.Error("nobody got in")
			}
		},
		"an account whose password is ours": func() { d.Waste(t.Context()) },
	} {
		started := time.Now()
		ask()
		if took := time.Since(started); took < 40*time.Millisecond {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestTheProbeTellsEachStepAndWhenTheCertificateEnds(t *testing.T) {
	s := slapd.Start(t)
	steps := directory(t, s, nil).Probe(t.Context())
	var names []string
	for _, step := range steps {
		if !step.OK {
			t.Errorf("%s: %s", step.Name, step.Detail)
		}
		names = append(names, step.Name)
	}
	if !slices.Equal(names, []string{"connect", "bind", "search"}) || !steps[0].Ends.Equal(s.Ends) {
		t.Errorf("the steps are %+v", steps)
	}
}
