// Package config reads the one TOML file of an installation. It tells every
// mistake at once, each with its line, takes overrides from the environment and
// secrets from files, and prints what is in force with the secrets masked.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	toml "github.com/pelletier/go-toml/v2"
)

// EnvPrefix starts the name of every environment override:
// AMPHI_SERVER__LISTEN sets listen in [server].
const EnvPrefix = "AMPHI_"

// Problem is one mistake: where it is and what to do about it.
type Problem struct {
	Key  string // such as "server.listen"
	Line int    // in the file; 0 when it is not there
	Text string
}

// String is the problem as a person reads it.
func (p Problem) String() string {
	switch {
	case p.Line > 0:
		return fmt.Sprintf("line %d: %s: %s", p.Line, p.Key, p.Text)
	case p.Key != "":
		return fmt.Sprintf("%s: %s", p.Key, p.Text)
	default:
		return p.Text
	}
}

// Error is all that is wrong with a configuration.
type Error struct {
	File     string
	Problems []Problem
}

// Error lists the problems, one a line, in the order of the file.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("%s has %d mistake(s):", e.File, len(e.Problems)))
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// Checker is implemented by the configuration of a room: it returns what is
// wrong with values that have the right type. Keys are relative to the struct.
type Checker interface {
	Check() []Problem
}

// Read fills into (a pointer to a struct with `toml` tags that holds the
// defaults) from the file, which may be "" for none, and the environment
// ("NAME=value" entries). All mistakes come back together as *Error.
func Read(file string, environment []string, into any) error {
	if file == "" {
		return ReadText("the configuration", nil, environment, into)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	return ReadText(file, text, environment, into)
}

// ReadText is [Read] for a text that is at hand; its mistakes are told of file.
func ReadText(file string, text []byte, environment []string, into any) error {
	values := map[string]any{}
	if err := toml.Unmarshal(text, &values); err != nil {
		p := Problem{Text: err.Error()}
		if d := (*toml.DecodeError)(nil); errors.As(err, &d) {
			p.Line, _ = d.Position()
			p.Key = strings.Join(d.Key(), ".")
		}
		return &Error{File: file, Problems: []Problem{p}}
	}
	lines := positionsOf(text)
	var problems []Problem
	problems = append(problems, override(values, environment)...)
	problems = append(problems, readSecretFiles(values, reflect.TypeOf(into).Elem(), "")...)

	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		TagName: "toml", Result: into, MatchName: func(key, field string) bool { return key == field },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			fromEnvironment, mapstructure.StringToTimeDurationHookFunc(), mapstructure.TextUnmarshallerHookFunc()),
	})
	if err != nil {
		return fmt.Errorf("prepare the configuration: %w", err)
	}
	if err := decoder.Decode(values); err != nil {
		problems = append(problems, typeProblems(err)...)
	}
	known := keysOf(into)
	for _, key := range unknown(values, reflect.TypeOf(into).Elem(), "") {
		text := "there is no such key"
		if near := nearest(key, known); near != "" {
			text += fmt.Sprintf("; did you mean %s?", near)
		}
		problems = append(problems, Problem{Key: key, Text: text})
	}
	for _, p := range check(reflect.ValueOf(into), "") {
		// A value that could not be read has been told about; its default is right.
		if !slices.ContainsFunc(problems, func(told Problem) bool { return told.Key == p.Key }) {
			problems = append(problems, p)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	for i := range problems {
		problems[i].Line = lines.of(problems[i].Key)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return &Error{File: file, Problems: problems}
}

// typeProblems takes the nested errors of mapstructure apart.
func typeProblems(err error) []Problem {
	switch e := err.(type) {
	case *mapstructure.DecodeError:
		text := e.Unwrap().Error()
		var wrong *mapstructure.UnconvertibleTypeError
		if errors.As(e, &wrong) {
			text = fmt.Sprintf("wants %s, not %T", wrong.Expected.Type(), wrong.Value)
		}
		return []Problem{{Key: e.Name(), Text: text}}
	case interface{ Unwrap() []error }:
		var problems []Problem
		for _, inner := range e.Unwrap() {
			problems = append(problems, typeProblems(inner)...)
		}
		return problems
	}
	if inner := errors.Unwrap(err); inner != nil {
		return typeProblems(inner)
	}
	return []Problem{{Text: err.Error()}}
}

// unknown lists the keys of values that t has no field for. The decoder would
// tell as well, but not of a table in which something else is wrong.
func unknown(values map[string]any, t reflect.Type, prefix string) []string {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		if name := tagOf(t.Field(i)); name != "" {
			fields[name] = t.Field(i).Type
		}
	}
	var keys []string
	for name, value := range values {
		field, ok := fields[name]
		switch inner := value.(type) {
		case map[string]any:
			if ok && field.Kind() == reflect.Struct {
				keys = append(keys, unknown(inner, field, prefix+name+".")...)
			}
		case []any:
			for i, element := range inner {
				if table, isTable := element.(map[string]any); ok && isTable && field.Kind() == reflect.Slice && field.Elem().Kind() == reflect.Struct {
					keys = append(keys, unknown(table, field.Elem(), fmt.Sprintf("%s%s[%d].", prefix, name, i))...)
				}
			}
		}
		if !ok {
			keys = append(keys, prefix+name)
		}
	}
	return keys
}

// check runs the Check methods of every struct below v.
func check(v reflect.Value, prefix string) []Problem {
	var problems []Problem
	if c, ok := v.Interface().(Checker); ok {
		for _, p := range c.Check() {
			p.Key = prefix + p.Key
			problems = append(problems, p)
		}
	}
	v = reflect.Indirect(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := tagOf(v.Type().Field(i)); name != "" && v.Field(i).Kind() == reflect.Struct {
				problems = append(problems, check(v.Field(i).Addr(), prefix+name+".")...)
			} else if name != "" && v.Field(i).Kind() == reflect.Slice && v.Field(i).Type().Elem().Kind() == reflect.Struct {
				for j := range v.Field(i).Len() {
					problems = append(problems, check(v.Field(i).Index(j).Addr(), fmt.Sprintf("%s%s[%d].", prefix, name, j))...)
				}
			}
		}
	}
	return problems
}

// tagOf is the key of a field; "" for a field that the file cannot set.
func tagOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	if name == "-" {
		return ""
	}
	return name
}
