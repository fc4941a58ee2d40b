package valmont

import (
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Category groups services in the catalogue.
type Category struct {
	ID   string
	Name Text
}

// Service is one entry of the catalogue.
type Service struct {
	ID          string
	Name        Text
	Description Text
	Icon        string // a name of the ui icon set
	URL         string
	Audience    campus.Audience
	Keywords    []string // other words people type to find it, in both languages
	Category    string
	Contact     string // address of the team that runs it
	CAS         *CAS   // nil for a service with its own sign-in
}

// CAS says how a service signs people in through the central authentication.
type CAS struct {
	Pattern    string   // service URLs that belong to it; * stands for anything
	Attributes []string // what it is told about a person
}

// Article is one piece of news.
type Article struct {
	ID        string
	Title     Text
	Summary   Text
	Body      Text // Markdown
	Author    string
	Audience  campus.Audience
	Source    Text   // who speaks: "Bibliothèque", "Campus Rives"
	Published Offset // when it appears, or was last touched while a draft
	Draft     bool
	Picture   string // name of a Picture, or empty
}

// At returns when the article appears if the university opens now.
func (a Article) At(now time.Time) time.Time { return a.Published.From(now) }

// Notice is one notification.
type Notice struct {
	To       []string        // logins, for notices of named people
	Audience campus.Audience // for welcome notices
	Title    Text
	Body     Text
	Age      Offset
	Read     bool
	Tone     string // warn for what is lost when nothing is done
	Service  string // id of the service it opens, or empty
	News     string // id of the article it opens, or empty
}

// HelpArticle is one question of the public help page.
type HelpArticle struct {
	ID       string
	Question Text
	Answer   Text // Markdown
	Keywords []string
}
