package config

import (
	"io"
	"reflect"
	"strings"
)

// Explain writes every key with its default and the words of its `help` tag, as
// Markdown: one section for each table of the file. The defaults are the values
// of config.
func Explain(w io.Writer, config any) error {
	e := &explainer{printer{w: w}}
	e.table(reflect.Indirect(reflect.ValueOf(config)), "", false)
	return e.err
}

// Unexplained lists the keys that have no `help` tag.
func Unexplained(config any) []string {
	var bare []string
	walk(reflect.Indirect(reflect.ValueOf(config)).Type(), "", func(key string, f reflect.StructField) {
		if inner, _ := tableOf(f.Type); inner == nil && f.Tag.Get("help") == "" {
			bare = append(bare, key)
		}
	})
	return bare
}

type explainer struct{ printer }

// table explains the plain keys of one table, then the tables below it. The
// entries of a list have no defaults: each is written by somebody.
func (e *explainer) table(v reflect.Value, name string, entry bool) {
	begun := false
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := tagOf(f)
		if inner, _ := tableOf(f.Type); key == "" || inner != nil {
			continue
		}
		if !begun {
			begun = true
			e.line("\n## `%s`\n", name)
			if entry {
				e.line("| key | what it does |\n|---|---|")
			} else {
				e.line("| key | default | what it does |\n|---|---|---|")
			}
		}
		help := f.Tag.Get("help")
		if f.Tag.Get("secret") == "true" {
			help += "; or `" + key + "_file`, which names a file that holds it"
		}
		cells := []string{"`" + key + "`"}
		if !entry {
			cells = append(cells, byDefault(v.Field(i), f))
		}
		cells = append(cells, strings.ReplaceAll(help, "|", `\|`))
		e.line("| %s |", strings.Join(cells, " | "))
	}
	for i := range v.NumField() {
		key := tagOf(v.Type().Field(i))
		inner, list := tableOf(v.Type().Field(i).Type)
		if key == "" || inner == nil {
			continue
		}
		below := strings.TrimPrefix(strings.Trim(name, "[]")+"."+key, ".")
		if list {
			e.table(reflect.Zero(inner), "[["+below+"]]", true)
		} else {
			e.table(v.Field(i), "["+below+"]", entry)
		}
	}
}

// byDefault is the cell of a default: nothing for an empty text, because two
// quotation marks say less, and nothing for a secret.
func byDefault(v reflect.Value, f reflect.StructField) string {
	if f.Tag.Get("secret") == "true" || v.Kind() == reflect.String && v.IsZero() {
		return ""
	}
	return "`" + render(v) + "`"
}
