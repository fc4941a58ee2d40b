package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestNewsReachesItsAudienceAndNobodyElse(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Desk, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		writer := signedIn(t, h, look, "admin")
		student := signedIn(t, h, look, "student")
		teacher := signedIn(t, h, look, "teacher")
		const title = "La cafétéria ouvre le dimanche"

		writer.Visit("/portal/news")
		writer.Follow("Écrire une actualité")
		writer.Fill("Titre en français", title)
		writer.Press("Garder le brouillon")
		writer.Sees("C’est enregistré.")
		student.Visit("/portal/news")
		student.SeesNot(title)

		// What is not finished is not published, and nothing typed is lost.
		writer.Expect(http.StatusUnprocessableEntity)
		writer.Press("Publier")
		writer.Sees("Écrivez le texte avant de publier.")
		writer.Check()
		if kept := writer.Value("Titre en français"); kept != title {
			t.Errorf("the title should be kept, the field holds %q", kept)
		}
		writer.Fill("Texte en français", "Venez **nombreux**, <script>alert(1)</script> dès 11 h.")
		writer.Tick("les étudiants")
		writer.Press("Aperçu")
		writer.Sees("Venez nombreux", "Aperçu, pas encore enregistré")
		writer.Press("Publier")
		writer.Sees("L’actualité est en ligne.")

		student.Visit("/portal/news")
		student.Follow(title)
		student.Heading(title)
		student.Sees("Venez nombreux")
		student.Check()
		article := student.Path()
		teacher.Visit("/portal/news")
		teacher.SeesNot(title)
		teacher.Expect(http.StatusNotFound)
		teacher.Visit(article)
		teacher.Sees("elle ne vous est pas destinée", "portal.news_missing")
		teacher.Check()

		writer.Visit("/portal/desk")
		writer.Press(writer.Name("button", "Archiver "+title))
		writer.Sees("L’actualité est archivée.")
		student.Expect(http.StatusGone)
		student.Expect(http.StatusNotFound)
		student.Visit(article)
		student.SeesNot("Venez nombreux")
		student.Check()
	})
}

func TestPublicNewsIsAFeed(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	answer, feed := send(t, client(t), get(t, h, "/portal/news.rss"))
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/rss+xml") {
		t.Fatalf("the feed answers %s as %q", answer.Status, answer.Header.Get("Content-Type"))
	}
	if !strings.Contains(feed, "<item>") || strings.Contains(feed, "Partir au printemps") {
		t.Errorf("the feed should hold what is public and nothing else:\n%.2000s", feed)
	}
}
