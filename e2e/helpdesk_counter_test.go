package e2e

import (
	"net/http"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestACounterReceivesPeople follows docs/helpdesk/counter.md: an appointment is
// seen and given back, and a number is given, called and served.
func TestACounterReceivesPeople(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		student, admin, agent := signedIn(t, h, look, "student"), signedIn(t, h, look, "admin"), signedIn(t, h, look, "agent")
		student.Visit("/helpdesk/counters")
		student.Sees("Vos rendez-vous", "Guichet numérique", "Carte d’étudiant non reconnue")
		student.Check()
		student.Visit("/helpdesk/counters/rives/materiel")
		student.Sees("l’appareil et son chargeur")
		student.Check()
		student.Expect(http.StatusUnprocessableEntity)
		student.Press("Prendre ce rendez-vous")
		student.Sees("Choisissez une heure.")
		student.Visit("/helpdesk/counters/rives/carte")
		student.Sees("Votre identité sera vérifiée")

		admin.Visit("/helpdesk/setup/counters")
		admin.Follow("Guichet numérique")
		admin.Check()
		agent.Visit("/helpdesk/counter/rives")
		agent.Check()
		agent.Fill("Nom (facultatif)", "Camille Roche")
		agent.Press("Donner le numéro")
		agent.Sees("Le numéro A1 est donné.")
		agent.Check()
		agent.Press("Appeler la personne suivante")
		agent.Sees("A1 · Camille Roche", "appelé")
		agent.Tick("Passeport")
		agent.Press("Noter la vérification")
		agent.Sees("C’est noté.")
		agent.Check()
		agent.Press("Recevoir A1")
		agent.Press("Terminer A1")
		agent.Sees("Personne n’attend")
		agent.Visit("/helpdesk/counter/rives/devices")
		agent.Press("Donner une adresse")
		agent.Sees("/helpdesk/counter/rives/screen?key=")
		agent.Check()
	})
}
