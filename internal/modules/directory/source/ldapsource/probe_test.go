package ldapsource_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/supanntest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestTheProbeTellsEachStepAndShowsASample(t *testing.T) {
	server := supanntest.Start(t, 10)
	s, m := open(t, configuration(server))
	steps := s.Probe(t.Context())
	var names []string
	for _, step := range steps {
		names = append(names, step.Name)
		if step.Err != nil {
			t.Errorf("%s: %v", step.Name, step.Err)
		}
	}
	if !slices.Equal(names, []string{"connect", "bind", "changes", "unit", "person", "group"}) || steps[0].Ends.IsZero() || steps[2].Detail != source.ChangesSync {
		t.Errorf("the steps are %+v", steps)
	}
	if entry, _ := m.Map(*steps[4].Sample); entry.Values.One("login") == "" {
		t.Errorf("the sample is %+v", steps[4].Sample)
	}
}

func TestTheProbeSaysWhatToMend(t *testing.T) {
	server := supanntest.Start(t, 10)
	for _, c := range []struct {
		name   string
		change func(*source.Config)
		step   string
		reason *fault.Reason
	}{
		{"nobody listens", func(c *source.Config) { c.LDAP.URLs = []string{"ldap://localhost:1"} }, "connect", source.Unreachable},
		{"no authority is named", func(c *source.Config) { c.LDAP.URLs, c.LDAP.CAFile = []string{server.TLSURL}, "" }, "connect", source.Untrusted},
		{"the certificate is that of another name", func(c *source.Config) {
			c.LDAP.URLs = []string{strings.Replace(server.TLSURL, "localhost", "127.0.0.1", 1)}
		}, "connect", source.Untrusted},
		{"a wrong password", func(c *source.Config) { c.LDAP.BindPassword = "faux" }, "bind", source.AccountRefused},
		{"a base that is not there", func(c *source.Config) { c.LDAP.Base = "ou=persons," + supanntest.Base }, "person", source.BaseMissing},
		{"a filter that fits nobody", func(c *source.Config) { c.LDAP.Filter, c.LDAP.GroupBase = "(uid=nobody)", "" }, "person", source.NothingFits},
		{"a key that entries do not have", func(c *source.Config) { c.LDAP.Key, c.LDAP.UnitBase = "exampleNote", "" }, "person", source.KeyMissing},
	} {
		s, _ := open(t, configuration(server, c.change))
		steps := s.Probe(t.Context())
		failed := slices.IndexFunc(steps, func(s source.Step) bool { return s.Err != nil })
		if failed < 0 || steps[failed].Name != c.step || !errors.Is(steps[failed].Err, c.reason) || !source.Blocked(steps) {
			t.Errorf("%s: the steps are %+v", c.name, steps)
		}
	}
	s, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.URLs = append([]string{"ldap://localhost:1"}, c.LDAP.URLs...) }))
	if steps := s.Probe(t.Context()); !errors.Is(steps[0].Err, source.Unreachable) || source.Blocked(steps) {
		t.Errorf("with one server of two the steps are %+v", steps)
	}
}
