package cas

import (
	"errors"
	"strings"
	"testing"
)

func TestPatternsMatchWholeNames(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"https://moodle.univ.fr",
			[]string{"https://moodle.univ.fr/", "https://moodle.univ.fr", "https://MOODLE.univ.fr:443/a/b?c=d", "https://moodle.univ.fr/%2F"},
			[]string{"http://moodle.univ.fr/", "https://moodle.univ.fr:8443/", "https://moodle.univ.fr.evil.com/", "https://evil-moodle.univ.fr/", "https://evil.com/?https://moodle.univ.fr", "https://evil.com/moodle.univ.fr", "https://xmoodle.univ.fr/"}},
		{"https://apps.univ.fr/wiki",
			[]string{"https://apps.univ.fr/wiki", "https://apps.univ.fr/wiki/", "https://apps.univ.fr/wiki/a/b", "https://apps.univ.fr/wiki?x=1", "https://apps.univ.fr/%77iki"},
			[]string{"https://apps.univ.fr/", "https://apps.univ.fr/wikipedia", "https://apps.univ.fr/Wiki", "https://apps.univ.fr/x/wiki", "https://apps.univ.fr/wiki%2Fa", "https://apps.univ.fr//wiki"}},
		{"https://apps.univ.fr/wiki/",
			[]string{"https://apps.univ.fr/wiki", "https://apps.univ.fr/wiki/a"}, []string{"https://apps.univ.fr/wiki2"}},
		{"https://moodle.univ.fr/*",
			[]string{"https://moodle.univ.fr/", "https://moodle.univ.fr", "https://moodle.univ.fr/a/b"}, []string{"https://moodle.univ.fr.evil.com/", "http://moodle.univ.fr/"}},
		{"https://apps.univ.fr/wiki/*",
			[]string{"https://apps.univ.fr/wiki", "https://apps.univ.fr/wiki/a"}, []string{"https://apps.univ.fr/wiki2", "https://apps.univ.fr/"}},
		{"https://apps.univ.fr/*/login",
			[]string{"https://apps.univ.fr/a/login", "https://apps.univ.fr/b/login/x"},
			[]string{"https://apps.univ.fr/login", "https://apps.univ.fr//login", "https://apps.univ.fr/a/b/login"}},
		{"https://apps.univ.fr/sso/login$",
			[]string{"https://apps.univ.fr/sso/login", "https://apps.univ.fr/sso/login?x=1"},
			[]string{"https://apps.univ.fr/sso/login/", "https://apps.univ.fr/sso/login/x", "https://apps.univ.fr/sso"}},
		{"https://apps.univ.fr/$",
			[]string{"https://apps.univ.fr/", "https://apps.univ.fr"}, []string{"https://apps.univ.fr/a"}},
		{"https://*.sites.univ.fr",
			[]string{"https://a.sites.univ.fr/", "https://b-c.sites.univ.fr/x"},
			[]string{"https://sites.univ.fr/", "https://a.b.sites.univ.fr/", "https://asites.univ.fr/", "https://a.sites.univ.fr.evil.com/"}},
		{"http://localhost:8080/app",
			[]string{"http://localhost:8080/app/x"}, []string{"http://localhost/app", "http://127.0.0.1:8080/app"}},
		{"loopback",
			[]string{"http://localhost:9501/secret/", "https://127.0.0.1/", "http://127.3.2.1:1/", "http://[::1]:80/"},
			[]string{"http://localhost.evil.com/", "http://10.0.0.1/", "http://[::2]/", "https://univ.fr/", "http://[::ffff:127.0.0.1]/"}},
	} {
		t.Run(c.pattern, func(t *testing.T) {
			p, err := ParsePattern(c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range c.yes {
				s, err := ParseServiceURL(text)
				if err != nil || !p.Match(s) {
					t.Errorf("%s does not match %s (%v)", c.pattern, text, err)
				}
				if !filed(p, s) {
					t.Errorf("an index would not find %s for %s", c.pattern, text)
				}
			}
			for _, text := range c.no {
				if s, err := ParseServiceURL(text); err == nil && p.Match(s) {
					t.Errorf("%s matches %s", c.pattern, text)
				}
			}
		})
	}
}

// filed reports whether an index by keys finds the pattern.
func filed(p Pattern, s ServiceURL) bool {
	for _, key := range s.Keys() {
		if key == p.Key() {
			return true
		}
	}
	return false
}

func TestPatternsThatCouldMeanTooMuchAreRefused(t *testing.T) {
	for text, want := range map[string]*PatternError{
		"":                             ErrPatternScheme,
		"*":                            ErrPatternScheme,
		"moodle.univ.fr":               ErrPatternScheme,
		"ftp://univ.fr":                ErrPatternScheme,
		"https*://univ.fr":             ErrPatternScheme,
		"https://":                     ErrPatternHost,
		"https://*":                    ErrPatternWildcard,
		"https://*.fr":                 ErrPatternWildcard,
		"https://a.*.fr":               ErrPatternWildcard,
		"https://moodle*.univ.fr":      ErrPatternWildcard,
		"https://*.*.univ.fr":          ErrPatternWildcard,
		"https://*.10.0.0.1":           ErrPatternWildcard,
		"https://univ.fr:*":            ErrPatternWildcard,
		"https://univ.fr/a*":           ErrPatternWildcard,
		"https://univ.fr/**":           ErrPatternWildcard,
		"https://moodle.univ.fr@evil/": ErrPatternUserInfo,
		"https://univ.fr/a?b=c":        ErrPatternQuery,
		"https://univ.fr/#a":           ErrPatternQuery,
		"https://univ.fr/a/../b":       ErrPatternDots,
		"https://univ.fr/%2e%2e/b":     ErrPatternDots,
		"https://univ fr/":             ErrPatternUnreadable,
		`https:\\univ.fr`:              ErrPatternUnreadable,
		"https://univ.fr:99999999/":    ErrPatternHost,
		"https://univ..fr/":            ErrPatternHost,
	} {
		t.Run(text, func(t *testing.T) {
			if p, err := ParsePattern(text); !errors.Is(err, want) {
				t.Errorf("ParsePattern(%q) = %q, %v; want %v", text, p, err, want)
			}
		})
	}
}

// FuzzPattern looks for an address that a pattern admits although its origin is
// another one.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"https://good.example/app", "https://good.example/app/x"}, {"https://*.good.example", "https://a.good.example/"},
		{"loopback", "http://127.0.0.1/"}, {"https://good.example/*/x$", "https://good.example/y/x"},
		{"https://good.example", "https://good.example.evil.com"}, {"https://good.example", "https://good.example@evil.com"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, address string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		s, err := ParseServiceURL(address)
		if err != nil || !p.Match(s) {
			return
		}
		if !filed(p, s) {
			t.Fatalf("%q matches %q, but an index would not find it", pattern, address)
		}
		if p.Loopback() {
			return
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(p.Key(), p.scheme+"://"), "/")
		if suffix, wild := strings.CutPrefix(host, "*"); wild && !strings.HasSuffix(s.Origin(), suffix) || !wild && s.Origin() != p.Key() {
			t.Fatalf("%q matches %q", pattern, address)
		}
	})
}
