package ldapbind

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/slapdtest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// directory is the client of a real server.
func directory(t *testing.T, s *slapdtest.Server, change func(*upstream.LDAPConfig)) *Directory {
	t.Helper()
	c := upstream.Config{ID: "annuaire", Kind: upstream.KindLDAP, NameFrench: "l’annuaire", NameEnglish: "the directory", LDAP: upstream.LDAPConfig{
		URLs: []string{s.TLSURL}, CAFile: s.CAFile, BindDN: slapdtest.Service, BindPassword: slapdtest.ServicePassword, Base: slapdtest.Base,
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
	s := slapdtest.Start(t)
	for name, change := range map[string]func(*upstream.LDAPConfig){
		"over ldaps":       nil,
		"over StartTLS":    func(c *upstream.LDAPConfig) { c.URLs, c.StartTLS = []string{s.URL}, true },
		"by a DN template": func(c *upstream.LDAPConfig) { c.DN = "uid={login}," + slapdtest.Base },
		"when the first server is off": func(c *upstream.LDAPConfig) {
			c.URLs = []string{"ldaps://localhost:1", s.TLSURL}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := directory(t, s, change).Check(t.Context(), slapdtest.Fine, slapdtest.Password)
			if err != nil {
				t.Fatal(err)
			}
			if a.Issuer != slapdtest.Base || len(a.Subject) != 36 || a.Attributes["mail"][0] != slapdtest.Fine+"@valmont.example" || len(a.Remarks) > 0 {
				t.Errorf("it answers %+v", a)
			}
		})
	}
}

func TestThePasswordPolicySaysWhatStandsInTheWay(t *testing.T) {
	s := slapdtest.Start(t)
	d := directory(t, s, nil)
	for login, want := range map[string]struct {
		reason *fault.Reason
		proved bool
	}{
		slapdtest.Expired: {upstream.PasswordExpired, true},
		slapdtest.Reset:   {upstream.PasswordReset, true},
		slapdtest.Locked:  {upstream.AccountLocked, false},
		slapdtest.Nobody:  {upstream.Refused, false},
	} {
		_, err := d.Check(t.Context(), login, slapdtest.Password)
		if err == nil {
			t.Errorf("%s got in", login)
			continue
		}
		if f := failureOf(t, err); f.Reason != want.reason || f.Proved != want.proved || f.Untested {
			t.Errorf("%s: %+v", login, f)
		}
	}
	for _, login := range []string{slapdtest.Fine, slapdtest.Expired, slapdtest.Reset} {
		_, err := d.Check(t.Context(), login, "faux")
		if f := failureOf(t, err); f.Reason != upstream.Refused || f.Proved {
			t.Errorf("%s with a wrong password: %+v", login, f)
		}
	}
	for login, key := range map[string]string{slapdtest.Soon: "identity.upstream.remark.expiring", slapdtest.Grace: "identity.upstream.remark.grace"} {
		a, err := d.Check(t.Context(), login, slapdtest.Password)
		if err != nil || len(a.Remarks) != 1 || a.Remarks[0].Key != key {
			t.Errorf("%s: %+v %v", login, a.Remarks, err)
		}
	}
}

func TestWhatIsTypedIsNoFilterAndNoEmptyBind(t *testing.T) {
	d := directory(t, slapdtest.Start(t), nil)
	for name, c := range map[string]struct{ login, password string }{
		"an empty password":      {slapdtest.Fine, ""}, // RFC 4513 §5.1.2: the bind would succeed
		"a filter":               {"*", slapdtest.Password},
		"a filter that closes":   {slapdtest.Fine + ")(uid=*", slapdtest.Password},
		"a zero byte":            {slapdtest.Fine + "\x00", slapdtest.Password},
		"no identifier":          {"", slapdtest.Password},
		"an endless identifier":  {strings.Repeat("a", 300), slapdtest.Password},
		"a DN for an identifier": {"uid=" + slapdtest.Fine + "," + slapdtest.Base, slapdtest.Password},
	} {
		_, err := d.Check(t.Context(), c.login, c.password)
		if f := failureOf(t, err); f.Reason != upstream.Refused {
			t.Errorf("%s: %+v", name, f)
		}
	}
	template := directory(t, slapdtest.Start(t), func(c *upstream.LDAPConfig) { c.DN = "uid={login}," + slapdtest.Base })
	_, err := template.Check(t.Context(), slapdtest.Fine+","+slapdtest.Base+"+cn=x", slapdtest.Password)
	if f := failureOf(t, err); f.Reason != upstream.Refused {
		t.Errorf("a template that is left: %+v", f)
	}
}

func TestADirectoryThatIsDownTestedNoPassword(t *testing.T) {
	s := slapdtest.Start(t)
	d := directory(t, s, func(c *upstream.LDAPConfig) { c.Patience = time.Minute })
	if _, err := d.Check(t.Context(), slapdtest.Fine, slapdtest.Password); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	var since time.Time
	for range 3 {
		started := time.Now()
		_, err := d.Check(t.Context(), slapdtest.Fine, slapdtest.Password)
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
	if _, err := d.Check(t.Context(), slapdtest.Fine, slapdtest.Password); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestACertificateOfSomebodyElseIsNoDirectory(t *testing.T) {
	s := slapdtest.Start(t)
	for name, change := range map[string]func(*upstream.LDAPConfig){
		"unknown authority": func(c *upstream.LDAPConfig) { c.CAFile = "" },
		"another name": func(c *upstream.LDAPConfig) {
			c.URLs = []string{strings.Replace(s.TLSURL, "localhost", "127.0.0.1", 1)}
		},
	} {
		_, err := directory(t, s, change).Check(t.Context(), slapdtest.Fine, slapdtest.Password)
		if f := failureOf(t, err); f.Reason != upstream.Unreachable || !f.Untested {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAnAccountThatMayNotSearchIsASettingAndNobodysPassword(t *testing.T) {
	d := directory(t, slapdtest.Start(t), func(c *upstream.LDAPConfig) { c.BindPassword = "faux" })
	_, err := d.Check(t.Context(), slapdtest.Fine, slapdtest.Password)
	if f := failureOf(t, err); f.Reason != upstream.Misconfigured || !f.Untested || !strings.Contains(f.Expected, slapdtest.Service) {
		t.Errorf("it is %+v", f)
	}
}

func TestAPasswordThatEndedIsChanged(t *testing.T) {
	s := slapdtest.Start(t)
	const fresh = "tout-Neuf-2026!"
	for _, c := range []struct {
		name, mode, login string
		want              *fault.Reason
	}{
		{"set by somebody else, by its owner", "user", slapdtest.Reset, nil},
		{"expired, by its owner", "user", slapdtest.Expired, upstream.PasswordExpired},
		{"expired, by the service", "service", slapdtest.Expired, nil},
		{"of somebody who is locked", "service", slapdtest.Locked, upstream.AccountLocked},
		{"of nobody", "service", slapdtest.Nobody, upstream.Refused},
	} {
		d := directory(t, s, func(l *upstream.LDAPConfig) { l.Change = c.mode })
		err := d.Change(t.Context(), c.login, slapdtest.Password, fresh)
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
	if f := failureOf(t, d.Change(t.Context(), slapdtest.Fine, "faux", fresh)); f.Reason != upstream.Refused {
		t.Errorf("with a wrong old password: %+v", f)
	}
	if f := failureOf(t, d.Change(t.Context(), slapdtest.Fine, slapdtest.Password, "court")); f.Reason != upstream.PasswordForm || f.Text == "" {
		t.Errorf("with a new one that is too short: %+v", f)
	}
}

func TestAnUnknownIdentifierTakesAsLongAsAWrongPassword(t *testing.T) {
	d := directory(t, slapdtest.Start(t), nil)
	d.learn(40 * time.Millisecond) // as if hashing there were slow
	for name, ask := range map[string]func(){
		"a check": func() {
			if _, err := d.Check(t.Context(), slapdtest.Nobody, "x"); err == nil {
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
	s := slapdtest.Start(t)
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
