package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/intake"
)

func TestServicesAreKeptFromTheTerminal(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cfg := write("amphi.toml", "[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n\n[[sso.services]]\nid = 'fixed'\nname_fr = 'Fixe'\npatterns = ['https://fixed.univ.fr/']\n")
	amphi := func(code int, texts []string, args ...string) string {
		t.Helper()
		got, out := run(t, append([]string{"service", args[0], "-c", cfg}, args[1:]...)...)
		if got != code {
			t.Errorf("%v: exit %d, want %d: %s", args, got, code, out)
		}
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%v: no %q in %s", args, text, out)
			}
		}
		return out
	}

	amphi(0, []string{"1 added", "/cas/p3/serviceValidate"}, "add", "--id", "wiki", "--name-fr", "Wiki", "--pattern", "https://wiki.univ.fr/", "--attribute", "mail", "--required", "mail", "--kind", "staff")
	amphi(1, []string{"sso.service_taken"}, "add", "--id", "wiki", "--name-fr", "Wiki", "--pattern", "https://wiki.univ.fr/")
	amphi(2, []string{"services[0].attributes: password is not one", "services[0].required"}, "add", "--id", "x", "--name-fr", "X", "--pattern", "https://x.univ.fr/", "--attribute", "password", "--required", "mail")
	amphi(1, []string{"sso.service_read_only"}, "add", "--replace", "--id", "fixed", "--name-fr", "X", "--pattern", "https://x.univ.fr/")

	out := amphi(0, []string{"client_secret", "It is shown this once", "/.well-known/openid-configuration"}, "add", "--id", "git", "--name-en", "Forge", "--redirect-uri", "https://git.univ.fr/cb")
	secret := regexp.MustCompile(`client_secret (\S+)`).FindStringSubmatch(out)
	if secret == nil || !strings.Contains(amphi(0, nil, "show", "git"), intake.HashSecret(secret[1])) {
		t.Errorf("the registry does not hold the hash of the secret in %s", out)
	}
	out = amphi(0, []string{"client_id", "the one before is not taken"}, "secret", "git", "--ends", "2027-09-01")
	if shown := amphi(0, []string{"2027-09-01"}, "show", "git"); strings.Contains(shown, intake.HashSecret(secret[1])) {
		t.Errorf("the old secret is still good: %s", shown)
	}
	amphi(1, []string{"which has no secret"}, "secret", "wiki")

	file := write("all.toml", amphi(0, []string{"[[services]]", "id = 'git'"}, "list", "--format", "toml"))
	amphi(0, []string{"fixed", "(configuration)", "open"}, "list")
	amphi(0, []string{`"client_id": "git"`}, "list", "--format", "json")
	if out := amphi(0, []string{"wiki"}, "list", "wiki"); strings.Contains(out, "git") {
		t.Error(out)
	}
	amphi(1, []string{"sso.service_read_only"}, "add", "--replace", file)
	amphi(0, []string{"wiki is closed"}, "close", "wiki")
	amphi(0, []string{"closed"}, "list", "wiki")
	amphi(0, []string{"wiki is open"}, "open", "wiki")
	amphi(0, []string{"wiki is removed"}, "remove", "wiki")
	amphi(1, []string{"sso.service_missing"}, "show", "wiki")
	amphi(2, []string{"line 2: services[0].id"}, "add", write("bad.toml", "[[services]]\nid = 'A b'\nname_fr = 'A'\npatterns = ['https://a.univ.fr/']\n"))

	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer site.Close()
	amphi(0, []string{"1 added"}, "add", "--id", "here", "--name-fr", "Ici", "--pattern", site.URL+"/", "--kind", "staff")
	amphi(0, []string{"204 No Content  " + site.URL, "/cas/login", "we gave 0 answers"}, "test", "here")
	if code, out := run(t, "person", "add", "-c", cfg, "lmartin", "--mail", "l@v.example", "--given-name", "Lina", "--family-name", "Martin", "--affiliation", "student"); code != 0 {
		t.Fatal(out)
	}
	amphi(1, []string{"Lina Martin would meet", "stops", "Whom the service is for", "something to mend"}, "test", "here", "--offline", "--as", "lmartin")
	site.Close()
	amphi(1, []string{"no answer  " + site.URL}, "test", "here")

	metadata := write("sp.xml", `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp.univ.fr/sp"><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+
		`<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.univ.fr/acs" index="1"/></SPSSODescriptor></EntityDescriptor>`)
	amphi(0, []string{"Nothing was changed", "entity_id = 'https://sp.univ.fr/sp'", "id = 'paper'"}, "import", "--check", "--id", "paper", "--name-en", "Journals", "--consent", metadata)
	amphi(0, []string{"1 added", "/saml/metadata"}, "import", "--id", "paper", "--name-en", "Journals", "--consent", metadata)
	amphi(0, []string{"consent = true"}, "show", "paper")
	amphi(0, []string{"name_id_from = 'uid'", "attribute_names = ['IDPEmail=mail', 'x=sn']", "session_limit = '8h"}, "import", "--check", "--id", "x", "--name-en", "X",
		"--set", "saml.name_id_from=uid", "--set", "saml.attribute_names=IDPEmail=mail,x=sn", "--set", "session_limit=8h", metadata)
	amphi(2, []string{"saml.nameid_from", "did you mean"}, "import", "--check", "--name-en", "X", "--set", "saml.nameid_from=uid", metadata)
	amphi(1, []string{"write KEY=VALUE"}, "import", "--check", "--name-en", "X", "--set", "oidc.dpop", metadata)

	one, err := os.ReadFile(metadata)
	if err != nil {
		t.Fatal(err)
	}
	many := write("all.xml", `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">`+string(one)+strings.ReplaceAll(string(one), "sp.univ.fr", "wiki.univ.fr")+"</EntitiesDescriptor>")
	amphi(1, []string{"holds 2 service providers: choose one with --entity", "https://wiki.univ.fr/sp"}, "import", "--check", many)
	amphi(0, []string{"entity_id = 'https://wiki.univ.fr/sp'", "subscribe to the federation"}, "import", "--check", "--entity", "wiki", many)
}
