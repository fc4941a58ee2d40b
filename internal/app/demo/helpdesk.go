package demo

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// demoTicket is a request as its person wrote it, and what became of it.
type demoTicket struct {
	who           string // login; empty for somebody without an account
	subject, body string
	locale        campus.Locale
	area          ticket.Area
	service       string
	leaf          string
	facts         []ticket.Fact
	answered      string // by the agent
	then          func(*ticket.Work) error
	rating        ticket.Rating
}

// demoTickets are a dozen, in every state.
func demoTickets() []demoTicket {
	browser := ticket.Fact{Label: "browser", Content: "Firefox 145.0 · Windows 11"}
	phone := ticket.Fact{Label: "browser", Content: "Safari 26.1 · iOS 26.1 · iPhone"}
	moodle := ticket.Fact{Label: "service", Content: "Moodle"}
	return []demoTicket{
		{who: "student", subject: "Moodle : il manque le cours d’algorithmique", body: "Bonjour, mes camarades le voient depuis lundi. Moi non.", area: ticket.AreaService, service: "moodle", leaf: "service_content", facts: []ticket.Fact{moodle, browser},
			answered: "Bonjour, de quel groupe de TD faites-vous partie ?", then: (*ticket.Work).Wait},
		{who: "student", subject: "Wi-Fi refusé dans la bibliothèque", body: "Depuis que j’ai changé de mot de passe, mon téléphone ne se connecte plus.", area: ticket.AreaNetwork, leaf: "wifi", facts: []ticket.Fact{phone},
			answered: "Oubliez le réseau dans les réglages du téléphone, puis rejoignez-le avec le nouveau mot de passe.", then: (*ticket.Work).Solve},
		{who: "student", subject: "Ma carte n’ouvre pas la salle B204", body: "Le voyant reste rouge. Celle de mon binôme fonctionne.", area: ticket.AreaHardware, leaf: "card"},
		{who: "student", subject: "Attestation introuvable", body: "Je ne trouve plus la page des attestations.", area: ticket.AreaPortal, leaf: "else", answered: "Elle est dans « Mes documents ».", then: (*ticket.Work).Close, rating: ticket.RatedYes},
		{who: "teacher", subject: "Ouvrir un espace Moodle pour un séminaire", body: "Il commence en janvier, pour trente personnes dont dix invités.", area: ticket.AreaService, service: "moodle", facts: []ticket.Fact{moodle}},
		{who: "teacher", subject: "Video projector flickers in room A101", body: "It started last week. Another cable did not help.", locale: campus.English, area: ticket.AreaHardware, leaf: "computer",
			answered: "Thank you. A technician will look at it on Monday morning.", then: (*ticket.Work).Take},
		{who: "staff", subject: "Impression bloquée au secrétariat", body: "L’imprimante dit « file pleine » depuis ce matin.", area: ticket.AreaHardware, leaf: "printer"},
		{who: "staff", subject: "Le VPN coupe toutes les dix minutes", body: "En télétravail, depuis ma box. Le message : session expirée.", area: ticket.AreaNetwork, leaf: "vpn", facts: []ticket.Fact{browser},
			answered: "Nous avons changé un réglage. Dites-nous demain si cela tient.", then: (*ticket.Work).Wait},
		{who: "staff", subject: "Adresse de service à renommer", body: "Le bureau a changé de nom.", area: ticket.AreaOther, leaf: "else", answered: "C’est fait.", then: (*ticket.Work).Close, rating: ticket.RatedPartly},
		{subject: "Je n’arrive pas à me connecter", body: "J’ai changé de téléphone et je n’ai plus l’application.", area: ticket.AreaAccount, leaf: "lost_factor", facts: []ticket.Fact{phone}},
		{subject: "I cannot activate my account", body: "I arrive from Lisbon next week and have no student number yet.", locale: campus.English, area: ticket.AreaAccount, leaf: "activate", facts: []ticket.Fact{browser}},
		{who: "student", subject: "Fichiers : espace plein", body: "Je ne peux plus rien déposer.", area: ticket.AreaService, service: "files", leaf: "service_refuses", answered: "Vous avez de nouveau de la place.", then: (*ticket.Work).Solve},
	}
}

// seedTickets opens them, and has the agent answer.
func (h Rooms) seedTickets(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	known := map[string]valmont.Person{}
	for _, p := range u.People {
		known[p.Login] = p
	}
	agent := ticket.Actor{Role: ticket.Agent, Person: people["agent"], Name: known["agent"].GivenName + " " + known["agent"].FamilyName, Mail: known["agent"].Mail}
	for _, r := range demoTickets() {
		if err := h.DB.InTx(ctx, func(tx db.Tx) error { return h.seedTicket(ctx, tx, r, known[r.who], people[r.who], agent) }); err != nil {
			return fmt.Errorf("open the request %q: %w", r.subject, err)
		}
	}
	student := known["student"]
	if err := h.Helpdesk.Reception().SeedAppointment(ctx, counter.Wish{
		Code: "rives", Purpose: "carte", Person: people["student"], Name: student.GivenName + " " + student.FamilyName, Mail: student.Mail, Locale: campus.French,
	}); err != nil {
		return fmt.Errorf("take an appointment: %w", err)
	}
	return nil
}

func (h Rooms) seedTicket(ctx context.Context, tx db.Tx, r demoTicket, p valmont.Person, who campus.PersonID, agent ticket.Actor) error {
	tickets := h.Helpdesk.Tickets()
	t := ticket.Ticket{
		Channel: ticket.ByPortal, Subject: r.subject, Locale: r.locale, Area: r.area, Service: r.service, Leaf: r.leaf, ProvedAt: tx.Now().Time(),
		Requester: who, RequesterName: p.GivenName + " " + p.FamilyName, RequesterMail: p.Mail,
	}
	if t.Locale == "" {
		t.Locale = campus.French
	}
	if who == "" {
		t.RequesterName, t.RequesterMail = "Camille Roche", "camille.roche@courriel.example"
	}
	by := ticket.Actor{Role: ticket.Requester, Person: who, Name: t.RequesterName, Mail: t.RequesterMail}
	t, err := tickets.Open(ctx, tx, by, ticket.Opening{Ticket: t, Message: ticket.Message{Body: r.body}, Facts: r.facts})
	if err != nil || r.answered == "" {
		return err
	}
	if _, err := tickets.Change(ctx, tx, t.ID, agent, func(w *ticket.Work) error {
		w.Assign(agent.Person)
		w.Say(ticket.Message{Body: r.answered})
		return r.then(w)
	}); err != nil || r.rating == 0 {
		return err
	}
	_, err = tickets.Change(ctx, tx, t.ID, by, func(w *ticket.Work) error {
		w.Rate(r.rating, "")
		return nil
	})
	return err
}
