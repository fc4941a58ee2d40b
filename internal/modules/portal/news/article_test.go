package news_test

import (
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestTheStageOfAnArticleFollowsTheClock(t *testing.T) {
	for name, c := range map[string]struct {
		state      news.State
		from, to   time.Time
		want       news.Stage
		mayPublish bool
	}{
		"a draft stays a draft past its date": {news.Draft, noon.Add(-time.Hour), time.Time{}, news.StageDraft, true},
		"ready for later is scheduled":        {news.Ready, noon.Add(time.Hour), time.Time{}, news.StageScheduled, true},
		"ready since this very moment":        {news.Ready, noon, time.Time{}, news.StageOnline, false},
		"the end is not online any more":      {news.Ready, noon.Add(-time.Hour), noon, news.StageEnded, false},
		"before the end it is":                {news.Ready, noon.Add(-time.Hour), noon.Add(time.Nanosecond), news.StageOnline, false},
		"archived whatever its dates":         {news.Archived, noon.Add(-time.Hour), time.Time{}, news.StageArchived, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := news.Article{State: c.state, Content: news.Content{PublishAt: c.from, UnpublishAt: c.to}}
			if got := a.Stage(noon); got != c.want {
				t.Errorf("the stage is %s, want %s", got, c.want)
			}
			if _, ok := a.Stage(noon).Next(news.Publish); ok != c.mayPublish {
				t.Errorf("may be published: %v", ok)
			}
		})
	}
}

func TestWhoReadsAnArticle(t *testing.T) {
	students := campus.Audience{Kinds: []campus.Kind{campus.Student}}
	online := func(c news.Content) news.Article { return news.Article{State: news.Ready, Content: c} }
	draft := news.Article{State: news.Draft, Content: news.Content{Public: true}}
	for name, c := range map[string]struct {
		article news.Article
		viewer  campus.Viewer
		want    bool
	}{
		"a student what is for students":      {online(news.Content{Audience: students}), campustest.Lina(), true},
		"a teacher not what is for students":  {online(news.Content{Audience: students}), campustest.Paul(), false},
		"a publisher everything":              {online(news.Content{Audience: students}), campustest.Nadia(), true},
		"a stranger what is public":           {online(news.Content{Public: true}), campus.Viewer{}, true},
		"a stranger not what is for all here": {online(news.Content{}), campus.Viewer{}, false},
		"nobody but publishers a draft":       {draft, campustest.Lina(), false},
		"an administrator not a draft":        {draft, campustest.Alix(), false},
		"a publisher a draft":                 {draft, campustest.Nadia(), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.article.Readable(c.viewer, noon); got != c.want {
				t.Errorf("readable: %v", got)
			}
		})
	}
}

func TestWhatIsToMendInAnArticle(t *testing.T) {
	whole := news.Content{
		Title: news.Text{French: "Titre", English: "Title"}, Body: news.Text{French: "Texte", English: "Text"},
	}
	with := func(change func(*news.Content)) news.Content { c := whole; change(&c); return c }
	for name, c := range map[string]struct {
		content  news.Content
		finished bool
		field    string // of the first problem; empty when there is none
	}{
		"nothing in a whole article":            {whole, true, ""},
		"a draft needs a title":                 {news.Content{}, false, "title_fr"},
		"a draft needs no text":                 {with(func(c *news.Content) { c.Body = news.Text{} }), false, ""},
		"a publication needs a text":            {with(func(c *news.Content) { c.Body = news.Text{} }), true, "body_fr"},
		"one language is enough":                {news.Content{Title: news.Text{English: "T"}, Body: news.Text{English: "B"}}, true, ""},
		"an English title over a French text":   {news.Content{Title: news.Text{English: "T"}, Body: news.Text{French: "B"}}, true, "title_fr"},
		"an English text without a title":       {with(func(c *news.Content) { c.Title.English = "" }), true, "title_en"},
		"an English title without a text":       {with(func(c *news.Content) { c.Body.English = "" }), true, "body_en"},
		"a title too long, even for a draft":    {with(func(c *news.Content) { c.Title.French = strings.Repeat("é", news.MaxTitle+1) }), false, "title_fr"},
		"characters are counted, not bytes":     {with(func(c *news.Content) { c.Title.French = strings.Repeat("é", news.MaxTitle) }), false, ""},
		"a picture needs words":                 {with(func(c *news.Content) { c.Picture.ID = "p" }), true, "alt_fr"},
		"public for an audience contradicts":    {with(func(c *news.Content) { c.Public, c.Audience.Campuses = true, []string{"rives"} }), false, "public"},
		"an end before the beginning":           {with(func(c *news.Content) { c.PublishAt, c.UnpublishAt = noon, noon }), false, "unpublish_at"},
		"an end is enough when it comes by act": {with(func(c *news.Content) { c.UnpublishAt = noon }), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			problems := c.content.Check(c.finished)
			switch {
			case c.field == "" && problems.Any():
				t.Errorf("found %v", problems)
			case c.field != "" && (!problems.Any() || problems[0].Field != c.field):
				t.Errorf("found %v, want one at %s", problems, c.field)
			}
		})
	}
}
