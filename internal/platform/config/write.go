package config

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"time"

	toml "github.com/pelletier/go-toml/v2"
)

// Write writes as TOML what is set in a pointer to a struct with `toml` tags:
// without comments, and without the keys that are empty. [Read] and [ReadText]
// read it back.
func Write(w io.Writer, config any) error {
	var b bytes.Buffer
	if err := writeTable(&b, reflect.Indirect(reflect.ValueOf(config)), ""); err != nil {
		return err
	}
	_, err := w.Write(bytes.TrimLeft(b.Bytes(), "\n"))
	return err
}

// writeTable writes the plain keys first and the tables below them after, as TOML
// demands.
func writeTable(b *bytes.Buffer, v reflect.Value, prefix string) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := tagOf(f)
		if inner, _ := tableOf(f.Type); name == "" || inner != nil || empty(v.Field(i)) {
			continue
		}
		value := v.Field(i).Interface()
		if d, ok := value.(time.Duration); ok {
			value = short(d)
		}
		line, err := toml.Marshal(map[string]any{name: value})
		if err != nil {
			return fmt.Errorf("write %s%s: %w", prefix, name, err)
		}
		b.Write(line)
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := tagOf(f)
		inner, list := tableOf(f.Type)
		if name == "" || inner == nil || empty(v.Field(i)) {
			continue
		}
		if !list {
			fmt.Fprintf(b, "\n[%s%s]\n", prefix, name)
			if err := writeTable(b, v.Field(i), prefix+name+"."); err != nil {
				return err
			}
			continue
		}
		for j := range v.Field(i).Len() {
			fmt.Fprintf(b, "\n[[%s%s]]\n", prefix, name)
			if err := writeTable(b, v.Field(i).Index(j), prefix+name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty reports whether a value says nothing: zero, an empty list, or a table of
// such.
func empty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	if inner, _ := tableOf(v.Type()); inner == nil {
		return v.IsZero()
	}
	for i := range v.NumField() {
		if tagOf(v.Type().Field(i)) != "" && !empty(v.Field(i)) {
			return false
		}
	}
	return true
}
