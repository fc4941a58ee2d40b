package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestTheStartOfTermIsPlannedAheadAndEnded plans it for today and tomorrow: the desks are open day
// and night until it is ended.
func TestTheStartOfTermIsPlannedAheadAndEnded(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Desk, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		// The days are those of the university, and midnight may come meanwhile.
		paris, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			t.Fatal(err)
		}
		today := time.Now().In(paris)
		admin, student := signedIn(t, h, look, "admin"), signedIn(t, h, look, "student")
		admin.Visit("/helpdesk/setup")
		admin.Heading("Réglages de l’assistance")
		admin.Visit("/helpdesk/setup/term")
		admin.Sees("Rentrée du")
		admin.Follow("Prévoir une rentrée")
		admin.Expect(http.StatusUnprocessableEntity)
		admin.Press("Enregistrer") // without saying when
		admin.Sees("Donnez un nom", "Choisissez un jour.")
		admin.Fill("Nom en français", "Rentrée anticipée")
		admin.Fill("Premier jour", today.Format(time.DateOnly))
		admin.Fill("Dernier jour (facultatif)", today.AddDate(0, 0, 1).Format(time.DateOnly))
		for _, day := range []string{"Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"} {
			admin.Fill(day, "0-24")
		}
		admin.Press("Enregistrer")
		admin.Sees("Rentrée anticipée", "En cours", "Renforts")
		admin.Fill("Nom, identifiant ou adresse", "goff")
		admin.Press("Chercher")
		admin.Sees("Yannick Le Goff")
		admin.Check()

		student.Visit("/helpdesk")
		student.Sees("Horaires", "Ouvert", "jusqu’à")
		student.Check()

		admin.Visit("/helpdesk/setup/term")
		admin.Follow("Rentrée anticipée")
		admin.Follow("Y mettre fin")
		admin.Sees("redeviennent ceux des autres jours")
		admin.Press("Y mettre fin")
		admin.Sees("C’est terminé", "Passée")
		admin.Visit("/helpdesk/setup")
		admin.Press("Annuler Rentrée : modification : Rentrée anticipée")
		admin.Sees("La modification a été annulée.")
	})
}

// TestACampusDeskIsSetUpFromTheGuide follows docs/helpdesk/README.md.
func TestACampusDeskIsSetUpFromTheGuide(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		admin := signedIn(t, h, look, "admin")
		admin.Visit("/helpdesk/setup")
		admin.Follow("Mettre en place l’assistance d’un campus")
		admin.Check()
		admin.Choose("Campus (facultatif)", "Campus Le Port")
		admin.Tick("Réseau et Wi-Fi")
		admin.Press("Continuer vers les horaires")
		admin.Sees("Étape 2 sur 4")
		admin.Fill("Samedi", "neuf heures à midi")
		admin.Expect(http.StatusUnprocessableEntity)
		admin.Press("Enregistrer")
		admin.Sees("Écrivez les horaires comme 9h-12h30, 13h30-17h.")
		admin.Check()
		admin.Fill("Samedi", "9h-12h")
		admin.Press("Enregistrer")
		admin.Sees("Étape 3 sur 4", "Yannick Le Goff")
		admin.Tick("Yannick Le Goff")
		admin.Press("Terminer")
		admin.Sees("L’assistance est prête", "Réseau et Wi-Fi", "1 personne")
		admin.Check()
	})
}

// TestThePagesOfTheDesksSettingsHold looks at each of them on every screen.
func TestThePagesOfTheDesksSettingsHold(t *testing.T) {
	t.Parallel()
	admin := signedIn(t, house.Shared(t), browser.Desk, "admin")
	for name, address := range map[string]string{
		"setup": "/helpdesk/setup", "setup-queues": "/helpdesk/setup/queues", "setup-queue": "/helpdesk/setup/queues/new", "setup-calendars": "/helpdesk/setup/calendars",
		"setup-promises": "/helpdesk/setup/promises", "setup-promise": "/helpdesk/setup/promises/house", "setup-rules": "/helpdesk/setup/rules", "setup-rule": "/helpdesk/setup/rules/new",
		"setup-try": "/helpdesk/setup/rules/try", "setup-terms": "/helpdesk/setup/term", "setup-term": "/helpdesk/setup/term/new", "setup-begin": "/helpdesk/setup/begin",
	} {
		admin.Visit(address)
		onEveryScreen(admin, name)
	}
	admin.Look(browser.Desk)
	admin.Visit("/helpdesk/setup/queues")
	admin.Follow("Comptes et mots de passe · Campus Rives")
	onEveryScreen(admin, "setup-members")
	admin.Look(browser.Desk)
	admin.Visit("/helpdesk/setup/calendars")
	admin.Follow("Assistance · Campus Rives")
	onEveryScreen(admin, "setup-calendar")
	admin.Look(browser.Desk)
	admin.Follow("Un mois, à imprimer")
	onEveryScreen(admin, "setup-month")
	admin.Look(browser.Desk)
	admin.Follow("Assistance · Campus Rives")
	admin.Follow("Importer des jours fériés")
	admin.Fill("Ou son contenu (facultatif)", "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20281225\nSUMMARY:Noël\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR\n")
	admin.Press("Montrer ce qu’il contient")
	admin.Sees("jour trouvé")
	onEveryScreen(admin, "setup-holidays")
}
