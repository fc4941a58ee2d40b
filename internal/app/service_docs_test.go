package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

var (
	block   = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")
	word    = regexp.MustCompile(`'([^']*)'|"([^"]*)"|[^\s'"]+`)
	comment = regexp.MustCompile(`\s+#.*`)
)

// typed takes a command of a page apart, as a shell does.
func typed(line string) []string {
	var words []string
	joined := false // to the word before, as in --set='a b'
	at := 0
	for _, m := range word.FindAllStringSubmatchIndex(line, -1) {
		text := line[m[0]:m[1]]
		for _, group := range []int{2, 4} {
			if m[group] >= 0 {
				text = line[m[group]:m[group+1]]
			}
		}
		if joined = m[0] == at && len(words) > 0; joined {
			words[len(words)-1] += text
		} else {
			words = append(words, text)
		}
		at = m[1]
	}
	return words
}

func TestWhatThePagesAboutServicesSayCanBeTyped(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(cfg, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../docs/services/*.md")
	if err != nil || len(pages) < 4 {
		t.Fatalf("%v, %v", pages, err)
	}
	commands, files := 0, 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range block.FindAllStringSubmatch(string(text), -1) {
			if b[1] == "toml" && (strings.Contains(b[2], "[[services]]") || strings.Contains(b[2], "[[sso.services]]")) {
				files++
				if _, err := registry.ReadFile(filepath.Base(page), []byte(b[2])); err != nil {
					t.Errorf("%v", err)
				}
			}
			for line := range strings.SplitSeq(strings.ReplaceAll(b[2], "\\\n", " "), "\n") {
				line = comment.ReplaceAllString(line, "")
				if !strings.HasPrefix(line, "amphi service add --id") {
					continue
				}
				commands++
				words := typed(line)
				if code, out := run(t, append(words[1:3:3], append([]string{"-c", cfg, "--check"}, words[3:]...)...)...); code != 0 {
					t.Errorf("%s: %s\n%s", filepath.Base(page), line, out)
				}
			}
		}
	}
	if commands < 8 || files < 5 {
		t.Errorf("only %d commands and %d files were found", commands, files)
	}
}
