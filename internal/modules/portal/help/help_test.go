package help_test

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/help"
)

func TestTheBuiltInArticlesExistInBothLanguages(t *testing.T) {
	articles := help.BuiltIn()
	if len(articles) < 5 {
		t.Fatalf("only %d articles", len(articles))
	}
	for _, a := range articles {
		for _, text := range []string{a.ID, a.QuestionFrench, a.QuestionEnglish, a.AnswerFrench, a.AnswerEnglish} {
			if text == "" {
				t.Errorf("the article %q lacks a text", a.ID)
			}
		}
	}
}

func TestHelpIsFoundInWhicheverLanguageOneTypes(t *testing.T) {
	for words, want := range map[string]string{
		"mot de passe refusé": "mot-de-passe", "password refused": "mot-de-passe", "PHISHING": "hameconnage", "cookies": "navigateur",
	} {
		found := help.Search(help.BuiltIn(), words)
		if len(found) == 0 || found[0].ID != want {
			t.Errorf("%q finds %v", words, found)
		}
	}
	if found := help.Search(help.BuiltIn(), "  "); found != nil {
		t.Errorf("nothing finds %d articles", len(found))
	}
}

func TestADeskWithoutEnglishSpeaksFrench(t *testing.T) {
	d := help.Desk{NameFrench: "Guichet", HoursFrench: []string{"8 h"}}
	if d.Name(campus.English) != "Guichet" || len(d.Hours(campus.English)) != 1 || d.Bring(campus.English) != "" {
		t.Errorf("%q %v", d.Name(campus.English), d.Hours(campus.English))
	}
}
