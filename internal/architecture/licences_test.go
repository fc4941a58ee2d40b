package architecture

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licences that we may link into a program under the Apache licence, each
// known by words that its text always has. The order matters: texts quote each
// other.
var licences = []struct {
	name      string
	words     *regexp.Regexp
	permitted bool
}{
	{"AGPL", regexp.MustCompile(`(?i)GNU AFFERO GENERAL PUBLIC LICENSE`), false},
	{"LGPL", regexp.MustCompile(`(?i)GNU (LESSER|LIBRARY) GENERAL PUBLIC LICENSE`), false},
	{"GPL", regexp.MustCompile(`(?i)GNU GENERAL PUBLIC LICENSE`), false},
	{"MPL-2.0", regexp.MustCompile(`(?i)Mozilla Public License,? (Version|v\.?) ?2\.0`), true},
	{"Apache-2.0", regexp.MustCompile(`(?i)Apache License,?\s+Version 2\.0`), true},
	{"MIT", regexp.MustCompile(`(?i)Permission is hereby granted, free of charge`), true},
	{"ISC", regexp.MustCompile(`(?i)Permission to use, copy, modify, and(/or)? distribute this software`), true},
	{"BSD", regexp.MustCompile(`(?i)Redistribution and use in source and binary forms`), true},
	{"public domain", regexp.MustCompile(`(?i)(released into the public domain|CC0 1\.0 Universal)`), true},
}

func TestEveryLinkedModuleHasALicenceThatWeMayUse(t *testing.T) {
	out, err := run("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", "./cmd/...")
	if err != nil {
		t.Fatal(err)
	}
	modules := slices.Compact(slices.Sorted(strings.SplitSeq(strings.TrimSpace(string(out)), "\n")))
	for _, line := range modules {
		name, dir, found := strings.Cut(line, "\t")
		if !found {
			continue // the standard library has no module
		}
		licence, permitted := licenceOf(t, dir)
		if !permitted {
			t.Errorf("%s is under %s: the program is given away under Apache-2.0, so choose another module or write what you need", name, licence)
		}
	}
}

// licenceOf classifies a module by its licence file.
func licenceOf(t *testing.T, dir string) (name string, permitted bool) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	texts := ""
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !(strings.HasPrefix(upper, "LICEN") || strings.HasPrefix(upper, "COPYING") || strings.HasPrefix(upper, "UNLICENSE")) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		texts += string(text) + "\n"
	}
	return classify(texts)
}

func classify(text string) (name string, permitted bool) {
	// A module may offer a choice or quote what it contains: one licence that
	// we may use is enough when the text is its own, so the permissive ones are
	// asked first unless the text opens with a GNU title.
	opening := text[:min(len(text), 400)]
	for _, l := range licences {
		if !l.permitted && l.words.MatchString(opening) {
			return l.name, false
		}
	}
	for _, l := range licences {
		if l.permitted && l.words.MatchString(text) {
			return l.name, true
		}
	}
	return cmp.Or(strings.TrimSpace(opening), "no licence at all"), false
}

func TestLicencesAreToldApart(t *testing.T) {
	cases := []struct {
		name, text string
		permitted  bool
	}{
		{"MIT", "Copyright (c) 2026\n\nPermission is hereby granted, free of charge, to any person", true},
		{"Apache-2.0", "                                 Apache License\n                           Version 2.0, January 2004", true},
		{"AGPL", "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3", false},
		{"no licence at all", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if name, permitted := classify(c.text); name != c.name || permitted != c.permitted {
				t.Errorf("classified as %s, permitted %v", name, permitted)
			}
		})
	}
}
