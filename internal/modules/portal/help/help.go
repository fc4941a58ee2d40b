// Package help is what people can read without signing in: answers, desks, and
// what to do when the door does not open.
package help

import (
	_ "embed"
	"slices"
	"strings"

	toml "github.com/pelletier/go-toml/v2"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Config is what an institution says on its help page.
type Config struct {
	// Articles replace the built-in ones when there are any.
	Articles []Article `toml:"articles"`
	Desks    []Desk    `toml:"desks"`
	Phone    string    `toml:"phone" help:"telephone of the help desk"`
	Mail     string    `toml:"mail" help:"mail address of the help desk"`
}

// Article is one question and its answer, in Markdown.
type Article struct {
	ID              string   `toml:"id" help:"short and stable name, lower case; part of its address"`
	QuestionFrench  string   `toml:"question_fr" help:"the question in French; one language is enough"`
	QuestionEnglish string   `toml:"question_en" help:"the same in English"`
	AnswerFrench    string   `toml:"answer_fr" help:"the answer in French, in Markdown"`
	AnswerEnglish   string   `toml:"answer_en" help:"the same in English"`
	Keywords        []string `toml:"keywords" help:"other words that people search it by"`
}

// Desk is a counter where somebody helps.
type Desk struct {
	NameFrench    string   `toml:"name_fr" help:"the name of the desk in French; one language is enough"`
	NameEnglish   string   `toml:"name_en" help:"the same in English"`
	CampusFrench  string   `toml:"campus_fr" help:"the campus, as people call it"`
	CampusEnglish string   `toml:"campus_en" help:"the same in English"`
	Room          string   `toml:"room" help:"where it is, in words of the campus plan"`
	Phone         string   `toml:"phone" help:"telephone of the desk"`
	Mail          string   `toml:"mail" help:"mail address of the desk"`
	HoursFrench   []string `toml:"hours_fr" help:"one line each, such as: lundi au jeudi, de 8 h à 18 h"`
	HoursEnglish  []string `toml:"hours_en" help:"the same in English"`
	BringFrench   string   `toml:"bring_fr" help:"what to have with one"`
	BringEnglish  string   `toml:"bring_en" help:"the same in English"`
}

//go:embed articles.toml
var builtIn []byte

// BuiltIn are the articles of an institution that wrote none.
func BuiltIn() []Article {
	var c Config
	if err := toml.Unmarshal(builtIn, &c); err != nil {
		panic("help: " + err.Error()) // the file is embedded and tested
	}
	return c.Articles
}

// Question is the question in a language, or in the other one.
func (a Article) Question(l campus.Locale) string {
	return pick(l, a.QuestionFrench, a.QuestionEnglish)
}

// Answer is the answer in a language, as Markdown.
func (a Article) Answer(l campus.Locale) string { return pick(l, a.AnswerFrench, a.AnswerEnglish) }

// Name is the desk's name in a language.
func (d Desk) Name(l campus.Locale) string { return pick(l, d.NameFrench, d.NameEnglish) }

// Campus is the desk's campus in a language.
func (d Desk) Campus(l campus.Locale) string { return pick(l, d.CampusFrench, d.CampusEnglish) }

// Bring is what to have with one, in a language.
func (d Desk) Bring(l campus.Locale) string { return pick(l, d.BringFrench, d.BringEnglish) }

// Hours are the desk's opening hours in a language, one line each.
func (d Desk) Hours(l campus.Locale) []string {
	if l == campus.English && len(d.HoursEnglish) > 0 || len(d.HoursFrench) == 0 {
		return d.HoursEnglish
	}
	return d.HoursFrench
}

func pick(l campus.Locale, french, english string) string {
	if l == campus.English && english != "" || french == "" {
		return english
	}
	return french
}

// Search returns the articles that have every word, those with it in the
// question first. Both languages are searched: who is locked out types what
// comes to mind.
func Search(articles []Article, words string) []Article {
	wanted := strings.Fields(campus.Fold(words))
	if len(wanted) == 0 {
		return nil
	}
	type hit struct {
		Article
		inQuestion int
	}
	var hits []hit
	for _, a := range articles {
		question := campus.Fold(a.QuestionFrench + " " + a.QuestionEnglish)
		text := question + " " + campus.Fold(strings.Join(a.Keywords, " ")+" "+a.AnswerFrench+" "+a.AnswerEnglish)
		h, all := hit{Article: a}, true
		for _, w := range wanted {
			all = all && strings.Contains(text, w)
			if strings.Contains(question, w) {
				h.inQuestion++
			}
		}
		if all {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.inQuestion - a.inQuestion })
	found := make([]Article, len(hits))
	for i, h := range hits {
		found[i] = h.Article
	}
	return found
}
