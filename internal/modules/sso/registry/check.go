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
	var m mistakes
	if !idForm.MatchString(s.ID) {
		m.add("id", "identifier", "must be of lower-case letters, digits and hyphens, at most 63", s.ID)
	}
	if s.ID == "new" || s.ID == "import" {
		m.add("id", "identifier_reserved", "is the address of a page of the registry: choose another one", s.ID)
	}
	if s.NameFrench == "" && s.NameEnglish == "" {
		m.add("name_fr", "name_missing", "give name_fr, name_en or both", "")
	}
	for _, f := range []struct {
		field, text string
		most        int
	}{
		{"name_fr", s.NameFrench, maxName}, {"name_en", s.NameEnglish, maxName}, {"category", s.Category, maxName}, {"owner", s.Owner, maxName},
		{"description_fr", s.DescriptionFrench, maxDescription}, {"description_en", s.DescriptionEnglish, maxDescription},
		{"reason_fr", s.ReasonFrench, maxDescription}, {"reason_en", s.ReasonEnglish, maxDescription},
		{"keywords", strings.Join(s.Keywords, ""), maxDescription},
	} {
		if len(f.text) > f.most || f.field == "keywords" && len(s.Keywords) > maxKeywords {
			m.add(f.field, "too_long", "is too long", "")
		}
	}
	if !iconForm.MatchString(s.Icon) {
		m.add("icon", "icon", "is not the name of an icon", s.Icon)
	}
	// The policy of our pages shows pictures of our own origin only.
	if s.Logo != "" && (!strings.HasPrefix(s.Logo, "/") || strings.HasPrefix(s.Logo, "//") || strings.ContainsAny(s.Logo, "\\\"' <>")) {
		m.add("logo", "logo", "must be a path on this server, such as /files/logo.svg", s.Logo)
	}
	if s.Contact != "" {
		if a, err := mail.ParseAddress(s.Contact); err != nil || a.Address != s.Contact {
			m.add("contact", "contact", "is not a mail address", s.Contact)
		}
	}
	if s.Home != "" && !webAddress(s.Home) {
		m.add("home", "home", "is not an address such as https://moodle.univ.fr/", s.Home)
	}
	s.checkPeople(&m)
	s.checkPolicy(&m)
	switch s.Protocol {
	case CAS, "":
		s.checkPatterns(&m)
		s.CAS.check(&m)
	case SAML:
		m = append(m, s.SAML.check()...)
	case OIDC:
		m = append(m, s.OIDC.check()...)
	case Link:
		if s.Home == "" {
			m.add("home", "home_missing", "a link needs its address", "")
		}
	default:
		m.add("protocol", "protocol", `must be "cas", "saml", "oidc" or "link"`, string(s.Protocol))
	}
	return m
}

type mistakes []Mistake

func (m *mistakes) add(field, key, text, value string) {
	*m = append(*m, Mistake{field, key, text, value})
}

// checkPeople looks at who the service is for and what it is told.
func (s Service) checkPeople(m *mistakes) {
	for _, a := range s.Attributes {
		if !a.Known() {
			m.add("attributes", "attribute", string(a)+" is not one of the attributes that can be released", string(a))
		}
	}
	for _, a := range s.Required {
		if !s.Releases(a) {
			m.add("required", "required", string(a)+" is not among the attributes of this service", string(a))
		}
	}
	for _, k := range s.Audience.Kinds {
		if !slices.Contains(campus.Kinds, k) {
			m.add("audience.kinds", "kind", string(k)+" is not a kind of affiliation", string(k))
		}
	}
	for _, r := range s.Audience.Rights {
		if !slices.Contains(campus.Rights, r) {
			m.add("audience.rights", "right", string(r)+" is not a right", string(r))
		}
	}
}

// checkPolicy looks at how strongly and how freshly people sign in.
func (s Service) checkPolicy(m *mistakes) {
	if !slices.Contains(Factors, s.Factor) {
		m.add("factor", "factor", `must be "session", "fresh" or empty`, string(s.Factor))
	}
	if s.SessionLimit < 0 || s.SessionLimit > 0 && s.SessionLimit < time.Minute || s.SessionLimit > 365*24*time.Hour {
		m.add("session_limit", "session_limit", "must be 0s, or lie between 1m and 8760h", s.SessionLimit.String())
	}
	if _, err := time.Parse(time.DateOnly, s.SecretEnds); s.SecretEnds != "" && err != nil {
		m.add("secret_ends", "date", "must be a day such as 2027-09-01", s.SecretEnds)
	}
}

func (s Service) checkPatterns(m *mistakes) {
	if len(s.Patterns) == 0 {
		m.add("patterns", "patterns_missing", "give at least one address pattern, such as https://moodle.univ.fr/", "")
	}
	if len(s.Patterns) > maxPatterns {
		m.add("patterns", "too_long", "are too many", "")
	}
	for _, text := range s.Patterns {
		if _, err := cas.ParsePattern(text); err != nil {
			key := "pattern_unreadable"
			if e, ok := err.(*cas.PatternError); ok {
				key = "pattern_" + e.Key
			}
			m.add("patterns", key, text+" "+err.Error(), text)
		}
	}
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
