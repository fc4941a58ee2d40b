// Package i18n gives every label, sentence and date its words in the reader's
// language. Plural rules and look-up are go-i18n's; what is ours is the shape of
// the files: TOML with dotted keys and {placeholders}.
package i18n

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	toml "github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// Catalogue holds every sentence of the house in every language.
type Catalogue struct {
	bundle   *goi18n.Bundle
	printers map[campus.Locale]*Printer
	keys     map[campus.Locale]map[string]bool
	raw      map[campus.Locale]map[string]string
}

// placeholder is {name} in our files; go-i18n wants {{.name}}.
var placeholder = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

// template undoes placeholder, for those who read the sentences themselves.
var template = regexp.MustCompile(`\{\{\.([a-z][a-z0-9_]*)\}\}`)

// Load reads the files locales/<locale>.toml of each file system, at its root and
// in the alcoves below. A language that one of these folders lacks is an error,
// and so is a key that two of them define.
func Load(zone *time.Location, c clock.Clock, sources ...fs.FS) (*Catalogue, error) {
	cat := &Catalogue{
		bundle:   goi18n.NewBundle(language.French),
		printers: map[campus.Locale]*Printer{},
		keys:     map[campus.Locale]map[string]bool{},
		raw:      map[campus.Locale]map[string]string{},
	}
	cat.bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	files, problems := folders(sources)
	for _, locale := range campus.Locales {
		cat.keys[locale], cat.raw[locale] = map[string]bool{}, map[string]string{}
		for _, found := range files {
			name := found.folder + "/" + string(locale) + ".toml"
			text, err := fs.ReadFile(found.source, name)
			if err != nil {
				problems = append(problems, fmt.Errorf("read sentences: %w", err))
				continue
			}
			file, err := cat.bundle.ParseMessageFileBytes(placeholder.ReplaceAll(text, []byte("{{.$1}}")), string(locale)+".toml")
			if err != nil {
				problems = append(problems, fmt.Errorf("read sentences of %s: %w", name, err))
				continue
			}
			for _, m := range file.Messages {
				if cat.keys[locale][m.ID] {
					problems = append(problems, fmt.Errorf("the key %s is defined twice in %s", m.ID, locale))
				}
				cat.keys[locale][m.ID] = true
				cat.raw[locale][m.ID] = template.ReplaceAllString(m.Other, "{$1}")
			}
		}
		cat.printers[locale] = &Printer{
			locale:    locale,
			localizer: goi18n.NewLocalizer(cat.bundle, string(locale)),
			known:     cat.keys[locale],
			zone:      zone,
			clock:     c,
		}
	}
	return cat, errors.Join(problems...)
}

// At is the same catalogue for another clock, which the words for "today" and
// "tomorrow" follow.
func (c *Catalogue) At(now clock.Clock) *Catalogue {
	other := *c
	other.printers = make(map[campus.Locale]*Printer, len(c.printers))
	for locale, p := range c.printers {
		other.printers[locale] = &Printer{locale: p.locale, localizer: p.localizer, known: p.known, zone: p.zone, clock: now}
	}
	return &other
}

// folder is one folder of sentences.
type folder struct {
	source fs.FS
	folder string
}

// folders finds every folder named locales.
func folders(sources []fs.FS) (found []folder, problems []error) {
	for _, source := range sources {
		before := len(found)
		err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && path.Base(name) == "locales" {
				found = append(found, folder{source, name})
			}
			return err
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("look for sentences: %w", err))
		} else if len(found) == before {
			problems = append(problems, errors.New("read sentences: no folder is named locales"))
		}
	}
	return found, problems
}

// For returns the printer of a language; of French for one that is unknown.
func (c *Catalogue) For(l campus.Locale) *Printer {
	if p := c.printers[l]; p != nil {
		return p
	}
	return c.printers[campus.French]
}

// Keys lists the keys that a language defines, in order.
func (c *Catalogue) Keys(l campus.Locale) []string {
	keys := make([]string, 0, len(c.keys[l]))
	for k := range c.keys[l] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Raw returns a sentence with its {placeholders} as they stand in the file; ""
// for a key that does not exist.
func (c *Catalogue) Raw(l campus.Locale, key string) string { return c.raw[l][key] }

// Printer words things in one language and time zone. It is safe for
// concurrent use.
type Printer struct {
	locale    campus.Locale
	localizer *goi18n.Localizer
	known     map[string]bool
	zone      *time.Location
	clock     clock.Clock
	plain     sync.Map // key → sentence without placeholders
}

// Locale is the language of this printer.
func (p *Printer) Locale() campus.Locale { return p.locale }

// Has reports whether the language defines the key.
func (p *Printer) Has(key string) bool { return p.known[key] }

// T returns the sentence of key. Pairs are placeholder names and values:
// T("portal.hello", "name", "Lina"). The pair "count" also selects the plural.
// A key that does not exist comes back between brackets, which a test looks for.
func (p *Printer) T(key string, pairs ...any) string {
	if len(pairs) == 0 {
		if s, ok := p.plain.Load(key); ok {
			return s.(string)
		}
	}
	config := &goi18n.LocalizeConfig{MessageID: key}
	if len(pairs) > 0 {
		data := make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			name := fmt.Sprint(pairs[i])
			if name == "count" {
				config.PluralCount = pairs[i+1]
			}
			data[name] = p.Value(pairs[i+1])
		}
		config.TemplateData = data
	}
	s, err := p.localizer.Localize(config)
	if err != nil {
		return "⟦" + key + "⟧"
	}
	if len(pairs) == 0 {
		p.plain.Store(key, s)
	}
	return s
}

// Value words one fact: instants and durations as people say them, the rest as
// it is. A text that is written from right to left, such as a name, does not turn
// the figures and signs of the sentence around it.
func (p *Printer) Value(v any) any {
	switch v := v.(type) {
	case time.Time:
		return p.Date(v, Moment)
	case time.Duration:
		return p.Duration(v)
	case Bytes:
		return p.bytes(v)
	case []string:
		return p.Value(strings.Join(v, ", "))
	case string:
		return isolated(v)
	default:
		return v
	}
}

// isolated keeps a text that holds letters written from right to left apart from
// the sentence around it (Unicode Standard Annex #9, first strong isolate).
func isolated(text string) string {
	const fsi, pdi = "\u2068", "\u2069"
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x590 && unicode.In(r, rightToLeft...) }) {
		return text
	}
	return fsi + text + pdi
}

// rightToLeft are the scripts in use that are written so.
var rightToLeft = []*unicode.RangeTable{unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam}
