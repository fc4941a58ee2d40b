package scim

import "strings"

// The names of schemas and messages (RFC 7643 §8, RFC 7644 §3).
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	// campusSchema is ours: what RFC 7643 has no word for.
	campusSchema = "urn:amphi:params:scim:schemas:extension:campus:2.0:User"

	listMessage  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	patchMessage = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorMessage = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// kind is the type of an attribute's values (RFC 7643 §2.3).
type kind string

const (
	text      kind = "string"
	boolean   kind = "boolean"
	reference kind = "reference"
	binary    kind = "binary"
	complexly kind = "complex"
	date      kind = "dateTime"
)

// attribute describes one attribute (RFC 7643 §7).
type attribute struct {
	Name        string      `json:"name"`
	Type        kind        `json:"type"`
	Multi       bool        `json:"multiValued"`
	Description string      `json:"description"`
	Required    bool        `json:"required"`
	CaseExact   bool        `json:"caseExact"`
	Mutability  string      `json:"mutability"`
	Returned    string      `json:"returned"`
	Uniqueness  string      `json:"uniqueness"`
	Sub         []attribute `json:"subAttributes,omitempty"`
}

func plain(name string, t kind, about string) attribute {
	return attribute{Name: name, Type: t, Description: about, Mutability: "readWrite", Returned: "default", Uniqueness: "none"}
}

func (a attribute) exact() attribute { a.CaseExact = true; return a }
func (a attribute) many() attribute  { a.Multi = true; return a }
func (a attribute) of(sub ...attribute) attribute {
	a.Type, a.Sub = complexly, sub
	return a
}
func (a attribute) readOnly() attribute { a.Mutability = "readOnly"; return a }
func (a attribute) always() attribute   { a.Returned = "always"; return a }
func (a attribute) needed() attribute   { a.Required = true; return a }

// values is a multi-valued attribute with value, type, primary and display
// (RFC 7643 §2.4).
func values(name, about string) attribute {
	return plain(name, complexly, about).many().of(
		plain("value", text, "The value."), plain("display", text, "The value as people read it."),
		plain("type", text, "What it is for, such as work or home."), plain("primary", boolean, "Whether it is the main one."),
	)
}

// common are the attributes of every resource (RFC 7643 §3.1).
var common = []attribute{
	plain("schemas", reference, "The schemas of the resource.").many().exact().always(),
	plain("id", text, "Our identifier of it.").exact().readOnly().always(),
	plain("externalId", text, "What the client calls it.").exact(),
	plain("meta", complexly, "When it was made and changed.").readOnly().of(
		plain("resourceType", text, "User or Group.").readOnly(), plain("created", date, "When it was made.").readOnly(),
		plain("lastModified", date, "When it was changed.").readOnly(), plain("location", reference, "Its address.").readOnly(), plain("version", text, "Its version, as an ETag.").readOnly(),
	),
}

// schema is a set of attributes under a name.
type schema struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Attributes  []attribute `json:"attributes"`
}

var userAttributes = schema{userSchema, "User", "A person of the institution.", []attribute{
	func() attribute {
		a := plain("userName", text, "What the client's system calls the account. What stands before the @ is the login here, unless the mapping says otherwise.").needed()
		a.Uniqueness = "server"
		return a
	}(),
	plain("name", complexly, "The name.").of(
		plain("formatted", text, "The whole name."), plain("familyName", text, "The family name."), plain("givenName", text, "The given name."),
		plain("middleName", text, "Further names."), plain("honorificPrefix", text, "Before the name."), plain("honorificSuffix", text, "Behind the name."),
	),
	plain("displayName", text, "The name as it is shown."), plain("nickName", text, "What friends say."),
	plain("profileUrl", reference, "A page about the person."), plain("title", text, "The job title."),
	plain("userType", text, "The affiliation: student, teacher, staff or guest, or a word for it."),
	plain("preferredLanguage", text, "The language, such as fr."), plain("locale", text, "The region, such as fr-FR."), plain("timezone", text, "The time zone."),
	plain("active", boolean, "Whether the account is switched on."),
	values("emails", "Mail addresses; the one of type work is the institutional one, home the private one."),
	values("phoneNumbers", "Telephone numbers; work is the office's, mobile the person's."),
	values("ims", "Addresses for messages."), values("photos", "Addresses of pictures."),
	plain("addresses", complexly, "Postal addresses.").many().of(
		plain("formatted", text, "The whole address."), plain("streetAddress", text, "Street and number."), plain("locality", text, "Town."),
		plain("region", text, "Region."), plain("postalCode", text, "Postal code."), plain("country", text, "Country."),
		plain("type", text, "What it is for."), plain("primary", boolean, "Whether it is the main one."),
	),
	plain("groups", complexly, "The groups that the person is in.").many().readOnly().of(
		plain("value", text, "Identifier of the group.").readOnly(), plain("display", text, "Its name.").readOnly(), plain("$ref", reference, "Its address.").readOnly(),
	),
	values("entitlements", "What the person is entitled to."), values("roles", "What the person does: functions."),
	values("x509Certificates", "Certificates."),
}}

var groupAttributes = schema{groupSchema, "Group", "A group of people and of groups.", []attribute{
	plain("displayName", text, "The name.").needed(),
	plain("members", complexly, "Who is in it.").many().of(
		plain("value", text, "Identifier of the member.").exact(), plain("display", text, "Its name."),
		plain("type", text, "User or Group."), plain("$ref", reference, "Its address."),
	),
}}

var enterpriseAttributes = schema{enterpriseSchema, "EnterpriseUser", "What employers say of people.", []attribute{
	plain("employeeNumber", text, "The number of the employee."), plain("costCenter", text, "The cost centre."), plain("organization", text, "The organisation."),
	plain("division", text, "The division."), plain("department", text, "The unit, as a code."),
	plain("manager", complexly, "Who manages the person.").of(
		plain("value", text, "Identifier of the manager.").exact(), plain("$ref", reference, "Its address."), plain("displayName", text, "The name.").readOnly(),
	),
}}

var campusAttributes = schema{campusSchema, "CampusUser", "What universities say of people.", []attribute{
	plain("studentNumber", text, "The number of the student."),
	plain("affiliations", complexly, "Ties to the institution.").many().of(
		plain("kind", text, "student, teacher, staff or guest."), plain("campus", text, "Code of the campus."), plain("programme", text, "Code of the programme."),
		plain("unit", text, "Code of the unit."), plain("until", text, "When it ends, as a date."),
	),
	plain("office", text, "The room."), plain("building", text, "The building."), plain("listed", boolean, "Whether the directory shows the person."),
}}

// resourceType is a type of resource (RFC 7643 §6).
type resourceType struct {
	name, endpoint string
	core           schema
	extensions     []schema
}

var (
	users  = resourceType{"User", "Users", userAttributes, []schema{enterpriseAttributes, campusAttributes}}
	groups = resourceType{"Group", "Groups", groupAttributes, nil}
)

// find is an attribute of a list by its name, whatever the case.
func find(list []attribute, name string) (attribute, bool) {
	for _, a := range list {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return attribute{}, false
}

// top are the attributes of the core schema and those of every resource.
func (t resourceType) top() []attribute {
	return append(append([]attribute{}, common...), t.core.Attributes...)
}

// extension is the extension of a URN.
func (t resourceType) extension(urn string) (schema, bool) {
	for _, s := range t.extensions {
		if strings.EqualFold(s.ID, urn) {
			return s, true
		}
	}
	return schema{}, false
}

// path is where an attribute is in a resource (RFC 7644 §3.10).
type path struct {
	schema string // URN of an extension; "" for the core
	name   string // as the schema writes it; "" for the extension as a whole
	sub    string
	filter filter // of a value path, name[filter]; nil for none
	attr   attribute
}

// leaf is the attribute that the path ends at.
func (p path) leaf() attribute {
	if p.sub == "" {
		return p.attr
	}
	a, _ := find(p.attr.Sub, p.sub)
	return a
}

// resolve finds the attribute of a path, such as name.familyName, emails, or
// urn:…:User:department. Names are compared whatever the case.
func (t resourceType) resolve(raw string) (path, bool) {
	var p path
	list := t.top()
	rest := raw
	if strings.HasPrefix(strings.ToLower(raw), "urn:") {
		for _, s := range append([]schema{t.core}, t.extensions...) {
			if len(raw) < len(s.ID) || !strings.EqualFold(raw[:len(s.ID)], s.ID) {
				continue
			}
			if s.ID != t.core.ID {
				p.schema, list = s.ID, s.Attributes
			}
			rest = strings.TrimPrefix(raw[len(s.ID):], ":")
			if rest == "" {
				p.attr = attribute{Type: complexly, Sub: s.Attributes, Mutability: "readWrite"}
				return p, p.schema != ""
			}
			break
		}
	}
	name, sub, _ := strings.Cut(rest, ".")
	a, ok := find(list, name)
	if !ok {
		return path{}, false
	}
	p.name, p.attr = a.Name, a
	if sub != "" {
		s, ok := find(a.Sub, sub)
		if !ok {
			return path{}, false
		}
		p.sub = s.Name
	}
	return p, true
}
