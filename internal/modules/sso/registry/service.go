// Package registry knows the services that people are signed in to: what one is,
// what is wrong with one, and which one an address belongs to, also among
// thousands.
package registry

import (
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
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
	CAS                CASService      `toml:"cas"`
	SAML               SAMLPeer        `toml:"saml"`
	OIDC               OIDCClient      `toml:"oidc"`
	SecretEnds         string          `toml:"secret_ends" help:"the day on which the service's secret or key is renewed, such as 2027-09-01; alarms come 60, 30 and 7 days before"`
	NoSingleLogout     bool            `toml:"no_single_logout" help:"keep the service's own session when somebody signs out"`
	Protocol           Protocol        `toml:"protocol" help:"cas, saml, oidc, or link: an entry of the catalogue and no sign-in; cas when empty"`
	Disabled           bool            `toml:"disabled" help:"keep the entry and refuse to sign in to it"`

	// FromConfiguration marks a service that the page shows but cannot change.
	FromConfiguration bool `toml:"-" json:"-"`
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

// Reason is why the service is told what it is told, in a language; "" when
// nobody wrote it down.
func (s Service) Reason(l campus.Locale) string {
	return pick(l, s.ReasonFrench, s.ReasonEnglish)
}

func pick(l campus.Locale, french, english string) string {
	if l == campus.English && english != "" || french == "" {
		return english
	}
	return french
}

// SignsIn reports whether tickets are issued for the service.
func (s Service) SignsIn() bool { return s.Protocol != Link && !s.Disabled }

// Releases reports whether the service is told this attribute.
func (s Service) Releases(a Attribute) bool { return slices.Contains(s.Attributes, a) }

// Needs reports whether the service cannot work without this attribute: its entry
// says so, or the name by which SAML tells it who somebody is comes from there. The
// others are wished, and people may leave them out.
func (s Service) Needs(a Attribute) bool {
	switch {
	case slices.Contains(s.Required, a):
		return true
	case s.Protocol != SAML:
		return false
	case s.SAML.NameIDFrom != "":
		return Attribute(s.SAML.NameIDFrom) == a
	default:
		return s.SAML.NameID == NameIDEmail && a == Mail
	}
}
