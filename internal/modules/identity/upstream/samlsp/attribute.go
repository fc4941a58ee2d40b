package samlsp

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Names that Microsoft's providers use for what has no short name elsewhere.
const (
	microsoftObject  = "objectidentifier"
	microsoftMethods = "authnmethodsreferences"
)

// shortNames are the attributes that the rules of an upstream speak of, by the
// names under which they travel. A FriendlyName is not looked at: it is for
// people, and decides nothing (saml-core, 2.7.3.1).
var shortNames = map[string]string{
	"urn:oid:0.9.2342.19200300.100.1.1":             "uid",
	"urn:oid:0.9.2342.19200300.100.1.3":             "mail",
	"urn:oid:2.5.4.3":                               "cn",
	"urn:oid:2.5.4.4":                               "sn",
	"urn:oid:2.5.4.42":                              "givenName",
	"urn:oid:2.16.840.1.113730.3.1.3":               "employeeNumber",
	"urn:oid:2.16.840.1.113730.3.1.39":              "preferredLanguage",
	"urn:oid:2.16.840.1.113730.3.1.241":             "displayName",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.1":              "eduPersonAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.5":              "eduPersonPrimaryAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.6":              "eduPersonPrincipalName",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.7":              "eduPersonEntitlement",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.9":              "eduPersonScopedAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.10":             "eduPersonTargetedID",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.11":             "eduPersonAssurance",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.13":             "eduPersonUniqueId",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.16":             "eduPersonOrcid",
	"urn:oid:1.3.6.1.4.1.5923.1.5.1.1":              "isMemberOf",
	"urn:oid:1.3.6.1.4.1.25178.1.2.9":               "schacHomeOrganization",
	"urn:oid:1.3.6.1.4.1.7135.1.2.1.8":              "supannEntiteAffectation",
	"urn:oid:1.3.6.1.4.1.7135.1.2.1.10":             "supannEtuId",
	"urn:oid:1.3.6.1.4.1.7135.1.2.1.13":             "supannEntiteAffectationPrincipale",
	"urn:oid:1.3.6.1.4.1.7135.1.2.1.14":             "supannEtablissement",
	"urn:oid:1.3.6.1.4.1.7135.1.2.1.29":             "supannEtuEtape",
	"urn:oasis:names:tc:SAML:attribute:subject-id":  "subject-id",
	"urn:oasis:names:tc:SAML:attribute:pairwise-id": "pairwise-id",

	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":                  "userPrincipalName",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress":         "mail",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname":            "givenName",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname":              "sn",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name":                 "name",
	"http://schemas.xmlsoap.org/claims/CommonName":                               "cn",
	"http://schemas.xmlsoap.org/claims/Group":                                    "groups",
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/groups":             "groups",
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/role":               "roles",
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname": "sAMAccountName",
	"http://schemas.microsoft.com/identity/claims/displayname":                   "displayName",
	"http://schemas.microsoft.com/identity/claims/objectidentifier":              microsoftObject,
	"http://schemas.microsoft.com/identity/claims/tenantid":                      "tenantid",
	"http://schemas.microsoft.com/claims/authnmethodsreferences":                 microsoftMethods,
}

// legacyNames is the prefix of eduPerson's names before 2008.
const legacyNames = "urn:mace:dir:attribute-def:"

// flatten gives the attributes by their short names where they have one, and by
// their own.
func flatten(attributes []saml.Attribute) map[string][]string {
	said := map[string][]string{}
	for _, a := range attributes {
		values := a.Strings()
		said[a.Name] = append(said[a.Name], values...)
		short := shortNames[a.Name]
		if short == "" {
			short = strings.TrimPrefix(a.Name, legacyNames)
		}
		if short == "sAMAccountName" { // DOMAIN\login
			values = slices.Clone(values)
			for i, v := range values {
				values[i] = v[strings.LastIndex(v, `\`)+1:]
			}
		}
		if short != a.Name {
			said[short] = append(said[short], values...)
		}
	}
	return said
}

// within takes out the scoped values that an identity provider has no right to
// give: in a federation, each may speak for the domains that its metadata list,
// and for no other's people (shibmd:Scope). One without a list speaks freely when
// it is the only one, and for nobody when it is one of many (member): any of them
// could name anybody. So could it by an address, which is then called
// [upstream.UnscopedMail] and matches nobody. What was taken out comes back apart.
func within(scopes []saml.Scope, said map[string][]string, member bool) (kept, foreign map[string][]string) {
	if len(scopes) == 0 && !member {
		return said, nil
	}
	kept, foreign = maps.Clone(said), map[string][]string{}
	for name, values := range said {
		short := cmp.Or(shortNames[name], strings.TrimPrefix(name, legacyNames))
		mail := member && short == "mail"
		if !mail && !slices.Contains(upstream.ScopedAttributes, short) {
			continue
		}
		delete(kept, name)
		for _, v := range values {
			domain := v[strings.LastIndex(v, "@")+1:]
			switch {
			case covers(scopes, domain), mail && below(scopes, domain):
				kept[name] = append(kept[name], v)
			case mail && name == short:
				kept[upstream.UnscopedMail] = append(kept[upstream.UnscopedMail], v)
			case !mail:
				foreign[name] = append(foreign[name], v)
			}
		}
	}
	return kept, foreign
}

// below reports whether a domain lies in one of the scopes: addresses of
// etu.univ.fr are given by whom univ.fr is.
func below(scopes []saml.Scope, domain string) bool {
	return slices.ContainsFunc(scopes, func(s saml.Scope) bool {
		return !s.Regexp && strings.HasSuffix(strings.ToLower(domain), "."+strings.ToLower(s.Value))
	})
}

func covers(scopes []saml.Scope, domain string) bool {
	return slices.ContainsFunc(scopes, func(s saml.Scope) bool {
		if !s.Regexp {
			return strings.EqualFold(s.Value, domain)
		}
		// Go's expressions take no time to speak of, whatever a federation writes.
		pattern, err := regexp.Compile(`^(?:` + s.Value + `)$`)
		return err == nil && pattern.MatchString(domain)
	})
}
