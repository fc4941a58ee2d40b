package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A part is one real program that some tests need.
type part struct {
	name     string
	why      string          // what the tests do with it
	packages []string        // the Debian packages that bring it
	python   []string        // or the packages of PyPI, with their versions
	find     func() []string // its files, the program first; empty when something is missing
	exports  func(files []string) map[string]string
	version  func(program string) string

	found []string
}

// parts lists what the tests know how to use. The order is that of the report.
var parts = []*part{
	{
		name: "postgres", why: "store tests on PostgreSQL",
		packages: []string{"postgresql"},
		find:     findPostgres,
		exports:  func([]string) map[string]string { return nil }, // the DSN is known once the cluster runs
		version:  versionByFlag("--version"),
	},
	{
		name: "chromium", why: "browser tests",
		packages: []string{"chromium"},
		find:     findChromium,
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_CHROMIUM": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "apache", why: "single sign-on tests with mod_auth_cas, mod_auth_openidc and mod_auth_mellon",
		packages: []string{"apache2-bin", "libapache2-mod-auth-cas", "libapache2-mod-auth-openidc", "libapache2-mod-auth-mellon"},
		find:     findApache,
		exports: func(f []string) map[string]string {
			return map[string]string{"AMPHI_TEST_APACHE": f[0], "AMPHI_TEST_APACHE_MODULES": filepath.Dir(f[1])}
		},
		version: versionByFlag("-v"),
	},
	{
		name: "oathtool", why: "the authenticator app of the second factor's tests",
		packages: []string{"oathtool"},
		find:     func() []string { return onPath("oathtool") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_OATHTOOL": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "xmllint", why: "answers of CAS checked against the schema of the protocol",
		packages: []string{"libxml2-utils"},
		find:     func() []string { return onPath("xmllint") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_XMLLINT": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "xmlsec1", why: "SAML signatures and encryption checked by another program",
		packages: []string{"xmlsec1"},
		find:     func() []string { return onPath("xmlsec1") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_XMLSEC1": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "lasso", why: "SAML sign-ins at an identity provider of another making",
		packages: []string{"python3-lasso"},
		find:     findLasso,
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_LASSO": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "slapd", why: "passwords checked by LDAP, with the password policy overlay",
		packages: []string{"slapd"},
		find:     findSlapd,
		exports: func(f []string) map[string]string {
			return map[string]string{"AMPHI_TEST_SLAPD": f[0], "AMPHI_TEST_SLAPD_MODULES": filepath.Dir(f[1]), "AMPHI_TEST_SLAPD_SCHEMA": filepath.Dir(f[2])}
		},
		version: func(program string) string {
			// slapd prints its version on standard error, and calls that a failure.
			out, err := exec.Command(program, "-VV").CombinedOutput()
			if line, _, found := strings.Cut(strings.TrimSpace(string(out)), "\n"); found {
				return line
			}
			return fmt.Sprint("version unknown: ", err)
		},
	},
	{
		name: "ldapsearch", why: "the read-only LDAP view, read by OpenLDAP’s own program",
		packages: []string{"ldap-utils"},
		find:     func() []string { return onPath("ldapsearch") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_LDAPSEARCH": f[0]} },
		version:  versionByFlag("-VV"),
	},
	{
		name: "samba", why: "an Active Directory: read, signed in with, written to",
		packages: []string{"samba-ad-dc", "samba-ad-provision", "samba-dsdb-modules"},
		find:     findSamba,
		exports: func(f []string) map[string]string {
			return map[string]string{"AMPHI_TEST_SAMBA": f[0], "AMPHI_TEST_SAMBA_TOOL": f[1]}
		},
		version: versionByFlag("--version"),
	},
	{
		name: "vdirsyncer", why: "the address book, synchronised by a program of others’ making",
		packages: []string{"vdirsyncer"},
		find:     func() []string { return onPath("vdirsyncer") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_VDIRSYNCER": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "scim2", why: "the SCIM server, checked by a program of others’ making",
		packages: []string{"python3-venv"},
		python:   []string{"scim2-tester==0.5.2", "scim2-client[httpx2]==0.13.2", "scim2-models==0.12.3"},
		find:     func() []string { return findPython("scim2", "scim2_tester") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_SCIM2": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "swaks", why: "mail to the help desk, sent by a program of others’ making",
		packages: []string{"swaks"},
		find:     func() []string { return onPath("swaks") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_SWAKS": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "postfix", why: "a real mail server on both sides of the help desk",
		packages: []string{"postfix"},
		find:     findPostfix,
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_POSTFIX": f[0]} },
		version:  postfixVersion,
	},
	{
		name: "dovecot", why: "the mailbox of the help desk, emptied by IMAP",
		packages: []string{"dovecot-core", "dovecot-imapd"},
		find:     findDovecot,
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_DOVECOT": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "curl", why: "the recipes of the guide for a change of help desk, run as they stand there",
		packages: []string{"curl"},
		find:     func() []string { return onPath("curl") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_CURL": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "jq", why: "the same recipes",
		packages: []string{"jq"},
		find:     func() []string { return onPath("jq") },
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_JQ": f[0]} },
		version:  versionByFlag("--version"),
	},
	{
		name: "gcc", why: "the race detector",
		packages: []string{"gcc", "libc6-dev"},
		find:     findCompiler,
		exports:  func(f []string) map[string]string { return map[string]string{"AMPHI_TEST_CC": f[0]} },
		version:  versionByFlag("--version"),
	},
}

func findPostgres() []string {
	places := onPath("postgres")
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/postgres", "/usr/pgsql-*/bin/postgres"} {
		// Glob sorts by name; the newest major version comes last.
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // only a malformed pattern fails, and these are constants
		}
		slices.Reverse(found)
		places = append(places, found...)
	}
	for _, server := range places {
		initdb := filepath.Join(filepath.Dir(server), "initdb")
		if isFile(server) && isFile(initdb) {
			return []string{server, initdb}
		}
	}
	return nil
}

func findChromium() []string {
	found := onPath("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	if len(found) == 0 {
		return nil
	}
	return found[:1]
}

func findApache() []string {
	for _, server := range onPath("apache2", "httpd", "/usr/sbin/apache2", "/usr/sbin/httpd") {
		for _, dir := range []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"} {
			files := []string{server}
			for _, module := range []string{"cas", "openidc", "mellon"} {
				if file := filepath.Join(dir, "mod_auth_"+module+".so"); isFile(file) {
					files = append(files, file)
				}
			}
			if len(files) == 4 {
				return files
			}
		}
	}
	return nil
}

// findSlapd asks for the overlay and the schema too.
func findSlapd() []string {
	for _, server := range onPath("slapd", "/usr/sbin/slapd", "/usr/libexec/slapd") {
		for _, modules := range []string{"/usr/lib/ldap", "/usr/lib64/openldap"} {
			for _, schemas := range []string{"/etc/ldap/schema", "/etc/openldap/schema"} {
				overlay, schema := firstMatch(modules+"/ppolicy*.so"), filepath.Join(schemas, "inetorgperson.schema")
				if overlay != "" && isFile(schema) {
					return []string{server, overlay, schema}
				}
			}
		}
	}
	return nil
}

// findSamba asks for what makes a domain too.
func findSamba() []string {
	server, tool := onPath("samba", "/usr/sbin/samba"), onPath("samba-tool")
	if len(server) == 0 || len(tool) == 0 || !isFile("/usr/share/samba/setup/provision.ldif") || firstMatch("/usr/lib/*/samba/ldb/samba_dsdb.so") == "" {
		return nil
	}
	return []string{server[0], tool[0]}
}

// findPostfix asks for the program that runs the others too.
func findPostfix() []string {
	tool := onPath("postfix", "/usr/sbin/postfix")
	if len(tool) == 0 || !isFile("/usr/lib/postfix/sbin/master") {
		return nil
	}
	return tool[:1]
}

func postfixVersion(string) string {
	out, err := exec.Command("postconf", "-h", "-d", "mail_version").Output()
	if err != nil {
		return "version unknown: " + err.Error()
	}
	return "Postfix " + strings.TrimSpace(string(out))
}

// findDovecot asks for its IMAP server too.
func findDovecot() []string {
	server := onPath("dovecot", "/usr/sbin/dovecot")
	if len(server) == 0 || !isFile("/usr/lib/dovecot/imap-login") {
		return nil
	}
	return server[:1]
}

// firstMatch is the first file that a pattern names; "" when there is none.
func firstMatch(pattern string) string {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 { // only a malformed pattern fails, and these are constants
		return ""
	}
	return found[0]
}

// findCompiler asks for the C library's headers too: gcc alone compiles
// nothing that the race detector could use.
func findCompiler() []string {
	found := onPath("gcc")
	if len(found) == 0 || !isFile("/usr/include/stdlib.h") {
		return nil
	}
	return found[:1]
}

// findLasso wants the interpreter of the system: it is the one that Debian's
// packages install modules for.
func findLasso() []string {
	const interpreter, module = "/usr/bin/python3", "/usr/lib/python3/dist-packages/lasso.py"
	if !isFile(module) || len(onPath(interpreter)) == 0 {
		return nil
	}
	return []string{interpreter, module}
}

// onPath gives the full names of those programs that exist.
func onPath(names ...string) []string {
	var found []string
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, path)
		}
	}
	return found
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// versionByFlag asks a program for its version and keeps the first line.
func versionByFlag(flag string) func(string) string {
	return func(program string) string {
		out, err := exec.Command(program, flag).Output()
		if err != nil {
			return "version unknown: " + err.Error()
		}
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return strings.TrimPrefix(line, "Server version: ")
	}
}

// lookAll looks for every part again and returns those that are not complete.
func lookAll(parts []*part) []*part {
	var missing []*part
	for _, p := range parts {
		if p.found = p.find(); len(p.found) == 0 {
			missing = append(missing, p)
		}
	}
	return missing
}

func (p *part) report() {
	if len(p.found) == 0 {
		say("%-9s missing", p.name)
		return
	}
	say("%-9s %s (%s)", p.name, p.version(p.found[0]), p.found[0])
}

func (p *part) env() map[string]string {
	if len(p.found) == 0 {
		return nil
	}
	return p.exports(p.found)
}

// choose picks parts by their names.
func choose(list string) ([]*part, error) {
	var chosen []*part
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		i := slices.IndexFunc(parts, func(p *part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q; the parts are %s", name, strings.Join(partNames(), ", "))
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}

func wanted(parts []*part, name string) bool   { return contains(parts, name) }
func contains(parts []*part, name string) bool { return slices.Contains(namesOf(parts), name) }

func partNames() []string { return namesOf(parts) }

func namesOf(parts []*part) []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

func packagesOf(parts []*part) []string {
	var packages []string
	for _, p := range parts {
		packages = append(packages, p.packages...)
	}
	return packages
}

// programDir gives the folder of a part's program.
func programDir(parts []*part, name string) string {
	i := slices.IndexFunc(parts, func(p *part) bool { return p.name == name })
	return filepath.Dir(parts[i].found[0])
}

// explainMissing says what will not be tested and the exact command that helps.
func explainMissing(missing []*part) {
	for _, p := range missing {
		say("without %s there are no %s", p.name, p.why)
		if len(p.python) > 0 {
			say("besides the packages below it wants %s from PyPI, which the next run brings", strings.Join(p.python, " "))
		}
	}
	sudo := "sudo "
	if os.Geteuid() == 0 {
		sudo = ""
	}
	say("to install what is missing on Debian or Ubuntu, type:\n\n    %sapt-get install --no-install-recommends %s\n", sudo, strings.Join(packagesOf(missing), " "))
}
