package upstream

import "github.com/amphi-campus/amphi/internal/platform/config"

// SAMLConfig is [identity.upstreams.saml].
type SAMLConfig struct {
	MetadataURL  string `toml:"metadata_url" help:"where the identity provider publishes its metadata"`
	MetadataFile string `toml:"metadata_file" help:"the same as a file, when it cannot be fetched"`
	EntityID     string `toml:"entity_id" help:"entity identifier of the provider; empty means the only one in the metadata"`
}

func (c SAMLConfig) problems() (problems []config.Problem) {
	if c.MetadataURL == "" && c.MetadataFile == "" {
		problems = append(problems, config.Problem{Key: "saml.metadata_url", Text: "metadata_url or metadata_file must say where its metadata are"})
	}
	if c.MetadataURL != "" && !webAddress(c.MetadataURL) {
		problems = append(problems, config.Problem{Key: "saml.metadata_url", Text: "must be an https address"})
	}
	return problems
}
