package e2e

import (
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // time is moved in the house's own file

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
	"github.com/amphi-campus/amphi/internal/app/valmont"
)

// nextPassword is what people of these stories choose instead of the demo's.
const nextPassword = "Sept-Hiboux-Verts-31"

// demoPerson is what the demo's record says about one of its sign-ins.
func demoPerson(t *testing.T, login string) valmont.Person {
	t.Helper()
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range u.People {
		if p.Login == login {
			return p
		}
	}
	t.Fatalf("nobody of the demo is called %s", login)
	return valmont.Person{}
}

// phoneOf is the number of somebody's phone as the gateway gets it.
func phoneOf(t *testing.T, login string) string {
	t.Helper()
	return "+33" + strings.TrimPrefix(strings.ReplaceAll(demoPerson(t, login).Mobile, " ", ""), "0")
}

// signInAs fills in the sign-in page that is open.
func signInAs(tab *browser.Tab, who, plain string) {
	tab.Fill("Identifiant", who)
	tab.Fill("Mot de passe", plain)
	tab.Press("Se connecter")
}

// chooseAnew types a new password twice.
func chooseAnew(tab *browser.Tab, plain, again string) {
	tab.Fill("Nouveau mot de passe", plain)
	tab.Fill("Le même, encore une fois", again)
}

// leave signs out.
func leave(tab *browser.Tab) {
	tab.Visit("/logout")
	tab.Press("Se déconnecter")
	tab.Heading("Vous êtes sorti.")
}

// askForCode begins with a forgotten password.
func askForCode(tab *browser.Tab, who string) {
	tab.Visit("/password/forgotten")
	tab.Fill("Identifiant", who)
	tab.Press("Recevoir un code")
	tab.Heading("Saisissez le code reçu")
}

// typeCode types the code of a message into the page that asks for it.
func typeCode(tab *browser.Tab, code string) {
	tab.Fill("Code", code)
	tab.Press("Continuer")
}

// otherThan is a code of six digits that is not this one.
func otherThan(code string) string {
	if code == "123456" {
		return "654321"
	}
	return "123456"
}

// rewrite changes the data of a house under its feet, to move something in time:
// nobody waits for a month in a story.
func rewrite(t *testing.T, h *house.House, statement string, arguments ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.Folder(), "amphi.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(t.Context(), statement, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed %d rows (%v)", statement, n, err)
	}
}

// ago is an instant as the house stores it.
func ago(d time.Duration) int64 { return time.Now().Add(-d).UnixMicro() }

func TestAForgottenPasswordIsReplacedWithACodeFromTheMail(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		office := post.Open(t)
		h := house.StartWith(t, office.Environment())
		me := demoPerson(t, "student")
		elsewhere := signedIn(t, h, browser.Desk, "student")

		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		tab.Follow("Mot de passe oublié")
		tab.Heading("Mot de passe oublié")
		shown(tab, look, "forgotten-1-who")
		tab.Fill("Identifiant", "student")
		tab.Press("Recevoir un code")
		tab.Heading("Saisissez le code reçu")
		shown(tab, look, "forgotten-2-code")

		letter := office.Next(t, me.PersonalMail)
		code := letter.Code(t)
		typeCode(tab, otherThan(code))
		tab.Sees("Il vous reste 4 essais")
		shown(tab, look, "forgotten-3-wrong-code")
		typeCode(tab, code[:3]+" "+code[3:])

		tab.Heading("Choisissez un nouveau mot de passe")
		chooseAnew(tab, "court", "autre chose")
		tab.Press("Enregistrer et continuer")
		tab.Sees("12 caractères ou plus")
		shown(tab, look, "forgotten-4-refused")
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Enregistrer et continuer")
		tab.IsAt("/")

		// Whoever else was in is out, and is told.
		elsewhere.Visit("/identity/sessions")
		elsewhere.IsAt("/login")
		office.About(t, me.Mail, "Votre mot de passe a été changé")

		// Letter and link are used up, the new password works, the old one does not.
		late := visitor(t, h, look)
		late.Expect(http.StatusGone)
		late.Expect(http.StatusUnprocessableEntity)
		late.Visit(letter.Link(t))
		late.Press("Continuer sur cet appareil")
		late.Sees("Ce lien ne sert plus.")
		shown(late, look, "forgotten-5-link-over")
		late.Visit("/login")
		signInAs(late, "student", house.Password)
		late.Sees("ne vont pas ensemble")
		signInAs(late, "student", nextPassword)
		late.IsAt("/")
	})
}

func TestAForgottenPasswordIsReplacedWithACodeOnThePhone(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "teacher"
		if !look.Script {
			who = "agent" // a phone gets one message a minute
		}
		tab := visitor(t, h, look)
		askForCode(tab, who)
		typeCode(tab, office.Next(t, phoneOf(t, who)).Code(t))
		tab.Heading("Choisissez un nouveau mot de passe")
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Enregistrer et continuer")
		tab.IsAt("/")
	})
}

func TestAMailScannerDoesNotUseUpALinkAndItsOwnerDoes(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	asked := visitor(t, h, browser.Desk)
	askForCode(asked, "student")
	letter := office.Next(t, demoPerson(t, "student").PersonalMail)

	address, err := url.Parse(letter.Link(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet} {
		look := get(t, h, address.RequestURI())
		look.Method = method
		if answer, _ := send(t, client(t), look); answer.StatusCode != http.StatusOK {
			t.Errorf("a scanner's %s is answered %s", method, answer.Status)
		}
	}

	look := browser.Phone.WithoutScript()
	tab := visitor(t, h, look)
	tab.Visit(letter.Link(t))
	tab.Sees("rien n’a encore changé")
	shown(tab, look, "forgotten-link")
	tab.Press("Continuer sur cet appareil")
	tab.Heading("Choisissez un nouveau mot de passe")

	// It goes on here only: the browser that asked cannot be led on by a code.
	asked.Expect(http.StatusGone)
	typeCode(asked, letter.Code(t))
	asked.Sees("la suite se passe sur un autre appareil")
	shown(asked, browser.Desk, "forgotten-elsewhere")

	chooseAnew(tab, nextPassword, nextPassword)
	tab.Press("Enregistrer et continuer")
	tab.IsAt("/")
}

func TestAForgottenPasswordTellsStrangersNothing(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	look := browser.Phone
	tab := visitor(t, h, look)
	tab.Expect(http.StatusUnprocessableEntity)
	tab.Visit("/password/forgotten")
	tab.Fill("Identifiant", "lina.martin@courriel.example")
	tab.Press("Recevoir un code")
	tab.Sees("Cela ressemble à une adresse personnelle.")
	shown(tab, look, "forgotten-personal-address")
	tab.Fill("Identifiant", "24123456")
	tab.Press("Recevoir un code")
	tab.Sees("Cela ressemble à un numéro.")

	askForCode(tab, "nobody-at-all")
	unknown := tab.Text()
	typeCode(tab, "123456")
	refused := tab.Text()
	known := visitor(t, h, look)
	known.Expect(http.StatusUnprocessableEntity)
	askForCode(known, "staff")
	if said := known.Text(); said != unknown {
		t.Errorf("the answers differ:\n%s\n\n%s", said, unknown)
	}
	mine := office.Next(t, phoneOf(t, "staff")).Code(t)
	typeCode(known, otherThan(mine))
	if said := known.Text(); said != refused {
		t.Errorf("the answers to a wrong code differ:\n%s\n\n%s", said, refused)
	}

	// The code of somebody else is a wrong one.
	typeCode(tab, mine)
	tab.Sees("Le code ne correspond pas.")

	// A code that is right and late is explained.
	rewrite(t, h, "UPDATE identity_codes SET expires_at = ?", ago(time.Minute))
	known.Expect(http.StatusGone)
	typeCode(known, mine)
	known.Sees("La durée de validité de ce code est écoulée.")
	shown(known, look, "forgotten-late-code")
}

func TestThePasswordIsChangedInsideASession(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "student"
		if !look.Script {
			who = "teacher"
		}
		other := signedIn(t, h, browser.Desk, who)
		tab := signedIn(t, h, look, who)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/identity/password")
		tab.Heading("Changer mon mot de passe")
		shown(tab, look, "password-change")

		tab.Fill("Mot de passe actuel", house.Password)
		chooseAnew(tab, "azerty12", "azerty13")
		if look.Script { // each rule answers as one types
			tab.Sees("12 caractères ou plus : pas encore.", "des lettres et des chiffres, ou 20 caractères et plus : oui.", "Les deux saisies diffèrent encore.")
			shown(tab, look, "password-change-ticks")
			chooseAnew(tab, nextPassword, nextPassword)
			tab.Sees("12 caractères ou plus : oui.", "aucun mot de passe déjà connu des pirates, même suivi de chiffres : oui.", "Les deux saisies sont identiques.")
			shown(tab, look, "password-change-kept")
			chooseAnew(tab, "azerty12", "azerty12")
		}
		tab.Press("Changer le mot de passe")
		tab.Sees("12 caractères ou plus", "ni suite ni répétition")
		shown(tab, look, "password-change-refused")

		tab.Fill("Mot de passe actuel", "not the one")
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Changer le mot de passe")
		tab.Sees("Ce n’est pas votre mot de passe actuel.")

		tab.Fill("Mot de passe actuel", house.Password)
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Changer le mot de passe")
		tab.Sees("Votre mot de passe est changé, et vos autres sessions sont fermées.")
		shown(tab, look, "password-changed")
		other.Visit("/identity/sessions")
		other.IsAt("/login")
		office.About(t, demoPerson(t, who).Mail, "Votre mot de passe a été changé")

		// The one before is named as such where its owner is known, and nowhere else.
		leave(tab)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		signInAs(tab, who, house.Password)
		tab.Sees("C’est votre ancien mot de passe.")
		shown(tab, look, "password-old")
		stranger := visitor(t, h, look)
		stranger.Expect(http.StatusUnprocessableEntity)
		stranger.Visit("/login")
		signInAs(stranger, who, house.Password)
		stranger.Sees("ne vont pas ensemble")
		stranger.SeesNot("ancien mot de passe")
	})
}

func TestAPasswordThatExpiredIsChangedOnTheWayInOrWithoutASession(t *testing.T) {
	t.Parallel()
	h := house.StartWith(t, []string{"AMPHI_IDENTITY__PASSWORD__MAX_AGE=720h"})
	rewrite(t, h, "UPDATE identity_passwords SET changed_at = ?", ago(31*24*time.Hour))
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		onTheWay, without := "student", "teacher"
		if !look.Script {
			onTheWay, without = "staff", "agent"
		}
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/identity/sessions")
		signInAs(tab, onTheWay, house.Password)
		tab.Heading("Choisissez un nouveau mot de passe")
		tab.Sees("Votre mot de passe a atteint l’âge limite de l’établissement.")
		shown(tab, look, "password-expired")
		chooseAnew(tab, house.Password, house.Password)
		tab.Press("Enregistrer et continuer")
		tab.Sees("aucun de vos 5 derniers mots de passe")
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Enregistrer et continuer")
		tab.IsAt("/identity/sessions") // where the person was going

		// Or where a poster leads, without any session.
		tab = visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/password")
		tab.Heading("Changer mon mot de passe")
		shown(tab, look, "password-hub")
		tab.Fill("Identifiant", without)
		tab.Fill("Mot de passe actuel", "not the one")
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Changer le mot de passe")
		tab.Sees("ne vont pas ensemble")
		shown(tab, look, "password-hub-refused")
		if kept := tab.Value("Identifiant"); kept != without {
			t.Errorf("the identifier should be kept, the field holds %q", kept)
		}
		tab.Fill("Mot de passe actuel", house.Password)
		chooseAnew(tab, nextPassword, nextPassword)
		tab.Press("Changer le mot de passe")
		tab.Heading("Votre mot de passe est changé")
		shown(tab, look, "password-hub-done")
		tab.Follow("Se connecter")
		signInAs(tab, without, nextPassword)
		tab.IsAt("/")
	})
}
