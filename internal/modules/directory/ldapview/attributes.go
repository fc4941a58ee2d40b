package ldapview

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
)

// attribute is one attribute of inetOrgPerson (RFC 2798) and where its values come
// from. A field that a viewer does not see has none.
type attribute struct {
	name   string
	field  entry.Field
	values func(v *View, p find.Person) []string
}

// attributes are those that people have here, in the order of the answer.
var attributes = []attribute{
	{"objectClass", entry.FieldEntry, func(*View, find.Person) []string {
		return []string{"top", "person", "organizationalPerson", "inetOrgPerson"}
	}},
	{"uid", entry.FieldEntry, func(_ *View, p find.Person) []string { return []string{string(p.ID)} }},
	{"cn", entry.FieldEntry, func(_ *View, p find.Person) []string {
		return distinct(p.DisplayName(), strings.TrimSpace(p.FamilyName+" "+p.GivenName))
	}},
	{"displayName", entry.FieldEntry, func(_ *View, p find.Person) []string { return distinct(p.DisplayName()) }},
	{"sn", entry.FieldEntry, func(_ *View, p find.Person) []string { return distinct(p.FamilyName) }},
	{"givenName", entry.FieldEntry, func(_ *View, p find.Person) []string { return distinct(p.GivenName) }},
	{"mail", entry.FieldMail, func(_ *View, p find.Person) []string { return distinct(p.Mail) }},
	{"telephoneNumber", entry.FieldPhone, func(_ *View, p find.Person) []string { return numbers(p, entry.Desk) }},
	{"mobile", entry.FieldMobile, func(_ *View, p find.Person) []string { return numbers(p, entry.Mobile) }},
	{"facsimileTelephoneNumber", entry.FieldPhone, func(_ *View, p find.Person) []string { return numbers(p, entry.Fax) }},
	{"title", entry.FieldFunctions, func(v *View, p find.Person) []string { return distinct(p.Function(v.Language)) }},
	{"ou", entry.FieldFunctions, func(_ *View, p find.Person) []string { return p.Units() }},
	{"roomNumber", entry.FieldOffice, func(_ *View, p find.Person) []string { return distinct(p.Profile.Office) }},
	{"l", entry.FieldOffice, func(_ *View, p find.Person) []string { return distinct(p.Profile.Campus) }},
	{"employeeType", entry.FieldEntry, func(_ *View, p find.Person) (kinds []string) {
		for _, a := range p.Affiliations {
			if k := a.Kind.EduPerson(); !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		return kinds
	}},
}

// byName finds an attribute under any of its names (RFC 4519).
var byName = func() map[string]attribute {
	m := map[string]attribute{}
	for _, a := range attributes {
		m[strings.ToLower(a.name)] = a
	}
	for alias, name := range map[string]string{"surname": "sn", "commonname": "cn", "gn": "givenname", "organizationalunitname": "ou", "localityname": "l", "mobiletelephonenumber": "mobile", "fax": "facsimiletelephonenumber", "rfc822mailbox": "mail", "userid": "uid"} {
		m[alias] = m[name]
	}
	return m
}()

func distinct(values ...string) (list []string) {
	for _, v := range values {
		if v != "" && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

func numbers(p find.Person, kind entry.PhoneKind) (list []string) {
	for _, n := range p.Profile.Phones {
		if n.Kind == kind {
			list = append(list, n.Number)
		}
	}
	return list
}

// valuesOf are the values of an attribute that a viewer sees; known is false for an
// attribute that nobody has here.
func (v *View) valuesOf(who campus.Viewer, p find.Person) func(name string) (values []string, known bool) {
	return func(name string) ([]string, bool) {
		a, known := byName[name]
		if !known {
			return nil, false
		}
		if !p.Shows(who, a.field) {
			return nil, true
		}
		if p.Works() && !p.Shows(who, entry.FieldStudies) { // that a colleague studies as well is told to whom it may be
			p.Affiliations = slices.DeleteFunc(slices.Clone(p.Affiliations), func(a campus.Affiliation) bool { return a.Kind == campus.Student })
		}
		return a.values(v, p), true
	}
}
