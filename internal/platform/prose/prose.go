// Package prose turns what people wrote into HTML that is safe to show: Markdown
// of our own publishers, and HTML of other sites' feeds.
package prose

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// markdown leaves HTML inside the text out, and knows tables, bare links and
// strike-through beside CommonMark.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Linkify, extension.Strikethrough))

// allowed is what an article may hold. Headings begin at the second level: the
// page has its own title. No picture comes from elsewhere, for it would tell
// that site who reads.
var allowed = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "del", "code", "pre", "blockquote",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,4}$`)).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http", "mailto", "tel")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}()

// plain removes every tag.
var plain = bluemonday.StrictPolicy()

var firstHeading = regexp.MustCompile(`<(/?)h1>`)

// HTML renders Markdown. What remains of hostile text is text.
func HTML(text string) (string, error) {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(text), &b); err != nil {
		return "", fmt.Errorf("render markdown: %w", err)
	}
	return allowed.Sanitize(firstHeading.ReplaceAllString(b.String(), "<${1}h2>")), nil
}

// Component shows Markdown on a page.
func Component(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		safe, err := HTML(text)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, safe)
		return err
	})
}

// Plain is the text of a piece of HTML or Markdown-free prose on one line, at
// most limit characters, cut between words.
func Plain(text string, limit int) string {
	// Twice, because feeds often carry HTML that was escaped once more.
	text = plain.Sanitize(html.UnescapeString(plain.Sanitize(text)))
	text = html.UnescapeString(text)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r == ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
	return Cut(text, limit)
}

// Cut shortens text to at most limit characters, between words, with an
// ellipsis.
func Cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	cut := string([]rune(text)[:limit-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:") + "…"
}
