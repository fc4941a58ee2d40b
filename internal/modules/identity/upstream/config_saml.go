package upstream

import (
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// ScopedAttributes are those whose values end in the domain of who gives them
// (eduPerson; saml-subject-id-attr). Of a member of a federation they are believed
// for its own domains alone.
var ScopedAttributes = []string{"eduPersonPrincipalName", "eduPersonScopedAffiliation", "eduPersonUniqueId", "subject-id", "pairwise-id"}

// UnscopedMail is the attribute of addresses that a member of a federation gives
// though they are of no domain of its own.
const UnscopedMail = "mail_unscoped"

// SAMLConfig is [identity.upstreams.saml].
type SAMLConfig struct {
	MetadataURL         string   `toml:"metadata_url" help:"where the identity provider, or its federation, publishes metadata"`
	MetadataFile        string   `toml:"metadata_file" help:"the same as a file, when it cannot be fetched"`
	MetadataCertificate string   `toml:"metadata_certificate" help:"PEM file of who signs the metadata; needed for a federation's"`
	EntityID            string   `toml:"entity_id" help:"entity identifier of the provider; empty means the only one in the metadata"`
	DiscoveryURL        string   `toml:"discovery_url" help:"discovery service on which people choose among several identity providers, such as RENATER's"`
	OwnEntityID         string   `toml:"own_entity_id" help:"what we are called there; empty means the address of our metadata, /identity/upstreams/ID/metadata"`
	NameIDFormat        string   `toml:"name_id_format" help:"format of the identifier that is asked for; empty leaves it to the provider"`
	Subject             string   `toml:"subject" help:"attribute that names somebody for ever, or NameID; empty tries subject-id, pairwise-id, eduPersonUniqueId, a persistent NameID, and Microsoft's object identifier"`
	Attributes          []string `toml:"attributes" help:"attributes that our metadata ask for, by their short names; empty means those that matching and creating need"`
	SignOutPage         string   `toml:"sign_out_page" help:"its own page that ends a session there, for when it has no single logout"`
	AllowSHA1           bool     `toml:"allow_sha1" help:"accept its signatures by SHA-1; only until it has learnt better"`
	AllowCBC            bool     `toml:"allow_cbc" help:"accept assertions encrypted by AES-CBC, as ADFS does"`
	CAFile              string   `toml:"ca_file" help:"PEM file of the authority behind the metadata's address; empty means the system's"`
}

func (c SAMLConfig) problems() (problems []config.Problem) {
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: "saml." + key, Text: text})
		}
	}
	want(c.MetadataURL != "" || c.MetadataFile != "", "metadata_url", "metadata_url or metadata_file must say where its metadata are")
	want(c.MetadataURL == "" || c.MetadataFile == "", "metadata_file", "metadata_url says already where its metadata are")
	// Over http anybody on the way could put their own keys into the metadata; a
	// signature over them is as good as TLS.
	want(c.MetadataURL == "" || webAddress(c.MetadataURL) || c.MetadataCertificate != "", "metadata_url", "must be an https address, or metadata_certificate must say who signs")
	want(c.DiscoveryURL == "" || webAddress(c.DiscoveryURL), "discovery_url", "must be an https address")
	want(c.DiscoveryURL == "" || c.EntityID == "", "discovery_url", "has nothing to choose when entity_id names one provider")
	want(c.DiscoveryURL == "" || c.MetadataCertificate != "", "metadata_certificate", "must say who signs the metadata of a federation")
	want(c.SignOutPage == "" || webAddress(c.SignOutPage), "sign_out_page", "must be an https address")
	return problems
}

// problemsOfMany is what is wrong with rules for a federation: each of its members
// can give anybody any login, number or address, and would open accounts that it
// has nothing to do with.
func (c Config) problemsOfMany() (problems []config.Problem) {
	for i, m := range c.Match {
		if m.DropDomain || m.Attribute != "mail" && !slices.Contains(ScopedAttributes, m.Attribute) {
			problems = append(problems, config.Problem{
				Key:  "match[" + strconv.Itoa(i) + "].attribute",
				Text: "may be given by any member of the federation to anybody: match by mail or an attribute with a scope, such as eduPersonPrincipalName, with its domain",
			})
		}
	}
	scoped := func(name string) bool { return slices.Contains(ScopedAttributes, name) }
	if login := c.Create.Login; c.Create.Allowed && login != "" && !scoped(login) {
		problems = append(problems, config.Problem{Key: "create.login", Text: "may be given by any member of the federation to anybody: name an attribute with a scope, such as eduPersonPrincipalName"})
	}
	for i, a := range c.Create.Affiliations {
		if a.Attribute == "" { // everybody of the federation, on purpose
			continue
		}
		if key := "create.affiliations[" + strconv.Itoa(i) + "]"; !scoped(a.Attribute) {
			problems = append(problems, config.Problem{Key: key + ".attribute", Text: "may be given by any member of the federation to anybody: use eduPersonScopedAffiliation"})
		} else if !strings.Contains(a.Value, "@") {
			problems = append(problems, config.Problem{Key: key + ".value", Text: "must say whose affiliation it is, such as student@univ.fr"})
		}
	}
	return problems
}
