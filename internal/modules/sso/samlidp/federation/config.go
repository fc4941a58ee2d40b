package federation

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Config is one federation in [[sso.saml.federations]].
type Config struct {
	ID          string `toml:"id" help:"short and stable, such as renater"`
	Aggregate   string `toml:"aggregate" help:"address of the signed list of all members, read once a day"`
	MDQ         string `toml:"mdq" help:"base address of a metadata query server, asked for one member at a time; either this or aggregate"`
	Certificate string `toml:"certificate" help:"the certificate that the federation signs with (PEM), which you have checked by another way; several while it changes"`
	// Admit says which members people may enter without an entry of the registry.
	Admit   []string             `toml:"admit" help:"entity categories whose members are open to everybody without an entry of their own; all: every member; empty: none"`
	Release []registry.Attribute `toml:"release" help:"attributes that members may be told at most; empty: what their category asks for"`
	// Consent is on in every federation unless it is switched off.
	NoConsent bool          `toml:"no_consent" help:"do not ask people before their data goes to a member"`
	Longest   time.Duration `toml:"longest" help:"the longest life that metadata may claim; 0s: 30 days"`
}

// All in Config.Admit admits every member.
const All = "all"

// longest is how far validUntil may lie ahead when the configuration does not say:
// an aggregate that lives long can be replayed long.
const longest = 30 * 24 * time.Hour

func (c Config) longest() time.Duration {
	if c.Longest > 0 {
		return c.Longest
	}
	return longest
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

// Check lists what is wrong with the federation.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(idForm.MatchString(c.ID), "id", "must be of lower-case letters, digits and hyphens")
	want((c.Aggregate == "") != (c.MDQ == ""), "aggregate", "give either aggregate or mdq")
	for key, address := range map[string]string{"aggregate": c.Aggregate, "mdq": c.MDQ} {
		u, err := url.Parse(address)
		want(address == "" || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), key, "is not a full address")
	}
	_, err := c.keys()
	want(err == nil, "certificate", fmt.Sprint(err))
	for _, a := range c.Release {
		want(a.Known(), "release", string(a)+" is not one of the attributes that can be released")
	}
	want(c.Longest == 0 || c.Longest >= 24*time.Hour, "longest", "must be 0s or at least 24h")
	return problems
}

// errNoCertificate: without a pinned key nothing that is downloaded can be
// believed.
var errNoCertificate = errors.New("give the federation's signing certificate in PEM")

// keys are the pinned ones.
func (c Config) keys() ([]saml.PublicKey, error) {
	var keys []saml.PublicKey
	for rest := []byte(c.Certificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		keys = append(keys, saml.KeyFrom(certificate))
	}
	if len(keys) == 0 {
		return nil, errNoCertificate
	}
	return keys, nil
}
