// Package news is what the institution tells its people: articles, who they are
// for, when they are online, and the desk where they are written.
package news

import (
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// State is where an article stands.
type State string

// The states that are stored. Scheduled, Online and Ended are Ready at
// different moments; see [Article.Stage].
const (
	Draft    State = "draft"
	Ready    State = "ready"
	Archived State = "archived"
)

// Stage is the state of an article as people see it at a moment.
type Stage string

// The stages.
const (
	StageDraft     Stage = "draft"
	StageScheduled Stage = "scheduled"
	StageOnline    Stage = "online"
	StageEnded     Stage = "ended"
	StageArchived  Stage = "archived"
)

// Stages lists them in the order of an article's life.
var Stages = []Stage{StageDraft, StageScheduled, StageOnline, StageEnded, StageArchived}

// Text is something said in French and English. One of them may be empty: the
// reader then gets the other.
type Text struct{ French, English string }

// In returns the text in a language, or in the other one where it is empty.
func (t Text) In(l campus.Locale) string {
	if l == campus.English && t.English != "" || t.French == "" {
		return t.English
	}
	return t.French
}

// Language is the language that [Text.In] finds.
func (t Text) Language(l campus.Locale) campus.Locale {
	if l == campus.English && t.English != "" || t.French == "" {
		return campus.English
	}
	return campus.French
}

// Empty reports whether nothing is said in either language.
func (t Text) Empty() bool { return t.French == "" && t.English == "" }

// Picture is what stands above an article.
type Picture struct {
	ID            string // empty for none
	Alt           Text
	Width, Height int
}

// Content is what a publisher writes.
type Content struct {
	Title, Summary, Body Text
	// Source is who speaks, such as the library.
	Source   Text
	Audience campus.Audience
	// Public articles are also for people who have not signed in.
	Public  bool
	Picture Picture
	// PublishAt is when the article appears; zero means as soon as it is ready.
	PublishAt time.Time
	// UnpublishAt is when it goes again; zero means never by itself.
	UnpublishAt time.Time
}

// Article is one piece of news.
type Article struct {
	ID string
	Content
	State     State
	Version   int64
	CreatedAt time.Time
	CreatedBy campus.PersonID
	ChangedAt time.Time
	ChangedBy campus.PersonID
}

// Stage says how the article stands at a moment.
func (a Article) Stage(now time.Time) Stage {
	switch {
	case a.State == Draft:
		return StageDraft
	case a.State == Archived:
		return StageArchived
	case now.Before(a.PublishAt):
		return StageScheduled
	case !a.UnpublishAt.IsZero() && !now.Before(a.UnpublishAt):
		return StageEnded
	default:
		return StageOnline
	}
}

// Admits reports whether v may read the article once it is online.
func (c Content) Admits(v campus.Viewer) bool {
	if !v.SignedIn() {
		return c.Public
	}
	return c.Audience.Admits(v)
}

// Readable reports whether v may read the article now. Publishers read
// everything, to see it before others do.
func (a Article) Readable(v campus.Viewer, now time.Time) bool {
	return v.Can(campus.RightNews) || a.Stage(now) == StageOnline && a.Admits(v)
}

// Step is something that a publisher does with an article beside writing it.
type Step string

// The steps.
const (
	Publish  Step = "publish"
	Withdraw Step = "withdraw"
	Archive  Step = "archive"
	Reopen   Step = "reopen"
)

// steps says where each step leads from each stage; what is not here is refused.
var steps = map[Stage]map[Step]State{
	StageDraft:     {Publish: Ready},
	StageScheduled: {Withdraw: Draft, Publish: Ready},
	StageOnline:    {Withdraw: Draft, Archive: Archived},
	StageEnded:     {Archive: Archived, Withdraw: Draft},
	StageArchived:  {Reopen: Draft},
}

// Next returns the state that a step leads to from a stage, and whether it may
// be taken there.
func (s Stage) Next(step Step) (State, bool) {
	state, ok := steps[s][step]
	return state, ok
}

// Limits of what can be written, in characters.
const (
	MaxTitle   = 140
	MaxSummary = 400
	MaxBody    = 20_000
	MaxSource  = 80
	MaxAlt     = 250
)

// Check returns what is to mend before the content can be kept. A draft may be
// unfinished, but never too long or contradictory.
func (c Content) Check(finished bool) (problems web.Problems) {
	if c.Title.Empty() {
		problems.Add("title_fr", "portal.news.problem.title_missing")
	}
	for _, f := range []struct {
		field, text string
		limit       int
	}{
		{"title_fr", c.Title.French, MaxTitle}, {"title_en", c.Title.English, MaxTitle},
		{"summary_fr", c.Summary.French, MaxSummary}, {"summary_en", c.Summary.English, MaxSummary},
		{"body_fr", c.Body.French, MaxBody}, {"body_en", c.Body.English, MaxBody},
		{"source_fr", c.Source.French, MaxSource}, {"source_en", c.Source.English, MaxSource},
		{"alt_fr", c.Picture.Alt.French, MaxAlt}, {"alt_en", c.Picture.Alt.English, MaxAlt},
	} {
		if n := utf8.RuneCountInString(f.text); n > f.limit {
			problems.Add(f.field, "portal.news.problem.too_long", "limit", f.limit, "length", n)
		}
	}
	if finished && c.Body.Empty() {
		problems.Add("body_fr", "portal.news.problem.body_missing")
	}
	if finished && !c.Title.Empty() && !c.Body.Empty() {
		// A title over a text in another language helps nobody.
		if (c.Title.French == "") != (c.Body.French == "") {
			problems.Add(missingOf("title_fr", c.Title.French, "body_fr"), "portal.news.problem.languages_apart")
		}
		if (c.Title.English == "") != (c.Body.English == "") {
			problems.Add(missingOf("title_en", c.Title.English, "body_en"), "portal.news.problem.languages_apart")
		}
	}
	if finished && c.Picture.ID != "" && c.Picture.Alt.Empty() {
		problems.Add("alt_fr", "portal.news.problem.alt_missing")
	}
	if c.Public && !c.Audience.Everybody() {
		problems.Add("public", "portal.news.problem.public_audience")
	}
	if !c.UnpublishAt.IsZero() && !c.UnpublishAt.After(c.PublishAt) {
		problems.Add("unpublish_at", "portal.news.problem.ends_before")
	}
	return problems
}

// missingOf is the field that is empty: the first when its text is, or the other.
func missingOf(field, text, other string) string {
	if text == "" {
		return field
	}
	return other
}
