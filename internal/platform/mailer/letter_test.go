package mailer

import (
	"strings"
	"testing"
)

func TestALetterSaysTheSameInBothForms(t *testing.T) {
	m := aMail()
	want := "Bonjour Éléonore,\n\nVoici votre code <provisoire>.\n\n    482 913\n\nOuvrir\nhttps://ent.valmont.example/reset?a=1&b=2\n\nÀ bientôt\u202f!\n\n-- \nUniversité de Valmont\n"
	if m.Text != want {
		t.Errorf("%s", m.Text)
	}
	for _, piece := range []string{
		`<html lang="fr">`, "<title>Votre mot de passe, étape 2</title>", "<p>Voici votre code &lt;provisoire&gt;.</p>", ">482 913</p>",
		`href="https://ent.valmont.example/reset?a=1&amp;b=2"`, "<p>À bientôt\u202f!</p>", ">Université de Valmont</p>",
	} {
		if !strings.Contains(m.HTML, piece) {
			t.Errorf("missing in HTML: %s", piece)
		}
	}
	for _, loaded := range []string{"<img", "src=", "<script", "<link", "@import", "url("} {
		if strings.Contains(m.HTML, loaded) {
			t.Errorf("the mail loads something: %s", loaded)
		}
	}
}

func TestALetterWithoutSomePartsLeavesNoHoles(t *testing.T) {
	l := Letter{Before: []string{"One.", "", "Two."}}
	if l.Text() != "One.\n\nTwo.\n" {
		t.Errorf("%q", l.Text())
	}
	if page := l.HTML("x"); strings.Contains(page, "<a ") || strings.Count(page, "<p") != 2 {
		t.Error(page)
	}
}

func TestNamesCannotBreakOutOfTheHTML(t *testing.T) {
	l := Letter{Greeting: `<script>alert(1)</script>`, Code: `"><b>`, Label: `<i>`, URL: `https://x.example/"onclick="x`, Signature: "a\nb"}
	page := l.HTML(`</title><script>`)
	if strings.Contains(page, "<script>") || strings.Contains(page, "<b>") || strings.Contains(page, "<i>") || strings.Contains(page, `"onclick`) {
		t.Error(page)
	}
	if !strings.Contains(page, "a<br>b") {
		t.Error("line ends are lost")
	}
}
