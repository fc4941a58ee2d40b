package gallery_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/ui/gallery"
)

func each(t *testing.T, check func(t *testing.T, page *html.Node, source string)) {
	catalogue, err := gallery.Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range gallery.Sights() {
		for _, locale := range campus.Locales {
			t.Run(s.Name+" in "+string(locale), func(t *testing.T) {
				var b bytes.Buffer
				if err := s.Page.Render(s.Dress(t.Context(), catalogue.For(locale)), &b); err != nil {
					t.Fatal(err)
				}
				page, err := html.Parse(bytes.NewReader(b.Bytes()))
				if err != nil {
					t.Fatal(err)
				}
				check(t, page, b.String())
			})
		}
	}
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func TestNoPageHoldsInlineStyleOrScript(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, _ string) {
		for n := range page.Descendants() {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.Contains(a.Val, "javascript:") {
					t.Errorf("<%s> has %s=%q, which the content-security policy refuses", n.Data, a.Key, a.Val)
				}
			}
			if n.Data == "style" && n.Type == html.ElementNode || n.Data == "script" && n.FirstChild != nil {
				t.Errorf("there is an inline <%s>", n.Data)
			}
		}
	})
}

func TestEveryIDIsUniqueAndEveryReferenceFindsItsTarget(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, _ string) {
		ids := map[string]bool{}
		for n := range page.Descendants() {
			if id, ok := attribute(n, "id"); ok {
				if ids[id] {
					t.Errorf("the id %q is there twice", id)
				}
				ids[id] = true
			}
		}
		for n := range page.Descendants() {
			for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls", "data-caps", "data-reveal"} {
				value, _ := attribute(n, name)
				for id := range strings.FieldsSeq(value) {
					if !ids[id] {
						t.Errorf("<%s %s=%q> names nothing on the page", n.Data, name, value)
					}
				}
			}
			if href, _ := attribute(n, "href"); len(href) > 1 && href[0] == '#' && !ids[href[1:]] {
				t.Errorf("the link to %s leads nowhere", href)
			}
		}
	})
}

func TestEveryFieldHasALabel(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, _ string) {
		labelled := map[string]bool{}
		for n := range page.Descendants() {
			if n.Data == "label" {
				id, _ := attribute(n, "for")
				labelled[id] = true
			}
		}
		for n := range page.Descendants() {
			kind, _ := attribute(n, "type")
			if !slices.Contains([]string{"input", "select", "textarea"}, n.Data) || kind == "hidden" {
				continue
			}
			id, _ := attribute(n, "id")
			if _, named := attribute(n, "aria-label"); !named && !labelled[id] {
				name, _ := attribute(n, "name")
				t.Errorf("the field %q has no label", name)
			}
		}
	})
}

func TestEveryLabelHasItsWords(t *testing.T) {
	each(t, func(t *testing.T, _ *html.Node, source string) {
		if i := strings.Index(source, "⟦"); i >= 0 {
			t.Errorf("a label is missing: %s", source[i:min(len(source), i+60)])
		}
	})
}

func TestAPageWithSomethingToMendSaysSoFirst(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, source string) {
		mends := strings.Contains(source, `class="summary"`)
		for n := range page.Descendants() {
			if n.Data == "title" && n.FirstChild != nil {
				title := n.FirstChild.Data
				if said := strings.HasPrefix(title, "Err"); said != mends {
					t.Errorf("something to mend: %t, yet the title is %q", mends, title)
				}
			}
		}
	})
}
