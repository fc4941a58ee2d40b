package e2e

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
)

// deskAddress is the mail address of the queue of these stories.
const deskAddress = "reseau@aide.valmont.example"

// postbox is the mail server in front of a house: what people write is handed over
// to it as an institution's own server would.
type postbox struct {
	*post.Office
	*house.House
	at string // where the house listens for mail
}

// openPostbox starts a house that takes mail, for a queue that has an address.
func openPostbox(t *testing.T) postbox {
	t.Helper()
	office := post.Open(t)
	at := fmt.Sprintf("127.0.0.1:%d", unusedPort(t))
	h := house.StartWith(t, append(office.Environment(), "AMPHI_HELPDESK__MAIL__LISTEN="+at, "AMPHI_HELPDESK__MAIL__MAX_SIZE=1048576"))
	admin := signedIn(t, h, browser.Desk, "admin")
	admin.Visit("/helpdesk/setup/mail")
	admin.Sees("Il n’y a pas de courriel ici")
	admin.SeesNot("Aucun courriel n’arrive encore")
	admin.Check()
	admin.Follow("Réseau et Wi-Fi")
	admin.Fill("Adresse de sa boîte (facultatif)", deskAddress)
	admin.Press("Enregistrer")
	admin.Visit("/helpdesk/setup/mail")
	admin.Sees(deskAddress)
	return postbox{office, h, at}
}

// letterOf is a mail as a program of its author writes it (RFC 5322). More are
// fields of its head.
func letterOf(from, subject, text string, more ...string) string {
	head := append([]string{
		"From: " + from, "To: " + deskAddress, "Subject: " + subject, "Date: " + time.Now().Format(time.RFC1123Z),
		fmt.Sprintf("Message-ID: <%d@client.example>", time.Now().UnixNano()), "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
	}, more...)
	return strings.Join(head, "\r\n") + "\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
}

// hand gives a mail to the house by SMTP (RFC 5321); the error is what its sender
// would be told.
func (p postbox) hand(from, to, raw string) error {
	c, err := smtp.Dial(p.at)
	if err != nil {
		return err
	}
	return errors.Join(c.SendMail(from, []string{to}, strings.NewReader(raw)), c.Close())
}

// mustHand is hand for mail that is taken.
func (p postbox) mustHand(t *testing.T, from, to, raw string) {
	t.Helper()
	if err := p.hand(from, to, raw); err != nil {
		t.Fatal(err)
	}
}

// refused hands over mail that is not to be taken, with this code (RFC 5321,
// section 4.2.3).
func (p postbox) refused(t *testing.T, from, to, raw string, code int) {
	t.Helper()
	err := p.hand(from, to, raw)
	if said, ok := errors.AsType[*smtp.SMTPError](err); !ok || said.Code != code {
		t.Errorf("%s was answered with %v, want %d", to, err, code)
	}
}

// TestAStudentAsksByMailAndSaysThatItIsSolved is a conversation of which one half
// is mails, and the other half pages.
func TestAStudentAsksByMailAndSaysThatItIsSolved(t *testing.T) {
	t.Parallel()
	p := openPostbox(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		student := demoPerson(t, "elegrand") // who asked nothing yet: nobody gets more than six letters by programs in a row
		subject := "Wi-Fi en panne (" + look.String() + ")"
		p.mustHand(t, student.Mail, deskAddress, letterOf("Emma <"+student.Mail+">", subject, "Bonjour,\n\nmon téléphone ne se connecte plus.\n\n-- \nEmma, L2 informatique"))
		receipt := p.About(t, student.Mail, subject)
		if !strings.Contains(receipt.Text, "numéro de suivi") || !strings.HasPrefix(receipt.ReplyTo, "reseau+") {
			t.Errorf("the receipt says %q, answers go to %q", receipt.Text, receipt.ReplyTo)
		}

		// Without signing in, the link of the letter opens the request, and a program that
		// reads mail opens nothing.
		phone := visitor(t, p.House, look)
		phone.Visit(receipt.Link(t))
		phone.SeesNot("mon téléphone ne se connecte plus")
		shown(phone, look, "helpdesk-letter")
		phone.Press("Ouvrir la demande")
		phone.Heading(subject)
		phone.Sees("mon téléphone ne se connecte plus", "Nous l’avons reçue")
		shown(phone, look, "helpdesk-by-mail")
		number := trackingNumber(t, phone)

		// The agent sees it among the others, and answers on the page.
		agent := signedIn(t, p.House, browser.Look{Width: browser.Desk.Width, Script: look.Script}, "agent")
		agent.Visit("/helpdesk/tickets?q=" + number)
		agent.Sees(subject, "courriel")
		agent.Check()
		agent.Fill("Texte", "Oubliez le réseau, puis rejoignez-le.")
		agent.Choose("Et ensuite", "attendre la personne")
		agent.Press("Envoyer")
		agent.Sees("Oubliez le réseau, puis rejoignez-le.")

		// The answer comes by mail; what the student answers to it stands in the same
		// request, without what it quotes.
		answer := p.About(t, student.Mail, "Oubliez le réseau")
		if !strings.Contains(answer.Subject, subject) || answer.ReplyTo != receipt.ReplyTo {
			t.Errorf("the answer is about %q, and answered to %q", answer.Subject, answer.ReplyTo)
		}
		p.mustHand(t, student.Mail, answer.ReplyTo, letterOf(student.Mail, "Re: "+answer.Subject,
			"Merci, cela marche.\n\nLe lundi 23 novembre 2026, l’assistance a écrit :\n> Oubliez le réseau, puis rejoignez-le.", "In-Reply-To: <"+answer.ID+">", "References: <"+receipt.ID+"> <"+answer.ID+">"))
		p.become(t, "Re: "+answer.Subject, "followed")
		agent.Visit("/helpdesk/tickets/" + number)
		agent.Sees("Merci, cela marche.", "en cours", "Texte cité")
		agent.SeesNot("l’assistance a écrit")
		agent.Check()

		phone.Visit("/helpdesk/follow/" + number)
		phone.Sees("Merci, cela marche.", "Texte cité et signature")
		phone.Press("C’est résolu : clore la demande")
		phone.Sees("La demande est close. Merci de nous l’avoir dit.", "Est-ce résolu")
		shown(phone, look, "helpdesk-mail-closed")
		agent.Visit("/helpdesk/tickets/" + number)
		agent.Sees("clôturée")
	})
}

// TestProgramsThatWriteToTheDeskOpenNothing: an absence opens nothing, two programs do
// not answer one another without end, and who is not understood is told.
func TestProgramsThatWriteToTheDeskOpenNothing(t *testing.T) {
	t.Parallel()
	p := openPostbox(t)
	const robot = "robot@parents.example"

	// RFC 3834: nobody answers what a program answered.
	p.mustHand(t, robot, deskAddress, letterOf(robot, "Absence", "Je suis absente.", "Auto-Submitted: auto-replied"))
	p.become(t, "Absence", "left_alone")
	// A mail that comes from the desk itself is a loop.
	p.mustHand(t, robot, deskAddress, letterOf(deskAddress, "Boucle", "Votre courriel est arrivé."))
	p.become(t, "Boucle", "looped")
	// A program that hides that it is one gets six letters.
	for i := range 8 {
		p.mustHand(t, robot, deskAddress, letterOf(robot, fmt.Sprintf("Question %d", i), "Votre courriel est arrivé."))
	}
	p.become(t, "Question 7", "opened")
	got := 0
	for p.Unread(robot) > 0 {
		p.Next(t, robot)
		got++
	}
	if got != 6 {
		t.Errorf("the robot got %d letters", got)
	}

	p.refused(t, robot, "personne@aide.valmont.example", letterOf(robot, "Perdu", "À personne."), 550)
	p.refused(t, robot, deskAddress, letterOf(robot, "Énorme", strings.Repeat(strings.Repeat("x", 70)+"\n", 20000)), 552)

	// Who runs the desk reads what became of each, and may judge otherwise.
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		admin := signedIn(t, p.House, look, "admin")
		admin.Visit("/helpdesk/setup/mail")
		admin.Sees("Absence", "Boucle", robot)
		admin.SeesNot("Perdu", "Énorme")
		shown(admin, look, "helpdesk-mails")
		admin.Visit("/helpdesk/setup/mail?outcome=looped")
		admin.Sees("Boucle")
		admin.SeesNot("Absence")
	})
	admin := signedIn(t, p.House, browser.Desk, "admin")
	admin.Visit("/helpdesk/setup/mail?outcome=left_alone")
	admin.Press("En faire une demande Absence")
	admin.Sees("C’est maintenant la demande")
	admin.Check()
}

// become waits until the list of mails says what became of one.
func (p postbox) become(t *testing.T, subject, outcome string) {
	t.Helper()
	admin := signedIn(t, p.House, browser.Desk.WithoutScript(), "admin")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		admin.Visit("/helpdesk/setup/mail?outcome=" + outcome)
		if strings.Contains(admin.Text(), subject) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q is not %s; the list has %s", subject, outcome, admin.Text())
		}
	}
}

// unusedPort is a port of loopback on which nobody listens yet.
func unusedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
