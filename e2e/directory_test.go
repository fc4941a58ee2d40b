package e2e

import (
	"net/http"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// onEveryScreen looks at the page as it is on a narrow and a wide screen, in the light
// and in the dark, and lets axe look at each.
func onEveryScreen(tab *browser.Tab, name string) {
	for look, suffix := range map[browser.Look]string{
		{Width: 320, Script: true}: "-320", {Width: 320, Script: true, Dark: true}: "-320-dark",
		{Width: 1280, Script: true}: "-1280", {Width: 1280, Script: true, Dark: true}: "-1280-dark",
	} {
		tab.Look(look)
		tab.Check()
		tab.Picture(name + suffix)
	}
}

func TestAStudentFindsTheScholarshipOfficeWithATypingMistake(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := signedIn(t, house.Shared(t), look, "student")
		tab.Follow("Annuaire") // in the bar at the bottom
		tab.Sees("Qui fait quoi", "Organigramme")
		tab.Fill("Nom, fonction ou service", "bousres")
		tab.Press("Chercher")
		tab.Sees("ce qui s’en approche", "Bureau des bourses et de la vie étudiante")
		tab.Follow("Bureau des bourses et de la vie étudiante")
		tab.Sees("Bourses, aides d’urgence", "Bâtiment D, D114", "Fatoumata Diallo")
		tab.Check()
		tab.Follow("Fatoumata Diallo")
		tab.Heading("Fatoumata Diallo")
		tab.Sees("Gestionnaire des bourses et de la scolarité", "Hiérarchie")
		tab.Check()
	})
}

func TestTheSearchAnswersWhileOneTypes(t *testing.T) {
	t.Parallel()
	tab := signedIn(t, house.Shared(t), browser.Desk, "student")
	tab.Visit("/directory")
	tab.Fill("Nom, fonction ou service", "kervad")
	tab.Sees("Hélène Kervadec") // without pressing anything
	tab.Check()
}

func TestStudentsAreNotFoundByStudents(t *testing.T) {
	t.Parallel()
	student := signedIn(t, house.Shared(t), browser.Desk, "student")
	teacher := signedIn(t, house.Shared(t), browser.Desk, "teacher")
	teacher.Visit("/directory?q=martin&kind=student")
	teacher.Sees("personnes")
	student.Visit("/directory?q=martin&kind=student")
	student.Sees("1 personne") // oneself
	student.Visit("/directory?q=lina+martin")
	student.Sees("Lina Martin")
}

func TestATeacherPrintsAListOfTheirGroup(t *testing.T) {
	t.Parallel()
	tab := signedIn(t, house.Shared(t), browser.Desk, "teacher")
	tab.Visit("/directory/lists")
	tab.Sees("NF16, groupe de TD 2", "Licence")
	tab.Check()
	tab.Follow("NF16, groupe de TD 2")
	tab.Sees("19 personnes", "Télécharger (CSV)", "Imprimer", "MARTIN Lina")
	tab.Check()

	student := signedIn(t, house.Shared(t), browser.Desk, "student")
	student.Expect(http.StatusNotFound)
	student.Visit("/directory/lists/groups/nf16-td2")
	student.Sees("Cette liste n’est pas la vôtre")
}

func TestACorrectionReachesTheHeadOfTheUnitOrTheSecretariat(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		tab := signedIn(t, h, look, "student")
		tab.Visit("/directory/mine")
		tab.Follow("Signaler une erreur")
		tab.Sees("ira au secrétariat")
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Press("Envoyer la demande")
		tab.Sees("Dites ce qui est faux.")
		tab.Choose("Ce qui est faux", "La formation")
		tab.Fill("Ce qu’il faudrait lire", "Je suis en troisième année depuis septembre.")
		tab.Press("Envoyer la demande")
		tab.Sees("Votre demande est partie.", "En attente")
		tab.Check()

		desk := signedIn(t, h, look, "staff")
		desk.Visit("/directory/corrections")
		desk.Follow("Lina Martin")
		desk.Sees("troisième année")
		desk.Tick("Refuser")
		desk.Fill("Réponse", "Votre inscription en troisième année n’est pas encore validée.")
		desk.Press("Répondre")
		desk.Sees("Votre réponse est envoyée.")

		tab.Visit("/portal/notifications")
		tab.Sees("est refusée", "pas encore validée")
	})
}

func TestAnOfficeIsCorrectedOverItsSourceAndBack(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		desk := signedIn(t, h, look, "staff")
		desk.Visit("/directory?q=kervadec")
		desk.Follow("Hélène Kervadec")
		desk.Follow("Modifier")
		desk.Sees("Vient de Ressources humaines")
		desk.Fill("Bureau", "C299")
		desk.Expect(http.StatusUnprocessableEntity)
		desk.Press("Enregistrer")
		desk.Sees("Ressources humaines dit cette valeur")
		desk.Tick("Remplacer ici ce que disent les sources")
		desk.Press("Enregistrer")
		desk.Sees("La fiche est à jour.", "C299")
		desk.Follow("Modifier")
		desk.Sees("Saisi ici par Fatoumata Diallo", "« C215 » → « C299 »")
		desk.Check()
		desk.Press("Revenir à la source")
		desk.Sees("La valeur saisie ici est retirée.", "la valeur de la source")
	})
}

func TestEachOneDecidesWhatTheDirectoryShows(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		tab := signedIn(t, h, look, "teacher")
		tab.Visit("/directory/mine")
		tab.Check()
		tab.Fill("Accueil (facultatif)", "Jeudi 10 h–12 h, C215")
		tab.Choose("Qui voit mon téléphone de bureau", "Les personnels et les enseignants")
		tab.Press("Enregistrer")
		tab.Sees("Vos choix sont enregistrés")

		student := signedIn(t, h, look, "student")
		student.Visit("/directory?q=kervadec")
		student.Follow("Hélène Kervadec")
		student.Sees("Jeudi 10 h–12 h", "C215")
		student.SeesNot("Téléphone")
	})
}

func TestThePagesOfTheDirectoryFitEveryScreen(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	student := signedIn(t, h, browser.Desk, "student")
	for name, page := range map[string]string{
		"directory-start": "/directory", "directory-found": "/directory?q=bourses", "directory-functions": "/directory/functions",
		"directory-units": "/directory/units", "directory-unit": "/directory/units/INFO", "directory-nothing": "/directory?q=xyzzy",
	} {
		student.Visit(page)
		onEveryScreen(student, name)
	}
	student.Visit("/directory?q=kervadec")
	student.Follow("Hélène Kervadec")
	onEveryScreen(student, "directory-person")
	teacher := signedIn(t, h, browser.Desk, "teacher")
	for name, page := range map[string]string{"directory-mine": "/directory/mine", "directory-list": "/directory/lists/groups/nf16-td2"} {
		teacher.Visit(page)
		onEveryScreen(teacher, name)
	}
	admin := signedIn(t, h, browser.Desk, "admin")
	for name, page := range map[string]string{"directory-groups": "/directory/groups", "directory-group": "/directory/groups/nf16-td2", "directory-group-new": "/directory/groups/new",
		"directory-unit-edit": "/directory/units/INFO/edit", "directory-unit-new": "/directory/units/new",
		"directory-sources": "/directory/sources", "directory-conflicts": "/directory/conflicts",
	} {
		admin.Visit(page)
		onEveryScreen(admin, name)
	}
}
