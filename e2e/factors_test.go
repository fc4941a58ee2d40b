package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
)

// demanding starts a house that asks everybody for a second factor, with an office.
func demanding(t *testing.T, settings ...string) (*house.House, *post.Office) {
	t.Helper()
	office := post.Open(t)
	settings = append(settings, "AMPHI_IDENTITY__FACTOR__REQUIRED_KINDS=student,teacher,staff")
	return house.StartWith(t, append(settings, office.Environment()...)), office
}

// enters signs somebody in whose house asks for a factor.
func enters(tab *browser.Tab, who string) {
	tab.Visit("/login")
	signIn(tab, who)
}

func TestTheFirstSignInWithAnAuthenticatorApp(t *testing.T) {
	t.Parallel()
	h, _ := demanding(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who, late := "student", time.Duration(0)
		if !look.Script {
			who, late = "teacher", 3*time.Minute // their phone is slow
		}
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Expect(http.StatusConflict) // a code that served
		enters(tab, who)
		tab.Heading("Choisissez un second facteur")
		tab.Sees("Pourquoi maintenant ?", "Vous pouvez remettre à plus tard jusqu’au")
		shown(tab, look, "factor-choice")
		tab.Follow("Application d’authentification")
		shown(tab, look, "factor-app")
		app := oathApp{key: shownKey(t, tab)}
		began := time.Now().Add(-late)
		tab.Fill("Code affiché par l’application", otherThan(app.code(t, began)))
		tab.Press("Vérifier et ajouter")
		tab.Sees("Ce n’est pas le code.")
		shown(tab, look, "factor-app-refused")
		if again := shownKey(t, tab); again != app.key {
			t.Error("a wrong code should not change the key that the app has by now")
		}
		tab.Fill("Code affiché par l’application", app.code(t, began))
		tab.Press("Vérifier et ajouter")
		tab.IsAt("/")
		if late == 0 {
			tab.Sees("L’application est ajoutée.")
		} else {
			tab.Sees("L’horloge de votre téléphone est en retard de 3 minutes")
		}

		leave(tab)
		enters(tab, who)
		tab.Heading("Encore une preuve que c’est vous")
		shown(tab, look, "factor-app-asked")
		tab.Fill("Code affiché par l’application", app.code(t, began))
		tab.Press("Continuer")
		tab.Sees("Ce code a déjà servi.")
		shown(tab, look, "factor-app-replayed")
		tab.Fill("Code affiché par l’application", app.code(t, time.Now().Add(4*time.Minute)))
		tab.Press("Continuer")
		tab.Sees("Le code est bon, mais votre téléphone avance.")
		shown(tab, look, "factor-app-early")
		tab.Fill("Code affiché par l’application", app.code(t, began.Add(30*time.Second)))
		tab.Press("Continuer")
		tab.IsAt("/")
	})
}

func TestTheFirstSignInWithCodesBySMS(t *testing.T) {
	t.Parallel()
	h, office := demanding(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "staff"
		if !look.Script {
			who = "agent"
		}
		number := international(demoPerson(t, who).Mobile)
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		enters(tab, who)
		tab.Follow("Code par SMS")
		shown(tab, look, "factor-sms")
		tab.Press("Envoyer un code")
		tab.Heading("Saisissez le code reçu")
		shown(tab, look, "factor-sms-code")
		tab.Back()
		tab.Back() // to the choice, and to the same way again
		tab.Heading("Choisissez un second facteur")
		tab.Follow("Code par SMS")
		tab.Press("Envoyer un code") // too soon for another one: the first counts
		code := office.Next(t, number).Code(t)
		tab.Fill("Code", otherThan(code))
		tab.Press("Vérifier et ajouter")
		tab.Sees("Il vous reste 4 essais")
		shown(tab, look, "factor-sms-refused")
		tab.Fill("Code", code)
		tab.Press("Vérifier et ajouter")
		tab.IsAt("/")
		tab.Sees("Le numéro est ajouté.")

		leave(tab)
		enters(tab, who)
		tab.Heading("Encore une preuve que c’est vous")
		shown(tab, look, "factor-sms-asked")
		rewrite(t, h, "UPDATE mailer_outbox SET created_at = ?", ago(2*time.Minute)) // a second code may leave after a minute
		tab.Press("M’envoyer un code")
		fresh := office.About(t, number, "code").Code(t)
		shown(tab, look, "factor-sms-sent")
		tab.Fill("Code", otherThan(fresh))
		tab.Press("Continuer")
		tab.Sees("essais")
		tab.Fill("Code", fresh)
		tab.Press("Continuer")
		tab.IsAt("/")

		tab.Visit("/identity/sessions")
		tab.Sees("cet appareil")
	})
}

func TestTheFirstSignInWithCodesByMail(t *testing.T) {
	t.Parallel()
	h, office := demanding(t, "AMPHI_IDENTITY__FACTOR__METHODS=totp,mail") // which is not the rule
	me := demoPerson(t, "student")
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		enters(tab, "student")
		if !look.Script {
			tab.Heading("Choisissez un second facteur")
			tab.Sees("Pas proposé par votre université")
			tab.Follow("Code par courriel")
			// The address of the university is behind this very door.
			tab.SeesNot(me.Mail)
			shown(tab, look, "factor-mail")
			tab.Press("Envoyer un code")
			tab.Heading("Saisissez le code reçu")
			code := office.About(t, me.PersonalMail, "code").Code(t)
			tab.Fill("Code", otherThan(code))
			tab.Press("Vérifier et ajouter")
			tab.Sees("Il vous reste 4 essais")
			tab.Fill("Code", code)
			tab.Press("Vérifier et ajouter")
			tab.IsAt("/")
			tab.Sees("L’adresse est ajoutée.")
			leave(tab)
			enters(tab, "student")
		}

		tab.Heading("Encore une preuve que c’est vous")
		tab.Sees("Rien ne part avant que vous appuyiez sur le bouton.")
		shown(tab, look, "factor-mail-asked")
		rewrite(t, h, "UPDATE mailer_outbox SET created_at = ?", ago(2*time.Minute)) // a second code may leave after a minute
		tab.Press("M’envoyer un code")
		fresh := office.About(t, me.PersonalMail, "code").Code(t)
		shown(tab, look, "factor-mail-sent")
		tab.Fill("Code", otherThan(fresh))
		tab.Press("Continuer")
		tab.Sees("essais")
		tab.Fill("Code", fresh)
		tab.Press("Continuer")
		tab.IsAt("/")
	})
}

func TestAGraceThatRanOutLeavesNoWayAroundAFactor(t *testing.T) {
	t.Parallel()
	h, _ := demanding(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "student"
		if !look.Script {
			who = "teacher"
		}
		tab := visitor(t, h, look)
		enters(tab, who)
		tab.Heading("Choisissez un second facteur")
		tab.Press("Plus tard")
		tab.IsAt("/")
		leave(tab)

		rewrite(t, h, "UPDATE identity_factor_grace SET began_at = ?", ago(15*24*time.Hour))
		enters(tab, who)
		tab.Heading("Choisissez un second facteur")
		tab.Sees("Pourquoi maintenant ?")
		tab.SeesNot("remettre à plus tard")
		if tab.Has("button", "Plus tard") {
			t.Error("a grace that ran out can still be put off")
		}
		shown(tab, look, "factor-choice-due")
		choice := tab.Address()
		tab.Visit("/") // around it
		tab.IsAt("/login")
		tab.Visit(choice)
		tab.Follow("Application d’authentification")
		app := oathApp{key: shownKey(t, tab)}
		tab.Fill("Code affiché par l’application", app.now(t))
		tab.Press("Vérifier et ajouter")
		tab.IsAt("/")
	})
}

func TestACodeOfSomebodyElseOpensNothing(t *testing.T) {
	t.Parallel()
	h, office := demanding(t)
	tabs := map[string]*browser.Tab{}
	codes := map[string]string{}
	for _, who := range []string{"staff", "agent"} {
		tab := visitor(t, h, browser.Phone)
		enters(tab, who)
		tab.Follow("Code par SMS")
		tab.Press("Envoyer un code")
		tab.Heading("Saisissez le code reçu")
		tabs[who], codes[who] = tab, office.Next(t, international(demoPerson(t, who).Mobile)).Code(t)
	}
	tabs["agent"].Expect(http.StatusUnprocessableEntity)
	tabs["agent"].Fill("Code", codes["staff"])
	tabs["agent"].Press("Vérifier et ajouter")
	if codes["agent"] != codes["staff"] { // one in a million
		tabs["agent"].Sees("Il vous reste 4 essais")
	}
	for who, tab := range tabs {
		tab.Fill("Code", codes[who])
		tab.Press("Vérifier et ajouter")
		tab.IsAt("/")
	}
}

func TestTheFirstSignInWithASecurityKey(t *testing.T) {
	t.Parallel()
	h, _ := demanding(t)
	tab := visitor(t, h, browser.Phone)
	key := tab.SecurityKey()
	enters(tab, "admin")
	tab.Follow("Clé de sécurité")
	shown(tab, browser.Phone, "factor-key")
	tab.Fill("Nom (facultatif)", "Clé bleue")
	tab.Press("Ajouter ma clé")
	tab.IsAt("/")
	tab.Sees("La clé est ajoutée.")
	if n := len(key.Credentials()); n != 1 {
		t.Errorf("the key keeps %d credentials", n)
	}

	leave(tab)
	enters(tab, "admin")
	tab.Heading("Encore une preuve que c’est vous")
	shown(tab, browser.Phone, "factor-key-asked")
	tab.Press("Utiliser ma clé ou ma clé d’accès")
	tab.IsAt("/")

	other := visitor(t, h, browser.Phone.WithoutScript())
	enters(other, "admin")
	other.Sees("Une clé a besoin de JavaScript.", "Choisissez une autre façon plus bas.")
	other.Check()
	other.Picture("factor-key-asked")

	stranger := visitor(t, h, browser.Phone)
	stranger.SecurityKey() // not the one that was registered
	enters(stranger, "admin")
	stranger.Press("Utiliser ma clé ou ma clé d’accès")
	stranger.Sees("Il n’y a pas de clé pour ce compte sur cet appareil.")
	shown(stranger, browser.Phone, "factor-key-absent")
}

func TestAPasskeyOpensTheDoorAlone(t *testing.T) {
	t.Parallel()
	h, _ := demanding(t)
	tab := visitor(t, h, browser.Phone)
	keychain := tab.Keychain()
	enters(tab, "student")
	tab.Follow("Clé d’accès (passkey)")
	shown(tab, browser.Phone, "factor-passkey")
	tab.Press("Créer ma clé d’accès")
	tab.IsAt("/")
	tab.Sees("La clé d’accès est créée.")

	leave(tab)
	tab.Visit("/login") // the keychain offers its key among the identifiers, and here takes it
	tab.IsAt("/")

	tab.Visit("/identity/factors")
	shown(tab, browser.Phone, "factor-list")
	tab.Look(browser.Desk)
	shown(tab, browser.Desk, "factor-list")

	// Who leaves the suggestion alone finds a button.
	leave(tab)
	keychain.Touched(false)
	tab.Visit("/login")
	tab.IsAt("/login")
	shown(tab, browser.Desk, "factor-passkey-sign-in")
	keychain.Touched(true)
	tab.Press("Se connecter avec une clé d’accès")
	tab.IsAt("/")
	tab.Visit("/identity/sessions")
	tab.Sees("cet appareil")

	// Where there is no passkey the button says so.
	leave(tab)
	keychain.Unplug()
	tab.Keychain()
	tab.Visit("/login")
	tab.Press("Se connecter avec une clé d’accès")
	tab.Sees("Il n’y a pas de clé pour ce compte sur cet appareil.")
	tab.IsAt("/login")
}

func TestRecoveryCodesAndATrustedBrowser(t *testing.T) {
	t.Parallel()
	h, _ := demanding(t)
	look := browser.Phone.WithoutScript() // it needs none
	tab := visitor(t, h, look)
	tab.Expect(http.StatusUnprocessableEntity)
	tab.Expect(http.StatusGone) // a code that served
	enters(tab, "student")
	tab.Follow("Application d’authentification")
	app := oathApp{key: shownKey(t, tab)}
	tab.Fill("Code affiché par l’application", app.now(t))
	tab.Press("Vérifier et ajouter")
	tab.IsAt("/")

	tab.Visit("/identity/factors")
	tab.Follow("Préparer mes codes")
	tab.Press("Préparer mes codes")
	tab.Heading("Vos codes de secours")
	shown(tab, browser.Phone, "factor-codes")
	codes := recoveryCode.FindAllString(tab.Text(), -1)
	if len(codes) < 8 {
		t.Fatalf("the page shows %d codes:\n%s", len(codes), tab.Text())
	}
	if file := download(t, h, tab, "/identity/factors/recovery-codes/file"); !slices.Equal(recoveryCode.FindAllString(file, -1), codes) {
		t.Errorf("the file has other codes than the page:\n%s", file)
	}
	tab.Press("Terminer")
	tab.Sees("Gardez d’abord les codes, puis cochez cette case.")
	tab.Tick("Je les garde en lieu sûr")
	tab.Press("Terminer")
	tab.Sees("Vos codes de secours sont prêts.")

	leave(tab)
	useCode := func(c string) {
		enters(tab, "student")
		tab.Follow("Code de secours")
		tab.Fill("Un de vos codes de secours", c)
	}
	useCode(strings.ToUpper(codes[0]))
	shown(tab, browser.Phone, "factor-codes-asked")
	tab.Press("Continuer")
	tab.IsAt("/")

	leave(tab)
	useCode(codes[0])
	tab.Press("Continuer")
	tab.Sees("Ce code de secours a déjà servi.")
	shown(tab, browser.Phone, "factor-codes-used")
	tab.Fill("Un de vos codes de secours", codes[1])
	tab.Tick("Ne plus demander dans ce navigateur pendant 30 jours")
	tab.Press("Continuer")
	tab.IsAt("/")

	leave(tab)
	enters(tab, "student")
	tab.IsAt("/") // this browser stands in for the factor
	other := visitor(t, h, look)
	enters(other, "student")
	other.Heading("Encore une preuve que c’est vous")
}

// recoveryCode is the form of a code on somebody's sheet.
var recoveryCode = regexp.MustCompile(`\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b`)

// download fetches a file as the person in this tab would.
func download(t *testing.T, h *house.House, tab *browser.Tab, path string) string {
	t.Helper()
	request := get(t, h, path)
	for _, cookie := range tab.Cookies() {
		request.AddCookie(cookie)
	}
	answer, body := send(t, client(t), request)
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("%s answered %s, %q", path, answer.Status, answer.Header.Get("Content-Disposition"))
	}
	return body
}

func TestAFactorCanWaitAndTwoTabsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	h, _ := demanding(t)
	tab := visitor(t, h, browser.Phone)
	enters(tab, "student")
	tab.Heading("Choisissez un second facteur")
	first := tab.Address()
	enters(tab, "student") // as in another tab
	tab.Heading("Choisissez un second facteur")
	tab.Press("Plus tard")
	tab.IsAt("/")
	tab.Visit(first) // the tab that was left
	tab.Heading("Ajouter un second facteur")
	tab.Follow("Application d’authentification")
	app := oathApp{key: shownKey(t, tab)}
	tab.Fill("Code affiché par l’application", app.now(t))
	tab.Press("Vérifier et ajouter")
	tab.IsAt("/identity/factors")
	tab.Sees("L’application est ajoutée.")
}
