package scim

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// record is a resource as a record of its source: under the names of the fields, so that
// it needs no mapping, and under those of SCIM, for a mapping that wants others. A
// resource is whole, so what it does not have is empty.
func record(k source.Kind, id string, resource map[string]any) source.Record {
	r := source.Record{Kind: k, Key: id, Where: id, Names: []string{source.Name(id)}, Values: map[string][]string{}}
	flatten(r.Values, "", resource)
	for _, schema := range []string{enterpriseSchema, campusSchema} {
		extension, _ := resource[schema].(map[string]any)
		flatten(r.Values, "", extension)
	}
	if k == source.Group {
		groupFields(r.Values, resource)
		return r
	}
	personFields(r.Values, resource)
	return r
}

// flatten writes texts and truth values under their paths in lower case:
// name.familyname, emails, emails.work.
func flatten(into map[string][]string, prefix string, element map[string]any) {
	add := func(name, value string) {
		if value != "" && !slices.Contains(into[name], value) {
			into[name] = append(into[name], value)
		}
	}
	for _, name := range sortedKeys(element) {
		if strings.HasPrefix(name, "urn:") {
			continue
		}
		below := strings.ToLower(prefix + name)
		for _, v := range listOf(element[name]) {
			switch v := v.(type) {
			case string:
				add(below, v)
			case bool:
				add(below, map[bool]string{true: "true", false: "false"}[v])
			case map[string]any:
				if value, ok := v["value"].(string); ok {
					add(below, value)
					if kind, ok := v["type"].(string); ok {
						add(below+"."+strings.ToLower(kind), value)
					}
					continue
				}
				flatten(into, below+".", v)
			}
		}
	}
}

// personFields fills the fields of people from the attributes of SCIM.
func personFields(values map[string][]string, resource map[string]any) {
	first := func(names ...string) []string {
		for _, n := range names {
			if len(values[n]) > 0 {
				return values[n]
			}
		}
		return []string{}
	}
	enterprise, _ := resource[enterpriseSchema].(map[string]any)
	local, domain, isAddress := strings.Cut(strings.Join(values["username"], ""), "@")
	fields := map[string][]string{
		"login": {local}, "login_domain": {domain}, "mail": first("emails.work"), "recovery_mail": first("emails.home", "emails.other"),
		"given_name": first("name.givenname"), "family_name": first("name.familyname"), "display_name": first("displayname", "name.formatted"),
		"job_title": first("title"), "locale": first("preferredlanguage", "locale"), "employee_number": first("employeenumber"), "student_number": first("studentnumber"),
		"phone": first("phonenumbers.work"), "mobile": first("phonenumbers.mobile"), "office": first("office"), "building": first("building"),
		"listed": first("listed"), "active": first("active"), "units": first("department"), "manager": managerOf(enterprise),
		"entitlements": first("entitlements"), "functions": first("roles"), "affiliation": first("usertype"), "unit": first("department"), "until": {},
	}
	if len(fields["mail"]) == 0 {
		fields["mail"] = primaryOf(resource["emails"])
	}
	if len(fields["mail"]) == 0 && isAddress {
		fields["mail"] = values["username"]
	}
	extension, _ := resource[campusSchema].(map[string]any)
	if ties := listOf(extension["affiliations"]); len(ties) > 0 {
		fields["affiliation"] = []string{}
		fields["affiliations"], fields["until"] = affiliationsOf(ties)
	}
	for name, v := range fields {
		values[name] = v
	}
}

// managerOf names the manager by the identifier of a resource.
func managerOf(enterprise map[string]any) []string {
	manager, _ := enterprise["manager"].(map[string]any)
	value, _ := manager["value"].(string)
	if value == "" {
		return []string{}
	}
	return []string{value}
}

// primaryOf is the main value of a list, or its first; private ones are left out.
func primaryOf(list any) []string {
	best := []string{}
	for _, v := range listOf(list) {
		element, _ := v.(map[string]any)
		value, _ := element["value"].(string)
		kind, _ := element["type"].(string)
		if value == "" || strings.EqualFold(kind, "home") || strings.EqualFold(kind, "other") {
			continue
		}
		if element["primary"] == true {
			return []string{value}
		}
		if len(best) == 0 {
			best = []string{value}
		}
	}
	return best
}

// affiliationsOf are ties in the stored form of the mapping, and when they end.
func affiliationsOf(ties []any) (affiliations, until []string) {
	affiliations, until = []string{}, []string{}
	for _, v := range ties {
		element, _ := v.(map[string]any)
		part := func(name string) string {
			s, _ := element[name].(string)
			return strings.ReplaceAll(s, "|", " ")
		}
		affiliations = append(affiliations, strings.Join([]string{part("kind"), part("campus"), part("programme"), part("unit")}, "|"))
		if end := part("until"); end != "" {
			until = append(until, part("kind")+"|"+end)
		}
	}
	return affiliations, until
}

// groupFields fills the fields of groups. What the client calls the group is its code,
// because two groups may have one name.
func groupFields(values map[string][]string, resource map[string]any) {
	code := values["externalid"]
	if len(code) == 0 {
		code = values["displayname"]
	}
	values[string(mapping.FieldCode)], values[string(mapping.FieldName)] = code, values["displayname"]
	members := []string{}
	for _, v := range listOf(resource["members"]) {
		element, _ := v.(map[string]any)
		if value, ok := element["value"].(string); ok {
			members = append(members, source.Name(value))
		}
	}
	values[string(mapping.FieldMembers)] = members
}

// kept is a resource as it is stored.
func (t resourceType) kept(resource map[string]any) (push.Resource, error) {
	body, err := encode(resource)
	if err != nil {
		return push.Resource{}, err
	}
	text := func(name string) string { s, _ := resource[name].(string); return s }
	r := push.Resource{Body: body, ExternalID: text("externalId"), Name: strings.ToLower(text("userName"))}
	if t.name == groups.name {
		r.Name = ""
	}
	return r, nil
}
