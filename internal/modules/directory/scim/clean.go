package scim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// cleanResource is a resource as it is kept: names as the schema writes them, values of
// the right type, nothing that is read-only or unknown.
func (t resourceType) cleanResource(raw map[string]any) (map[string]any, error) {
	whole := attribute{Type: complexly, Sub: t.top()}
	cleaned, err := whole.cleanOne(raw)
	if err != nil {
		return nil, err
	}
	resource := cleaned.(map[string]any)
	delete(resource, "schemas")
	for _, name := range sortedKeys(raw) {
		extension, ok := t.extension(name)
		if !ok {
			continue
		}
		inner, err := attribute{Name: extension.ID, Type: complexly, Sub: extension.Attributes}.cleanOne(raw[name])
		if err != nil {
			return nil, err
		}
		if present(inner) {
			resource[extension.ID] = inner
		}
	}
	return resource, t.complete(resource)
}

// complete refuses a resource that lacks what it must have.
func (t resourceType) complete(resource map[string]any) error {
	for _, a := range t.core.Attributes {
		if a.Required && !present(resource[a.Name]) {
			return refuse(400, "invalidValue", a.Name+" must have a value")
		}
	}
	return nil
}

// clean is a value of an attribute as it is kept.
func (a attribute) clean(v any) (any, error) {
	if !a.Multi {
		if list, ok := v.([]any); ok && len(list) == 1 { // some clients send a list of one
			v = list[0]
		}
		return a.cleanOne(v)
	}
	list := []any{}
	for _, one := range listOf(v) {
		c, err := a.cleanOne(one)
		if err != nil {
			return nil, err
		}
		if present(c) {
			list = append(list, c)
		}
	}
	primary := 0
	for _, one := range list {
		if element, ok := one.(map[string]any); ok && element["primary"] == true {
			primary++
		}
	}
	if primary > 1 {
		return nil, refuse(400, "invalidValue", a.Name+": one value can be the primary one")
	}
	return list, nil
}

// longestText bounds one value.
const longestText = 10000

// cleanOne is one value. null means none.
func (a attribute) cleanOne(v any) (any, error) {
	wrong := func() (any, error) {
		return nil, refuse(400, "invalidValue", fmt.Sprintf("%s wants a value of type %s", a.Name, a.Type))
	}
	if v == nil {
		return nil, nil
	}
	switch a.Type {
	case complexly:
		if s, ok := v.(string); ok { // Entra sends the manager, and Okta members, as a text
			if _, has := find(a.Sub, "value"); has {
				if s == "" {
					return nil, nil
				}
				v = map[string]any{"value": s}
			}
		}
		element, ok := v.(map[string]any)
		if !ok {
			return wrong()
		}
		clean := map[string]any{}
		for _, name := range sortedKeys(element) {
			sub, known := find(a.Sub, name)
			if !known || sub.Mutability == "readOnly" {
				continue
			}
			c, err := sub.clean(element[name])
			if err != nil {
				return nil, err
			}
			if present(c) {
				clean[sub.Name] = c
			}
		}
		return clean, nil
	case boolean:
		b, ok := truth(v)
		if !ok {
			return wrong()
		}
		return b, nil
	default:
		switch v := v.(type) {
		case string:
			if len(v) > longestText {
				return nil, refuse(400, "invalidValue", a.Name+" is too long")
			}
			return strings.TrimSpace(v), nil
		case float64: // a number of an employee, from a system that has numbers
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		default:
			return wrong()
		}
	}
}
