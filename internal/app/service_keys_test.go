package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestSigningKeysAreChangedFromTheTerminal(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(cfg, []byte("[server]\ndata_dir = '"+filepath.Join(dir, "var")+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	amphi := func(code int, text string, args ...string) string {
		t.Helper()
		got, out := run(t, append(append([]string{"service", "keys"}, args...), "-c", cfg)...)
		if got != code || !strings.Contains(out, text) {
			t.Fatalf("%v: exit %d, want %d with %q: %s", args, got, code, text, out)
		}
		return out
	}
	signing := func() string {
		t.Helper()
		found := regexp.MustCompile(`(?m)^saml RS256 current .* (\S+)$`).FindStringSubmatch(amphi(0, "oidc ES256", "list"))
		if found == nil {
			t.Fatal("no key of SAML signs")
		}
		return found[1]
	}
	first := signing()
	amphi(1, "make one first", "hasten", "saml")
	amphi(0, "is published", "roll", "saml")
	amphi(0, "next", "list")
	if now := signing(); now != first {
		t.Errorf("%s signs before its time", now)
	}
	amphi(0, "signs now", "hasten", "saml")
	second := signing()
	if out := amphi(0, first, "list"); second == first || !strings.Contains(out, "retired") {
		t.Errorf("after hasten: %s", out)
	}
	amphi(0, "withdrawn", "replace", "saml")
	if third := signing(); third == second {
		t.Error("the stolen key still signs")
	}
	amphi(2, "must be one of", "roll", "wiki")
}
