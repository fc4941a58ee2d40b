package portal_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func newPost(path string, form url.Values) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestAServiceOpensAtItsRegisteredAddressOnly(t *testing.T) {
	h := open(t)
	h.get("/portal/services/sso.moodle/open?url=https://evil.example&next=//evil.example").leadsTo("https://moodle.valmont.example/")
	h.get("/portal/services/sso.library/open").leadsTo("/library")
	h.get("/portal/services/sso.broken/open").is(500).says("L’adresse de ce service est fausse.", "portal.service_unopenable")
	for _, id := range []string{"https:%2F%2Fevil.example", "nothing", "%ff", strings.Repeat("a", 3000)} {
		h.get("/portal/services/" + id + "/open").is(404)
		h.post("/portal/services/"+id+"/pin", nil).is(404)
	}
	h.get("/").says("ouvert à l’instant")
}

func TestPinningIsUndoneByTheSameButton(t *testing.T) {
	h := open(t)
	action, fields := h.get("/portal/services?q=moo").presses("Épingler Moodle")
	h.post(action, fields).leadsTo("/portal/services?q=moo")
	p := h.get("/portal/services").says("Moodle est épinglé.", "Épinglés")
	action, fields = p.presses("Ne plus épingler Moodle")
	h.post(action, fields).leadsTo("/portal/services")
	h.get("/portal/services").says("Le service n’est plus épinglé.", "!Épinglés")
	h.post("/portal/services/closed-last-year/unpin", nil).leadsTo("/portal/services")
	for _, text := range []string{"%00", "%ff"} { // is none
		h.post("/portal/services/"+text+"/unpin", nil).is(404)
	}
}

func TestPinsAreArranged(t *testing.T) {
	h := open(t)
	if err := h.portal.Pin(t.Context(), h.viewer.Person, "sso.library", "sso.moodle"); err != nil {
		t.Fatal(err)
	}
	action, fields := h.get("/portal/services").presses("Monter Moodle")
	h.post(action, fields).leadsTo("/portal/services")
	h.get("/portal/services").presses("Monter Bibliothèque")
	h.post("/portal/services/sso.moodle/move", url.Values{"to": {"up"}}).leadsTo("/portal/services")
	h.as(campustest.Paul()).get("/portal/services").says("!Épinglés")
}

func TestTheCatalogueIsSearchedWithoutAccents(t *testing.T) {
	h := open(t)
	h.get("/portal/services?q=BIBLIOTHEQUE").says("1 service pour", "Bibliothèque", "!Moodle")
	h.get("/portal/services?q=piscine").says("Aucun service ne correspond.")
	h.get("/portal/services?q=" + url.QueryEscape(`"><script>alert(1)</script>`)).is(200)
	h.get("/portal/services?q=%ff%00").is(200)
	h.get("/portal/services?q=" + strings.Repeat("é", 5000)).is(200)
}

func TestAPartialAnswerMovesTheWholePageByHTMX(t *testing.T) {
	h := open(t)
	r := newPost("/portal/services/sso.moodle/pin", nil)
	r.Header.Set("HX-Request-Type", "partial")
	if p := h.ask(r).is(204); p.header.Get("HX-Location") != "/portal/services" {
		t.Errorf("HX-Location is %q", p.header.Get("HX-Location"))
	}
}

func TestNewsIsPagedAndSearched(t *testing.T) {
	h := open(t)
	for i := range 14 {
		h.article(fmt.Sprint("k", i), func(c *news.Content) {
			c.Title.French, c.PublishAt = fmt.Sprintf("Nouvelle %02d", i), start.Add(-time.Duration(i)*time.Hour)
		})
	}
	h.get("/portal/news").says("Nouvelle 00", "Nouvelle 11", "!Nouvelle 12")
	h.get("/portal/news?page=2").says("Nouvelle 12", "!Nouvelle 11")
	for _, odd := range []string{"0", "-1", "99999999999999999999", "x", "3"} {
		h.get("/portal/news?page=" + odd).is(200).says("Nouvelle")
	}
	h.get("/portal/news?q=nouvelle+13").says("1 actualité pour", "Nouvelle 13", "!Nouvelle 12")
}

func TestAnArticleIsReadInEitherLanguage(t *testing.T) {
	h := open(t)
	id := h.article("k", func(c *news.Content) { c.Body.French = "Ligne <script>alert(1)</script> [x](javascript:alert(2))" })
	p := h.get("/portal/news/"+id).says("La bibliothèque ouvre", "Ligne", "!alert(2)")
	if strings.Contains(p.body, "<script>alert") || strings.Contains(p.body, "javascript:") {
		t.Error("the script is in the page")
	}
	h.as(campustest.Sam()).get("/portal/news/"+id).says("The library opens", "Until 11 p.m.")
	only := h.article("fr", func(c *news.Content) { c.Title.English, c.Body.English = "", "" })
	if p := h.get("/portal/news/" + only); !strings.Contains(p.body, `lang="fr"`) {
		t.Error("a text in another language does not say so")
	}
}

func TestPublicNewsIsAFeed(t *testing.T) {
	h := open(t)
	h.article("inside", func(c *news.Content) { c.Title.French = "Interne" })
	id := h.article("public", func(c *news.Content) { c.Public, c.Title.French = true, "Portes & fenêtres <ouvertes>" })
	h.as(campus.Viewer{})
	p := h.get("/portal/news.rss?language=fr").is(200)
	var feed struct {
		Channel struct {
			Title    string `xml:"title"`
			Language string `xml:"language"`
			Items    []struct {
				Title string `xml:"title"`
				Link  string `xml:"link"`
				Date  string `xml:"pubDate"`
			} `xml:"item"`
		} `xml:"channel"`
	}
	if err := xml.Unmarshal([]byte(p.body), &feed); err != nil {
		t.Fatal(err)
	}
	c := feed.Channel
	if c.Title != "Université de Valmont" || c.Language != "fr" || len(c.Items) != 1 || c.Items[0].Title != "Portes & fenêtres <ouvertes>" ||
		c.Items[0].Link != "https://ent.valmont.example/portal/news/"+id || c.Items[0].Date != "Sun, 22 Nov 2026 16:05:00 +0000" {
		t.Errorf("the feed is %+v", feed)
	}
	if got := p.header.Get("Content-Type"); got != "application/rss+xml; charset=utf-8" {
		t.Errorf("its type is %s", got)
	}
	if p := h.get("/portal/news.rss?language=en"); !strings.Contains(p.body, "The library opens") {
		t.Error("the English feed does not speak English")
	}
}

// form is a whole article, as the form sends it.
func form(version string) url.Values {
	return url.Values{
		"version": {version}, "title_fr": {"Horaires"}, "body_fr": {"Jusqu’à 23 h."}, "kinds": {"student"}, "campuses": {"rives"},
	}
}

func TestAPublisherWritesPreviewsAndPublishes(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	draft := form("0")
	draft.Set("act", "preview")
	h.upload("/portal/desk/new", draft, nil).is(200).says("Aperçu, pas encore enregistré", "Jusqu’à 23 h.")
	h.get("/portal/desk").says("Rien à cette étape.")
	draft.Set("act", "save")
	at := h.upload("/portal/desk/new", draft, nil).is(303).location
	p := h.get(at).says("C’est enregistré.")
	if p.field("Titre en français") != "Horaires" || p.field("Texte en français") != "Jusqu’à 23 h." {
		t.Error("the form has lost the texts")
	}
	h.get("/portal/desk").says("Horaires", "brouillon", "les étudiants · Campus Rives")
	action, fields := h.get("/portal/desk").presses("Publier maintenant")
	h.post(action, fields).leadsTo("/portal/desk")
	h.get("/portal/desk").says("L’actualité est en ligne.", "Retirer", "Archiver")
	h.as(campustest.Lina()).get("/").says("Horaires")
	h.as(campustest.Paul()).get("/").says("!Horaires")
}

func TestWhatIsToMendIsSaidAtTheFieldAndNothingIsLost(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	f := form("0")
	f.Set("act", "publish")
	f.Set("title_fr", strings.Repeat("é", 200))
	f.Set("body_fr", "")
	f.Set("publish_at", "demain")
	f.Add("campuses", "atlantis")
	p := h.upload("/portal/desk/new", f, nil).is(422).says(
		"Ce texte compte 200 caractères ; 140 au plus.", "Écrivez le texte avant de publier.", "Donnez une date et une heure", "Ce choix n’existe plus.")
	if p.field("Titre en français") != strings.Repeat("é", 200) || p.field("Paraît le") != "demain" {
		t.Error("what was typed is lost")
	}
	if !strings.HasPrefix(textOf(p.all("title")[0]), "Erreur") {
		t.Errorf("the title is %q", textOf(p.all("title")[0]))
	}
}

func TestAnEditConflictIsKeptAndExplained(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	f := form("0")
	at := h.upload("/portal/desk/new", f, nil).is(303).location
	theirs, mine := form("1"), form("1")
	theirs.Set("title_fr", "Leur titre")
	mine.Set("title_fr", "Mon titre")
	h.upload(at, theirs, nil).is(303)
	p := h.upload(at, mine, nil).is(409).says("Cette actualité a changé pendant que vous écriviez.", "Leur titre")
	if p.field("Titre en français") != "Mon titre" {
		t.Error("my text is lost")
	}
	_, fields := p.presses("Garder le brouillon")
	mine.Set("version", fields["version"][0])
	h.upload(at, mine, nil).is(303)
	if got := h.get(at).field("Titre en français"); got != "Mon titre" {
		t.Errorf("kept %q", got)
	}
}

func TestAnOddVersionIsAChangedArticle(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	at := h.upload("/portal/desk/new", form("0"), nil).is(303).location
	for _, odd := range []string{"", "-1", "99999999999999999999", "x"} {
		h.upload(at, form(odd), nil).is(409)
	}
}

func TestPublishingWhatIsUnfinishedLeadsToWhatIsMissing(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	f := form("0")
	f.Set("body_fr", "")
	h.upload("/portal/desk/new", f, nil).is(303)
	action, fields := h.get("/portal/desk").presses("Publier maintenant")
	p := h.post(action, fields).is(303)
	h.get(p.location).says("Écrivez le texte avant de publier.")
}

func TestDeletingStatesItsEffectFirst(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	id := h.article("k", nil)
	action, fields := h.get("/portal/desk/"+id+"/delete").is(200).says("Elle disparaît tout de suite", "On ne peut pas revenir en arrière.").presses("Supprimer définitivement")
	h.post(action, fields).leadsTo("/portal/desk")
	h.get("/portal/desk").says("L’actualité est supprimée.")
	h.as(campustest.Lina()).get("/portal/news/" + id).is(404)
}

func drawing(t *testing.T, wide, high int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, wide, high))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAPictureSurvivesWhatElseIsWrong(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	f := form("0")
	f.Set("act", "publish")
	p := h.upload("/portal/desk/new", f, drawing(t, 60, 40)).is(422).says("Décrivez l’image pour les personnes qui ne la voient pas.")
	_, fields := p.presses("Publier")
	f.Set("picture_id", fields["picture_id"][0])
	f.Set("alt_fr", "La salle")
	at := h.upload("/portal/desk/new", f, nil).is(303).location
	src := ""
	for _, img := range h.as(campustest.Lina()).get(at).is(200).all("img") {
		if attr(img, "alt") == "La salle" {
			src = attr(img, "src")
		}
	}
	shown := h.get(src).is(200)
	if shown.header.Get("Content-Type") != "image/jpeg" || !strings.Contains(shown.header.Get("Cache-Control"), "private") {
		t.Errorf("the picture is sent as %v", shown.header)
	}
	h.as(campustest.Paul()).get(src).is(404)
	h.as(campus.Viewer{}).get(src).is(404)
}

func TestABadPictureIsRefusedAtItsField(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	for name, file := range map[string][]byte{"a bomb": drawing(t, 8000, 8000), "a page": []byte("<html><script>alert(1)</script>")} {
		p := h.upload("/portal/desk/new", form("0"), file).is(422)
		if p.field("Titre en français") != "Horaires" {
			t.Errorf("%s: the text is lost", name)
		}
	}
	h.upload("/portal/desk/new", form("0"), make([]byte, 3<<20)).is(413)
}

func TestAFeedThatFailsIsToldToPublishers(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	if err := h.portal.VisitFeeds(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.get("/portal/desk").says("Flux d’autres sites", "Le site ne répond pas.", "portal.feed_unreachable", "no route to host", "Jamais reçu jusqu’ici.")
	h.get("/").says("1 flux ne répond pas")
	if checks := h.portal.Health(t.Context()); len(checks) != 1 || checks[0].OK {
		t.Errorf("the health check says %+v", checks)
	}
}

func TestNotificationsAreReadAndUnread(t *testing.T) {
	h := open(t)
	h.notice(h.viewer.Person, contract.Notice{TitleFrench: "Livre à rendre", TitleEnglish: "Book due", URL: "/library"})
	p := h.get("/portal/notifications").says("1 notification à lire", "Livre à rendre", "non lue")
	open := p.link("Livre à rendre")
	h.as(campustest.Paul()).get(open).is(404)
	h.as(campustest.Lina()).get(open).leadsTo("/library")
	action, fields := h.get("/portal/notifications").says("0 notification à lire", "!Marquer comme lue").presses("Marquer comme non lue : Livre à rendre")
	h.as(campustest.Paul()).post(action, fields).is(404)
	h.as(campustest.Lina()).post(action, fields).leadsTo("/portal/notifications")
	action, fields = h.get("/portal/notifications").says("1 notification à lire").presses("Tout marquer comme lu")
	h.post(action, fields).leadsTo("/portal/notifications")
	h.get("/portal/notifications").says("Notifications marquées comme lues : 1.")
	h.get("/portal/notifications?page=7").leadsTo("/portal/notifications")
}

func TestTheSearchAsksEveryRoom(t *testing.T) {
	h := open(t)
	h.article("k", nil)
	h.searchers = []contract.Searcher{
		room{name: "directory", search: func(words string) ([]contract.Hit, error) {
			return []contract.Hit{{Group: "Personnes", Title: "Paul Durand", URL: "/directory/1"}}, nil
		}},
		room{name: "library", search: func(string) ([]contract.Hit, error) { return nil, errors.New("catalogue down") }},
	}
	p := h.get("/search?q=bibliotheque").is(200).says("Personnes", "Paul Durand", "La bibliothèque ne répond pas.", "platform.unexpected", "!catalogue down")
	if got := p.headings(); !strings.Contains(got, "Services | ") || !strings.Contains(got, "Actualités") {
		t.Errorf("the groups are %s", got)
	}
	if p.find("a", "Bibliothèque") == nil || p.find("a", "La bibliothèque ouvre") == nil {
		t.Error("the service or the article is not found")
	}
	h.get("/search?q=mot+de+passe").says("Mon mot de passe est refusé")
	h.get("/search").is(200).says("Vous cherchiez peut-être")
	h.get("/search?q=a").is(200).says("Donnez au moins 2 lettres.")
	h.searchers = nil
	h.get("/search?q=zzzz").is(200).says("Rien ne correspond", "Demander de l’aide")
	h.get("/search?q=%00%ff" + strings.Repeat("x", 4000)).is(200)
}

func TestTheProfileSaysWhatTheInstitutionKnows(t *testing.T) {
	h := open(t)
	h.get("/portal/profile").is(200).says("Lina Martin", "lmartin", "lina.martin@valmont.example", "Licence Informatique · Campus Rives", "adressez-vous à votre scolarité", "Mes sessions ouvertes")
	h.post("/portal/preferences", url.Values{"language": {"en"}, "appearance": {"dark"}}).leadsTo("/portal/profile")
	if got := fmt.Sprint(h.chosen); got != "["+string(h.viewer.Person)+" en dark]" {
		t.Errorf("chosen: %s", got)
	}
	for _, odd := range []url.Values{{"language": {"klingon"}, "appearance": {"dark"}}, {"language": {"fr"}, "appearance": {"pink"}}, {}} {
		h.post("/portal/preferences", odd).is(422)
	}
	if len(h.chosen) != 1 {
		t.Errorf("what is not a choice was kept: %v", h.chosen)
	}
}

func TestTheLanguageIsChosenBeforeSigningIn(t *testing.T) {
	h := open(t).as(campus.Viewer{})
	h.get("/portal/help").says("Aide")
	h.get("/language/en?next=/portal/help").leadsTo("/portal/help")
	h.get("/portal/help").says("Help", "You cannot get in?")
	h.post("/portal/language", url.Values{"language": {"fr"}, "next": {"/portal/help?q=x"}}).leadsTo("/portal/help?q=x")
	for _, evil := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "javascript:alert(1)"} {
		h.get("/language/en?next=" + url.QueryEscape(evil)).leadsTo("/")
	}
	h.get("/language/klingon").is(404).says("portal.language_unknown")
	if len(h.chosen) != 0 {
		t.Errorf("a stranger has no choice to keep: %v", h.chosen)
	}
}

func TestTheLanguageOfAPersonIsKept(t *testing.T) {
	h := open(t)
	h.post("/portal/language", url.Values{"language": {"en"}, "next": {"/"}}).leadsTo("/")
	r := httptest.NewRequest("GET", "/language/en?next=/", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	h.ask(r).leadsTo("/")
	if len(h.chosen) != 1 || !strings.HasSuffix(h.chosen[0], "en system") {
		t.Errorf("kept: %v", h.chosen)
	}
}

func TestHelpAndTheStatementAreForEverybody(t *testing.T) {
	h := open(t).as(campus.Viewer{})
	p := h.get("/portal/help").is(200).says("Vous ne pouvez pas entrer", "01 99 00 12 12", "Quel est mon identifiant")
	h.get(p.link("Lien vers cette réponse")).is(200)
	h.get("/portal/help?q=phishing").says("J’ai reçu un message étrange")
	h.get("/portal/help?q=zzz").says("Aucune réponse ne correspond.", "Parler à quelqu’un")
	h.get("/portal/help/nothing").is(404)
	h.get("/portal/accessibility").is(200).says("non conforme", "assistance@valmont.example", "Défenseur des droits")
}

func TestEveryPageSpeaksBothLanguages(t *testing.T) {
	h := open(t)
	id := h.article("k", nil)
	h.notice(campustest.Nadia().Person, contract.Notice{TitleFrench: "Fr", TitleEnglish: "En", Tone: "warn", URL: "/x"})
	for _, l := range campus.Locales {
		v := campustest.Nadia()
		v.Locale = l
		for _, path := range []string{
			"/", "/search", "/search?q=zz", "/search?q=a", "/search?q=moodle", "/portal/services", "/portal/services?q=zz", "/portal/news", "/portal/news?q=zz",
			"/portal/news/" + id, "/portal/desk", "/portal/desk?stage=draft", "/portal/desk/new", "/portal/desk/" + id, "/portal/desk/" + id + "/delete",
			"/portal/notifications", "/portal/profile", "/portal/help", "/portal/help?q=zz", "/portal/help/navigateur", "/portal/accessibility",
		} {
			p := h.as(v).get(path).is(200) // a missing label fails in read
			if got := attr(p.all("html")[0], "lang"); got != string(l) {
				t.Errorf("%s says it is in %s", path, got)
			}
			if n := len(p.all("h1")); n != 1 {
				t.Errorf("%s has %d h1", path, n)
			}
			for _, img := range p.all("img") {
				if !has(img, "alt") {
					t.Errorf("%s has a picture without alt", path)
				}
			}
		}
		h.as(v)
		for _, holding := range h.portal.Nav(t.Context(), v) {
			if holding.URL == "" {
				t.Error("an entry of the navigation leads nowhere")
			}
		}
	}
}

func TestAnExportHoldsWhatTheRoomKeeps(t *testing.T) {
	h := open(t)
	if err := h.portal.Pin(t.Context(), h.viewer.Person, "sso.moodle"); err != nil {
		t.Fatal(err)
	}
	h.notice(h.viewer.Person, contract.Notice{TitleFrench: "Livre à rendre"})
	h.notice(campustest.Paul().Person, contract.Notice{TitleFrench: "Pour Paul"})
	content := map[string]*bytes.Buffer{}
	archive := &contract.Archive{Create: writerTo(content)}
	if err := h.portal.Export(t.Context(), h.viewer.Person, archive); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"services.json": "sso.moodle", "notifications.json": "Livre à rendre", "articles.json": "null"} {
		if content[file] == nil || !strings.Contains(content[file].String(), want) {
			t.Errorf("%s holds %v", file, content[file])
		}
	}
	if strings.Contains(content["notifications.json"].String(), "Paul") {
		t.Error("another person's notifications are in the export")
	}
	if got := len(h.portal.Holdings(i18n.With(t.Context(), h.texts.For(campus.English)))); got != 4 {
		t.Errorf("%d holdings", got)
	}
}

func TestNoFileIsLeftBehindByARefusedPicture(t *testing.T) {
	h := open(t).as(campustest.Nadia())
	h.upload("/portal/desk/new", form("0"), drawing(t, 8000, 8000)).is(422)
	err := h.portal.Files.Walk(t.Context(), func(ref files.Ref, m files.Meta) error {
		return fmt.Errorf("%s (%s) stayed", ref, m.Name)
	})
	if err != nil {
		t.Error(err)
	}
}
