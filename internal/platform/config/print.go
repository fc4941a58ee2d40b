package config

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Masked stands in place of a secret.
const Masked = "••••••"

// Print writes the effective configuration as TOML, secrets masked, each key
// with the comment of its `help` tag.
func Print(w io.Writer, config any) error {
	p := &printer{w: w}
	p.table(reflect.Indirect(reflect.ValueOf(config)), "")
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// table prints the plain keys first and the tables below them after, as TOML
// demands.
func (p *printer) table(v reflect.Value, prefix string) {
	type inner struct {
		name  string
		value reflect.Value
	}
	var tables []inner
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := tagOf(f)
		below, list := tableOf(f.Type)
		switch {
		case name == "":
		case below != nil && !list:
			tables = append(tables, inner{name, v.Field(i)})
		case list:
			for j := range v.Field(i).Len() {
				tables = append(tables, inner{"[" + name, v.Field(i).Index(j)})
			}
		default:
			if help := f.Tag.Get("help"); help != "" {
				p.line("# %s", help)
			}
			value := render(v.Field(i))
			if f.Tag.Get("secret") == "true" && !v.Field(i).IsZero() {
				value = strconv.Quote(Masked)
			}
			p.line("%s = %s", name, value)
		}
	}
	for _, t := range tables {
		p.line("")
		if name, list := strings.CutPrefix(t.name, "["); list {
			p.line("[[%s%s]]", prefix, name)
			p.table(t.value, prefix+name+".")
			continue
		}
		p.line("[%s%s]", prefix, t.name)
		p.table(t.value, prefix+t.name+".")
	}
}

// render writes one value as TOML.
func render(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		return strconv.Quote(short(value))
	case encoding.TextMarshaler:
		text, err := value.MarshalText()
		if err != nil {
			return strconv.Quote(err.Error())
		}
		return strconv.Quote(string(text))
	}
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = render(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, strconv.Quote(k.String())+" = "+render(v.MapIndex(k)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprint(v.Interface())
	}
}

// short is a duration as people write it: 720h, not 720h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
