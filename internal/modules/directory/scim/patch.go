package scim

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// operation is one change of a PATCH request (RFC 7644 §3.5.2).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// mostOperations bounds a request.
const mostOperations = 2000

// patch changes a resource by operations, in order: all or, by the error, none of them
// count. The operations' names may have any case, because Entra writes "Add".
func (t resourceType) patch(resource map[string]any, operations []operation) error {
	if len(operations) == 0 {
		return refuse(400, "invalidSyntax", "Operations must list what changes")
	}
	if len(operations) > mostOperations {
		return refuse(413, "tooMany", fmt.Sprintf("a request has %d operations at most", mostOperations))
	}
	for _, o := range operations {
		if err := t.apply(resource, o); err != nil {
			return err
		}
	}
	return nil
}

func (t resourceType) apply(resource map[string]any, o operation) error {
	op := strings.ToLower(o.Op)
	switch op {
	case "add", "replace", "remove":
	default:
		return refuse(400, "invalidSyntax", fmt.Sprintf("%q is no operation: add, replace or remove", o.Op))
	}
	if o.Path != "" {
		p, err := t.parsePath(o.Path)
		if err != nil {
			return err
		}
		return t.change(resource, op, p, o.Value)
	}
	if op == "remove" {
		return refuse(400, "noTarget", "remove wants a path")
	}
	value, ok := o.Value.(map[string]any)
	if !ok {
		return refuse(400, "invalidValue", "without a path, value must be an object of attributes")
	}
	for _, name := range sortedKeys(value) { // names may be paths: Entra writes "name.givenName"
		p, ok := t.resolve(name)
		if !ok || p.attr.Mutability == "readOnly" {
			continue // what is not ours to keep, or not theirs to change: Okta sends the identifier along
		}
		if err := t.change(resource, op, p, value[name]); err != nil {
			return err
		}
	}
	return nil
}

// parsePath reads the path of an operation: attribute, attribute.sub,
// attribute[filter], attribute[filter].sub, with or without the URN of a schema.
func (t resourceType) parsePath(raw string) (path, error) {
	open := strings.IndexByte(raw, '[')
	if open < 0 {
		p, ok := t.resolve(raw)
		if !ok {
			return p, refuse(400, "invalidPath", fmt.Sprintf("there is no attribute %q", raw))
		}
		return p, nil
	}
	p, ok := t.resolve(raw[:open])
	if !ok || p.name == "" || p.sub != "" {
		return p, refuse(400, "invalidPath", fmt.Sprintf("there is no attribute %q", raw[:open]))
	}
	parser := &filterParser{text: raw, at: open + 1, resolve: t.resolve}
	inner, err := parser.values(p)
	if err != nil {
		return p, refuse(400, "invalidFilter", err.Error())
	}
	p.filter = inner
	rest := raw[parser.at:]
	if rest == "" {
		return p, nil
	}
	sub, ok := strings.CutPrefix(rest, ".")
	a, known := find(p.attr.Sub, sub)
	if !ok || !known {
		return p, refuse(400, "invalidPath", fmt.Sprintf("there is no attribute %q", raw))
	}
	p.sub = a.Name
	return p, nil
}

// change does one operation at a path.
func (t resourceType) change(resource map[string]any, op string, p path, value any) error {
	if p.attr.Mutability == "readOnly" || p.leaf().Mutability == "readOnly" {
		if p.name == "schemas" || p.name == "id" || p.name == "meta" || p.name == "groups" {
			return refuse(400, "mutability", p.name+" cannot be changed")
		}
		return nil // such as manager.displayName, which some clients send along
	}
	if p.name == "schemas" {
		return nil // they follow from the attributes
	}
	if p.name == "" { // the whole extension
		return changeExtension(resource, op, p, value)
	}
	holder := resource
	if p.schema != "" {
		extension, ok := resource[p.schema].(map[string]any)
		if !ok {
			extension = map[string]any{}
			resource[p.schema] = extension
		}
		holder = extension
		defer func() {
			if len(extension) == 0 {
				delete(resource, p.schema)
			}
		}()
	}
	switch {
	case p.filter != nil:
		return p.changeSome(holder, op, value)
	case p.sub != "":
		return p.changeSub(holder, op, value)
	default:
		return p.changeAll(holder, op, value)
	}
}

func changeExtension(resource map[string]any, op string, p path, value any) error {
	if op == "remove" {
		delete(resource, p.schema)
		return nil
	}
	clean, err := p.attr.cleanOne(value)
	if err != nil {
		return err
	}
	merged, _ := resource[p.schema].(map[string]any)
	if merged == nil || op == "replace" {
		merged = map[string]any{}
	}
	for k, v := range clean.(map[string]any) {
		merged[k] = v
	}
	resource[p.schema] = merged
	return nil
}

// changeAll changes an attribute as a whole.
func (p path) changeAll(holder map[string]any, op string, value any) error {
	if op == "remove" {
		// Entra removes members by their values, without a filter.
		if some := listOf(value); p.attr.Multi && len(some) > 0 {
			return p.removeValues(holder, some)
		}
		return p.set(holder, nil)
	}
	clean, err := p.attr.clean(value)
	if err != nil {
		return err
	}
	switch {
	case p.attr.Multi && op == "add":
		list, err := union(p.name, listOf(holder[p.name]), listOf(clean))
		if err != nil {
			return err
		}
		return p.set(holder, list)
	case p.attr.Type == complexly && !p.attr.Multi && holder[p.name] != nil:
		// add and replace name the parts that change; the others stay (§3.5.2.1, §3.5.2.3)
		merged, _ := holder[p.name].(map[string]any)
		parts, _ := clean.(map[string]any)
		for k, v := range parts {
			merged[k] = v
		}
		return nil
	default:
		return p.set(holder, clean)
	}
}

// set writes an attribute; nothing and an empty list take it away.
func (p path) set(holder map[string]any, value any) error {
	if present(value) {
		holder[p.name] = value
		return nil
	}
	if p.attr.Required {
		return refuse(400, "mutability", p.name+" cannot be removed")
	}
	delete(holder, p.name)
	return nil
}

// removeValues takes values out of a list.
func (p path) removeValues(holder map[string]any, some []any) error {
	gone := map[string]bool{}
	for _, v := range some {
		if element, ok := v.(map[string]any); ok {
			for name, inner := range element {
				if strings.EqualFold(name, "value") {
					v = inner
				}
			}
		}
		text, ok := v.(string)
		if !ok {
			return refuse(400, "invalidValue", p.name+": each value to remove must be an object with a value, or a text")
		}
		gone[text] = true
	}
	left := slices.DeleteFunc(listOf(holder[p.name]), func(v any) bool {
		element, ok := v.(map[string]any)
		if !ok {
			return false
		}
		text, _ := element["value"].(string)
		return gone[text]
	})
	return p.set(holder, left)
}

// changeSub changes a part: of the one value, or of every value of a list.
func (p path) changeSub(holder map[string]any, op string, value any) error {
	a, _ := find(p.attr.Sub, p.sub)
	var clean any
	if op != "remove" {
		var err error
		if clean, err = a.clean(value); err != nil {
			return err
		}
	}
	if !p.attr.Multi {
		element, _ := holder[p.name].(map[string]any)
		if element == nil {
			element = map[string]any{}
		}
		setPart(element, p.sub, clean)
		return p.set(holder, element)
	}
	list := listOf(holder[p.name])
	for _, v := range list {
		if element, ok := v.(map[string]any); ok {
			setPart(element, p.sub, clean)
		}
	}
	return p.set(holder, list)
}

func setPart(element map[string]any, name string, value any) {
	if present(value) {
		element[name] = value
	} else {
		delete(element, name)
	}
}

// changeSome changes the values of a list that a filter admits.
func (p path) changeSome(holder map[string]any, op string, value any) error {
	list := slices.Clone(listOf(holder[p.name]))
	var hit []int
	for i, v := range list {
		if element, ok := v.(map[string]any); ok && p.filter.admits(element) {
			hit = append(hit, i)
		}
	}
	if op == "remove" && p.sub == "" {
		for _, i := range slices.Backward(hit) {
			list = slices.Delete(list, i, i+1)
		}
		return p.set(holder, list)
	}
	if len(hit) == 0 {
		if op == "remove" {
			return nil // it is gone already
		}
		// There is nothing to change (§3.5.2.3 says noTarget). Entra replaces the work
		// address of somebody who has none yet, and means that it shall be there.
		fresh := map[string]any{}
		if !described(p.filter, fresh) {
			return refuse(400, "noTarget", p.name+": no value fits the filter")
		}
		list = append(list, fresh)
		hit = []int{len(list) - 1}
	}
	for _, i := range hit {
		element, _ := list[i].(map[string]any)
		changed := map[string]any{}
		for k, v := range element {
			changed[k] = v
		}
		if p.sub != "" {
			a, _ := find(p.attr.Sub, p.sub)
			var clean any
			if op != "remove" {
				var err error
				if clean, err = a.clean(value); err != nil {
					return err
				}
			}
			setPart(changed, p.sub, clean)
		} else {
			clean, err := p.attr.cleanOne(value)
			if err != nil {
				return err
			}
			parts, ok := clean.(map[string]any)
			if !ok {
				return refuse(400, "invalidValue", p.name+": the value must be an object")
			}
			for k, v := range parts {
				changed[k] = v
			}
		}
		list[i] = changed
	}
	if err := onePrimary(p.name, list, hit); err != nil {
		return err
	}
	return p.set(holder, slices.DeleteFunc(list, func(v any) bool { return !present(v) }))
}

// described fills a new value with what a filter says of it; ok is false when the filter
// says more than that some parts are equal to something.
func described(f filter, into map[string]any) bool {
	switch f := f.(type) {
	case comparison:
		if f.op != "eq" || f.value == nil || f.path.sub != "" {
			return false
		}
		value := f.value
		if f.path.attr.Type == boolean {
			value, _ = truth(value)
		}
		into[f.path.name] = value
		return true
	case allOf:
		for _, one := range f {
			if !described(one, into) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// onePrimary takes the mark of the main value away from the values that were not just
// changed (§3.5.2).
func onePrimary(name string, list []any, fresh []int) error {
	marked := 0
	for i, v := range list {
		element, ok := v.(map[string]any)
		if !ok || element["primary"] != true {
			continue
		}
		if slices.Contains(fresh, i) {
			marked++
		}
	}
	if marked > 1 {
		return refuse(400, "invalidValue", name+": one value can be the primary one")
	}
	if marked == 0 {
		return nil
	}
	for i, v := range list {
		if element, ok := v.(map[string]any); ok && !slices.Contains(fresh, i) && element["primary"] == true {
			element["primary"] = false
		}
	}
	return nil
}

// union adds values to a list, each once. Values with an equal value are the same, and
// the newer one counts.
func union(name string, old, more []any) ([]any, error) {
	list := slices.Clone(old)
	at := map[string]int{}
	identity := func(v any) string {
		element, ok := v.(map[string]any)
		if !ok {
			return fmt.Sprint(v)
		}
		value, _ := element["value"].(string)
		kind, _ := element["type"].(string)
		return value + "\x00" + strings.ToLower(kind)
	}
	for i, v := range list {
		at[identity(v)] = i
	}
	var fresh []int
	for _, v := range more {
		same := identity(v)
		i, there := at[same]
		element, isComplex := v.(map[string]any)
		_, hasValue := element["value"]
		switch {
		case there && isComplex && !hasValue && !reflect.DeepEqual(list[i], v): // such as an address: nothing names it
			fresh = append(fresh, len(list))
			list = append(list, v)
		case there:
			list[i] = v
			fresh = append(fresh, i)
		default:
			at[same] = len(list)
			fresh = append(fresh, len(list))
			list = append(list, v)
		}
	}
	return list, onePrimary(name, list, fresh)
}
