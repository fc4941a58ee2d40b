package intake

import (
	"bytes"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// readMetadata makes an entry of the service provider in a document of SAML
// metadata. Nobody signed for it: that an administrator gives it is the trust.
func readMetadata(name string, text []byte) (Found, error) {
	var found Found
	aggregate, err := saml.ReadMetadata(text, saml.Trust{}, func(e *saml.Entity) error {
		if e.SP == nil {
			return nil
		}
		if len(found.Services) == 1 {
			return fmt.Errorf("it holds several service providers: subscribe to a federation with [[sso.saml.federations]] instead of importing it")
		}
		s := federation.Propose(e)
		s.ID = identifier(s.ID)
		if s.NameFrench == "" && s.NameEnglish == "" {
			s.NameFrench = s.ID
		}
		s.SAML.Metadata = string(bytes.TrimSpace(text))
		found.Services = append(found.Services, s)
		return nil
	})
	switch {
	case err != nil:
		return Found{}, fmt.Errorf("read the metadata of %s: %w", name, err)
	case len(found.Services) == 1:
		return found, nil
	case len(aggregate.Refused) > 0:
		return Found{}, fmt.Errorf("read the metadata of %s: %s: %w", name, aggregate.Refused[0].ID, aggregate.Refused[0].Err)
	}
	return Found{}, fmt.Errorf("%s holds no SAML 2.0 service provider (SPSSODescriptor)", name)
}
