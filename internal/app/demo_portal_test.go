package app

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/amphi-campus/amphi/internal/app/valmont"
)

var localLink = regexp.MustCompile(`\]\((/[^)]*)\)`)

func TestTheAnswersOfTheHelpLeadToPagesThatExist(t *testing.T) {
	h, server := openDemo(t)
	stranger := &http.Client{} // who is not signed in is sent to the door first, and that is an answer
	links := map[string]string{}
	for _, a := range h.config.Portal.Help.Articles {
		for _, text := range []string{a.AnswerFrench, a.AnswerEnglish} {
			for _, m := range localLink.FindAllStringSubmatch(text, -1) {
				links[m[1]] = a.ID
			}
		}
	}
	for _, needed := range []string{"/activate", "/password/forgotten", "/identity/new-phone", "/identity/recovery"} {
		if links[needed] == "" {
			t.Errorf("no answer leads to %s", needed)
		}
	}
	for link, article := range links {
		resp, err := stranger.Get(server.URL + link)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s leads to %s, which answers %s", article, link, resp.Status)
		}
	}
}

func TestEveryQuestionOfTheDemoIsAnswered(t *testing.T) {
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	if asked, answered := len(u.Help), len(demoConfig(u).Portal.Help.Articles); asked != answered {
		t.Errorf("%d of %d questions are answered", answered, asked)
	}
}
