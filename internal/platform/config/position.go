package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/amphi-campus/amphi/internal/campus"
)

// positions tells on which line of the file a key stands.
type positions map[string]int

// positionsOf walks the expressions of a document that is known to parse. Keys
// of the second [[a.b]] table are "a.b[1].key", as mapstructure names them.
func positionsOf(text []byte) positions {
	lines, counts := positions{}, map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	prefix := ""
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			if line == 0 {
				line = p.Shape(it.Node().Raw).Start.Line
			}
			parts = append(parts, string(it.Node().Data))
		}
		name := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table:
			name = within(parts, counts)
			prefix = name + "."
		case unstable.ArrayTable:
			name = within(parts, counts)
			prefix = fmt.Sprintf("%s[%d].", name, counts[name])
			counts[name]++
			name = strings.TrimSuffix(prefix, ".")
		default:
			name = prefix + name
		}
		if _, seen := lines[name]; !seen {
			lines[name] = line
		}
	}
	return lines
}

// within is the name of a table: [a.b] below the second [[a]] is "a[1].b".
func within(parts []string, counts map[string]int) string {
	name := parts[0]
	for _, part := range parts[1:] {
		if n := counts[name]; n > 0 {
			name = fmt.Sprintf("%s[%d]", name, n-1)
		}
		name += "." + part
	}
	return name
}

// of returns the line of key, or of the nearest table around it.
func (p positions) of(key string) int {
	for key != "" {
		if line, ok := p[key]; ok {
			return line
		}
		if line, ok := p[key+"_file"]; ok {
			return line
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return 0
		}
		key = key[:i]
	}
	return 0
}

// keysOf lists every key that config (a pointer to a struct) knows.
func keysOf(config any) []string {
	var keys []string
	walk(reflect.Indirect(reflect.ValueOf(config)).Type(), "", func(key string, f reflect.StructField) {
		keys = append(keys, key)
		if f.Tag.Get("secret") == "true" {
			keys = append(keys, key+"_file")
		}
	})
	slices.Sort(keys)
	return keys
}

// walk visits every key of a struct, tables before what they hold.
func walk(t reflect.Type, prefix string, visit func(key string, f reflect.StructField)) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := tagOf(f)
		if name == "" {
			continue
		}
		visit(prefix+name, f)
		if inner, _ := tableOf(f.Type); inner != nil {
			walk(inner, prefix+name+".", visit)
		}
	}
}

// tableOf is the struct behind a field that the file writes as a table, or as a
// list of tables; nil for a plain value.
func tableOf(t reflect.Type) (inner reflect.Type, list bool) {
	if t.Kind() == reflect.Slice {
		t, list = t.Elem(), true
	}
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		if tagOf(t.Field(i)) != "" {
			return t, list
		}
	}
	return nil, false // a value in one piece, such as a time
}

// nearest returns the known key that key was probably meant to be, or "".
func nearest(key string, known []string) string {
	best, bestDistance := "", 4
	for _, k := range known {
		if d := campus.Distance(key, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}
