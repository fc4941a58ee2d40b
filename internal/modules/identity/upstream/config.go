package upstream

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// The kinds of upstream.
const (
	KindSAML = "saml" // ADFS, Shibboleth, a federation
	KindOIDC = "oidc" // Entra, Keycloak, ProConnect
	KindLDAP = "ldap" // OpenLDAP, Active Directory: passwords of our own page
)

// Config is one [[identity.upstreams]] in the configuration.
type Config struct {
	ID          string        `toml:"id" help:"stable name, part of the addresses registered at the upstream; lower case"`
	Kind        string        `toml:"kind" help:"saml, oidc or ldap"`
	NameFrench  string        `toml:"name_fr" help:"what people call it, as it stands after “se connecter avec”"`
	NameEnglish string        `toml:"name_en" help:"the same in English"`
	Icon        string        `toml:"icon" help:"picture of its button, one of the house's icons; key when empty"`
	Domains     []string      `toml:"domains" help:"domains of mail addresses whose owners sign in there; somebody who types such an address is sent there, and an answer about another domain is refused"`
	Priority    int           `toml:"priority" help:"order of the buttons and of the directories asked, the lowest first"`
	AtOnce      bool          `toml:"at_once" help:"send everybody there without showing the sign-in page; /login?local=1 still shows it"`
	Off         bool          `toml:"off" help:"keep the settings and show nothing"`
	Skew        time.Duration `toml:"skew" help:"how far its clock may be from ours; 0s means 2m"`
	Timeout     time.Duration `toml:"timeout" help:"how long one of its answers may take; 0s means 5s"`

	PasswordPage string `toml:"password_page" help:"its own page on which an expired or forgotten password is changed"`
	Contact      string `toml:"contact" help:"who runs it, as people read it in a failure: an address or a telephone number"`

	Match  []MatchConfig `toml:"match"`
	Create CreateConfig  `toml:"create"`
	Factor FactorConfig  `toml:"factor"`

	OIDC OIDCConfig `toml:"oidc"`
	LDAP LDAPConfig `toml:"ldap"`
	SAML SAMLConfig `toml:"saml"`
}

// The fields of ours that an attribute of an upstream can name.
const (
	FieldLogin         = "login"
	FieldMail          = "mail"
	FieldStudentNumber = "student_number"
	FieldExternal      = "external_id" // an identifier that was linked beforehand
)

// MatchConfig finds the account of somebody who comes for the first time.
type MatchConfig struct {
	Attribute  string `toml:"attribute" help:"attribute of the upstream, such as mail, preferred_username or supannEtuId"`
	Field      string `toml:"field" help:"what it equals here: login, mail, student_number or external_id"`
	DropDomain bool   `toml:"drop_domain" help:"compare what stands before the @ only"`
}

// CreateConfig says who gets an account on their first visit.
type CreateConfig struct {
	Allowed       bool                `toml:"allowed" help:"make an account for whoever one of the affiliation rules fits"`
	Login         string              `toml:"login" help:"attribute of the new login; empty tries uid, sAMAccountName and preferred_username"`
	Mail          string              `toml:"mail" help:"attribute of the address; empty tries mail and email"`
	GivenName     string              `toml:"given_name" help:"attribute of the given name; empty tries givenName and given_name"`
	FamilyName    string              `toml:"family_name" help:"attribute of the family name; empty tries sn, family_name and usual_name"`
	StudentNumber string              `toml:"student_number" help:"attribute of the student number; empty tries supannEtuId"`
	Affiliations  []AffiliationConfig `toml:"affiliations"`
}

// AffiliationConfig gives an affiliation to whom an attribute fits.
type AffiliationConfig struct {
	Attribute string `toml:"attribute" help:"attribute to look at, such as eduPersonAffiliation or groups; empty fits everybody"`
	Value     string `toml:"value" help:"one of its values; empty means that it has any"`
	Kind      string `toml:"kind" help:"affiliation that it gives: student, teacher, staff, guest and the like"`
	Campus    string `toml:"campus" help:"campus of that affiliation"`
	Programme string `toml:"programme" help:"programme of that affiliation"`
	Unit      string `toml:"unit" help:"unit of that affiliation"`
}

// FactorConfig says when the upstream's own second factor counts here.
type FactorConfig struct {
	Accept  []string `toml:"accept" help:"values of amr, acr or AuthnContextClassRef that count as a second factor, such as mfa or https://refeds.org/profile/mfa"`
	Request []string `toml:"request" help:"values asked of it (acr_values, RequestedAuthnContext); empty asks for nothing"`
}

// OIDCConfig is [identity.upstreams.oidc].
type OIDCConfig struct {
	Issuer       string   `toml:"issuer" help:"issuer of the provider, such as https://login.microsoftonline.com/TENANT/v2.0"`
	ClientID     string   `toml:"client_id" help:"identifier given by the provider"`
	ClientSecret string   `toml:"client_secret" secret:"true" help:"secret given by the provider"`
	Scopes       []string `toml:"scopes" help:"scopes asked beside openid; empty means profile and email"`
	Tenants      []string `toml:"tenants" help:"Entra tenants whose members are welcome, when the issuer stands for several"`
	DomainHint   string   `toml:"domain_hint" help:"domain that spares people the choice of an account at Entra"`
	Prompt       string   `toml:"prompt" help:"prompt of every request, such as select_account; empty for none"`
	TrustMail    bool     `toml:"trust_mail" help:"take its addresses as verified though it does not say so; only for a directory in which people cannot choose theirs"`
	UserInfo     bool     `toml:"user_info" help:"ask its userinfo endpoint for what the token does not hold"`
	CAFile       string   `toml:"ca_file" help:"PEM file of the authority behind its certificate; empty means the system's"`
}

// LDAPConfig is [identity.upstreams.ldap].
type LDAPConfig struct {
	URLs         []string      `toml:"urls" help:"servers, such as ldaps://ldap1.univ.fr; the next is asked when one does not answer"`
	StartTLS     bool          `toml:"start_tls" help:"encrypt ldap:// connections by StartTLS"`
	Plain        bool          `toml:"plain" help:"allow passwords over an unencrypted connection to another machine; for tests"`
	CAFile       string        `toml:"ca_file" help:"PEM file of the authority behind the certificate; empty means the system's"`
	BindDN       string        `toml:"bind_dn" help:"account that searches; empty searches without a name"`
	BindPassword string        `toml:"bind_password" secret:"true" help:"its password"`
	Base         string        `toml:"base" help:"where people are searched, such as ou=people,dc=univ,dc=fr"`
	Filter       string        `toml:"filter" help:"filter that finds one person; {login} is what they typed. Empty means (uid={login}), and (|(sAMAccountName={login})(userPrincipalName={login})) for Active Directory"`
	DN           string        `toml:"dn" help:"name of the entry made of the login instead of a search, such as uid={login},ou=people,dc=univ,dc=fr"`
	Active       bool          `toml:"active_directory" help:"the servers are Active Directory"`
	Subject      string        `toml:"subject" help:"attribute that names somebody for ever; empty means entryUUID, objectGUID for Active Directory"`
	Attributes   []string      `toml:"attributes" help:"attributes read beside the usual ones"`
	Change       string        `toml:"change" help:"off, user or service: who changes a password that expired, through our page; empty means off"`
	Pool         int           `toml:"pool" help:"connections kept to search with; 0 means 4"`
	Patience     time.Duration `toml:"patience" help:"how long a directory that failed is left alone before the next try; 0s means 15s"`
}

// Name is what people call it in a language; French when they have chosen none.
func (c Config) Name(l campus.Locale) string {
	if l == campus.English {
		return c.NameEnglish
	}
	return c.NameFrench
}

// Web reports whether browsers are sent there.
func (c Config) Web() bool { return c.Kind == KindOIDC || c.Kind == KindSAML }

// SkewOr2m is the accepted difference of clocks.
func (c Config) SkewOr2m() time.Duration {
	if c.Skew == 0 {
		return 2 * time.Minute
	}
	return c.Skew
}

// TimeoutOr5s is how long one of its answers may take.
func (c Config) TimeoutOr5s() time.Duration {
	if c.Timeout == 0 {
		return 5 * time.Second
	}
	return c.Timeout
}

// Serves reports whether owners of addresses in a domain sign in there.
func (c Config) Serves(domain string) bool {
	return slices.ContainsFunc(c.Domains, func(own string) bool { return strings.EqualFold(own, domain) })
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(idForm.MatchString(c.ID), "id", "must be lower-case letters, digits and hyphens, two at least")
	want(c.NameFrench != "" && c.NameEnglish != "", "name_fr", "name_fr and name_en must say what people call it")
	want(c.Skew >= 0 && c.Skew <= 10*time.Minute, "skew", "must lie between 0s and 10m")
	want(c.Timeout >= 0 && c.Timeout <= time.Minute, "timeout", "must lie between 0s and 1m")
	want(c.PasswordPage == "" || webAddress(c.PasswordPage), "password_page", "must be an https address")
	want(!c.AtOnce || c.Web(), "at_once", "is for upstreams to which browsers are sent")
	for i, m := range c.Match {
		key := "match[" + strconv.Itoa(i) + "]."
		want(m.Attribute != "", key+"attribute", "must name an attribute")
		want(slices.Contains([]string{FieldLogin, FieldMail, FieldStudentNumber, FieldExternal}, m.Field), key+"field", "must be login, mail, student_number or external_id")
	}
	for i, a := range c.Create.Affiliations {
		want(slices.Contains(campus.Kinds, campus.Kind(a.Kind)), "create.affiliations["+strconv.Itoa(i)+"].kind", "must be a kind of affiliation")
	}
	want(!c.Create.Allowed || len(c.Create.Affiliations) > 0, "create.affiliations", "must say what new people are; without a rule nobody gets an account")
	switch c.Kind {
	case KindOIDC:
		problems = append(problems, c.OIDC.problems()...)
	case KindLDAP:
		problems = append(problems, c.LDAP.problems()...)
	case KindSAML:
		problems = append(problems, c.SAML.problems()...)
		if c.SAML.DiscoveryURL != "" {
			problems = append(problems, c.problemsOfMany()...)
		}
	default:
		want(false, "kind", "must be saml, oidc or ldap")
	}
	return problems
}

func (c OIDCConfig) problems() (problems []config.Problem) {
	if !webAddress(c.Issuer) {
		problems = append(problems, config.Problem{Key: "oidc.issuer", Text: "must be an https address"})
	}
	if c.ClientID == "" {
		problems = append(problems, config.Problem{Key: "oidc.client_id", Text: "must be the identifier that the provider gave"})
	}
	if c.SharedIssuer() && len(c.Tenants) == 0 {
		problems = append(problems, config.Problem{Key: "oidc.tenants", Text: "must list the tenants that are welcome, because this issuer stands for all of them"})
	}
	return problems
}

// SharedIssuer reports whether the issuer stands for many tenants of Entra.
func (c OIDCConfig) SharedIssuer() bool {
	for _, name := range []string{"/common/", "/organizations/", "/consumers/"} {
		if strings.Contains(c.Issuer+"/", name) {
			return true
		}
	}
	return false
}

func (c LDAPConfig) problems() (problems []config.Problem) {
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: "ldap." + key, Text: text})
		}
	}
	want(len(c.URLs) > 0, "urls", "must name a server")
	for i, text := range c.URLs {
		key := "urls[" + strconv.Itoa(i) + "]"
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps" {
			want(false, key, "must look like ldaps://ldap.univ.fr")
			continue
		}
		want(u.Scheme == "ldaps" || c.StartTLS || c.Plain || local(u.Hostname()), key, "would send passwords in clear: use ldaps:// or start_tls")
	}
	want(c.Base != "" || c.DN != "", "base", "must say where people are searched, or dn how their entry is named")
	want(c.DN == "" || strings.Contains(c.DN, "{login}"), "dn", "must contain {login}")
	want(c.Filter == "" || strings.Contains(c.Filter, "{login}"), "filter", "must contain {login}")
	want(slices.Contains([]string{"", "off", "user", "service"}, c.Change), "change", "must be off, user or service")
	want(c.Pool >= 0 && c.Pool <= 100, "pool", "must lie between 0 and 100")
	want(c.Patience >= 0 && c.Patience <= 10*time.Minute, "patience", "must lie between 0s and 10m")
	return problems
}

// webAddress reports whether text is an absolute address that may be trusted
// with people: https, or http on this machine.
func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && local(u.Hostname()))
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// CheckAll is what is wrong with several upstreams together. Keys are relative
// to the table that holds them as "upstreams".
func CheckAll(all []Config) (problems []config.Problem) {
	ids, domains, atOnce := map[string]bool{}, map[string]string{}, ""
	for i, c := range all {
		key := "upstreams[" + strconv.Itoa(i) + "]."
		if ids[c.ID] {
			problems = append(problems, config.Problem{Key: key + "id", Text: "is taken by another upstream"})
		}
		ids[c.ID] = true
		if c.Off {
			continue
		}
		if c.AtOnce {
			if atOnce != "" {
				problems = append(problems, config.Problem{Key: key + "at_once", Text: "is true of " + atOnce + " as well; people can be sent to one place only"})
			}
			atOnce = c.ID
		}
		for _, d := range c.Domains {
			d = strings.ToLower(d)
			if other := domains[d]; other != "" {
				problems = append(problems, config.Problem{Key: key + "domains", Text: d + " belongs to " + other + " already"})
			}
			domains[d] = c.ID
		}
	}
	return problems
}
