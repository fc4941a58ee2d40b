package registry

import (
	"slices"
	"strings"
)

// Attribute is something about a person that a service may be told. Its name is
// the one that CAS answers, the configuration and our pages use; where a schema
// has one, it is that (the FriendlyName of SAML).
type Attribute string

// The attributes that exist.
const (
	UID                Attribute = "uid"
	DisplayName        Attribute = "displayName"
	CommonName         Attribute = "cn"
	GivenName          Attribute = "givenName"
	Surname            Attribute = "sn"
	Mail               Attribute = "mail"
	PreferredLanguage  Attribute = "preferredLanguage"
	PrincipalName      Attribute = "eduPersonPrincipalName"
	UniqueID           Attribute = "eduPersonUniqueId"
	SubjectID          Attribute = "subject-id"
	PairwiseID         Attribute = "pairwise-id"
	Affiliation        Attribute = "eduPersonAffiliation"
	PrimaryAffiliation Attribute = "eduPersonPrimaryAffiliation"
	ScopedAffiliation  Attribute = "eduPersonScopedAffiliation"
	Entitlement        Attribute = "eduPersonEntitlement"
	Assurance          Attribute = "eduPersonAssurance"
	HomeOrganization   Attribute = "schacHomeOrganization"
	PersonalCode       Attribute = "schacPersonalUniqueCode" // the European Student Identifier
	StudentNumber      Attribute = "supannEtuId"             // students only
	StudyStage         Attribute = "supannEtuEtape"
	Establishment      Attribute = "supannEtablissement"
	Entity             Attribute = "supannEntiteAffectation"
	PrimaryEntity      Attribute = "supannEntiteAffectationPrincipale"
	Campus             Attribute = "campus"
	Programme          Attribute = "programme"
)

// Names is what the protocols call one attribute.
type Names struct {
	Attribute Attribute
	// SAML is the Name of the attribute in assertions. It is a URI (an OID where a
	// schema gave one) except for our own two, whose names are "basic".
	SAML string
	// Claim is its name in OpenID Connect, and Scope the scope that asks for it.
	// The claims of eduPerson follow REFEDS's mapping of 2019. Several reports
	// whether the claim is a list.
	Claim, Scope string
	Several      bool
	// Scoped values end with "@" and the institution's domain.
	Scoped bool
}

// The scopes of OpenID Connect besides openid. Affiliation and campus are ours.
const (
	ScopeProfile     = "profile"
	ScopeEmail       = "email"
	ScopeAffiliation = "affiliation"
	ScopeCampus      = "campus"
	ScopeStudent     = "student"
	ScopeEduPerson   = "eduperson"
)

// Scopes lists the scopes that release attributes.
var Scopes = []string{ScopeProfile, ScopeEmail, ScopeAffiliation, ScopeCampus, ScopeStudent, ScopeEduPerson}

const oid = "urn:oid:"

// table is every attribute, in the order in which answers carry them. The OIDs
// are those of RFC 4519, RFC 2798, eduPerson (2022-04), SCHAC 1.6 and SupAnn 2021;
// subject-id and pairwise-id come from the OASIS profile of 2019.
var table = []Names{
	{UID, oid + "0.9.2342.19200300.100.1.1", "preferred_username", ScopeProfile, false, false},
	{DisplayName, oid + "2.16.840.1.113730.3.1.241", "name", ScopeProfile, false, false},
	{CommonName, oid + "2.5.4.3", "cn", ScopeProfile, false, false},
	{GivenName, oid + "2.5.4.42", "given_name", ScopeProfile, false, false},
	{Surname, oid + "2.5.4.4", "family_name", ScopeProfile, false, false},
	{Mail, oid + "0.9.2342.19200300.100.1.3", "email", ScopeEmail, false, false},
	{PreferredLanguage, oid + "2.16.840.1.113730.3.1.39", "locale", ScopeProfile, false, false},
	{PrincipalName, oid + "1.3.6.1.4.1.5923.1.1.1.6", "eduperson_principal_name", ScopeEduPerson, false, true},
	{UniqueID, oid + "1.3.6.1.4.1.5923.1.1.1.13", "eduperson_unique_id", ScopeEduPerson, false, true},
	{SubjectID, "urn:oasis:names:tc:SAML:attribute:subject-id", "subject_id", ScopeEduPerson, false, true},
	{PairwiseID, "urn:oasis:names:tc:SAML:attribute:pairwise-id", "pairwise_id", ScopeEduPerson, false, true},
	{Affiliation, oid + "1.3.6.1.4.1.5923.1.1.1.1", "eduperson_affiliation", ScopeAffiliation, true, false},
	{PrimaryAffiliation, oid + "1.3.6.1.4.1.5923.1.1.1.5", "eduperson_primary_affiliation", ScopeAffiliation, false, false},
	{ScopedAffiliation, oid + "1.3.6.1.4.1.5923.1.1.1.9", "eduperson_scoped_affiliation", ScopeAffiliation, true, true},
	{Entitlement, oid + "1.3.6.1.4.1.5923.1.1.1.7", "eduperson_entitlement", ScopeEduPerson, true, false},
	{Assurance, oid + "1.3.6.1.4.1.5923.1.1.1.11", "eduperson_assurance", ScopeEduPerson, true, false},
	{HomeOrganization, oid + "1.3.6.1.4.1.25178.1.2.9", "schac_home_organization", ScopeEduPerson, false, false},
	{PersonalCode, oid + "1.3.6.1.4.1.25178.1.2.14", "schac_personal_unique_code", ScopeStudent, true, false},
	{StudentNumber, oid + "1.3.6.1.4.1.7135.1.2.1.10", "supann_etu_id", ScopeStudent, false, false},
	{StudyStage, oid + "1.3.6.1.4.1.7135.1.2.1.29", "supann_etu_etape", ScopeStudent, true, false},
	{Establishment, oid + "1.3.6.1.4.1.7135.1.2.1.14", "supann_etablissement", ScopeAffiliation, true, false},
	{Entity, oid + "1.3.6.1.4.1.7135.1.2.1.8", "supann_entite_affectation", ScopeCampus, true, false},
	{PrimaryEntity, oid + "1.3.6.1.4.1.7135.1.2.1.13", "supann_entite_affectation_principale", ScopeCampus, false, false},
	{Campus, "campus", "campus", ScopeCampus, true, false},
	{Programme, "programme", "programme", ScopeCampus, true, false},
}

// Attributes lists every attribute, in the order in which answers carry them.
var Attributes = func() []Attribute {
	list := make([]Attribute, len(table))
	for i, n := range table {
		list[i] = n.Attribute
	}
	return list
}()

// Names is what the protocols call the attribute; ok is false for none of ours.
func (a Attribute) Names() (n Names, ok bool) {
	i := slices.IndexFunc(table, func(n Names) bool { return n.Attribute == a })
	if i < 0 {
		return Names{}, false
	}
	return table[i], true
}

// Known reports whether the attribute is one of ours.
func (a Attribute) Known() bool { return slices.Contains(Attributes, a) }

// SAMLFormat is the NameFormat that goes with n.SAML (SAML profiles §8).
func (n Names) SAMLFormat() string {
	if strings.HasPrefix(n.SAML, "urn:") {
		return "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	}
	return "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
}

// BySAML is the attribute that service providers ask for by this Name, or by this
// FriendlyName when they give no name that we know; "" for none of ours.
func BySAML(name, friendly string) Attribute {
	for _, n := range table {
		if n.SAML == name {
			return n.Attribute
		}
	}
	for _, n := range table {
		if a := string(n.Attribute); a == name || a == friendly {
			return n.Attribute
		}
	}
	return ""
}

// ByClaim is the attribute behind a claim of OpenID Connect; "" for none of ours.
func ByClaim(claim string) Attribute {
	for _, n := range table {
		if n.Claim == claim {
			return n.Attribute
		}
	}
	return ""
}

// OfScope lists the attributes that a scope of OpenID Connect asks for.
func OfScope(scope string) []Attribute {
	var list []Attribute
	for _, n := range table {
		if n.Scope == scope {
			list = append(list, n.Attribute)
		}
	}
	return list
}
