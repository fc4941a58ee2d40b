package prose_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/prose"
)

func TestHostileMarkdownBecomesHarmless(t *testing.T) {
	for name, text := range map[string]string{
		"a script":                  "Bonjour <script>alert(1)</script>",
		"a handler":                 `<img src=x onerror="alert(1)">`,
		"a script behind a link":    "[cliquez](javascript:alert(1))",
		"a script behind an entity": "[x](&#106;avascript:alert(1))",
		"data behind a link":        "[x](data:text/html;base64,PHNjcmlwdD4=)",
		"a frame":                   "<iframe src='https://evil.example'></iframe>",
		"a style":                   "<p style='position:fixed;inset:0'>x</p>",
		"a form":                    "<form action='https://evil.example'><input name=password></form>",
		"a picture elsewhere":       "![pixel](https://evil.example/track.gif)",
		"an unclosed tag":           "<a href='java\nscript:alert(1)'",
	} {
		t.Run(name, func(t *testing.T) {
			html, err := prose.HTML(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"<script", "onerror", "javascript:", "data:", "<iframe", "style=", "<form", "<input", "<img"} {
				if strings.Contains(strings.ToLower(html), bad) {
					t.Errorf("%q is in %q", bad, html)
				}
			}
		})
	}
}

func TestAnArticleKeepsItsShape(t *testing.T) {
	html, err := prose.HTML("# Grand\n\n## Ce qui change\n\n- **310 places**\n- [site](https://bu.example/x?a=1&b=2)\n\n| a | b |\n|---|---|\n| 1 | 2 |")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h2>Grand</h2>", "<h2>Ce qui change</h2>", "<strong>310 places</strong>", `href="https://bu.example/x?a=1&amp;b=2"`, "<td>2</td>"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in %q", want, html)
		}
	}
	if strings.Contains(html, "<h1") {
		t.Error("an article must not have a second h1")
	}
}

func TestPlainTextIsOneLineWithoutTags(t *testing.T) {
	for in, want := range map[string]string{
		"<p>Un <b>gras</b>\n et&nbsp;fin</p>":        "Un gras et\u00a0fin",
		"&lt;b&gt;deux fois&lt;/b&gt;":               "deux fois",
		"&lt;script&gt;alert(1)&lt;/script&gt;reste": "reste",
		"a\x00b\x1bc": "a b c",
	} {
		if got := prose.Plain(in, 100); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPlainTextStaysWithinItsLimit(f *testing.F) {
	f.Add("<p>bonjour</p>", 5)
	f.Add(strings.Repeat("é ", 50), 10)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 2 || limit > 1000 || !utf8.ValidString(text) {
			return
		}
		if got := prose.Plain(text, limit); utf8.RuneCountInString(got) > limit || !utf8.ValidString(got) {
			t.Errorf("Plain(%q, %d) = %q", text, limit, got)
		}
	})
}
