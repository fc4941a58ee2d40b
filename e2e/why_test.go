package e2e

import (
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestTheBrowserIsTestedAndItsResultReachesTheHelpDesk(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Visit("/diagnostic")
		tab.Check()
		tab.Press("Lancer le test")
		tab.Heading("Ce que le test a trouvé")
		tab.Sees("Votre navigateur garde notre cookie", "Votre formulaire est arrivé")
		if look.Script {
			tab.Sees("Elle est d’accord avec la nôtre.", "Rien dans ce navigateur ne vous empêche")
		} else {
			tab.Sees("Tout marche sans eux, sauf les clés")
		}
		tab.Check()
		tab.Picture("diagnostic")
		tab.Press("Joindre à mon incident")
		tab.Sees("Donnez-lui ce code d’incident")
		tab.Check()
	})
}

func TestTheGuideLeadsToOneButton(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Visit("/why")
		tab.Check()
		tab.Picture("why")
		tab.Follow("Mon mot de passe marche, mais on demande ensuite un code ou une clé")
		tab.Heading("Mon mot de passe marche, mais on demande ensuite un code ou une clé")
		tab.Check()
		tab.Follow("Le code de mon application est refusé")
		tab.Sees("Les codes suivent l’horloge du téléphone.", "Cela prend environ 1 minute.")
		tab.Check()
		tab.Picture("why-answer")
		tab.Follow("Tester l’horloge")
		tab.Heading("Tester mon navigateur")

		tab.Visit("/why")
		tab.Fill("Chercher avec vos mots", "page blanche")
		tab.Press("Chercher")
		tab.Sees("J’appuie et rien ne se passe, ou la page reste blanche")
		tab.Check()
	})
}

func TestALoopIsMendedByOneButton(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := signedIn(t, house.Shared(t), look, "student")
		tab.Visit("/login/loop")
		tab.Check()
		tab.Picture("loop")
		tab.Press("Repartir à neuf")
		tab.IsAt("/login")
		tab.Sees("Ce navigateur est nettoyé.")
		tab.Check()
		tab.Visit("/")
		tab.IsAt("/login")
	})
}

func TestPeopleReadWhatHappenedWithTheirAccount(t *testing.T) {
	t.Parallel()
	h := house.Start(t) // where nobody minds that sessions are closed
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := signedIn(t, h, look, "student")
		tab.Visit("/identity/journal")
		tab.Sees("Connexion.")
		tab.Check()
		tab.Picture("journal")
		tab.Follow(tab.Name("link", "Ce n’était pas moi"))
		tab.Heading("Ce n’était pas moi")
		tab.Check()
		tab.Picture("journal-not-me")
		tab.Press("Fermer les autres sessions")
		tab.Heading("Que faire maintenant")
		tab.Check()
		tab.Picture("journal-next")

		tab = signedIn(t, h, look, "admin")
		tab.Visit("/identity/journal/all")
		tab.Check()
		tab.Picture("journal-all")
	})
}
