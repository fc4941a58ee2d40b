package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
)

// firstPassword is what newcomers choose in these stories.
const firstPassword = "Quatre-Canards-Bleus-8"

// newcomers are people of the demo who have not activated their account yet and
// are of this kind only.
func newcomers(t *testing.T, kind campus.Kind) []valmont.Person {
	t.Helper()
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	var found []valmont.Person
	for _, p := range u.People {
		if len(p.Affiliations) == 1 && p.Is(kind) && !p.Demo && p.Language == campus.French {
			found = append(found, p)
		}
	}
	return found
}

// one gives each way of a story somebody of their own.
func one(people []valmont.Person, look browser.Look) valmont.Person {
	if look.Script {
		return people[0]
	}
	return people[1]
}

// international writes a French mobile number as the gateway gets it.
func international(mobile string) string {
	return "+33" + strings.TrimPrefix(strings.ReplaceAll(mobile, " ", ""), "0")
}

// introduce types what stands on a registration certificate.
func introduce(tab *browser.Tab, who, number, mobile string) {
	tab.Fill("Adresse de courriel de l’université", who)
	tab.Fill("Numéro étudiant", number)
	tab.Fill("Numéro de mobile donné à l’inscription", mobile)
	tab.Press("Continuer")
}

// prove begins an activation and types the code that comes by SMS.
func prove(t *testing.T, tab *browser.Tab, office *post.Office, me valmont.Person) {
	t.Helper()
	tab.Visit("/activate")
	introduce(tab, me.Mail, me.StudentNumber, me.Mobile)
	tab.Heading("Saisissez le code")
	typeCode(tab, office.Next(t, international(me.Mobile)).Code(t))
	tab.Heading("Choisissez votre mot de passe")
}

// chooseFirst chooses the first password.
func chooseFirst(tab *browser.Tab) {
	chooseAnew(tab, firstPassword, firstPassword)
	tab.Press("Activer mon compte")
}

func TestAStudentActivatesTheirAccountOnAPhone(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	people := newcomers(t, campus.Student)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		me := one(people, look)
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		tab.Follow("Activer mon compte")
		tab.Heading("Activer mon compte")
		shown(tab, look, "activation-1-who")
		introduce(tab, me.Mail, me.StudentNumber, me.Mobile)

		tab.Heading("Saisissez le code")
		shown(tab, look, "activation-2-code")
		code := office.Next(t, international(me.Mobile)).Code(t)
		typeCode(tab, otherThan(code))
		tab.Sees("Il vous reste 4 essais")
		shown(tab, look, "activation-2-code-refused")
		typeCode(tab, code[:3]+" "+code[3:])

		tab.Heading("Choisissez votre mot de passe")
		tab.Sees("Votre identifiant", me.Login)
		shown(tab, look, "activation-3-password")
		chooseAnew(tab, "court", "court")
		if look.Script {
			tab.Sees("règles") // ticks as one types
		}
		tab.Press("Activer mon compte")
		tab.Sees("12 caractères ou plus")
		shown(tab, look, "activation-3-password-refused")
		chooseFirst(tab)

		tab.Heading("Protégez votre compte")
		shown(tab, look, "activation-4-factor")
		office.About(t, me.Mail, "Votre compte est activé")
		tab.Follow("Ajouter une seconde protection")
		tab.Follow("Code par SMS")
		shown(tab, look, "activation-4-sms")
		tab.Press("Envoyer un code")
		tab.Fill("Code", office.About(t, international(me.Mobile), "code").Code(t))
		tab.Press("Vérifier et ajouter")

		tab.Heading("Votre compte est ouvert")
		tab.Sees("Le numéro est ajouté.")
		shown(tab, look, "activation-5-done")
		tab.Follow("Aller à mon accueil")
		tab.IsAt("/")
		tab.Sees(me.GivenName)
	})
}

func TestMistakesOfAnActivationAreExplainedBeforeAnybodyIsLookedFor(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/activate")
		tab.Press("Continuer")
		tab.Sees("Saisissez votre adresse de l’université", "Saisissez votre numéro étudiant.", "Saisissez le numéro de mobile donné à l’inscription.")
		introduce(tab, "lina@gmail.example", "123456789AB", "01 23 45 67 89")
		tab.Sees("Ce n’est pas une adresse de l’université. La vôtre finit par @etu.valmont.example", "Cela ressemble à l’INE", "Ce numéro ne peut pas recevoir de SMS.")
		if kept := tab.Value("Numéro étudiant"); kept != "123456789AB" {
			t.Errorf("what was typed should be kept, the field holds %q", kept)
		}
		shown(tab, look, "activation-mistakes")
	})
}

func TestAWrongNumberIsExplainedWithoutTellingWhoExists(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	me := newcomers(t, campus.Student)[2]
	active := demoPerson(t, "student")
	answers := map[string]string{}
	for name, typed := range map[string][3]string{
		"a wrong mobile":               {me.Mail, me.StudentNumber, "06 12 34 56 78"},
		"a wrong number":               {me.Mail, "22104567", me.Mobile},
		"an address that nobody has":   {"personne.du.tout@etu.valmont.example", me.StudentNumber, me.Mobile},
		"nothing right":                {"nobody-at-all", "22104567", "06 12 34 56 78"},
		"somebody whose account works": {active.Mail, active.StudentNumber, me.Mobile},
	} {
		tab := visitor(t, h, browser.Phone)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/activate")
		introduce(tab, typed[0], typed[1], typed[2])
		tab.Sees("Ces trois informations ne vont pas ensemble", "Vérifiez dans cet ordre, le plus probable d’abord")
		if kept := tab.Value("Numéro étudiant"); kept != typed[1] {
			t.Errorf("after %s the number should be kept, the field holds %q", name, kept)
		}
		if name == "a wrong mobile" {
			shown(tab, browser.Phone, "activation-no-match")
			tab.Follow("Tout est juste et cela ne marche toujours pas")
			tab.Heading("Activer avec l’aide de quelqu’un")
			shown(tab, browser.Phone, "activation-desk")
			tab.Back()
			continue // its page is compared above: it is the same
		}
		answers[withoutReference(tab.Text())] = name
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %q", answers)
	}
}

func TestAnActivationGoesOnWhenThePhoneDied(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	people := newcomers(t, campus.Student)

	t.Run("by beginning again on another device", func(t *testing.T) {
		me := people[0]
		phone := visitor(t, h, browser.Phone)
		prove(t, phone, office, me)

		desk := visitor(t, h, browser.Desk)
		desk.Expect(http.StatusTooManyRequests)
		desk.Visit("/activate")
		introduce(desk, me.Mail, me.StudentNumber, me.Mobile)
		desk.Sees("Un code vient de partir pour un autre appareil", "Le code envoyé ne sert que là.")
		shown(desk, browser.Desk, "activation-sent-elsewhere")
		desk.Press(desk.Name("button", "Envoyer un code à "+me.PersonalMail[:1])) // instead of waiting for a minute
		typeCode(desk, office.Next(t, me.PersonalMail).Code(t))
		desk.Heading("Choisissez votre mot de passe")
		chooseFirst(desk)
		desk.Heading("Protégez votre compte")
		desk.Follow("Un autre jour")
		desk.Heading("Votre compte est ouvert")
		desk.Sees("Votre compte n’a pas encore de seconde protection.")
		shown(desk, browser.Desk, "activation-5-done-without-factor")

		phone.Expect(http.StatusConflict) // the battery is charged again
		chooseFirst(phone)
		phone.Heading("Ce compte est déjà activé")
		phone.Sees("C’est le mot de passe choisi en premier qui compte")
		shown(phone, browser.Phone, "activation-finished-elsewhere")
		phone.Follow("Se connecter")
		signInAs(phone, me.Login, firstPassword)
		phone.IsAt("/")
	})

	t.Run("with the link that was asked for, on another device", func(t *testing.T) {
		me := people[1]
		phone := visitor(t, h, browser.Phone)
		prove(t, phone, office, me)
		phone.Press("M’envoyer un lien pour continuer plus tard")
		phone.Sees("Le lien est en route vers")
		shown(phone, browser.Phone, "activation-link-sent")
		link := office.Next(t, international(me.Mobile)).Link(t)

		visitor(t, h, browser.Desk).Visit(link) // a program that looks at links
		desk := visitor(t, h, browser.Desk.WithoutScript())
		desk.Visit(link)
		desk.Heading("Continuer l’activation")
		desk.Check()
		desk.Picture("activation-resume")
		desk.Press("Continuer ici")
		desk.Heading("Choisissez votre mot de passe")

		late := visitor(t, h, browser.Phone)
		late.Expect(http.StatusGone)
		late.Visit(link)
		late.Heading("Ce lien ne fonctionne plus")
		shown(late, browser.Phone, "activation-link-over")

		chooseFirst(desk)
		desk.Heading("Protégez votre compte")
	})
}

func TestTheBackButtonBreaksNoStepOfAnActivation(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	people := newcomers(t, campus.Student)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		me := one(people, look)
		tab := visitor(t, h, look)
		tab.Visit("/activate")
		introduce(tab, me.Mail, me.StudentNumber, me.Mobile)
		tab.Heading("Saisissez le code")
		code := office.Next(t, international(me.Mobile)).Code(t)

		tab.Back()
		tab.Heading("Activer mon compte")
		introduce(tab, me.Mail, me.StudentNumber, me.Mobile) // the code that is on its way counts on
		tab.Heading("Saisissez le code")
		tab.Visit("/activate") // as somebody who scans the printed code again
		tab.Sees("Vous avez déjà commencé sur cet appareil.")
		shown(tab, look, "activation-begun")
		tab.Follow("Reprendre où je m’étais arrêté")
		typeCode(tab, code)
		tab.Heading("Choisissez votre mot de passe")

		tab.Back() // the form with the code that served
		typeAgain(tab, code)
		tab.Heading("Choisissez votre mot de passe")
		chooseFirst(tab)
		tab.Heading("Protégez votre compte")

		tab.Back()
		if tab.Has("button", "Activer mon compte") { // a browser that kept the page
			chooseFirst(tab)
		}
		tab.Heading("Protégez votre compte")
		tab.Follow("Un autre jour")
		tab.Back()
		tab.Heading("Protégez votre compte")
		tab.Visit("/activate/code")
		tab.Heading("Protégez votre compte")
		tab.Visit("/activate")
		tab.SeesNot("Vous avez déjà commencé")
	})
}

// letterLink and letterForm are the link and the code of an invitation.
var (
	letterLink = regexp.MustCompile(`http://\S+token=\S+`)
	letterForm = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)
)

// inLetter is what has this form in a letter.
func inLetter(t *testing.T, letter post.Message, form *regexp.Regexp) string {
	t.Helper()
	found := form.FindString(letter.Text)
	if found == "" {
		t.Fatalf("the letter has no %s: %s", form, letter.Text)
	}
	return found
}

// typeAgain types a code if the page that is open still asks for it.
func typeAgain(tab *browser.Tab, code string) {
	if tab.Has("textbox", "Code") {
		typeCode(tab, code)
	}
}

func TestAnAccountThatIsActiveLeadsToTheSignIn(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	me := demoPerson(t, "student")
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, h, look)
		tab.Expect(http.StatusConflict)
		tab.Visit("/activate")
		introduce(tab, me.Mail, me.StudentNumber, me.Mobile)
		tab.Heading("Votre compte est déjà activé")
		tab.Sees("Mot de passe oublié")
		shown(tab, look, "activation-already")
		tab.Follow("Se connecter")
		tab.IsAt("/login")
	})
}

func TestStaffActivateTheirAccountWithALetter(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	people := newcomers(t, campus.Teacher)

	t.Run("that the secretariat sends from a page", func(t *testing.T) {
		me := people[0]
		clerk := signedIn(t, h, browser.Desk, "staff")
		clerk.Expect(http.StatusUnprocessableEntity)
		clerk.Visit("/identity/invitations")
		clerk.Follow("Inviter quelqu’un")
		clerk.Fill("Identifiant ou adresse institutionnelle", "personne-de-connu")
		clerk.Press("Envoyer l’invitation")
		clerk.Sees("Le registre n’a personne avec cet identifiant ou cette adresse.")
		clerk.Fill("Identifiant ou adresse institutionnelle", me.Mail)
		clerk.Press("Envoyer l’invitation")
		clerk.Sees("L’invitation est en route vers")
		letter := office.About(t, me.Mail, "Activez votre compte")
		clerk.Visit("/identity/invitations")
		clerk.Sees(me.FamilyName, "Envoyée")
		shown(clerk, browser.Desk, "activation-invitations")

		visitor(t, h, browser.Desk).Visit(inLetter(t, letter, letterLink)) // a program that looks at links
		tab := visitor(t, h, browser.Phone)
		tab.Visit(inLetter(t, letter, letterLink))
		tab.Heading("Activer mon compte")
		shown(tab, browser.Phone, "activation-letter")
		tab.Press("Continuer")
		tab.Heading("Choisissez votre mot de passe")
		tab.Sees(me.Login)
		shown(tab, browser.Phone, "activation-letter-password")
		chooseFirst(tab)
		tab.Heading("Protégez votre compte")
		tab.Follow("Un autre jour")
		tab.Heading("Votre compte est ouvert")
		tab.Follow("Aller à mon accueil")
		tab.IsAt("/")

		again := visitor(t, h, browser.Phone)
		again.Expect(http.StatusGone)
		again.Visit(inLetter(t, letter, letterLink))
		again.Heading("Cette invitation a déjà servi")
		shown(again, browser.Phone, "activation-letter-used")
		clerk.Visit("/identity/invitations")
		clerk.Sees("Utilisée")
	})

	t.Run("that an administrator sends from the command line", func(t *testing.T) {
		me := people[1]
		if said, code := h.Command(t, "", "person", "invite", me.Login); code != 0 {
			t.Fatalf("amphi person invite ended with %d: %s", code, said)
		}
		letter := office.About(t, me.Mail, "Activez votre compte")
		tab := visitor(t, h, browser.Phone.WithoutScript())
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Expect(http.StatusGone)
		tab.Visit("/activate")
		tab.Follow("Je suis membre du personnel ou invité et j’ai reçu une lettre d’invitation")
		tab.Fill("Code de la lettre", "ABCD")
		tab.Press("Continuer")
		tab.Sees("Le code a 12 lettres et chiffres, en trois groupes.")
		tab.Fill("Code de la lettre", "ZZZZ-ZZZZ-ZZZZ")
		tab.Press("Continuer")
		tab.Sees("Cette invitation n’est pas connue")
		tab.Check()
		tab.Picture("activation-letter-code-refused")
		tab.Fill("Code de la lettre", strings.ToLower(inLetter(t, letter, letterForm)))
		tab.Press("Continuer")
		tab.Heading("Choisissez votre mot de passe")
		tab.Visit(inLetter(t, letter, letterLink)) // the same letter, opened as well
		tab.Press("Continuer")
		tab.Heading("Choisissez votre mot de passe")
		chooseFirst(tab)
		tab.Heading("Protégez votre compte")
	})
}
