package e2e

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

var (
	toConfirm = regexp.MustCompile(`Tapez (\d+) pour confirmer`)
	allFound  = regexp.MustCompile(`Pour les \d+ comptes trouvés`)
)

func TestAnOfficerEndsTheAccountsOfAProgrammeAndTakesItBack(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		staff := signedIn(t, h, look, "staff")
		staff.Visit("/identity/accounts")
		staff.Choose("Formation", "BUT Informatique")
		staff.Press("Chercher")
		staff.Sees("Agir sur plusieurs comptes")
		shown(staff, look, "accounts-of-a-programme")
		staff.Choose("Que faire\u202f?", "Fermer les comptes")
		staff.Press(find(t, staff, allFound))
		staff.Sees("BUT Informatique", "Voir l’aperçu")
		staff.Expect(http.StatusUnprocessableEntity)
		staff.Press("Voir l’aperçu")
		staff.Sees("Choisissez un motif de la liste.")
		shown(staff, look, "bulk-new")
		staff.Tick("L’inscription est terminée.")
		staff.Press("Voir l’aperçu")
		staff.Sees("Rien n’a encore changé", "Changeraient", "BUT Informatique")
		shown(staff, look, "bulk-preview")

		staff.Expect(http.StatusUnprocessableEntity)
		staff.Fill("Nombre de comptes qui changent", "0")
		staff.Press("Fermer les comptes")
		staff.Sees("Tapez le nombre de comptes qui changent")
		number := toConfirm.FindStringSubmatch(staff.Text())
		if number == nil {
			t.Fatalf("no number to confirm in\n%s", staff.Text())
		}
		staff.Fill("Nombre de comptes qui changent", number[1])
		staff.Press("Fermer les comptes")
		staff.Sees("L’acte est terminé.", "Tout reprendre") // the page asks anew by itself
		shown(staff, look, "bulk-report")

		staff.Press(staff.Name("button", "Reprendre le changement"))
		staff.Sees("L’acte a été repris.", "repris")
		shown(staff, look, "bulk-undone")
		staff.Visit("/identity/bulk")
		staff.Sees("Fermer les comptes", "repris")
		shown(staff, look, "bulk-acts")
	})
}
