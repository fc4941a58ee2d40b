package portal_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// page is an answer as somebody reads it: by role and label.
type page struct {
	t        *testing.T
	status   int
	header   http.Header
	location string
	body     string
	root     *html.Node
}

func read(t *testing.T, w *httptest.ResponseRecorder) *page {
	t.Helper()
	p := &page{t: t, status: w.Code, header: w.Header(), location: w.Header().Get("Location"), body: w.Body.String()}
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	p.root = root
	if i := strings.Index(p.body, "⟦"); i >= 0 {
		t.Errorf("a label is missing: %s", p.body[i:min(len(p.body), i+80)])
	}
	return p
}

// is checks the status of the answer.
func (p *page) is(status int) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("the answer is %d, want %d: %s", p.status, status, p.text())
	}
	return p
}

// leadsTo checks where a redirect goes.
func (p *page) leadsTo(want string) *page {
	p.t.Helper()
	if p.status != http.StatusSeeOther || p.location != want {
		p.t.Fatalf("the answer is %d to %q, want 303 to %q: %s", p.status, p.location, want, p.text())
	}
	return p
}

// says checks what can be read; a text that begins with "!" must not be there.
func (p *page) says(texts ...string) *page {
	p.t.Helper()
	all := p.text()
	for _, want := range texts {
		if unwanted, not := strings.CutPrefix(want, "!"); not {
			if strings.Contains(all, unwanted) {
				p.t.Errorf("%q can be read", unwanted)
			}
		} else if !strings.Contains(all, want) {
			p.t.Errorf("%q cannot be read in: %s", want, all)
		}
	}
	return p
}

func (p *page) text() string { return textOf(p.root) }

// textOf is the words below a node on one line, for a screen reader: with what
// is hidden from sight, without scripts.
func textOf(n *html.Node) string {
	var b strings.Builder
	walk(n, func(n *html.Node) {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			b.WriteString(n.Data + " ")
		}
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

func walk(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func (p *page) all(tag string) []*html.Node {
	var found []*html.Node
	walk(p.root, func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == tag {
			found = append(found, n)
		}
	})
	return found
}

// link is where the link with these words leads.
func (p *page) link(words string) string {
	p.t.Helper()
	if n := p.find("a", words); n != nil {
		return attr(n, "href")
	}
	p.t.Fatalf("there is no link %q", words)
	return ""
}

func (p *page) find(tag, words string) *html.Node {
	for _, n := range p.all(tag) {
		if text := textOf(n); text == words || strings.HasPrefix(text, words+" ") {
			return n
		}
	}
	return nil
}

// presses returns the address and the hidden fields of the form of a button.
func (p *page) presses(words string) (action string, fields map[string][]string) {
	p.t.Helper()
	n := p.find("button", words)
	if n == nil {
		p.t.Fatalf("there is no button %q", words)
	}
	fields = map[string][]string{}
	if name := attr(n, "name"); name != "" {
		fields[name] = []string{attr(n, "value")}
	}
	for n != nil && n.Data != "form" {
		n = n.Parent
	}
	if n == nil {
		p.t.Fatalf("the button %q is in no form", words)
	}
	walk(n, func(i *html.Node) {
		if i.Data == "input" && attr(i, "type") == "hidden" {
			fields[attr(i, "name")] = []string{attr(i, "value")}
		}
	})
	return attr(n, "action"), fields
}

// field is the value of the field with this label.
func (p *page) field(label string) string {
	p.t.Helper()
	for _, l := range p.all("label") {
		if !strings.HasPrefix(textOf(l), label) {
			continue
		}
		for _, tag := range []string{"input", "textarea", "select"} {
			for _, n := range p.all(tag) {
				if attr(n, "id") == attr(l, "for") {
					if tag == "textarea" {
						return textOf(n)
					}
					return attr(n, "value")
				}
			}
		}
	}
	p.t.Fatalf("there is no field %q", label)
	return ""
}

// headings are the headings of the page in order.
func (p *page) headings() string {
	var list []string
	walk(p.root, func(n *html.Node) {
		if n.Type == html.ElementNode && (n.Data == "h1" || n.Data == "h2") {
			list = append(list, textOf(n))
		}
	})
	return strings.Join(list, " | ")
}

// writerTo collects the files of an archive.
func writerTo(content map[string]*bytes.Buffer) func(string) (io.Writer, error) {
	return func(name string) (io.Writer, error) {
		content[name] = &bytes.Buffer{}
		return content[name], nil
	}
}
