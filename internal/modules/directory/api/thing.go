package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// Person is what a program says of one person. What it leaves out is empty.
type Person struct {
	Login          string        `json:"login,omitempty"`
	Mail           string        `json:"mail,omitempty"`
	GivenName      string        `json:"given_name,omitempty"`
	FamilyName     string        `json:"family_name,omitempty"`
	DisplayName    string        `json:"display_name,omitempty"`
	StudentNumber  string        `json:"student_number,omitempty"`
	EmployeeNumber string        `json:"employee_number,omitempty"`
	JobTitle       string        `json:"job_title,omitempty"`
	Locale         string        `json:"locale,omitempty"`
	Affiliations   []Affiliation `json:"affiliations,omitempty"`
	Mobile         string        `json:"mobile,omitempty"`
	RecoveryMail   string        `json:"recovery_mail,omitempty"`
	Phones         []string      `json:"phones,omitempty"`
	Office         string        `json:"office,omitempty"`
	Building       string        `json:"building,omitempty"`
	Listed         *bool         `json:"listed,omitempty"`
	Active         *bool         `json:"active,omitempty"`
	Manager        string        `json:"manager,omitempty"` // key of a person
	Units          []string      `json:"units,omitempty"`   // keys, the main one first
	Functions      []Function    `json:"functions,omitempty"`
	Entitlements   []string      `json:"entitlements,omitempty"`
}

// Affiliation is a tie to the institution.
type Affiliation struct {
	Kind      string `json:"kind"`
	Campus    string `json:"campus,omitempty"`
	Programme string `json:"programme,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Until     string `json:"until,omitempty"`
}

// Function is something that somebody does for a unit.
type Function struct {
	Role string `json:"role"`
	Unit string `json:"unit,omitempty"`
}

// Group is a set of people and of other groups.
type Group struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Members     []string `json:"members,omitempty"` // keys of people and of groups
	Owners      []string `json:"owners,omitempty"`  // keys of people
}

// Unit is a component, a department or a service.
type Unit struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Parent      string   `json:"parent,omitempty"` // key of a unit
	Type        string   `json:"type,omitempty"`
	Mail        string   `json:"mail,omitempty"`
	Phones      []string `json:"phones,omitempty"`
	Address     string   `json:"address,omitempty"`
	Building    string   `json:"building,omitempty"`
	URL         string   `json:"url,omitempty"`
}

// thing is one of the three: how it is read, and what it says as a record.
type thing interface {
	values() map[mapping.Field][]string
}

// collection is the things of one kind.
type collection struct {
	name  string // in addresses
	kind  source.Kind
	fresh func() thing
}

var (
	people = collection{"people", source.Person, func() thing { return new(Person) }}
	groups = collection{"groups", source.Group, func() thing { return new(Group) }}
	units  = collection{"units", source.Unit, func() thing { return new(Unit) }}
)

func one(v string) []string {
	if v == "" {
		return []string{}
	}
	return []string{v}
}

func list(v []string) []string { return append([]string{}, v...) }

func truth(b *bool) []string {
	if b == nil {
		return []string{}
	}
	return []string{strconv.FormatBool(*b)}
}

// joined is a text of parts in the stored form of the mapping, whose separator they
// cannot hold.
func joined(parts ...string) string {
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "|", " ")
	}
	return strings.Join(parts, "|")
}

func (p *Person) values() map[mapping.Field][]string {
	affiliations, until, functions := []string{}, []string{}, []string{}
	for _, a := range p.Affiliations {
		affiliations = append(affiliations, joined(a.Kind, a.Campus, a.Programme, a.Unit))
		if a.Until != "" {
			until = append(until, joined(a.Kind, a.Until))
		}
	}
	for _, f := range p.Functions {
		functions = append(functions, fmt.Sprintf("[role=%s][code=%s]", bracketless(f.Role), bracketless(f.Unit)))
	}
	return map[mapping.Field][]string{
		"login": one(p.Login), "mail": one(p.Mail), "given_name": one(p.GivenName), "family_name": one(p.FamilyName), "student_number": one(p.StudentNumber),
		"job_title": one(p.JobTitle), "locale": one(p.Locale), "affiliations": affiliations, "until": until, "mobile": one(p.Mobile), "recovery_mail": one(p.RecoveryMail),
		mapping.FieldDisplayName: one(p.DisplayName), mapping.FieldEmployeeNumber: one(p.EmployeeNumber), mapping.FieldPhone: list(p.Phones), mapping.FieldOffice: one(p.Office),
		mapping.FieldBuilding: one(p.Building), mapping.FieldListed: truth(p.Listed), mapping.FieldActive: truth(p.Active), mapping.FieldManager: one(p.Manager),
		mapping.FieldUnits: list(p.Units), mapping.FieldFunctions: functions, mapping.FieldEntitlements: list(p.Entitlements),
	}
}

func bracketless(s string) string { return strings.NewReplacer("[", "(", "]", ")").Replace(s) }

func (g *Group) values() map[mapping.Field][]string {
	return map[mapping.Field][]string{
		mapping.FieldName: one(g.Name), mapping.FieldDescription: one(g.Description), mapping.FieldMembers: list(g.Members), mapping.FieldOwners: list(g.Owners),
	}
}

func (u *Unit) values() map[mapping.Field][]string {
	return map[mapping.Field][]string{
		mapping.FieldName: one(u.Name), mapping.FieldDescription: one(u.Description), mapping.FieldParent: one(u.Parent), mapping.FieldType: one(u.Type),
		"mail": one(u.Mail), mapping.FieldPhone: list(u.Phones), mapping.FieldAddress: one(u.Address), mapping.FieldBuilding: one(u.Building), mapping.FieldURL: one(u.URL),
	}
}

// record is a thing as a record of its source. The key is the code of groups and units.
func (c collection) record(r push.Resource) source.Record {
	record := source.Record{Kind: c.kind, Key: r.ID, Where: r.ID, Names: []string{source.Name(r.ID)}, Values: map[string][]string{}}
	t := c.fresh()
	if err := json.Unmarshal(r.Body, t); err != nil {
		return record // it was encoded by us; without values the mapping refuses it
	}
	for f, v := range t.values() {
		record.Values[string(f)] = v
	}
	if c.kind != source.Person {
		record.Values[string(mapping.FieldCode)] = []string{r.ID}
	}
	return record
}

// wrongField finds the field that a JSON error is about.
func wrongField(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return cmp.Or(wrong.Field, "body")
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return strings.Trim(name, `"`)
	}
	return "body"
}
