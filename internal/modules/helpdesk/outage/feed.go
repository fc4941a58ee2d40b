package outage

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// cacheable is how long programs and caches in between may keep the public answers.
const cacheable = "public, max-age=30"

// statusDocument is the status for programs. Texts stand in both languages.
type statusDocument struct {
	At       time.Time         `json:"at"`
	Well     bool              `json:"well"`
	Services []serviceDocument `json:"services"`
	Outages  []outageDocument  `json:"outages"`
}

type serviceDocument struct {
	ID     string `json:"id"` // empty for the workspace itself
	Name   string `json:"name"`
	Impact Impact `json:"impact"` // empty for well
}

type outageDocument struct {
	ID       string             `json:"id"`
	Kind     Kind               `json:"kind"`
	State    State              `json:"state"`
	Impact   Impact             `json:"impact"`
	Title    map[string]string  `json:"title"`
	Services []string           `json:"services"`
	Campuses []string           `json:"campuses"`
	Begins   time.Time          `json:"begins"`
	Ends     *time.Time         `json:"ends"`
	URL      string             `json:"url"`
	Updates  []updateOfDocument `json:"updates"`
}

type updateOfDocument struct {
	At    time.Time         `json:"at"`
	State State             `json:"state"`
	Words map[string]string `json:"words"`
}

func both(french, english string) map[string]string {
	return map[string]string{"fr": french, "en": english}
}

// statusJSON is the same for everybody: what strangers read.
func (x *Outages) statusJSON(w http.ResponseWriter, r *http.Request) error {
	view, err := x.status(r.Context(), campus.Viewer{})
	if err != nil {
		return err
	}
	doc := statusDocument{At: view.Now, Well: len(view.Running) == 0, Outages: []outageDocument{}}
	for _, s := range view.Services {
		doc.Services = append(doc.Services, serviceDocument{s.ID, s.Name, s.Impact})
	}
	for _, o := range x.shown(r.Context()) {
		one := outageDocument{
			ID: o.ID, Kind: o.Kind, State: o.State, Impact: o.Impact, Title: both(o.Title.French, o.Title.English), Services: o.Services, Campuses: o.Campuses,
			Begins: o.Begins, URL: x.address(StatusURL + "/" + o.ID), Updates: []updateOfDocument{},
		}
		if !o.Ends.IsZero() {
			one.Ends = &o.Ends
		}
		for _, u := range o.Updates {
			one.Updates = append(one.Updates, updateOfDocument{u.At, u.State, both(u.Words.French, u.Words.English)})
		}
		doc.Outages = append(doc.Outages, one)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", cacheable)
	w.Header().Set("Vary", "Accept-Language, Cookie") // services are named in a language
	return json.NewEncoder(w).Encode(doc)
}

// The parts of an Atom feed (RFC 4287).
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Links   []atomLink  `xml:"link"`
		Author  atomAuthor  `xml:"author"`
		Entries []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr,omitempty"`
		Href string `xml:"href,attr"`
	}
	atomAuthor struct {
		Name string `xml:"name"`
	}
	atomEntry struct {
		ID      string   `xml:"id"`
		Title   string   `xml:"title"`
		Updated string   `xml:"updated"`
		Link    atomLink `xml:"link"`
		Content atomText `xml:"content"`
	}
	atomText struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	}
)

// feedSize is how many updates the feed holds.
const feedSize = 50

// statusFeed is every update as an entry, in the language that ?language= names or
// that the reader's program asks for.
func (x *Outages) statusFeed(w http.ResponseWriter, r *http.Request) error {
	l := i18n.Locale(r.Context())
	if wanted, ok := campus.ParseLocale(r.URL.Query().Get("language")); ok {
		l = wanted
	}
	p := x.Texts.For(l)
	feed := atomFeed{
		Lang: string(l), ID: x.address(StatusURL), Title: p.T("helpdesk.outage.status.title") + " · " + x.institution(l), Updated: x.Clock.Now().UTC().Format(time.RFC3339),
		Links:  []atomLink{{Href: x.address(StatusURL)}, {Rel: "self", Href: x.address(StatusURL + "/feed.atom?language=" + string(l))}},
		Author: atomAuthor{x.institution(l)},
	}
	var newest time.Time
	for _, o := range x.shown(r.Context()) {
		entry := func(id string, at time.Time, title, words string) {
			newest = later(newest, at)
			feed.Entries = append(feed.Entries, atomEntry{
				ID: "urn:uuid:" + id, Title: title, Updated: at.UTC().Format(time.RFC3339), Link: atomLink{Href: x.address(StatusURL + "/" + o.ID)}, Content: atomText{"text", words},
			})
		}
		for _, u := range o.Updates {
			entry(u.ID, u.At, x.headline(l, o.Outage, u), u.Words.In(l))
		}
		if o.Kind == Maintenance && len(o.Updates) == 0 {
			entry(o.ID, o.Announced, p.T("helpdesk.outage.headline", "state", p.T("helpdesk.outage.state."+string(o.State)), "title", o.Title.In(l)),
				p.T("helpdesk.outage.span", "begins", p.Date(o.Begins, i18n.Full), "ends", p.Date(o.Ends, i18n.Full)))
		}
	}
	feed.Entries = feed.Entries[:min(len(feed.Entries), feedSize)]
	if !newest.IsZero() {
		feed.Updated = newest.UTC().Format(time.RFC3339)
	}
	body, err := xml.Marshal(feed)
	if err != nil {
		return fmt.Errorf("write the feed of incidents: %w", err)
	}
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	w.Header().Set("Cache-Control", cacheable)
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.Write(append([]byte(xml.Header), body...)) // a client that went away is no failure of ours
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// calendarFile is a maintenance for people's calendars (RFC 5545).
func (x *Outages) calendarFile(w http.ResponseWriter, r *http.Request) error {
	o, err := x.announced(r)
	if err != nil {
		return err
	}
	if o.Kind != Maintenance {
		return web.PageMissing
	}
	l := i18n.Locale(r.Context())
	c := ics.NewCalendarFor("Amphi")
	c.SetMethod(ics.MethodPublish)
	e := c.AddEvent(o.ID + "@" + x.Base.Hostname())
	e.SetDtStampTime(o.ChangedAt.UTC())
	e.SetSequence(int(o.Version))
	e.SetStartAt(o.Begins.UTC())
	e.SetEndAt(o.Ends.UTC())
	e.SetSummary(o.Title.In(l))
	e.SetDescription(o.latest(r.Context()))
	e.SetURL(x.address(StatusURL + "/" + o.ID))
	if o.State == Dismissed {
		e.SetStatus(ics.ObjectStatusCancelled)
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="maintenance.ics"`)
	return c.SerializeTo(w)
}
