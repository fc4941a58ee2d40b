package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
)

var (
	incidentForm = regexp.MustCompile(`\b[2-9A-Z]{3}-[2-9A-Z]{3}\b`)
	recoveryForm = regexp.MustCompile(`\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b`)
	openingForm  = regexp.MustCompile(`http://\S+/identity/recovery/open/\S+`)
	eightDigits  = regexp.MustCompile(`\b\d{4}[\s\x{00A0}\x{202F}-]?\d{4}\b`)
)

// find is the first text of a form that can be read on a page.
func find(t *testing.T, tab *browser.Tab, form *regexp.Regexp) string {
	t.Helper()
	found := form.FindString(tab.Text())
	if found == "" {
		t.Fatalf("nothing like %s in\n%s", form, tab.Text())
	}
	return found
}

func TestABlockIsExplainedToItsOwnerAndLiftedByTheSecretariatAlone(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	look := browser.Phone
	inside := signedIn(t, h, browser.Desk, "student")
	staff := signedIn(t, h, look, "staff")
	staff.Visit("/identity/accounts")
	staff.Fill("Trouver quelqu’un", "Lina Martin")
	staff.Press("Chercher")
	shown(staff, look, "accounts")
	staff.Follow("Lina Martin")
	shown(staff, look, "account")
	staff.Follow("Suspendre le compte")
	shown(staff, look, "account-suspend")
	staff.Expect(http.StatusUnprocessableEntity)
	staff.Press("Suspendre le compte")
	staff.Sees("Choisissez un motif de la liste.")
	staff.Tick("Les droits d’inscription ne sont pas réglés.")
	staff.Press("Suspendre le compte")
	staff.Sees("Le compte est suspendu", "Vous pouvez annuler cette décision pendant")
	shown(staff, look, "account-suspended")

	inside.Visit("/")
	inside.IsAt("/login")
	bothWays(t, look, func(t *testing.T, look browser.Look) {
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Expect(http.StatusForbidden)
		tab.Visit("/login")
		signInAs(tab, "student", "not the one")
		tab.SeesNot("suspendu")
		signInAs(tab, "student", house.Password)
		tab.Sees("Ce compte est suspendu.", "Les droits d’inscription ne sont pas réglés.", "Qui peut y remédier : la scolarité")
		shown(tab, look, "account-blocked")
	})

	// Neither an administrator nor an agent can even look.
	for _, who := range []string{"admin", "agent"} {
		tab := signedIn(t, h, browser.Desk, who)
		tab.Expect(http.StatusForbidden)
		path := staff.Path()
		for _, page := range []string{"/identity/accounts", path, path + "/reopen"} {
			tab.Visit(page)
			if tab.Status() != http.StatusForbidden {
				t.Errorf("%s gets %s with status %d", who, page, tab.Status())
			}
		}
		lift := posting(t, h, path+"/reopen", "note=please")
		for _, c := range tab.Cookies() {
			lift.AddCookie(c)
		}
		if answer, _ := send(t, client(t), lift); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s lifts a block: %s", who, answer.Status)
		}
	}

	staff.Follow("Lever la décision")
	shown(staff, look, "account-lift")
	staff.Press("Lever la décision")
	staff.Sees("La décision est levée.")
	tab := visitor(t, h, look)
	tab.Visit("/login")
	signInAs(tab, "student", house.Password)
	tab.IsAt("/")
}

func TestAServiceThatSendsPeopleBackAtOnceIsStopped(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Shared(t)
		var service *httptest.Server
		// It never looks at its ticket, and asks for another one.
		service = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, h.URL+"/cas/login?"+url.Values{"service": {service.URL + "/"}}.Encode(), http.StatusSeeOther)
		}))
		t.Cleanup(service.Close)

		tab := signedIn(t, h, look, "teacher")
		tab.Visit(service.URL)
		tab.IsAt("/login/loop")
		tab.Sees("ne vérifie pas votre connexion.", "3 fois", "Votre mot de passe n’y est pour rien.", "Seule l’équipe du service peut réparer cela")
		find(t, tab, incidentForm)
		if tab.Has("button", "Repartir à neuf") {
			t.Error("to clean this browser mends nothing, and is offered")
		}
		shown(tab, look, "loop-stopped")
		tab.Name("link", "Réessayer")
		tab.Visit("/")
		tab.IsAt("/") // the session here stays
	})
}

func TestABrowserThatRefusesCookiesIsToldSo(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/identity/sessions")
		tab.DropCookies()
		signInAs(tab, "staff", house.Password)
		tab.Sees("Votre mot de passe n’a pas été vérifié.", "saisissez de nouveau votre mot de passe")
		shown(tab, look, "cookie-lost")
		tab.DropCookies()
		tab.Fill("Mot de passe", house.Password)
		tab.Press("Se connecter")
		tab.Sees("Votre navigateur refuse notre cookie.")
		shown(tab, look, "cookies-refused")
		tab.Follow("Tester mon navigateur")
		tab.Heading("Tester mon navigateur")
	})
}

func TestAFormThatWasLeftOpenLosesNothing(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/identity/sessions")
		tab.DropCookies() // the browser was closed, and shows its pages again
		signInAs(tab, "staff", house.Password)
		tab.Sees("Encore une fois, s’il vous plaît.")
		if kept := tab.Value("Identifiant"); kept != "staff" {
			t.Errorf("the identifier should be kept, the field holds %q", kept)
		}
		tab.Fill("Mot de passe", house.Password)
		tab.Press("Se connecter")
		tab.IsAt("/identity/sessions") // where the person was going
	})
}

func TestAnAgentOpensTheVerySignInThatFailed(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "student"
		if !look.Script {
			who = "teacher"
		}
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		signInAs(tab, who, "not the one")
		incident := find(t, tab, incidentForm)
		tab.Follow("Signaler cet échec à l’assistance")
		tab.Heading("Ça n’a pas marché ?")
		shown(tab, look, "flag")
		tab.Fill("Que s’est-il passé ? (facultatif)", "Mon clavier écrit autre chose.")
		tab.Press("Prévenir l’assistance")
		tab.Heading("L’assistance la voit.")
		tab.Sees(incident)
		shown(tab, look, "flag-sent")

		tab.Visit("/diagnostic")
		tab.Press("Lancer le test")
		tab.Heading("Ce que le test a trouvé")
		tab.Press("Joindre à mon incident")
		tab.Sees(incident)
		shown(tab, look, "diagnostic-attached")

		agent := signedIn(t, h, look, "agent")
		agent.Visit("/identity/support")
		agent.Sees(incident, "Mon clavier écrit autre chose.")
		shown(agent, look, "support")
		agent.Fill("Code d’incident", strings.ToLower(incident))
		agent.Press("Ouvrir l’incident")
		agent.Heading(incident)
		agent.Sees("Mon clavier écrit autre chose.", "Le mot de passe n’est pas celui de cet identifiant.", "Ce que la personne a lu", "ne vont pas ensemble", "Autotest du navigateur", "Votre navigateur garde notre cookie", demoPerson(t, who).GivenName)
		agent.SeesNot("not the one")
		shown(agent, look, "support-incident")
		agent.Press("Envoyer de quoi changer de mot de passe")
		agent.Sees("De quoi changer de mot de passe part")
		to := demoPerson(t, who).Mail
		if who == "student" {
			to = demoPerson(t, who).PersonalMail
		}
		letter := office.About(t, to, "nouveau mot de passe")
		tab.Visit(letter.Link(t))
		tab.Heading("Choisir un nouveau mot de passe")
		agent.Press("C’est réglé")
		agent.Sees("C’est retiré de la liste.")

		// What was opened stands in the journal of its owner.
		owner := signedIn(t, h, look, who)
		owner.Visit("/identity/journal")
		owner.Sees(incident)
		shown(owner, look, "journal-opened")
	})
}

func TestALostPhoneIsReplacedWithARecoveryCode(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "student"
		if !look.Script {
			who = "staff"
		}
		tab := signedIn(t, h, look, who)
		addOathApp(t, tab)
		tab.Visit("/identity/factors/recovery-codes")
		shown(tab, look, "recovery-codes")
		tab.Press("Préparer mes codes")
		code := find(t, tab, recoveryForm)
		shown(tab, look, "recovery-codes-new")
		tab.Tick("Je les garde en lieu sûr")
		tab.Press("Terminer")
		tab.Sees("Vos codes de secours sont prêts.")
		leave(tab)

		tab = visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		signInAs(tab, who, house.Password)
		tab.Heading("Encore une preuve que c’est vous")
		shown(tab, look, "factor-asked")
		tab.Follow("Je ne l’ai plus")
		tab.Heading("Il vous reste des façons d’entrer")
		shown(tab, look, "factor-lost")
		tab.Follow("Code de secours")
		tab.Fill("Un de vos codes de secours", strings.ToUpper(code))
		tab.Press("Continuer")
		tab.IsAt("/")

		// It opened once.
		tab = visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Expect(http.StatusGone)
		tab.Expect(http.StatusConflict)
		tab.Visit("/login")
		signInAs(tab, who, house.Password)
		tab.Follow("Code de secours")
		tab.Fill("Un de vos codes de secours", code)
		tab.Press("Continuer")
		tab.Sees("déjà servi")
		shown(tab, look, "recovery-code-used")
	})
}

func TestWhoLostEverythingIsBroughtBackByTwoAgents(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, append(office.Environment(), "AMPHI_IDENTITY__RECOVERY__DELAY_AT_DESK=0s"))
	said, failed := h.Command(t, house.Password+"\n", "person", "add", "colleague", "--mail", "colleague@univ-valmont.example",
		"--given-name", "Maïa", "--family-name", "Etcheverry", "--affiliation", "staff:rives:AIDE", "--right", "helpdesk", "--password-stdin")
	if failed != 0 {
		t.Fatal(said)
	}
	rewrite(t, h, "UPDATE identity_points SET verified_at = created_at") // as an activation does
	look := browser.Phone
	me := demoPerson(t, "student")
	app := addOathApp(t, signedIn(t, h, browser.Desk, "student"))

	tab := visitor(t, h, look)
	tab.Expect(http.StatusUnprocessableEntity)
	tab.Visit("/login")
	signInAs(tab, "student", house.Password)
	tab.Follow("Je ne l’ai plus")
	tab.Follow("Récupérer mon compte")
	shown(tab, look, "recovery-ladder")
	tab.Press("Demander un retour accompagné")
	tab.Heading("Retrouver votre compte")
	shown(tab, look, "recovery-follow")
	follow := tab.Path()
	stop := office.About(t, me.Mail, "Quelqu’un demande l’accès à votre compte")
	office.About(t, me.PersonalMail, "Quelqu’un demande l’accès à votre compte")
	office.About(t, phoneOf(t, "student"), "demande l") // a text message has plain apostrophes
	owner := visitor(t, h, look)                        // who reads the letter changes nothing
	owner.Visit(stop.Link(t))
	owner.Heading("Quelqu’un demande l’accès à votre compte")
	shown(owner, look, "recovery-stop")

	vouch := func(agent *browser.Tab) {
		agent.Visit("/identity/support/recoveries")
		agent.Follow(me.GivenName + " " + me.FamilyName)
		agent.Tick("carte d’identité")
		agent.Tick("Au guichet")
		agent.Press("Je me porte garant de cette personne")
		agent.Sees("Vous vous êtes porté garant.")
	}
	first := signedIn(t, h, look, "agent")
	first.Visit("/identity/support/recoveries")
	shown(first, look, "recoveries")
	first.Follow(me.GivenName + " " + me.FamilyName)
	shown(first, look, "recovery-request")
	vouch(first)
	first.Sees("Une ou un collègue doit le faire aussi.")
	if first.Has("button", "Je me porte garant de cette personne") {
		t.Error("one agent may vouch twice")
	}
	second := signedIn(t, h, look, "colleague")
	vouch(second)
	office.About(t, me.Mail, "peut être rouvert")
	second.Press("Montrer le lien et le code")
	shown(second, look, "recovery-key")
	link, code := find(t, second, openingForm), find(t, second, eightDigits)

	tab.Visit(follow)
	tab.Sees("Vous avez reçu un lien et un code.")
	tab.Visit(link)
	tab.Heading("Heureux de vous revoir, " + me.GivenName)
	shown(tab, look, "recovery-open")
	tab.Fill("Code à 8 chiffres", "0000 0000")
	chooseAnew(tab, nextPassword, nextPassword)
	tab.Press("Ouvrir mon compte")
	tab.Sees("Le code ne correspond pas.")
	shown(tab, look, "recovery-open-refused")
	tab.Fill("Code à 8 chiffres", code)
	chooseAnew(tab, nextPassword, nextPassword)
	tab.Press("Ouvrir mon compte")
	tab.IsAt("/")
	office.About(t, me.Mail, "ouvert avec un nouveau mot de passe")

	// The old factor is gone, a new one is added and asked for from now on.
	tab.Visit("/identity/factors")
	tab.Sees("Vous n’en avez pas encore.")
	if newer := addOathApp(t, tab); newer.key == app.key {
		t.Error("the key of the lost phone is used again")
	}
	tab = visitor(t, h, look)
	tab.Visit("/login")
	signInAs(tab, "student", nextPassword)
	tab.Heading("Encore une preuve que c’est vous")

	// Somebody else's request is stopped by the owner of the account.
	second.Expect(http.StatusConflict)
	addOathApp(t, signedIn(t, h, browser.Desk, "teacher"))
	thief := visitor(t, h, look)
	thief.Visit("/login")
	signInAs(thief, "teacher", house.Password)
	thief.Follow("Je ne l’ai plus")
	thief.Follow("Récupérer mon compte")
	thief.Press("Demander un retour accompagné")
	owner.Visit(office.About(t, demoPerson(t, "teacher").Mail, "demande l’accès").Link(t))
	owner.Press("Ce n’est pas moi : arrêter")
	owner.Sees("C’est arrêté.")
	shown(owner, look, "recovery-stopped")
	thief.Visit(thief.Path())
	thief.Sees("Arrêté par le titulaire du compte")
	shown(thief, look, "recovery-follow-stopped")
}

func TestAChangedPhoneTakesTheAppWithIt(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "teacher"
		if !look.Script {
			who = "agent"
		}
		tab := signedIn(t, h, look, who)
		old := addOathApp(t, tab)
		tab.Visit("/identity/new-phone")
		shown(tab, look, "new-phone")
		tab.Follow(tab.Name("link", "Commencer"))
		tab.Heading("Je change de téléphone")
		shown(tab, look, "new-phone-app")
		phone := oathApp{key: shownKey(t, tab)}
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Fill("Code affiché par l’application", old.next(t))
		tab.Press("Vérifier et passer au nouveau")
		shown(tab, look, "new-phone-old-code")
		tab.Fill("Code affiché par l’application", phone.now(t))
		tab.Press("Vérifier et passer au nouveau")
		tab.Heading("Votre nouveau téléphone est prêt.")
		shown(tab, look, "new-phone-done")

		other := visitor(t, h, look)
		other.Expect(http.StatusUnprocessableEntity)
		other.Visit("/login")
		signInAs(other, who, house.Password)
		other.Fill("Code affiché par l’application", old.next(t))
		other.Press("Continuer")
		shown(other, look, "new-phone-old-refused")
		other.Fill("Code affiché par l’application", phone.next(t))
		other.Press("Continuer")
		other.IsAt("/")
	})
}
