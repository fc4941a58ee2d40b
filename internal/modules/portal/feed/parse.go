// Package feed brings in what the institution's other sites publish as RSS or
// Atom.
package feed

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"github.com/amphi-campus/amphi/internal/platform/prose"
)

// Item is one entry of a feed, as plain text.
type Item struct {
	Key       string // what the feed calls it; stable
	Title     string
	Summary   string
	URL       string
	Published time.Time // zero when the feed does not say
}

const (
	maxItems   = 40
	maxTitle   = 140
	maxSummary = 300
	maxKey     = 500
)

// document has the elements of RSS 2.0, RSS 1.0 (RDF) and Atom at once; a feed
// fills those of its kind.
type document struct {
	XMLName xml.Name
	Channel struct {
		Items []entry `xml:"item"`
	} `xml:"channel"`
	Items   []entry `xml:"item"`  // RSS 1.0 puts them beside the channel
	Entries []entry `xml:"entry"` // Atom
}

type entry struct {
	Title       string `xml:"title"`
	Links       []link `xml:"link"`
	GUID        string `xml:"guid"`
	ID          string `xml:"id"`
	Description string `xml:"description"`
	Summary     string `xml:"summary"`
	Content     string `xml:"content"`
	PubDate     string `xml:"pubDate"`
	Published   string `xml:"published"`
	Updated     string `xml:"updated"`
	Date        string `xml:"date"` // Dublin Core, in RSS 1.0
}

type link struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Text string `xml:",chardata"`
}

// Parse reads a feed that stands at an address. Entries without a title or an
// http address are left out; everything else is made plain text.
func Parse(text []byte, at *url.URL) ([]Item, error) {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = func(label string, r io.Reader) (io.Reader, error) { return charset.NewReaderLabel(label, r) }
	decoder.Entity = xml.HTMLEntity // feeds use &eacute; although XML does not know it
	decoder.Strict = false
	var doc document
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the feed: %w", err)
	}
	var entries []entry
	switch doc.XMLName.Local {
	case "rss":
		entries = doc.Channel.Items
	case "RDF":
		entries = doc.Items
	case "feed":
		entries = doc.Entries
	default:
		return nil, fmt.Errorf("read the feed: the document is <%s>, neither RSS nor Atom", doc.XMLName.Local)
	}
	var items []Item
	seen := map[string]bool{}
	for _, e := range entries {
		if len(items) == maxItems {
			break
		}
		item := Item{
			Title:   prose.Plain(e.Title, maxTitle),
			Summary: prose.Plain(first(e.Description, e.Summary, e.Content), maxSummary),
			URL:     address(e.Links, at),
			// The first date that can be read: feeds often give two.
			Published: date(e.PubDate, e.Published, e.Date, e.Updated),
		}
		item.Key = key(first(e.GUID, e.ID, item.URL))
		if item.Title == "" || item.URL == "" || item.Key == "" || seen[item.Key] {
			continue
		}
		seen[item.Key] = true
		items = append(items, item)
	}
	return items, nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}

// key bounds what a feed calls an entry.
func key(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	for len(s) > maxKey {
		_, width := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-width]
	}
	return s
}

// address is the page of an entry: http or https only, so that no feed can put a
// script behind a headline.
func address(links []link, at *url.URL) string {
	for _, l := range links {
		text := strings.TrimSpace(l.Text)
		if l.Href != "" && (l.Rel == "" || l.Rel == "alternate") {
			text = strings.TrimSpace(l.Href)
		}
		if text == "" || len(text) > 2000 {
			continue
		}
		u, err := at.Parse(text)
		if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			return u.String()
		}
	}
	return ""
}

// layouts are the forms of dates met in feeds, the correct ones first.
var layouts = []string{
	time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 -0700",
	"Mon, 2 Jan 2006 15:04 -0700", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly,
}

func date(texts ...string) time.Time {
	for _, text := range texts {
		for _, layout := range layouts {
			if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}
