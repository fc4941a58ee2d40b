package portal

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// rssSize is how many articles the public feed holds.
const rssSize = 30

// rssDocument is RSS 2.0 with the self link that its best-practice profile asks
// for.
type rssDocument struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Self        rssSelf   `xml:"atom:link"`
	Description string    `xml:"description"`
	Language    string    `xml:"language"`
	LastBuild   string    `xml:"lastBuildDate,omitempty"`
	TTL         int       `xml:"ttl"`
	Items       []rssItem `xml:"item"`
}

type rssSelf struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type rssItem struct {
	Title       string  `xml:"title"`
	Link        string  `xml:"link"`
	GUID        rssGUID `xml:"guid"`
	Description string  `xml:"description,omitempty"`
	PubDate     string  `xml:"pubDate"`
	Category    string  `xml:"category,omitempty"`
}

type rssGUID struct {
	Text      string `xml:",chardata"`
	Permalink bool   `xml:"isPermaLink,attr"`
}

// newsFeed is the public news as RSS, in the language that ?language= names or
// that the reader's program asks for. It is the same for everybody who asks in
// that language, whoever they are.
func (m *Module) newsFeed(w http.ResponseWriter, r *http.Request) error {
	l := i18n.Locale(r.Context())
	if named, ok := campus.ParseLocale(r.URL.Query().Get("language")); ok {
		l = named
	}
	list, err := m.desk.Headlines(r.Context(), campus.Viewer{})
	if err != nil {
		return err
	}
	self := web.Absolute(r, "/portal/news.rss?language="+string(l))
	channel := rssChannel{
		Title: m.Institution.In(l), Link: web.Absolute(r, "/"), Language: string(l), TTL: 15,
		Self:        rssSelf{Href: self, Rel: "self", Type: "application/rss+xml"},
		Description: i18n.T(r.Context(), "portal.news.feed_description", "institution", m.Institution.In(l)),
	}
	for _, h := range list[:min(len(list), rssSize)] {
		channel.Items = append(channel.Items, rssItemOf(r, h, l))
	}
	if len(list) > 0 {
		channel.LastBuild = list[0].PublishAt.Time().Format(time.RFC1123Z)
	}
	body, err := xml.MarshalIndent(rssDocument{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Channel: channel}, "", " ")
	if err != nil {
		return fmt.Errorf("write the public feed: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/rss+xml; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Vary", "Accept-Language, Cookie")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // for readers that run in a browser
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(xml.Header+string(body)+"\n"))
	return nil
}

func rssItemOf(r *http.Request, h news.Headline, l campus.Locale) rssItem {
	address := web.Absolute(r, "/portal/news/"+h.ID)
	return rssItem{
		Title: h.Title.In(l), Link: address, GUID: rssGUID{Text: address, Permalink: true},
		Description: h.Summary.In(l), PubDate: h.PublishAt.Time().Format(time.RFC1123Z), Category: h.Source.In(l),
	}
}
