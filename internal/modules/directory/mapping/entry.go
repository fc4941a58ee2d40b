// Package mapping turns what a source says, in the source's words, into what the
// house understands: by a preset, and by the mapping of the configuration over it.
package mapping

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// Field names a part of a person, a group or a unit. Those of [contract.Subject] are
// among them.
type Field = contract.Field

// The fields of people that the register of people does not keep.
const (
	FieldDisplayName    Field = "display_name" // as the source writes it
	FieldEmployeeNumber Field = "employee_number"
	FieldLoginDomain    Field = "login_domain" // of a login that the source writes as an address
	FieldPhone          Field = "phone"        // of the office; several
	FieldOffice         Field = "office"
	FieldBuilding       Field = "building"
	FieldPhoto          Field = "photo"        // digest of [Entry.Photo]
	FieldListed         Field = "listed"       // "true" or "false": whether the directory shows this person
	FieldManager        Field = "manager"      // a name of the source ([source.Name])
	FieldGroups         Field = "groups"       // names of groups in the source; several
	FieldUnits          Field = "units"        // codes; several, the main one first
	FieldFunctions      Field = "functions"    // [Function.String]; several
	FieldEntitlements   Field = "entitlements" // eduPersonEntitlement; several
	FieldActive         Field = "active"       // "false" when the source says that the account is switched off
)

// The fields of groups and units.
const (
	FieldCode        Field = "code"
	FieldName        Field = "name"
	FieldDescription Field = "description"
	FieldMembers     Field = "members" // of a group: names of the source; several
	FieldOwners      Field = "owners"  // of a group: names of the source; several
	FieldParent      Field = "parent"  // of a unit: code of the unit around it
	FieldType        Field = "type"    // of a unit: as the source says, such as {SUPANN}F100
	FieldAddress     Field = "address"
	FieldURL         Field = "url"
)

// Values are what a source says of one entry: cleaned, in the stored form, by field. A
// field without values is empty at the source; a field that is not there is one that
// the source does not speak of, or whose value was refused, so that what is known of it
// stays.
type Values map[Field][]string

// One is the first value of a field, or "".
func (v Values) One(f Field) string {
	if all := v[f]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// Fields are those that are spoken of, in order.
func (v Values) Fields() []Field { return slices.Sorted(maps.Keys(v)) }

// Subject is the part of the values that the register of people keeps. Values are
// those that [Mapping.Map] made, of one source or merged.
func (v Values) Subject() contract.Subject {
	s := contract.Subject{
		Login: v.One(contract.FieldLogin), Mail: v.One(contract.FieldMail),
		GivenName: v.One(contract.FieldGivenName), FamilyName: v.One(contract.FieldFamilyName),
		StudentNumber: v.One(contract.FieldStudentNumber), JobTitle: v.One(contract.FieldJobTitle),
		Locale: campus.Locale(v.One(contract.FieldLocale)),
		Mobile: v.One(contract.FieldMobile), RecoveryMail: v.One(contract.FieldRecoveryMail),
	}
	for _, text := range v[contract.FieldAffiliations] {
		if a, ok := ParseAffiliation(text); ok {
			s.Affiliations = append(s.Affiliations, a)
		}
	}
	if said, ok := v[contract.FieldUntil]; ok {
		s.Until = map[campus.Kind]time.Time{}
		for _, a := range s.Affiliations { // without an end unless one is said
			s.Until[a.Kind] = time.Time{}
		}
		for _, text := range said {
			if k, at, ok := parseUntil(text); ok {
				s.Until[k] = at
			}
		}
	}
	return s
}

// separator stands between the parts of a stored affiliation; codes cannot hold it.
const separator = "|"

// FormatAffiliation is the stored form of an affiliation.
func FormatAffiliation(a campus.Affiliation) string {
	return strings.Join([]string{string(a.Kind), a.Campus, a.Programme, a.Unit}, separator)
}

// ParseAffiliation reads the stored form.
func ParseAffiliation(text string) (campus.Affiliation, bool) {
	parts := strings.Split(text, separator)
	if len(parts) != 4 || !slices.Contains(campus.Kinds, campus.Kind(parts[0])) {
		return campus.Affiliation{}, false
	}
	return campus.Affiliation{Kind: campus.Kind(parts[0]), Campus: parts[1], Programme: parts[2], Unit: parts[3]}, true
}

// formatUntil is the stored form of when an affiliation ends.
func formatUntil(k campus.Kind, at time.Time) string {
	return string(k) + separator + at.UTC().Format(time.RFC3339)
}

func parseUntil(text string) (campus.Kind, time.Time, bool) {
	kind, stamp, _ := strings.Cut(text, separator)
	at, err := time.Parse(time.RFC3339, stamp)
	return campus.Kind(kind), at, err == nil && slices.Contains(campus.Kinds, campus.Kind(kind))
}

// Function is something that somebody does for a unit, such as its head.
type Function struct {
	Role string // as the source says: a code such as {SUPANN}D10, or words
	Type string // kind of function, as the source says
	Unit string // code
}

// String is the stored form.
func (f Function) String() string { return strings.Join([]string{f.Role, f.Type, f.Unit}, separator) }

// ParseFunction reads the stored form.
func ParseFunction(text string) (Function, bool) {
	parts := strings.Split(text, separator)
	if len(parts) != 3 {
		return Function{}, false
	}
	return Function{Role: parts[0], Type: parts[1], Unit: parts[2]}, true
}

// Entry is a record in the words of the house.
type Entry struct {
	Kind            source.Kind
	Key             string
	Names           []string // what other records of the source call it
	Where           string
	Gone, Unchanged bool
	// Refused says that the record is not taken, for the reason among the refusals. It
	// is there at the source all the same, so nobody has left.
	Refused bool
	Values  Values
	// Photo is the picture, as the source has it, when Values name FieldPhoto.
	Photo []byte
}
