package source

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// The kinds of source.
const (
	KindLDAP = "ldap" // OpenLDAP and its like, Active Directory
	KindCSV  = "csv"  // a file that another program leaves, or that somebody uploads
	KindSCIM = "scim" // pushed by a SCIM 2.0 client, such as Entra
	KindAPI  = "api"  // pushed by a program through our own API
)

// The presets of a mapping.
const (
	PresetNone      = "none"
	PresetSupAnn    = "supann"
	PresetEduPerson = "eduperson"
	PresetAD        = "ad"
)

// Config is one [[directory.sources]] of the configuration.
type Config struct {
	ID          string `toml:"id" help:"stable name; lower case. Everything that came from the source is kept under it"`
	Kind        string `toml:"kind" help:"ldap, csv, scim or api"`
	NameFrench  string `toml:"name_fr" help:"what people call it, as the pages of the directory show it"`
	NameEnglish string `toml:"name_en" help:"the same in English"`
	Off         bool   `toml:"off" help:"keep the settings and read nothing; what came from it stays as it is"`

	Preset string            `toml:"preset" help:"the mapping to begin with: supann, eduperson, ad or none; empty means supann for ldap, none otherwise"`
	Map    map[string]string `toml:"map" help:"what each field is made of, over the preset: { login = \"uid\", mail = \"mail | supannAutreMail\" }; an empty text takes a field of the preset away"`
	// Tables are looked up by the expressions of Map.
	Tables map[string]map[string]string `toml:"tables" help:"tables that expressions look codes up in: { campus = { \"010\" = \"rives\", \"*\" = \"\" } }; the entry * stands for every other code"`

	Affiliations []AffiliationConfig `toml:"affiliations"`

	Every    time.Duration `toml:"every" help:"how often it is read; 0s means when somebody says so"`
	Full     time.Duration `toml:"full" help:"how often everything is read, though the source could tell what changed; 0s means 24h"`
	Brake    int           `toml:"brake" help:"a run that would close or change more than this percentage of the people of the source stops and asks; 0 means 10"`
	Priority int           `toml:"priority" help:"which source wins where several speak of a field, the lowest first"`
	First    []string      `toml:"first" help:"fields of which this source wins whatever the priorities are"`
	// What the source may say, and of whom.
	Kinds           []string `toml:"kinds" help:"affiliations that it may give: student, teacher, staff, guest; empty allows all. What is outside is refused and named in the report"`
	Campuses        []string `toml:"campuses" help:"codes of the campuses of which it may speak; empty allows all"`
	MailDomains     []string `toml:"mail_domains" help:"domains of the institutional addresses that it may give, such as univ.fr or *.univ.fr for those below; empty allows all"`
	TakesOver       bool     `toml:"takes_over" help:"change logins, addresses and ends of registration also of people who were entered by hand, or brought by a source that it does not outrank, without asking"`
	IdentityPerHour int      `toml:"identity_per_hour" help:"of how many people it may change the login, the address, the mobile number or the private address in an hour before it has to wait for somebody; 0 means 10, or 1 % of its people when that is more"`
	IdentityPerDay  int      `toml:"identity_per_day" help:"the same for a day; 0 means three times as many as in an hour"`

	CreationsPerHour int `toml:"creations_per_hour" help:"for a source that pushes: how many people whom nobody knew it may bring in an hour before it has to wait for somebody; 0 means 100, or 5 % of its people when that is more"`
	CreationsPerDay  int `toml:"creations_per_day" help:"the same for a day; 0 means three times as many as in an hour"`

	Owns []string `toml:"owns" help:"numbers that this source alone gives: student_number, employee_number. What another source says of them counts only where this one says the same; else the record is refused"`

	Match  []string `toml:"match" help:"fields by which somebody who is known already is found, in order; empty means employee_number, student_number, mail, login"`
	Enrich bool     `toml:"enrich" help:"complete people that other sources brought, and bring nobody"`

	LDAP LDAPConfig `toml:"ldap"`
	CSV  CSVConfig  `toml:"csv"`
}

// AffiliationConfig gives an affiliation to whom it fits. One is given for each
// combination of the values of its expressions.
type AffiliationConfig struct {
	Attribute string   `toml:"attribute" help:"attribute to look at, such as eduPersonAffiliation or memberOf; empty fits everybody"`
	Value     string   `toml:"value" help:"one of its values, whatever the case; * stands for any text; empty means that it has any"`
	Unless    []string `toml:"unless" help:"values of the attribute that keep it away"`
	Kind      string   `toml:"kind" help:"affiliation that it gives: student, teacher, staff or guest"`
	Each      string   `toml:"each" help:"attribute whose composite values are taken one by one, such as supannEtuInscription; those of an earlier year than the latest are left out"`
	Campus    string   `toml:"campus" help:"expression of its campus, such as campus(supannEntiteAffectationPrincipale)"`
	Programme string   `toml:"programme" help:"expression of its programme, such as supannEtuInscription[etape]"`
	Unit      string   `toml:"unit" help:"expression of its unit"`
	Until     string   `toml:"until" help:"expression of when it ends; empty means what the field until says"`
}

// LDAPConfig is [directory.sources.ldap].
type LDAPConfig struct {
	URLs         []string      `toml:"urls" help:"servers, such as ldaps://ldap1.univ.fr; the next is asked when one does not answer"`
	StartTLS     bool          `toml:"start_tls" help:"encrypt ldap:// connections by StartTLS"`
	Plain        bool          `toml:"plain" help:"allow an unencrypted connection to another machine; for tests"`
	CAFile       string        `toml:"ca_file" help:"PEM file of the authority behind the certificate; empty means the system's"`
	BindDN       string        `toml:"bind_dn" help:"account that reads; empty reads without a name"`
	BindPassword string        `toml:"bind_password" secret:"true" help:"its password"`
	Base         string        `toml:"base" help:"where people are, such as ou=people,dc=univ,dc=fr"`
	Filter       string        `toml:"filter" help:"filter of people; empty means (objectClass=person), and people without computers for Active Directory"`
	GroupBase    string        `toml:"group_base" help:"where groups are; empty reads none"`
	GroupFilter  string        `toml:"group_filter" help:"filter of groups; empty means those of the usual classes"`
	UnitBase     string        `toml:"unit_base" help:"where units (structures) are; empty reads none"`
	UnitFilter   string        `toml:"unit_filter" help:"filter of units; empty means (|(objectClass=supannEntite)(objectClass=organizationalUnit))"`
	Key          string        `toml:"key" help:"attribute that names an entry for ever; empty means entryUUID, objectGUID for Active Directory"`
	Attributes   []string      `toml:"attributes" help:"attributes read beside those of the mapping"`
	Page         int           `toml:"page" help:"entries of one page of a search; 0 means 500"`
	Timeout      time.Duration `toml:"timeout" help:"how long one page may take; 0s means 30s"`
	Changes      string        `toml:"changes" help:"how changes are asked for: sync (RFC 4533), usn (Active Directory), timestamp (modifyTimestamp and a list of all keys), off (read everything each time); empty means the first that the server has"`
}

// CSVConfig is [directory.sources.csv].
type CSVConfig struct {
	File      string `toml:"file" help:"the file, which another program leaves there; empty for a source that somebody uploads"`
	Separator string `toml:"separator" help:"what separates columns; empty recognises ; , and the tabulator"`
	Encoding  string `toml:"encoding" help:"utf-8 or windows-1252; empty recognises them"`
	Key       string `toml:"key" help:"column that names somebody for ever; empty means the first of employee number, student number, login that the file has"`
	Whole     bool   `toml:"whole" help:"each file holds everybody, so that who is missing has left; otherwise a file only adds and changes"`
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

// Name is what people call it in a language; French when they have chosen none.
func (c Config) Name(l campus.Locale) string {
	if l == campus.English && c.NameEnglish != "" {
		return c.NameEnglish
	}
	if c.NameFrench == "" {
		return c.ID
	}
	return c.NameFrench
}

// Pushed reports whether others push into the source, so that it is not read.
func (c Config) Pushed() bool { return c.Kind == KindSCIM || c.Kind == KindAPI }

// PresetOrUsual is the preset in force.
func (c Config) PresetOrUsual() string {
	switch {
	case c.Preset != "":
		return c.Preset
	case c.Kind == KindLDAP:
		return PresetSupAnn
	default:
		return PresetNone
	}
}

// BrakeOr10 is the percentage of people that a run may close or change.
func (c Config) BrakeOr10() int {
	if c.Brake == 0 {
		return 10
	}
	return c.Brake
}

// Budgets of a source that says none: of a small one, and for each hundred people of a
// large one.
const usualIdentities, identitiesPerHundred, daysWorth = 10, 1, 3

// IdentityBudget is of how many people a source with so many may change the ways into
// their accounts in an hour and in a day.
func (c Config) IdentityBudget(people int64) (hour, day int64) {
	hour = int64(c.IdentityPerHour)
	if hour == 0 {
		hour = max(usualIdentities, people*identitiesPerHundred/100)
	}
	day = int64(c.IdentityPerDay)
	if day == 0 {
		day = hour * daysWorth
	}
	return hour, day
}

// Budgets of creations: of a small source, and for each hundred people of a large one.
const usualCreations, creationsPerHundred = 100, 5

// CreationBudget is how many people a source with so many may bring in an hour and in a
// day by pushing them.
func (c Config) CreationBudget(people int64) (hour, day int64) {
	hour = int64(c.CreationsPerHour)
	if hour == 0 {
		hour = max(usualCreations, people*creationsPerHundred/100)
	}
	day = int64(c.CreationsPerDay)
	if day == 0 {
		day = hour * daysWorth
	}
	return hour, day
}

// Ownable are the numbers that a source can be the only one to give: others go by them.
var Ownable = []string{"student_number", "employee_number"}

// AllowsKind reports whether the source may give an affiliation.
func (c Config) AllowsKind(k campus.Kind) bool {
	return len(c.Kinds) == 0 || slices.Contains(c.Kinds, string(k))
}

// AllowsCampus reports whether the source may speak of a campus; "" is none.
func (c Config) AllowsCampus(code string) bool {
	return code == "" || len(c.Campuses) == 0 || slices.Contains(c.Campuses, code)
}

// AllowsDomain reports whether the source may give addresses of a domain.
func (c Config) AllowsDomain(domain string) bool {
	return len(c.MailDomains) == 0 || c.NamesDomain(domain)
}

// NamesDomain reports whether a domain is among those that the configuration names.
func (c Config) NamesDomain(domain string) bool {
	domain = strings.ToLower(domain)
	return slices.ContainsFunc(c.MailDomains, func(d string) bool {
		above, wild := strings.CutPrefix(strings.ToLower(d), "*")
		return domain == above || wild && strings.HasSuffix(domain, above)
	})
}

// domainForm is a domain, or all below one.
var domainForm = regexp.MustCompile(`^(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]{2,}$`)

// FullOr24h is how often everything is read.
func (c Config) FullOr24h() time.Duration {
	if c.Full == 0 {
		return 24 * time.Hour
	}
	return c.Full
}

// Check implements config.Checker. What the expressions of the mapping say is
// checked by the package that understands them.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(idForm.MatchString(c.ID), "id", "must be lower-case letters, digits and hyphens, two at least")
	want(slices.Contains([]string{"", PresetNone, PresetSupAnn, PresetEduPerson, PresetAD}, c.Preset), "preset", "must be supann, eduperson, ad or none")
	want(c.Every == 0 || c.Every >= time.Minute && c.Every <= 31*24*time.Hour, "every", "must lie between 1m and 744h, or be 0s")
	want(c.Full == 0 || c.Full >= c.Every && c.Full <= 31*24*time.Hour, "full", "must lie between every and 744h")
	want(c.Brake >= 0 && c.Brake <= 100, "brake", "must be a percentage")
	want(c.IdentityPerHour >= 0, "identity_per_hour", "must not be negative")
	want(c.IdentityPerDay >= 0, "identity_per_day", "must not be negative")
	want(c.CreationsPerHour >= 0, "creations_per_hour", "must not be negative")
	want(c.CreationsPerDay >= 0, "creations_per_day", "must not be negative")
	for i, f := range c.Owns {
		want(slices.Contains(Ownable, f), "owns["+strconv.Itoa(i)+"]", "must be student_number or employee_number")
	}
	for i, k := range c.Kinds {
		want(slices.Contains(campus.Kinds, campus.Kind(k)), "kinds["+strconv.Itoa(i)+"]", "must be a kind of affiliation")
	}
	for i, d := range c.MailDomains {
		want(domainForm.MatchString(strings.ToLower(d)), "mail_domains["+strconv.Itoa(i)+"]", "must look like univ.fr, or *.univ.fr for those below")
	}
	for i, a := range c.Affiliations {
		key := "affiliations[" + strconv.Itoa(i) + "]."
		want(slices.Contains(campus.Kinds, campus.Kind(a.Kind)), key+"kind", "must be a kind of affiliation")
		want(a.Attribute != "" || a.Value == "", key+"attribute", "must say where the value stands")
	}
	switch c.Kind {
	case KindLDAP:
		problems = append(problems, c.LDAP.problems()...)
	case KindCSV:
		problems = append(problems, c.CSV.problems()...)
		want(c.CSV.File != "" || c.Every == 0, "csv.file", "must name the file, or every be 0s")
	case KindSCIM, KindAPI:
		want(c.Every == 0, "every", "is for sources that are read, not for those that push")
	default:
		want(false, "kind", "must be ldap, csv, scim or api")
	}
	return problems
}

// The ways to ask an LDAP server for changes.
const (
	ChangesSync      = "sync"
	ChangesUSN       = "usn"
	ChangesTimestamp = "timestamp"
	ChangesOff       = "off"
)

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
		want(u.Scheme == "ldaps" || c.StartTLS || c.Plain || local(u.Hostname()), key, "would send people in clear: use ldaps:// or start_tls")
	}
	want(c.Base != "", "base", "must say where people are")
	want(c.BindDN == "" || c.BindPassword != "", "bind_password", "must be the password of bind_dn; without one the server would take us for nobody")
	want(c.Page >= 0 && c.Page <= 10000, "page", "must lie between 0 and 10000")
	want(c.Timeout >= 0 && c.Timeout <= time.Hour, "timeout", "must lie between 0s and 1h")
	want(slices.Contains([]string{"", ChangesSync, ChangesUSN, ChangesTimestamp, ChangesOff}, c.Changes), "changes", "must be sync, usn, timestamp or off")
	return problems
}

func (c CSVConfig) problems() (problems []config.Problem) {
	if c.Separator != "" && (utf8.RuneCountInString(c.Separator) != 1 || strings.ContainsAny(c.Separator, "\"\r\n")) {
		problems = append(problems, config.Problem{Key: "csv.separator", Text: "must be one character, and neither a quotation mark nor the end of a line"})
	}
	if !slices.Contains([]string{"", "utf-8", "windows-1252"}, c.Encoding) {
		problems = append(problems, config.Problem{Key: "csv.encoding", Text: "must be utf-8 or windows-1252"})
	}
	return problems
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// CheckAll is what is wrong with several sources together. Keys are relative to the
// table that holds them as "sources".
func CheckAll(all []Config) (problems []config.Problem) {
	seen := map[string]bool{}
	for i, c := range all {
		if seen[c.ID] {
			problems = append(problems, config.Problem{Key: "sources[" + strconv.Itoa(i) + "].id", Text: "is taken by another source"})
		}
		seen[c.ID] = true
	}
	return problems
}
