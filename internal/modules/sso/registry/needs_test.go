package registry

import "testing"

func TestWhatAServiceNeedsIsWhatItsEntryAndItsNamesNeed(t *testing.T) {
	for name, c := range map[string]struct {
		s    Service
		a    Attribute
		want bool
	}{
		"a wished attribute is not":                       {Service{Protocol: CAS, Attributes: []Attribute{Mail}}, Mail, false},
		"a required one is":                               {Service{Protocol: CAS, Required: []Attribute{Mail}}, Mail, true},
		"the source of the name is":                       {Service{Protocol: SAML, SAML: SAMLPeer{NameIDFrom: "uid"}}, UID, true},
		"the address as a name is":                        {Service{Protocol: SAML, SAML: SAMLPeer{NameID: NameIDEmail}}, Mail, true},
		"the address beside a name from elsewhere is not": {Service{Protocol: SAML, SAML: SAMLPeer{NameID: NameIDEmail, NameIDFrom: "uid"}}, Mail, false},
		"what is left of another protocol is not":         {Service{Protocol: OIDC, SAML: SAMLPeer{NameIDFrom: "uid"}}, UID, false},
	} {
		if got := c.s.Needs(c.a); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
