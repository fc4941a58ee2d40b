// Package registry knows the services that people are signed in to: what one is,
// what is wrong with one, and which one an address belongs to, also among
// thousands.
package registry

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
)

// Protocol is how a service signs people in.
type Protocol string

// The protocols.
const (
	CAS  Protocol = "cas"
	SAML Protocol = "saml"
	OIDC Protocol = "oidc"
	Link Protocol = "link" // only an entry of the catalogue
)

// Protocols lists what the administrator's page offers.
var Protocols = []Protocol{CAS, SAML, OIDC, Link}

// Factor is how strongly people sign in to a service, beyond what the institution
// asks of everybody.
type Factor string

// The levels.
const (
	FactorPolicy  Factor = ""        // what the institution asks
	FactorSession Factor = "session" // a second factor at some time in this session
	FactorFresh   Factor = "fresh"   // a second factor within the last minutes
)

// Factors lists the levels, weakest first.
var Factors = []Factor{FactorPolicy, FactorSession, FactorFresh}

// Service is one entry of the registry, as it stands in the configuration
// ([[sso.services]]) and on the administrator's page.
type Service struct {
	ID                 string          `toml:"id" help:"short and stable, such as wiki"`
	NameFrench         string          `toml:"name_fr" help:"the service's name in French; one language is enough"`
	NameEnglish        string          `toml:"name_en" help:"the same in English"`
	DescriptionFrench  string          `toml:"description_fr" help:"one line of the catalogue"`
	DescriptionEnglish string          `toml:"description_en" help:"the same in English"`
	Category           string          `toml:"category" help:"group of the catalogue, as people read it"`
	Icon               string          `toml:"icon" help:"a name of the icon set, such as book"`
	Logo               string          `toml:"logo" help:"a path of this workspace; wins over the icon"`
	Keywords           []string        `toml:"keywords" help:"other words that people search it by"`
	Home               string          `toml:"home" help:"where the catalogue leads; without it the service is not in the catalogue"`
	Patterns           []string        `toml:"patterns" help:"the addresses that may receive tickets (see services/cas.md)"`
	Audience           campus.Audience `toml:"audience"`
	Attributes         []Attribute     `toml:"attributes" help:"what is released besides the identifier, which every service gets"`
	Contact            string          `toml:"contact" help:"mail address of who repairs the service; is told what breaks"`
	Owner              string          `toml:"owner" help:"the office or person that answers for the service, as people read it"`
	Required           []Attribute     `toml:"required" help:"those of the attributes without which the service cannot work"`
	ReasonFrench       string          `toml:"reason_fr" help:"why the service is told these attributes, as people read it"`
	ReasonEnglish      string          `toml:"reason_en" help:"the same in English"`
	Consent            bool            `toml:"consent" help:"ask people before their data goes to the service; for services outside the institution"`
	Factor             Factor          `toml:"factor" help:"session: a second factor in this session; fresh: within the last minutes; empty: the institution's policy"`
	SessionLimit       time.Duration   `toml:"session_limit" help:"the oldest sign-in that opens the service; 0s: as long as the session here"`
	SAML               SAMLPeer        `toml:"saml"`
	OIDC               OIDCClient      `toml:"oidc"`
	NoSingleLogout     bool            `toml:"no_single_logout" help:"keep the service's own session when somebody signs out"`
	Protocol           Protocol        `toml:"protocol" help:"cas, saml, oidc, or link: an entry of the catalogue and no sign-in; cas when empty"`
	Disabled           bool            `toml:"disabled" help:"keep the entry and refuse to sign in to it"`

	// FromConfiguration marks a service that the page shows but cannot change.
	FromConfiguration bool `toml:"-" json:"-"`
}

// OIDCClient is what OpenID Connect needs to know of a relying party.
type OIDCClient struct {
	ClientID     string   `toml:"client_id" help:"the client's identifier"`
	SecretHash   string   `toml:"secret_hash" help:"SHA-256 of the client's secret in hexadecimal, as amphi service add prints it; empty: a public client"`
	RedirectURIs []string `toml:"redirect_uris" help:"where codes may be sent, compared letter by letter"`
}

// Name is the service's name in a language, or in the other one when it has
// only that.
func (s Service) Name(l campus.Locale) string {
	return pick(l, s.NameFrench, s.NameEnglish)
}

// Description is what the service is for, in a language.
func (s Service) Description(l campus.Locale) string {
	return pick(l, s.DescriptionFrench, s.DescriptionEnglish)
}

func pick(l campus.Locale, french, english string) string {
	if l == campus.English && english != "" || french == "" {
		return english
	}
	return french
}

// SignsIn reports whether tickets are issued for the service.
func (s Service) SignsIn() bool { return s.Protocol != Link && !s.Disabled }

// Mistake is one thing to mend in a service.
type Mistake struct {
	Field string // as in the configuration
	Key   string // names the sentence on the administrator's page
	Text  string // the same in English, for the configuration
	Value string // what is wrong, when the field has several
}

var (
	idForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	iconForm = regexp.MustCompile(`^[a-z0-9-]{0,40}$`)
)

// limits of the fields in bytes, so that no page or answer grows without bound.
const (
	maxName        = 200
	maxDescription = 1000
	maxPatterns    = 100
	maxKeywords    = 50
)

// Check lists what is wrong with the service by itself.
func (s Service) Check() []Mistake {
	var m []Mistake
	add := func(field, key, text, value string) { m = append(m, Mistake{field, key, text, value}) }
	if !idForm.MatchString(s.ID) {
		add("id", "identifier", "must be of lower-case letters, digits and hyphens, at most 63", s.ID)
	}
	if s.NameFrench == "" && s.NameEnglish == "" {
		add("name_fr", "name_missing", "give name_fr, name_en or both", "")
	}
	for _, field := range []struct{ name, text string }{
		{"name_fr", s.NameFrench}, {"name_en", s.NameEnglish}, {"category", s.Category}, {"keywords", strings.Join(s.Keywords, "")},
	} {
		if len(field.text) > maxName && field.name != "keywords" || len(s.Keywords) > maxKeywords || len(field.text) > maxDescription {
			add(field.name, "too_long", "is too long", "")
		}
	}
	if len(s.DescriptionFrench) > maxDescription {
		add("description_fr", "too_long", "is too long", "")
	}
	if len(s.DescriptionEnglish) > maxDescription {
		add("description_en", "too_long", "is too long", "")
	}
	if !iconForm.MatchString(s.Icon) {
		add("icon", "icon", "is not the name of an icon", s.Icon)
	}
	// The policy of our pages shows pictures of our own origin only.
	if s.Logo != "" && (!strings.HasPrefix(s.Logo, "/") || strings.HasPrefix(s.Logo, "//") || strings.ContainsAny(s.Logo, "\\\"' <>")) {
		add("logo", "logo", "must be a path on this server, such as /files/logo.svg", s.Logo)
	}
	if s.Protocol != "" && !slices.Contains(Protocols, s.Protocol) {
		add("protocol", "protocol", `must be "cas", "saml", "oidc" or "link"`, string(s.Protocol))
	}
	m = append(m, s.checkAddresses()...)
	if s.Protocol == SAML {
		m = append(m, s.SAML.check()...)
	}
	for _, a := range s.Attributes {
		if !slices.Contains(Attributes, a) {
			add("attributes", "attribute", string(a)+" is not one of the attributes that can be released", string(a))
		}
	}
	for _, k := range s.Audience.Kinds {
		if !slices.Contains(campus.Kinds, k) {
			add("audience.kinds", "kind", string(k)+" is not a kind of affiliation", string(k))
		}
	}
	for _, r := range s.Audience.Rights {
		if !slices.Contains(campus.Rights, r) {
			add("audience.rights", "right", string(r)+" is not a right", string(r))
		}
	}
	if s.Contact != "" {
		if a, err := mail.ParseAddress(s.Contact); err != nil || a.Address != s.Contact {
			add("contact", "contact", "is not a mail address", s.Contact)
		}
	}
	return m
}

func (s Service) checkAddresses() []Mistake {
	var m []Mistake
	if s.Home != "" && !webAddress(s.Home) {
		m = append(m, Mistake{"home", "home", "is not an address such as https://moodle.univ.fr/", s.Home})
	}
	if s.Protocol == Link && s.Home == "" {
		m = append(m, Mistake{"home", "home_missing", "a link needs its address", ""})
	}
	if s.Protocol != CAS && s.Protocol != "" {
		return m
	}
	if len(s.Patterns) == 0 {
		m = append(m, Mistake{"patterns", "patterns_missing", "give at least one address pattern, such as https://moodle.univ.fr/", ""})
	}
	if len(s.Patterns) > maxPatterns {
		m = append(m, Mistake{"patterns", "too_long", "are too many", ""})
	}
	for _, text := range s.Patterns {
		if _, err := cas.ParsePattern(text); err != nil {
			key := "pattern_unreadable"
			if e, ok := err.(*cas.PatternError); ok {
				key = "pattern_" + e.Key
			}
			m = append(m, Mistake{"patterns", key, text + " " + err.Error(), text})
		}
	}
	return m
}

// webAddress accepts http, https and paths of ours: nothing that a click could
// run.
func webAddress(text string) bool {
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && !strings.ContainsAny(text, "\\\t\r\n") {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && len(text) <= cas.MaxServiceURL
}

// Releases reports whether the service is told this attribute.
func (s Service) Releases(a Attribute) bool { return slices.Contains(s.Attributes, a) }
