package e2e

import (
	"net/http"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestTwoAgentsAnswerOneRequest: a request is taken down on the telephone, and two
// agents write an answer at the same time. The slower one loses nothing, and reads
// what the other one said before sending.
func TestTwoAgentsAnswerOneRequest(t *testing.T) {
	h := house.Start(t)
	command(t, h.Folder(), "", "person", "grant", "staff", "helpdesk")
	bothWays(t, browser.Desk, func(t *testing.T, look browser.Look) {
		first := signedIn(t, h, look, "agent")
		first.Visit("/helpdesk/tickets/new?q=student")
		first.Check()
		first.Follow("Lina Martin")
		first.Choose("Sujet", "Compte")
		first.Fill("Objet", "Connexion refusée")
		first.Fill("Ce que dit la personne", "Elle a changé de téléphone. mot de passe : Soleil2024!")
		first.Press("Ouvrir la demande")
		first.Heading("Connexion refusée")
		first.Sees("est ouverte", "••••••••")
		first.SeesNot("Soleil2024")
		first.Check()
		path := first.Path()

		second := signedIn(t, h, look, "staff")
		second.Visit(path)
		second.Fill("Texte", "La réponse de la seconde personne.")
		first.Fill("Texte", "La réponse de la première personne.")
		first.Press("Envoyer")
		first.Sees("Votre réponse est partie")

		second.Expect(http.StatusConflict)
		second.Press("Envoyer")
		second.Sees("Quelqu’un a modifié cette demande pendant que vous écriviez", "La réponse de la première personne.", "nouveau")
		if kept := second.Value("Texte"); kept != "La réponse de la seconde personne." {
			t.Errorf("the text is now %q", kept)
		}
		second.Check()
		second.Choose("Et ensuite", "c’est résolu")
		second.Press("Envoyer")
		second.Sees("La réponse de la seconde personne.", "Vous pouvez revenir en arrière")
		second.Press("Revenir en arrière")
		second.Sees("C’est annulé.", "en cours")
	})
}
