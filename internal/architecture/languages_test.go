package architecture

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// languages are those that every sentence is written in.
var languages = []string{"fr", "en"}

func TestEverySentenceIsThereInEveryLanguage(t *testing.T) {
	for _, folder := range localeFolders(t) {
		sentences := map[string]map[string]string{}
		for _, language := range languages {
			name := folder + "/" + language + ".toml"
			if !slices.Contains(files(t), name) {
				t.Errorf("%s is missing: every sentence is written in %s", name, strings.Join(languages, " and "))
				continue
			}
			sentences[language] = readSentences(t, name)
		}
		for _, language := range languages {
			for _, other := range languages {
				for key := range sentences[other] {
					if _, ok := sentences[language][key]; !ok && sentences[language] != nil {
						t.Errorf("%s/%s.toml lacks %s, which %s.toml has", folder, language, key, other)
					}
				}
			}
		}
		for key, french := range sentences["fr"] {
			if english, ok := sentences["en"][key]; ok && !slices.Equal(placeholders(french), placeholders(english)) {
				t.Errorf("%s: %s has the placeholders %q in French and %q in English", folder, key, placeholders(french), placeholders(english))
			}
		}
	}
}

// wrongFrench finds what French typography does otherwise: a sign of two parts
// takes a narrow no-break space before it, an apostrophe is curved, quotation
// marks are « ».
var wrongFrench = []struct {
	words string
	sign  *regexp.Regexp
}{
	{"a narrow no-break space (U+202F) belongs before ; ! ? and :", regexp.MustCompile(`[^\x{202F}/0-9\s][;!?:](\s|$)|[ \x{00A0}][;!?:](\s|$)`)},
	{"an apostrophe is ’", regexp.MustCompile(`\pL'\pL`)},
	{"quotation marks are « and »", regexp.MustCompile(`[“”]|(^|\s)"\pL`)},
}

func TestFrenchSentencesKeepFrenchTypography(t *testing.T) {
	for _, folder := range localeFolders(t) {
		name := folder + "/fr.toml"
		if !slices.Contains(files(t), name) {
			continue
		}
		for key, sentence := range readSentences(t, name) {
			for _, wrong := range wrongFrench {
				if found := wrong.sign.FindString(sentence); found != "" {
					t.Errorf("%s: %s: %s, not %q: %s", name, key, wrong.words, found, sentence)
				}
			}
		}
	}
}

func TestFrenchTypographyIsJudgedRightly(t *testing.T) {
	cases := []struct {
		name, text string
		wrong      bool
	}{
		{"a narrow no-break space", "Qui êtes-vous\u202f?", false},
		{"a plain space", "Qui êtes-vous ?", true},
		{"no space", "Attention!", true},
		{"an address", "Voir https://valmont.example/aide", false},
		{"a time of day", "À 18:05", false},
		{"a typewriter's apostrophe", "L'aide", true},
		{"an apostrophe", "L’aide", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wrong := false
			for _, w := range wrongFrench {
				wrong = wrong || w.sign.MatchString(c.text)
			}
			if wrong != c.wrong {
				t.Errorf("%q: wrong should be %v", c.text, c.wrong)
			}
		})
	}
}

// localeFolders are the folders with sentences.
func localeFolders(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, name := range files(t) {
		dir := path.Dir(name)
		if path.Base(dir) == "locales" && path.Ext(name) == ".toml" && !slices.Contains(found, dir) {
			found = append(found, dir)
		}
	}
	return found
}

// readSentences gives the sentences of a file by their dotted keys.
func readSentences(t *testing.T, name string) map[string]string {
	t.Helper()
	var tree map[string]any
	if err := toml.Unmarshal([]byte(read(t, name)), &tree); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	sentences := map[string]string{}
	flatten("", tree, sentences)
	return sentences
}

func flatten(prefix string, node any, into map[string]string) {
	branch, ok := node.(map[string]any)
	if !ok {
		into[prefix] = fmt.Sprint(node)
		return
	}
	for key, child := range branch {
		flatten(strings.TrimPrefix(prefix+"."+key, "."), child, into)
	}
}

var placeholder = regexp.MustCompile(`\{[a-z][a-z0-9_]*\}`)

// placeholders lists the facts that a sentence has places for.
func placeholders(sentence string) []string {
	found := map[string]bool{}
	for _, p := range placeholder.FindAllString(sentence, -1) {
		found[p] = true
	}
	return slices.Sorted(maps.Keys(found))
}
