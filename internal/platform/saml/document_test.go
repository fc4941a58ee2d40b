package saml

import (
	"errors"
	"strings"
	"testing"
)

func TestAParserRefusesWhatXMLCanDoToIt(t *testing.T) {
	deep := strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1)
	wide := "<a>" + strings.Repeat("<b/>", maxElements) + "</a>"
	many := "<a "
	for i := range maxAttributes + 1 {
		many += "a" + strings.Repeat("x", i) + `="" `
	}
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, ErrDTD},
		{"a billion laughs", `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a>&b;</a>`, ErrDTD},
		{"a parameter entity", `<!DOCTYPE a [<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;]><a/>`, ErrDTD},
		{"a document type without entities", `<!DOCTYPE a><a/>`, ErrDTD},
		{"a directive inside of the root", `<a><!ELEMENT b ANY></a>`, ErrDTD},
		{"a directive that hides a comment, CVE-2020-29510", `<a><!x<!-- -->></a>`, ErrDTD},
		{"an entity that nobody declared", `<a>&x;</a>`, ErrDTD},
		{"a processing instruction", `<a><?php echo ?></a>`, ErrUnexpected},
		{"a second declaration", `<a><?xml version="1.0"?></a>`, ErrUnexpected},
		{"another encoding", `<?xml version="1.0" encoding="UTF-7"?><a/>`, ErrMalformed},
		{"a comment that cuts a name in two", `<a><b>admin@univ.example<!-- -->.evil.example</b></a>`, ErrComment},
		{"a comment before the text", `<a><b><!-- -->admin</b></a>`, ErrComment},
		{"a comment around an element in text", `<b>admin<c/><!-- -->evil</b>`, ErrComment},
		{"an element name with two colons, CVE-2020-29511", `<a xmlns:x="u"><x::b/></a>`, ErrMalformed},
		{"an element name that begins with a colon", `<a><:b/></a>`, ErrUnstable},
		{"an attribute name with two colons, CVE-2020-29509", `<a xmlns:x="u" x::b="1"/>`, ErrMalformed},
		{"an attribute name that ends with a colon", `<a b:="1"/>`, ErrUnstable},
		{"a prefix that nobody declared", `<x:a/>`, ErrMalformed},
		{"an attribute's prefix that nobody declared", `<a x:b="1"/>`, ErrMalformed},
		{"a prefix out of its scope", `<a><b xmlns:x="u"/><x:c/></a>`, ErrMalformed},
		{"an attribute twice", `<a b="1" b="2"/>`, ErrMalformed},
		{"an attribute twice under two prefixes", `<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>`, ErrMalformed},
		{"a prefix declared twice", `<a xmlns:x="u" xmlns:x="v"/>`, ErrMalformed},
		{"xml given another meaning", `<a xmlns:xml="u"/>`, ErrMalformed},
		{"xmlns declared", `<a xmlns:xmlns="u"/>`, ErrMalformed},
		{"a prefix undeclared", `<a xmlns:x=""/>`, ErrMalformed},
		{"an identifier twice", `<a ID="1"><b ID="1"/></a>`, ErrDuplicateID},
		{"an identifier twice in other letters", `<a ID="1"><b Id="1"/></a>`, ErrDuplicateID},
		{"an identifier as xml:id", `<a ID="1"><b xml:id="1"/></a>`, ErrDuplicateID},
		{"two identifiers on one element", `<a xmlns:x="u" x:ID="1" ID="2"/>`, ErrDuplicateID},
		{"depth", deep, ErrTooComplex},
		{"breadth", wide, ErrTooComplex},
		{"attributes", many + "/>", ErrTooComplex},
		{"a long name", "<" + strings.Repeat("a", maxName+1) + "/>", ErrUnstable},
		{"two roots", `<a/><b/>`, ErrMalformed},
		{"text behind the root", `<a/>evil`, ErrMalformed},
		{"an end too early", `<a><b></b>`, ErrMalformed},
		{"ends in the wrong order", `<a><b></a></b>`, ErrMalformed},
		{"a control character", "<a>\x01</a>", ErrMalformed},
		{"a replacement character, which nobody writes", "<a>\ufffd</a>", ErrUnstable},
		{"bytes that are no UTF-8", "<a>\xff</a>", ErrMalformed},
		{"nothing", ``, ErrMalformed},
		{"a byte too many", "<a>" + strings.Repeat("x", MaxMessage) + "</a>", ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), MaxMessage)
			var refused *XMLError
			if !errors.Is(err, c.want) || !errors.As(err, &refused) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAParserTakesWhatPeersWrite(t *testing.T) {
	for name, text := range map[string]string{
		"a declaration and a byte order mark": "\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<a/>\n",
		"a comment between elements":          `<!-- made by hand --><a><!-- first --><b/></a>`,
		"prefixes declared where they stand":  `<x:a xmlns:x="u" x:b="1"><x:c/></x:a>`,
		"a default namespace taken away":      `<a xmlns="u"><b xmlns=""/></a>`,
		"xml:lang":                            `<a xml:lang="fr"/>`,
		"names in other scripts":              `<prénom ÿ="1"/>`,
		"character references":                `<a b="&#233;&quot;">&amp;&lt;&#x20AC;</a>`,
		"CDATA":                               `<a><![CDATA[<&>]]></a>`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(text), MaxMessage); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestATextIsReadWholeOrNotAtAll(t *testing.T) {
	r := &reader{}
	whole := parsed(t, `<a>one<![CDATA[two]]>&#116;hree</a>`)
	if got := r.text(whole); got != "onetwothree" || r.err != nil {
		t.Errorf("read %q, %v", got, r.err)
	}
	split := parsed(t, `<a>one<b/>two</a>`)
	if got := r.text(split); !errors.Is(r.err, ErrUnexpected) {
		t.Errorf("a text with an element inside is read as %q", got)
	}
}
