package feed_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/feed"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const rss = `<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Le Port</title>
<atom:link href="https://leport.example/feed" rel="self"/>
<item><title>Passerelle &amp; quai</title><link>/actualites/passerelle</link><guid isPermaLink="false">42</guid>
<description>&lt;p&gt;Ferm&#233;e &lt;b&gt;jusqu&#8217;&#224; jeudi&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;/p&gt;</description><pubDate>Sat, 21 Nov 2026 09:00:00 +0100</pubDate></item>
<item><title>Script</title><link>javascript:alert(1)</link></item>
<item><title></title><link>https://leport.example/vide</link></item>
<item><title>Deux fois</title><link>https://leport.example/x</link></item>
<item><title>Deux fois</title><link>https://leport.example/x</link></item>
</channel></rss>`

const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><title type="html">&lt;i&gt;Un&lt;/i&gt; titre</title>
<link rel="edit" href="https://x.example/edit"/><link href="https://x.example/1"/><id>tag:1</id><updated>2026-11-20T08:00:00Z</updated><summary>Court</summary></entry></feed>`

const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>x</title></channel><item><title>Ancien format</title><link>https://x.example/rdf</link><dc:date>2026-11-19</dc:date></item></rdf:RDF>`

func parse(text string) ([]feed.Item, error) {
	at, err := url.Parse("https://leport.example/feed.xml")
	if err != nil {
		return nil, err
	}
	return feed.Parse([]byte(text), at)
}

func TestFeedsOfEveryKindAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		text, title, summary, url, day string
		items                          int
	}{
		"RSS 2.0": {rss, "Passerelle & quai", "Fermée jusqu’à jeudi", "https://leport.example/actualites/passerelle", "2026-11-21", 2},
		"Atom":    {atom, "Un titre", "Court", "https://x.example/1", "2026-11-20", 1},
		"RSS 1.0": {rdf, "Ancien format", "", "https://x.example/rdf", "2026-11-19", 1},
		"Latin-1": {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss><channel><item><title>\xc9t\xe9</title><link>https://x.example/e</link></item></channel></rss>",
			"Été", "", "https://x.example/e", "0001-01-01", 1},
		"HTML entities": {"<rss><channel><item><title>&Eacute;t&eacute;</title><link>https://x.example/e</link></item></channel></rss>",
			"Été", "", "https://x.example/e", "0001-01-01", 1},
	} {
		t.Run(name, func(t *testing.T) {
			items, err := parse(c.text)
			if err != nil || len(items) != c.items {
				t.Fatalf("%d items, %v", len(items), err)
			}
			i := items[0]
			if i.Title != c.title || i.Summary != c.summary || i.URL != c.url || i.Published.UTC().Format(time.DateOnly) != c.day {
				t.Errorf("got %+v", i)
			}
		})
	}
}

func TestWhatIsNoFeedIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a page": "<!doctype html><html><body>Bonjour</body></html>", "nothing": "", "half a feed": rss[:len(rss)/2],
		"an unknown encoding": `<?xml version="1.0" encoding="klingon"?><rss/>`,
	} {
		if items, err := parse(text); err == nil {
			t.Errorf("%s gives %v", name, items)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{rss, atom, rdf, "<rss><channel><item><title>\x00</title>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items, err := parse(text)
		for _, i := range items {
			if !strings.HasPrefix(i.URL, "http") || i.Title == "" || strings.ContainsAny(i.Title+i.Summary+i.Key, "\x00") {
				t.Errorf("%+v, %v", i, err)
			}
		}
	})
}

// site answers for a web site without a network.
type site func(*http.Request) (*http.Response, error)

func (s site) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

func saying(status int, body string) site {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(status)
		io.WriteString(w, body)
		answer := w.Result()
		answer.Request = r
		return answer, nil
	}
}

func each(t *testing.T, f func(t *testing.T, r *feed.Reader, c *clock.Manual)) {
	c := clock.At(noon)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(noon)
		f(t, &feed.Reader{
			DB: d, Clock: c, Log: slog.New(slog.DiscardHandler), Keep: 30 * 24 * time.Hour,
			Sources: []feed.Source{{ID: "port", NameFrench: "Le Port", URL: "https://leport.example/feed.xml", Audience: campus.Audience{Kinds: []campus.Kind{campus.Student}}}},
		}, c)
	}, db.Migrations{Name: "portal", FS: new(portal.Module).Migrations()})
}

func headlines(t *testing.T, r *feed.Reader) string {
	t.Helper()
	list, err := r.Headlines(t.Context(), r.DB.Read())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, h := range list {
		all = append(all, h.Title.French)
		if h.Public || len(h.Audience.Kinds) != 1 {
			t.Errorf("the audience of the source is not that of %q", h.Title.French)
		}
	}
	return strings.Join(all, ", ")
}

func TestAFeedThatFailsKeepsItsHeadlinesAndSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		site   site
		reason string
	}{
		"no answer":        {func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") }, "portal.feed_unreachable"},
		"too slow":         {func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, "portal.feed_timed_out"},
		"an error":         {saying(503, "down"), "portal.feed_refused"},
		"a page":           {saying(200, "<html><body>Maintenance</body></html>"), "portal.feed_unreadable"},
		"an enormous feed": {saying(200, rss+strings.Repeat(" ", 3<<20)), "portal.feed_too_large"},
		"a redirect away": {func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"file:///etc/passwd"}}, Body: http.NoBody, Request: r}, nil
		}, "portal.feed_unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, r *feed.Reader, clock *clock.Manual) {
				r.Transport = saying(200, rss)
				if err := r.Visit(t.Context()); err != nil {
					t.Fatal(err)
				}
				before := headlines(t, r)
				clock.Advance(time.Hour)
				r.Transport = c.site
				if err := r.Visit(t.Context()); err != nil {
					t.Fatalf("one site stops the visit: %v", err)
				}
				if after := headlines(t, r); before == "" || after != before {
					t.Errorf("before %q, after %q", before, after)
				}
				troubles, err := r.Troubles(t.Context())
				if err != nil || len(troubles) != 1 || troubles[0].Reason != c.reason || !troubles[0].Since.Equal(noon) {
					t.Errorf("troubles: %+v, %v", troubles, err)
				}
				r.Transport = saying(200, rss)
				if err := r.Visit(t.Context()); err != nil {
					t.Fatal(err)
				}
				if troubles, err := r.Troubles(t.Context()); err != nil || len(troubles) != 0 {
					t.Errorf("after it came back: %+v, %v", troubles, err)
				}
			})
		})
	}
}

func TestAFeedTakesBackWhatItSaid(t *testing.T) {
	each(t, func(t *testing.T, r *feed.Reader, c *clock.Manual) {
		r.Transport = saying(200, rss)
		if err := r.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := headlines(t, r); got != "Deux fois, Passerelle & quai" {
			t.Errorf("headlines: %s", got)
		}
		first, err := r.Headlines(t.Context(), r.DB.Read())
		if err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
		r.Transport = saying(200, strings.Replace(rss, "Passerelle &amp; quai", "", 1))
		if err := r.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := r.Headlines(t.Context(), r.DB.Read())
		if err != nil || len(list) != 1 || list[0].PublishAt != first[0].PublishAt {
			t.Errorf("an entry without a date keeps the moment it was first seen: %+v, %v", list, err)
		}
		r.Sources = nil
		if got := headlines(t, r); got != "" {
			t.Errorf("a feed that is not configured any more shows %s", got)
		}
	})
}

func TestAnUnchangedFeedIsNotSentAgain(t *testing.T) {
	each(t, func(t *testing.T, r *feed.Reader, _ *clock.Manual) {
		asked := 0
		r.Transport = site(func(q *http.Request) (*http.Response, error) {
			asked++
			if q.Header.Get("If-None-Match") == `"1"` {
				return saying(304, "")(q)
			}
			return saying(200, rss)(q)
		})
		for range 2 {
			if err := r.Visit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := headlines(t, r); asked != 2 || got == "" {
			t.Errorf("asked %d times, headlines %q", asked, got)
		}
	})
}

func TestOldHeadlinesGo(t *testing.T) {
	each(t, func(t *testing.T, r *feed.Reader, c *clock.Manual) {
		r.Transport = saying(200, rss)
		if err := r.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Advance(31 * 24 * time.Hour)
		if err := r.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := headlines(t, r); got != "" {
			t.Errorf("still there: %s", got)
		}
	})
}
