package valmont

import (
	"encoding/xml"
	"fmt"
	"time"
)

// Feed is the RSS feed of a campus site that the portal can read in.
type Feed struct {
	Title       string
	Link        string
	Description string
	Language    string
	Items       []FeedItem `toml:"item"`
}

// FeedItem is one entry of the feed.
type FeedItem struct {
	Title       string
	Path        string // below the feed's link
	Description string
	Published   Offset
}

type rssDocument struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Language    string    `xml:"language"`
	Items       []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"`
	Description string `xml:"description"`
	PubDate     string `xml:"pubDate"`
}

// RSS writes the feed as the site would serve it at this moment (RSS 2.0).
func (f Feed) RSS(now time.Time) ([]byte, error) {
	channel := rssChannel{Title: f.Title, Link: f.Link, Description: f.Description, Language: f.Language}
	for _, item := range f.Items {
		channel.Items = append(channel.Items, rssItem{
			Title: item.Title, Link: f.Link + item.Path, GUID: f.Link + item.Path,
			Description: item.Description, PubDate: item.Published.From(now).Format(time.RFC1123Z),
		})
	}
	body, err := xml.MarshalIndent(rssDocument{Version: "2.0", Channel: channel}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the feed of %s: %w", f.Link, err)
	}
	return append([]byte(xml.Header), body...), nil
}
