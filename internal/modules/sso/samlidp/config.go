package samlidp

import (
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [sso.saml] in the configuration.
type Config struct {
	EntityID string `toml:"entity_id" help:"the name of this identity provider among all others; empty: the address of its metadata. Keep the former one when you move from another program"`

	NameFrench         string `toml:"name_fr" help:"the institution's name, as people pick it from a list"`
	NameEnglish        string `toml:"name_en" help:"the same in English"`
	DescriptionFrench  string `toml:"description_fr" help:"one sentence under it"`
	DescriptionEnglish string `toml:"description_en" help:"the same in English"`
	InformationURL     string `toml:"information_url" help:"a page about the institution; empty: this workspace"`
	PrivacyURL         string `toml:"privacy_url" help:"how it treats personal data"`
	LogoURL            string `toml:"logo_url" help:"its logo, by https"`
	TechnicalContact   string `toml:"technical_contact" help:"mail address of who runs this identity provider"`
	SupportContact     string `toml:"support_contact" help:"mail address that people may write to"`
	SecurityContact    string `toml:"security_contact" help:"mail address for security incidents (SIRTFI)"`
	SIRTFI             bool   `toml:"sirtfi" help:"the institution answers to incidents as SIRTFI asks"`

	SignedRequests bool          `toml:"signed_requests" help:"refuse every request that is not signed"`
	Skew           time.Duration `toml:"skew" help:"how far a service provider's clock may be from ours"`
	RequestAge     time.Duration `toml:"request_age" help:"how old a request may be when it arrives; an older one starts again at the service"`
	AnswerAge      time.Duration `toml:"answer_age" help:"how long an assertion may be taken"`
	Session        time.Duration `toml:"session" help:"how long a service may keep its own session (SessionNotOnOrAfter); 0s: it decides"`

	Federations []federation.Config `toml:"federations"`
}

// Defaults suit an institution that sets nothing.
func Defaults() Config {
	return Config{Skew: 2 * time.Minute, RequestAge: 10 * time.Minute, AnswerAge: 5 * time.Minute, Session: 12 * time.Hour}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(len(c.EntityID) <= 1024 && !strings.ContainsAny(c.EntityID, " \t\r\n"), "entity_id", "must be a URI of at most 1024 characters")
	for key, address := range map[string]string{"information_url": c.InformationURL, "privacy_url": c.PrivacyURL, "logo_url": c.LogoURL} {
		u, err := url.Parse(address)
		want(address == "" || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), key, "is not a full address")
	}
	for key, address := range map[string]string{"technical_contact": c.TechnicalContact, "support_contact": c.SupportContact, "security_contact": c.SecurityContact} {
		parsed, err := mail.ParseAddress(address)
		want(address == "" || err == nil && parsed.Address == address, key, "is not a mail address")
	}
	want(!c.SIRTFI || c.SecurityContact != "", "security_contact", "is needed with sirtfi")
	want(c.Skew >= 0 && c.Skew <= 10*time.Minute, "skew", "must lie between 0s and 10m")
	want(c.RequestAge >= time.Minute && c.RequestAge <= 24*time.Hour, "request_age", "must lie between 1m and 24h")
	want(c.AnswerAge >= time.Minute && c.AnswerAge <= time.Hour, "answer_age", "must lie between 1m and 1h")
	want(c.Session == 0 || c.Session >= 10*time.Minute, "session", "must be 0s or at least 10m")
	seen := map[string]bool{}
	for i, f := range c.Federations {
		want(!seen[f.ID], fmt.Sprintf("federations[%d].id", i), f.ID+" stands here twice")
		seen[f.ID] = true
		for _, p := range f.Check() {
			problems = append(problems, config.Problem{Key: fmt.Sprintf("federations[%d].%s", i, p.Key), Text: p.Text})
		}
	}
	return problems
}
