package mapping

import (
	"maps"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// preset is a mapping to begin with: an expression for each field, and who gets which
// affiliation.
type preset struct {
	fields       map[source.Kind]map[Field]string
	affiliations []source.AffiliationConfig
}

// presets by their names in the configuration.
var presets = map[string]preset{
	source.PresetNone:      {fields: asNamed()},
	source.PresetEduPerson: {fields: eduPerson(), affiliations: eduPersonAffiliations("", "")},
	source.PresetSupAnn:    {fields: supAnn(), affiliations: eduPersonAffiliations("supannEtuInscription", "bare(supannEntiteAffectationPrincipale) | bare(supannEntiteAffectation) | bare(supannEmpProfil[affect])")},
	source.PresetAD:        {fields: activeDirectory(), affiliations: activeDirectoryAffiliations()},
}

// asNamed takes each field from the attribute of the same name, as files and programs
// that push write them.
func asNamed() map[source.Kind]map[Field]string {
	all := map[source.Kind]map[Field]string{}
	for _, k := range source.Kinds {
		all[k] = map[Field]string{}
		for f := range fieldsOf(k) {
			all[k][f] = string(f)
		}
	}
	all[source.Person][contract.FieldUntil] = string(contract.FieldUntil)
	all[source.Person][FieldPhoto] = string(FieldPhoto)
	all[source.Person][FieldFunctions] = "function(functions)"
	return all
}

// eduPerson is inetOrgPerson (RFC 2798) with eduPerson.
func eduPerson() map[source.Kind]map[Field]string {
	return map[source.Kind]map[Field]string{
		source.Person: {
			contract.FieldLogin: "uid", contract.FieldMail: "mail", contract.FieldGivenName: "givenName", contract.FieldFamilyName: "sn",
			contract.FieldJobTitle: "title", contract.FieldLocale: "preferredLanguage", contract.FieldMobile: "mobile",
			contract.FieldUntil: "schacExpiryDate",
			FieldDisplayName:    "displayName | cn", FieldEmployeeNumber: "employeeNumber", FieldPhone: "telephoneNumber",
			FieldOffice: "roomNumber | physicalDeliveryOfficeName", FieldPhoto: "jpegPhoto", FieldManager: "manager",
			FieldGroups: "memberOf", FieldUnits: "departmentNumber", FieldEntitlements: "eduPersonEntitlement",
		},
		source.Group: {
			FieldCode: "cn", FieldName: "displayName | cn", FieldDescription: "description",
			FieldMembers: "member | uniqueMember | memberUid", FieldOwners: "owner",
		},
		source.Unit: {
			FieldCode: "ou", FieldName: "displayName | description | ou", FieldPhone: "telephoneNumber", "mail": "mail",
			FieldAddress: "postalAddress", FieldURL: "labeledURI",
		},
	}
}

// supAnn is the French recommendation for directories of higher education, of 2021, over
// eduPerson.
func supAnn() map[source.Kind]map[Field]string {
	all := eduPerson()
	maps.Copy(all[source.Person], map[Field]string{
		contract.FieldStudentNumber: "supannEtuId", FieldEmployeeNumber: "supannEmpId",
		contract.FieldMail: "mail | supannAutreMail", contract.FieldRecoveryMail: "supannMailPrive | supannMailPerso",
		contract.FieldMobile: "supannTelephonePrive | mobile",
		FieldUnits:           "bare(supannEntiteAffectation) | bare(supannEntiteAffectationPrincipale) | bare(supannEmpProfil[affect])",
		FieldListed:          "not(supannListeRouge)", FieldFunctions: "function(supannRoleEntite) | function(supannRoleGenerique)",
		FieldActive: "state(supannRessourceEtatDate) | state(supannRessourceEtat)", FieldBuilding: "buildingName",
	})
	maps.Copy(all[source.Group], map[Field]string{FieldOwners: "supannGroupeAdminDN | owner"})
	maps.Copy(all[source.Unit], map[Field]string{
		FieldCode: "supannCodeEntite | ou", FieldName: "description | displayName | ou",
		FieldParent: "bare(supannCodeEntiteParent)", FieldType: "supannTypeEntite",
	})
	return all
}

// eduPersonAffiliations makes affiliations of eduPersonAffiliation. "employee" alone says
// too little about somebody who teaches.
func eduPersonAffiliations(enrolments, unit string) []source.AffiliationConfig {
	const attribute = "eduPersonAffiliation"
	student := source.AffiliationConfig{Attribute: attribute, Value: "student", Kind: "student", Each: enrolments}
	if enrolments != "" {
		student.Programme = "bare(supannEtuInscription[etape]) | bare(supannEtuEtape)"
		student.Unit = "bare(supannEtuInscription[affect]) | " + unit
	}
	rules := []source.AffiliationConfig{student}
	for _, value := range []string{"faculty", "teacher", "researcher"} {
		rules = append(rules, source.AffiliationConfig{Attribute: attribute, Value: value, Kind: "teacher", Unit: unit})
	}
	for _, value := range []string{"affiliate", "emeritus", "registered-reader"} {
		rules = append(rules, source.AffiliationConfig{Attribute: attribute, Value: value, Kind: "guest", Unit: unit})
	}
	return append(rules,
		source.AffiliationConfig{Attribute: attribute, Value: "staff", Kind: "staff", Unit: unit},
		source.AffiliationConfig{Attribute: attribute, Value: "employee", Unless: []string{"faculty", "teacher", "researcher", "staff"}, Kind: "staff", Unit: unit},
	)
}

// activeDirectory is Microsoft's schema.
func activeDirectory() map[source.Kind]map[Field]string {
	return map[source.Kind]map[Field]string{
		source.Person: {
			contract.FieldLogin: "sAMAccountName", contract.FieldMail: "mail | userPrincipalName",
			contract.FieldGivenName: "givenName", contract.FieldFamilyName: "sn", contract.FieldJobTitle: "title",
			contract.FieldLocale: "preferredLanguage", contract.FieldMobile: "mobile", contract.FieldUntil: "accountExpires",
			FieldDisplayName: "displayName", FieldEmployeeNumber: "employeeID | employeeNumber",
			FieldPhone: "telephoneNumber", FieldOffice: "physicalDeliveryOfficeName", FieldPhoto: "thumbnailPhoto | jpegPhoto",
			FieldManager: "manager", FieldGroups: "memberOf", FieldUnits: "departmentNumber | department",
			FieldListed: "not(msExchHideFromAddressLists)", FieldActive: "enabled(userAccountControl)",
		},
		source.Group: {
			FieldCode: "sAMAccountName | cn", FieldName: "displayName | cn", FieldDescription: "description",
			FieldMembers: "member", FieldOwners: "managedBy",
		},
		source.Unit: {FieldCode: "ou", FieldName: "displayName | description | ou", FieldDescription: "description"},
	}
}

// activeDirectoryAffiliations reads the one attribute of Active Directory that is about
// this. Most institutions say it by groups instead, in rules of their own.
func activeDirectoryAffiliations() []source.AffiliationConfig {
	var rules []source.AffiliationConfig
	for value, kind := range map[string]string{
		"student": "student", "teacher": "teacher", "faculty": "teacher", "staff": "staff", "employee": "staff", "guest": "guest",
		"etudiant": "student", "enseignant": "teacher", "personnel": "staff",
	} {
		rules = append(rules, source.AffiliationConfig{Attribute: "employeeType", Value: value, Kind: kind, Unit: "departmentNumber | department"})
	}
	return rules
}
