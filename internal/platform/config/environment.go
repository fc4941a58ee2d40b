package config

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
)

// fromEnvironment lets the text of an environment variable become a number, a
// truth value or a list. Values of the file already have their type.
func fromEnvironment(from, to reflect.Type, value any) (any, error) {
	text, ok := value.(environmentText)
	if !ok {
		return value, nil
	}
	switch to.Kind() {
	case reflect.Bool:
		return strconv.ParseBool(string(text))
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return n, nil
		}
	case reflect.Float64:
		return strconv.ParseFloat(string(text), 64)
	case reflect.Slice:
		var list []string
		for _, part := range strings.Split(string(text), ",") {
			list = append(list, strings.TrimSpace(part))
		}
		return list, nil
	}
	return string(text), nil
}

// environmentText marks a value that came from the environment.
type environmentText string

// override puts AMPHI_A__B=value at a.b. AMPHI_TEST_* and other names without
// "__" are not settings.
func override(values map[string]any, environment []string) []Problem {
	var problems []Problem
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		rest, ok := strings.CutPrefix(name, EnvPrefix)
		if !ok || !strings.Contains(rest, "__") {
			continue
		}
		path := strings.Split(strings.ToLower(rest), "__")
		table := values
		for _, part := range path[:len(path)-1] {
			inner, ok := table[part].(map[string]any)
			if !ok {
				if table[part] != nil {
					problems = append(problems, Problem{Key: strings.Join(path, "."), Text: "set by the environment variable " + name + ", but " + part + " is not a table"})
				}
				inner = map[string]any{}
				table[part] = inner
			}
			table = inner
		}
		table[path[len(path)-1]] = environmentText(value)
	}
	return problems
}

// readSecretFiles replaces key_file by the content of the file it names, for
// every field tagged `secret:"true"`.
func readSecretFiles(values map[string]any, t reflect.Type, prefix string) []Problem {
	var problems []Problem
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name := tagOf(f)
		if name == "" {
			continue
		}
		if f.Type.Kind() == reflect.Struct {
			if inner, ok := values[name].(map[string]any); ok {
				problems = append(problems, readSecretFiles(inner, f.Type, prefix+name+".")...)
			}
			continue
		}
		if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			tables, _ := values[name].([]any)
			for j, table := range tables {
				if inner, ok := table.(map[string]any); ok {
					problems = append(problems, readSecretFiles(inner, f.Type.Elem(), fmt.Sprintf("%s%s[%d].", prefix, name, j))...)
				}
			}
			continue
		}
		named, ok := values[name+"_file"]
		if f.Tag.Get("secret") != "true" || !ok {
			continue
		}
		delete(values, name+"_file")
		path := fmt.Sprint(named)
		text, err := os.ReadFile(path)
		switch {
		case err != nil:
			problems = append(problems, Problem{Key: prefix + name + "_file", Text: err.Error()})
		case values[name] != nil:
			problems = append(problems, Problem{Key: prefix + name + "_file", Text: "give either " + name + " or " + name + "_file, not both"})
		default:
			values[name] = strings.TrimRight(string(text), "\r\n")
		}
	}
	return problems
}
