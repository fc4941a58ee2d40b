package e2e

import (
	"fmt"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestManyAlikeAreOneIncident: several people cannot sign in elsewhere. The desk sees
// one incident, the sign-in page says it, one answer ends all of their requests.
func TestManyAlikeAreOneIncident(t *testing.T) {
	h := house.Start(t)
	student, teacher := signedIn(t, h, browser.Phone, "student"), signedIn(t, h, browser.Desk.WithoutScript(), "teacher")
	people := []*browser.Tab{student, teacher, signedIn(t, h, browser.Phone, "staff")}
	for n := range 3 { // nobody writes more than ten in an hour
		for _, tab := range people {
			tab.Visit("/helpdesk/ask/write?reason=identity.upstream_unreachable")
			tab.Fill("En quelques mots", fmt.Sprintf("Rien ne répond (%d)", n))
			tab.Fill("Ce qui s’est passé", "La page de l’autre compte ne répond pas.")
			tab.Press("Envoyer la demande")
			tab.Sees("Rien ne répond")
		}
	}

	admin := signedIn(t, h, browser.Desk, "admin")
	admin.Visit("/portal/notifications")
	admin.Sees("Beaucoup de personnes demandent la même chose")
	admin.Visit("/helpdesk/outages")
	admin.Check()
	admin.Sees("Soupçonné")
	admin.Follow(admin.Name("link", "Beaucoup de personnes sont arrêtées par"))
	admin.Check()
	admin.Fill("Ce que vous dites aux gens, en français", "La connexion du ministère est en panne. Nous revenons à midi.")
	admin.Press("Publier")
	admin.Sees("Tout le monde peut le lire maintenant.", "Nous cherchons")

	visitor := visitor(t, h, browser.Phone)
	visitor.Visit("/login")
	visitor.Sees("La connexion du ministère est en panne.")
	visitor.Check()
	visitor.Follow(visitor.Name("link", "En savoir plus"))
	visitor.Sees("Être tenu au courant")
	visitor.Check()
	visitor.Visit("/helpdesk/status")
	visitor.Sees("Quelque chose ne fonctionne pas comme il faut", "Mise à jour de Moodle")
	visitor.Check()

	admin.Choose("État", "Terminé")
	admin.Fill("Ce que vous dites aux gens, en français", "Tout répond de nouveau.")
	admin.Tick("Et les résoudre")
	admin.Press("Publier")
	admin.Sees("Les demandes ont été résolues ensemble.")
	for _, tab := range []*browser.Tab{student, teacher} {
		tab.Visit("/helpdesk/mine")
		tab.Follow("Rien ne répond (0)")
		tab.Sees("La connexion du ministère est en panne.", "Tout répond de nouveau.", "Résolue")
	}
	visitor.Visit("/login")
	visitor.SeesNot("La connexion du ministère est en panne.")
}
