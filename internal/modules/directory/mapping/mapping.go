package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // formats of photographs
	_ "image/jpeg" // of which only the header is read
	_ "image/png"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Mapping is the mapping of one source. It is safe for concurrent use.
type Mapping struct {
	config source.Config
	zone   *time.Location
	named  bool // attributes are called as the fields: [source.PresetNone]
	fields map[source.Kind]map[Field]expression
	rules  []affiliationRule
	// photos are the attributes of [FieldPhoto], whose values are no text.
	photos map[string]bool
}

// New prepares the mapping of a source. The zone is the institution's, for dates without
// one. It fails when an expression of the configuration cannot be read; [Problems]
// tells all of them.
func New(c source.Config, zone *time.Location) (*Mapping, error) {
	m, problems := prepare(c, zone)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the mapping of %s: %s %s", c.ID, problems[0].Key, problems[0].Text)
	}
	return m, nil
}

// Problems is what is wrong with the mapping of a source. Keys are relative to the
// source.
func Problems(c source.Config) []config.Problem {
	_, problems := prepare(c, time.UTC)
	return problems
}

func prepare(c source.Config, zone *time.Location) (*Mapping, []config.Problem) {
	var problems []config.Problem
	read := func(key, text string) expression {
		e, err := parse(text, c.Tables)
		if err != nil {
			problems = append(problems, config.Problem{Key: key, Text: err.Error()})
		}
		return e
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		if functions[name] != nil {
			problems = append(problems, config.Problem{Key: "tables." + name, Text: "has the name of a function"})
		}
	}
	start := presets[c.PresetOrUsual()]
	m := &Mapping{config: c, zone: zone, named: c.PresetOrUsual() == source.PresetNone, fields: map[source.Kind]map[Field]expression{}, photos: map[string]bool{}}
	for kind, texts := range start.fields {
		m.fields[kind] = map[Field]expression{}
		for field, text := range texts {
			m.fields[kind][field] = read("preset", text)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Map)) {
		kind, field, ok := fieldNamed(key)
		if !ok {
			problems = append(problems, config.Problem{Key: "map." + key, Text: "is no field; those of groups and units are named group.code, unit.name and the like"})
			continue
		}
		if e := read("map."+key, c.Map[key]); e != nil {
			m.fields[kind][field] = e
		} else {
			delete(m.fields[kind], field)
		}
	}
	m.fields[source.Person][FieldPhoto].attributes(m.photos)
	configured := c.Affiliations
	if len(configured) == 0 {
		configured = start.affiliations
	}
	for i, a := range configured {
		key := "affiliations[" + strconv.Itoa(i) + "]."
		m.rules = append(m.rules, affiliationRule{
			AffiliationConfig: a,
			campus:            read(key+"campus", a.Campus), programme: read(key+"programme", a.Programme),
			unit: read(key+"unit", a.Unit), until: read(key+"until", a.Until),
		})
	}
	return m, problems
}

// fieldNamed finds a field by its name in the configuration.
func fieldNamed(key string) (source.Kind, Field, bool) {
	kind, field := source.Person, Field(key)
	if before, after, ok := strings.Cut(key, "."); ok {
		kind, field = source.Kind(before), Field(after)
	}
	if kind == source.Person && (field == FieldPhoto || field == contract.FieldUntil) {
		return kind, field, true
	}
	_, ok := fieldsOf(kind)[field]
	return kind, field, ok && slices.Contains(source.Kinds, kind)
}

// Attributes are those of a kind of record that the mapping looks at, in lower case and
// in order: what has to be read of a source, and nothing else.
func (m *Mapping) Attributes(k source.Kind) []string {
	names := map[string]bool{}
	for _, e := range m.fields[k] {
		e.attributes(names)
	}
	if k == source.Person {
		for _, r := range m.rules {
			r.attributes(names)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Map says a record in the words of the house, and what of it is not taken. A record
// that is refused as a whole is still an entry, with its key and [Entry.Refused].
func (m *Mapping) Map(r source.Record) (Entry, []source.Refusal) {
	e := Entry{Kind: r.Kind, Key: r.Key, Names: r.Names, Where: r.Where, Gone: r.Gone, Unchanged: r.Unchanged}
	if r.Gone || r.Unchanged {
		return e, nil
	}
	w := &work{Mapping: m, record: r, entry: &e, clean: map[string][]string{}}
	e.Values = Values{}
	rules := fieldsOf(r.Kind)
	for _, field := range slices.Sorted(maps.Keys(m.fields[r.Kind])) {
		if rule, plain := rules[field]; plain && w.spoken(m.fields[r.Kind][field]) {
			w.take(field, rule)
		}
	}
	switch r.Kind {
	case source.Person:
		w.takeAffiliations()
		w.takePhoto()
		w.limit()
	default: // without a code nothing can refer to it
		if e.Values.One(FieldCode) == "" {
			e.Refused = true
			w.refuse("", ValueUnfit.With(fault.Args{"field": string(FieldCode), "value": shown(r.Where)}))
		}
	}
	return e, w.refused
}

// work is the mapping of one record.
type work struct {
	*Mapping
	record  source.Record
	entry   *Entry
	clean   map[string][]string // values that were cleaned already
	refused []source.Refusal
	broken  bool // a value of the field at hand was refused
}

func (w *work) refuse(f Field, err error) {
	w.broken = true
	w.refused = append(w.refused, source.Refusal{Kind: w.record.Kind, Key: w.record.Key, Where: w.record.Where, Field: string(f), Err: err})
}

// spoken reports whether the record speaks of what an expression looks at; all do but
// partial ones, and files that lack a column.
func (w *work) spoken(e expression) bool {
	if !w.record.Partial && !w.named {
		return true
	}
	names := map[string]bool{}
	e.attributes(names)
	for name := range names {
		if _, ok := w.record.Values[name]; ok {
			return true
		}
	}
	return len(names) == 0
}

// scope is what expressions for a field are evaluated in. Override has values in place
// of those of the record.
func (w *work) scope(f Field, override map[string][]string) scope {
	return scope{
		values: func(attribute string) []string {
			if v, ok := override[attribute]; ok {
				return v
			}
			return w.cleaned(f, attribute)
		},
		unknown: func(table, code string) {
			w.refuse(f, CodeUnknown.With(fault.Args{"field": string(f), "table": table, "code": string(shown(code))}))
		},
	}
}

// cleaned are the values of an attribute as text, each once.
func (w *work) cleaned(f Field, attribute string) []string {
	if values, ok := w.clean[attribute]; ok {
		return values
	}
	var values []string
	bad := false
	for _, raw := range w.record.Values[attribute] {
		v, err := Clean(raw)
		if err != nil {
			bad = true
			w.refuse(f, unfit(err, f, raw))
			continue
		}
		if v != "" {
			values = append(values, v)
		}
	}
	if !bad { // another field that looks at it is to be told too
		w.clean[attribute] = values
	}
	return values
}

// unfit completes a reason with the field and the value.
func unfit(err error, f Field, value string) error {
	var r *fault.Reason
	if !errors.As(err, &r) {
		return err
	}
	return r.With(fault.Args{"field": string(f), "value": shown(value)})
}

// take fills a plain field. When every value is refused, nothing is said of it, so that
// what was known stays.
func (w *work) take(f Field, r rule) {
	w.broken = false
	values := w.fields[w.record.Kind][f].in(w.scope(f, nil))
	said := w.formed(f, r, values)
	if w.broken && len(said) == 0 {
		return
	}
	w.entry.Values[f] = said
}

// formed are values in their stored form, each once.
func (w *work) formed(f Field, r rule, values []string) []string {
	said := []string{}
	seen := map[string]bool{}
	for _, v := range values {
		formed, err := r.form(v)
		switch {
		case err != nil:
			w.refuse(f, unfit(err, f, v))
			continue
		case formed == "" || seen[formed]:
			continue
		}
		seen[formed] = true
		said = append(said, formed)
		if !r.many {
			break
		}
		if len(said) > mostValues && f != FieldMembers {
			w.refuse(f, TooMany.With(fault.Args{"field": string(f), "most": mostValues}))
			return nil
		}
	}
	return said
}

// largestPhoto bounds a picture, in bytes and in pixels on a side.
const largestPhoto, longestSide = 4 << 20, 8000

// takePhoto takes the first picture, as bytes.
func (w *work) takePhoto() {
	e, mapped := w.fields[source.Person][FieldPhoto]
	if !mapped || !w.spoken(e) {
		return
	}
	for _, t := range e {
		raw := w.record.First(t.attribute)
		if raw == "" {
			continue
		}
		header, _, err := image.DecodeConfig(strings.NewReader(raw))
		if err != nil || len(raw) > largestPhoto || max(header.Width, header.Height) > longestSide {
			w.refuse(FieldPhoto, PhotoUnfit.With(fault.Args{"field": string(FieldPhoto), "most": longestSide}))
			return
		}
		digest := sha256.Sum256([]byte(raw))
		w.entry.Values[FieldPhoto] = []string{hex.EncodeToString(digest[:])}
		w.entry.Photo = bytes.Clone([]byte(raw))
		return
	}
	w.entry.Values[FieldPhoto] = []string{}
}
