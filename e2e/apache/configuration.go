package apache

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// configuration is everything that differs between two runs.
type configuration struct {
	Folder    string // holds all that Apache reads and writes
	Modules   string
	Port      int
	Root      bool // we are root, so the workers need another account
	Site      *Site
	Providers Providers
}

// The paths under which the site speaks SAML and is protected by OpenID Connect.
const (
	mellonEndpoint = "/mellon"
	openIDPath     = "/openid/"
)

// Endpoint, Client and Secret are for the configuration.
func (configuration) Endpoint() string { return mellonEndpoint }
func (configuration) Client() string   { return Client }
func (configuration) Secret() string   { return ClientSecret }

// httpd is the whole configuration: nothing of the machine's own is read.
//
// The CAS server is asked by the CAS 3 address, which sends the attributes;
// CASSSOEnabled makes Apache listen to the sign-outs that the CAS server
// posts to the page that the person came from. An attribute such as mail is
// handed on as the header CAS-mail, which a program sees as HTTP_CAS_MAIL:
// with an underscore in its name Apache would drop the header. The answer of SAML
// is posted from another site, so mod_auth_mellon's cookie has to be one that
// travels then; browsers take it as secure on this machine without https. Some Debian builds have
// mod_unixd and mod_log_config inside the server, hence the tests for them.
//
// mod_auth_openidc takes back-channel sign-outs at its redirect address;
// mod_auth_mellon takes them by SOAP at its endpoint. Its cookie has to come along
// when another site posts an answer; browsers allow that to secure cookies, and
// count this machine as secure.
var httpd = template.Must(template.New("httpd.conf").Parse(`ServerRoot "{{.Folder}}"
ServerName localhost
Listen 127.0.0.1:{{.Port}}
DefaultRuntimeDir "{{.Folder}}"
PidFile "{{.Folder}}/httpd.pid"
ErrorLog "{{.Folder}}/error.log"
LogLevel warn{{if .Providers.CAS}} auth_cas:info{{end}}
Mutex pthread
{{range .ModuleNames}}LoadModule {{.}}_module "{{$.Modules}}/mod_{{.}}.so"
{{end}}{{if .Root}}User www-data
Group www-data
{{end}}StartServers 1
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
MinSpareThreads 4
TypesConfig /dev/null
AddType text/html .html
AddDefaultCharset utf-8
DocumentRoot "{{.Folder}}/pages"
DirectoryIndex index.html
<Directory "{{.Folder}}/pages">
    Require all granted
    Options +Includes
    AddOutputFilter INCLUDES .html
</Directory>

{{with .Providers.CAS}}CASVersion 2
CASLoginURL {{.}}/login
CASValidateURL {{.}}/p3/serviceValidate
CASRootProxiedAs {{$.Site.URL}}
CASCookiePath "{{$.Folder}}/sessions/"
CASAttributePrefix CAS-
CASSSOEnabled On
<Location /secret/>
    AuthType CAS
    CASScope /
    CASAuthNHeader CAS-User
    Require valid-user
</Location>
{{end}}{{with .Providers.OpenID}}OIDCProviderMetadataURL {{.}}
OIDCClientID {{$.Client}}
OIDCClientSecret "{{$.Secret}}"
OIDCRedirectURI {{$.Site.Redirect}}
OIDCCryptoPassphrase "a passphrase of the tests"
OIDCScope "openid email profile"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
<Location /openid/>
    AuthType openid-connect
    Require valid-user
</Location>
{{end}}{{with .Providers.SAML}}MellonCacheSize 100
MellonLockFile "{{$.Folder}}/sessions/lock"
<Location />
    MellonEnable info
    MellonEndpointPath {{$.Endpoint}}
    MellonSPentityId {{$.Site.Metadata}}
    MellonSPPrivateKeyFile "{{$.Folder}}/sp.key"
    MellonSPCertFile "{{$.Folder}}/sp.crt"
    MellonIdPMetadataFile "{{$.Folder}}/idp.xml"
    MellonUser urn:oid:0.9.2342.19200300.100.1.1
    MellonCookieDomain 127.0.0.1
    MellonSecureCookie On
    MellonCookieSameSite None
    MellonSignatureMethod rsa-sha256
    MellonSetEnvNoPrefix MAIL urn:oid:0.9.2342.19200300.100.1.3
</Location>
<Location /saml/>
    AuthType Mellon
    MellonEnable auth
    Require valid-user
</Location>
{{end}}`))

// page prints whom Apache sees and every variable that a program behind it
// would get. The icon keeps browsers from asking for one.
const page = `<!doctype html>
<html lang="en"><head><title>%[1]s</title><link rel="icon" href="data:,"></head><body>
<h1>%[1]s</h1>
<p>Signed in as <strong id="user"><!--#echo var="REMOTE_USER" --></strong></p>
<pre><!--#printenv --></pre>
</body></html>
`

// ModuleNames lists the modules to load; httpd needs them in this order.
func (c configuration) ModuleNames() []string {
	names := []string{"mpm_event", "authn_core", "authz_core", "authz_user", "mime", "dir", "include", "env"}
	for _, one := range []struct{ provider, module string }{
		{c.Providers.CAS, "auth_cas"}, {c.Providers.OpenID, "auth_openidc"}, {c.Providers.SAML, "auth_mellon"},
	} {
		if one.provider != "" {
			names = append(names, one.module)
		}
	}
	for _, maybe := range []string{"unixd", "log_config"} {
		if _, err := os.Stat(filepath.Join(c.Modules, "mod_"+maybe+".so")); err == nil {
			names = append(names, maybe)
		}
	}
	return names
}

// write lays out Apache's folder.
func (c configuration) write() error {
	for _, folder := range []string{"pages/secret", "pages/openid", "pages/saml", "pages/open", "sessions"} {
		if err := os.MkdirAll(filepath.Join(c.Folder, folder), 0o755); err != nil {
			return fmt.Errorf("lay out Apache's folder: %w", err)
		}
	}
	var text strings.Builder
	if err := httpd.Execute(&text, c); err != nil {
		return fmt.Errorf("write Apache's configuration: %w", err)
	}
	for name, content := range map[string]string{
		"httpd.conf":              text.String(),
		"pages/secret/index.html": fmt.Sprintf(page, "A protected page"),
		"pages/openid/index.html": fmt.Sprintf(page, "A page behind OpenID Connect"),
		"pages/saml/index.html":   fmt.Sprintf(page, "A page behind SAML"),
		"pages/open/index.html":   fmt.Sprintf(page, "An open page"),
	} {
		if err := os.WriteFile(filepath.Join(c.Folder, name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("lay out Apache's folder: %w", err)
		}
	}
	if c.Providers.SAML != "" {
		if err := c.writeMellon(); err != nil {
			return err
		}
	}
	if !c.Root {
		return nil
	}
	return c.giveToWorkers()
}

// giveToWorkers lets www-data pass through the folder and keep sessions in it.
func (c configuration) giveToWorkers() error {
	if err := os.Chmod(c.Folder, 0o755); err != nil {
		return fmt.Errorf("open Apache's folder to its workers: %w", err)
	}
	account, err := user.Lookup("www-data")
	if err != nil {
		return fmt.Errorf("find the account that Apache's workers run as: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return fmt.Errorf("read the number of www-data: %w", err)
	}
	if err := os.Chown(filepath.Join(c.Folder, "sessions"), uid, -1); err != nil {
		return fmt.Errorf("give the sessions to Apache's workers: %w", err)
	}
	return nil
}
