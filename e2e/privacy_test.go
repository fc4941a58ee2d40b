package e2e

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestAStudentTakesTheirDataAlongAndAsksForAnEnd is told on a phone without scripts,
// and with; the officer decides on a desk.
func TestAStudentTakesTheirDataAlongAndAsksForAnEnd(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		student := signedIn(t, h, look, "student")
		student.Visit("/portal/profile")
		student.Follow("Mes données")
		student.IsAt("/privacy")
		student.Sees("L’assistance", "Appel au sujet d’un téléphone perdu")
		student.SeesNot("Le Goff") // an office answers for its agents
		student.Check()
		student.Follow("Tout déplier, pour lire ou imprimer")
		student.Sees("Mission d’intérêt public (RGPD, article 6(1)(e))", "Notifications que les services vous envoient")
		student.Check()

		student.Follow("Recevoir une copie de tout")
		student.Sees("Vos copies apparaîtront ici.")
		student.Check()
		student.Press("Préparer ma copie")
		reload(t, student, "/privacy/export", "Prête")
		student.Check()
		archive := takeCopy(t, h, student)
		for _, want := range []string{"index.html", "identity/person.json", "portal/services.json", "privacy/looks.json"} {
			if archive[want] == "" {
				t.Errorf("the copy has no %s", want)
			}
		}
		if page := archive["index.html"]; !strings.Contains(page, "Données de Lina") || !strings.Contains(page, "Data of Lina") {
			t.Error("the page of the copy does not speak both languages")
		}
		student.Visit("/portal/notifications")
		student.Sees("La copie de vos données est prête")

		student.Visit("/privacy")
		student.Follow("Faire effacer des données")
		student.Sees("Ce qui peut être effacé, et quand", "Le journal prouve ce qui s’est passé")
		student.Expect(http.StatusUnprocessableEntity)
		student.Press("Envoyer la demande") // without a word
		student.Sees("Écrivez quelques mots.")
		student.Check()
		student.Fill("Votre demande", "Effacez l’historique de mes services.")
		student.Press("Envoyer la demande")
		student.Sees("Votre demande est envoyée.", "En cours", "Réponse au plus tard")
		student.Check()
		mine := student.Path()

		theOfficerDecides(t, h, strings.Replace(mine, "/requests/", "/desk/", 1))
		reload(t, student, mine, "Terminée")
		student.Sees("L’historique de vos services est effacé.")
		student.Check()
		student.Visit("/")
		student.IsAt("/") // the account is still there
	})
}

// theOfficerDecides keeps the account of somebody who studies, and erases the rest.
func theOfficerDecides(t *testing.T, h *house.House, desk string) {
	t.Helper()
	officer := signedIn(t, h, browser.Desk, "admin")
	officer.Visit("/privacy/desk")
	officer.Sees("Lina Martin", "Échéance")
	officer.Check()
	officer.Visit(desk)
	officer.Sees("Effacez l’historique de mes services.")
	officer.Press("Prendre en charge")
	officer.Check()
	officer.Follow("Voir et décider")
	officer.Sees("Le compte de cette personne est ouvert", "Effacer les données de Lina")
	officer.Check()
	officer.Expect(http.StatusUnprocessableEntity)
	officer.Press("Continuer") // no reason yet
	officer.Sees("Dites pourquoi ces données sont gardées.")
	officer.Fill("Votre compte\u202f: pourquoi garder", "La personne étudie ici.")
	officer.Fill("Données personnelles\u202f: pourquoi garder", "Pour lui répondre.")
	officer.Fill("La réponse à la personne", "L’historique de vos services est effacé.")
	officer.Press("Continuer")
	officer.Sees("Ce qui va se passer")
	officer.Check()
	officer.Fill("Tapez l’identifiant student pour confirmer", "student")
	officer.Press("Effacer définitivement")
	officer.Sees("L’effacement commence.")
	reload(t, officer, desk, "portal_notifications.person_id")
	officer.Check()
}

func TestThePagesOfTheDataProtectionOfficer(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		officer := signedIn(t, house.Start(t), look, "admin")
		officer.Visit("/privacy/due")
		officer.Sees("la règle pour les étudiants")
		officer.Check()
		officer.Follow(officer.Name("link", "Voir et effacer"))
		officer.Sees("Personne ne pourra les rétablir.")
		officer.Check()
		officer.Visit("/privacy/holds")
		officer.Sees("Recours devant le tribunal administratif")
		officer.Check()
		officer.Fill("Identifiant de la personne (facultatif)", "student")
		officer.Fill("Raison", "Enquête en cours")
		officer.Press("Mettre sous réserve")
		officer.Sees("La mise sous réserve est posée.", "Enquête en cours")
		reload(t, officer, "/privacy/proofs", "1 preuve, intacte.") // of the erasure that the demo begins with
		officer.Check()
		officer.Visit("/privacy/register")
		officer.Sees("Dominique Pradel", "Mission d’intérêt public (6(1)(e))", "Transferts hors de l’Union européenne")
		officer.Check()
		officer.Visit("/privacy/desk?ended=1")
		officer.Sees("Refusée", "Retirée", "Terminée")
		officer.Check()
	})
}

// reload opens a page until a text stands on it.
func reload(t *testing.T, tab *browser.Tab, address, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		tab.Visit(address)
		if strings.Contains(tab.Text(), text) {
			return
		}
	}
	tab.Sees(text)
}

// takeCopy fetches the newest copy as the form of the open page does, and reads it.
func takeCopy(t *testing.T, h *house.House, tab *browser.Tab) map[string]string {
	t.Helper()
	page := get(t, h, "/privacy/export")
	for _, c := range tab.Cookies() {
		page.AddCookie(c)
	}
	_, body := send(t, client(t), page)
	_, rest, found := strings.Cut(body, `action="/privacy/export/`)
	path, _, closed := strings.Cut(rest, `/file"`)
	if !found || !closed {
		t.Fatal("there is no form that downloads")
	}
	request, err := http.NewRequest(http.MethodPost, h.URL+"/privacy/export/"+path+"/file", strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tab.Cookies() {
		request.AddCookie(c)
	}
	answer, content := send(t, client(t), request)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the copy answers %s", answer.Status)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(content)), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}
