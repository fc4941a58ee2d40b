package mailroom_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// The addresses of the tests.
const (
	queue  = "comptes@aide.valmont.example"
	reseau = "reseau@aide.valmont.example"
	guest  = "camille@parents.example"
)

// mailroomConfig is what tests change.
type mailroomConfig = mailroom.Config

// people is the register of those whom tests know.
type people struct{ contract.Register }

func (people) FindPeople(_ context.Context, _ contract.Field, addresses []string) (map[string]campus.PersonID, error) {
	found := map[string]campus.PersonID{}
	for _, v := range campustest.Everyone() {
		if v.Mail != "" && slices.Contains(addresses, v.Mail) {
			found[v.Mail] = v.Person
		}
	}
	return found, nil
}

func (people) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		if slices.Contains(ids, v.Person) {
			known[v.Person] = contract.Known{
				ID: v.Person, HoldsRights: len(v.Rights) > 0,
				Subject: contract.Subject{GivenName: v.GivenName, FamilyName: v.FamilyName, Mail: v.Mail, Affiliations: v.Affiliations, Locale: v.Locale},
			}
		}
	}
	return known, nil
}

// room is a mailroom with a mail server in front of it, and an outbox that keeps.
type room struct {
	*tickettest.Desk
	mail   *mailroom.Mailroom
	config mailroom.Config
	server string // its address
	sent   []mailer.Message
}

// Send implements mailroom.Mailer.
func (r *room) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	r.sent = append(r.sent, m)
	return nil
}

// each runs a test with a mailroom on each database. Set changes its configuration.
func each(t *testing.T, set func(*mailroom.Config), test func(*testing.T, *room)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		test(t, furnish(t, x, keys, t.TempDir(), set))
	})
}

// furnish opens a mailroom over a folder.
func furnish(t *testing.T, x *tickettest.Desk, keys *crypt.Keyring, folder string, set func(*mailroom.Config)) *room {
	t.Helper()
	store, err := files.Disk(folder, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("https://ent.valmont.example")
	if err != nil {
		t.Fatal(err)
	}
	r := &room{Desk: x, config: mailroom.Defaults()}
	if set != nil {
		set(&r.config)
	}
	if problems := r.config.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	link := func(what string) func(ticket.Ticket) string {
		return func(t ticket.Ticket) string { return base.JoinPath("helpdesk", what, t.Number).String() }
	}
	r.mail = mailroom.New(mailroom.Deps{
		DB: x.DB, Clock: x.Clock, Log: slog.New(slog.DiscardHandler), Texts: x.Texts, Files: store, Keys: keys, Base: base, Tickets: x.Tickets,
		Attached: &attached.Attached{DB: x.DB, Files: store, Tickets: x.Tickets}, Register: people{}, Mailer: r, LetterURL: link("letter"), RatingURL: link("rating"),
		InstitutionFrench: "Université de Valmont", InstitutionEnglish: "University of Valmont",
	}, r.config)
	x.Tickets.Connect(x, x, x, r.mail)
	x.Tx(func(tx db.Tx) error {
		x.Queue.Mail = queue
		_, err := x.Tickets.KeepQueue(t.Context(), tx, x.Queue)
		if err != nil {
			return err
		}
		if queues, err := x.Tickets.Queues(t.Context()); err != nil || len(queues) > 1 {
			return err // of a process before
		}
		_, err = x.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "network", NameFrench: "Réseau", NameEnglish: "Network", Mail: reseau})
		return err
	})
	r.serve(t)
	return r
}

// serve opens the mail server of the room.
func (r *room) serve(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.server = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.mail.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// post hands a mail over by SMTP, and has it read.
func (r *room) post(t *testing.T, from, to, raw string) {
	t.Helper()
	if err := r.hand(from, raw, to); err != nil {
		t.Fatal(err)
	}
	if err := r.mail.ReadWaiting(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// hand hands a mail over by SMTP.
func (r *room) hand(from, raw string, to ...string) (err error) {
	c, err := smtp.Dial(r.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.SendMail(from, to, strings.NewReader(raw))
}

// last is what became of the newest mail, and the ticket that it belongs to.
func (r *room) last(t *testing.T) (outcome string, of ticket.Ticket) {
	t.Helper()
	rows, err := r.mail.Listed(t.Context())
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d mails, %v", len(rows), err)
	}
	newest := rows[0]
	for _, row := range rows {
		if row.ID > newest.ID { // time stands still in tests, identifiers do not
			newest = row
		}
	}
	if newest.TicketID == "" {
		return newest.Outcome, of
	}
	if of, err = r.Tickets.ByID(t.Context(), newest.TicketID); err != nil {
		t.Fatal(err)
	}
	return newest.Outcome, of
}

// said is the newest message of a ticket.
func (r *room) said(t *testing.T, of ticket.Ticket) ticket.Message {
	t.Helper()
	thread, err := r.Tickets.Thread(t.Context(), of.ID)
	if err != nil || len(thread.Messages) == 0 {
		t.Fatalf("%d messages, %v", len(thread.Messages), err)
	}
	return thread.Messages[len(thread.Messages)-1]
}

// thread is everything that was said in a ticket.
func (r *room) thread(t *testing.T, of ticket.Ticket) []ticket.Message {
	t.Helper()
	all, err := r.Tickets.Thread(t.Context(), of.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all.Messages
}

// happened reports whether a ticket has an event of a kind.
func (r *room) happened(t *testing.T, of ticket.Ticket, kind string) bool {
	t.Helper()
	thread, err := r.Tickets.Thread(t.Context(), of.ID)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(thread.Events, func(e ticket.Event) bool { return e.Kind == kind })
}

var mailCount int

// written is a mail as somebody writes it. More are fields in turn with their values.
func written(from, to, subject, body string, more ...string) string {
	mailCount++
	var b strings.Builder
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\nMessage-ID: <m%d@client.example>\r\n", from, to, subject, mailCount)
	for i := 0; i+1 < len(more); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", more[i], more[i+1])
	}
	if !slices.Contains(more, "Content-Type") {
		b.WriteString("Content-Type: text/plain; charset=utf-8\r\n")
	}
	b.WriteString("\r\n" + strings.ReplaceAll(body, "\n", "\r\n") + "\r\n")
	return b.String()
}

// agent is Sam as an agent.
func agent() ticket.Actor { return tickettest.By(ticket.Agent, campustest.Sam()) }

// say has the agent say something, and is the letter that left.
func (r *room) say(t *testing.T, of ticket.Ticket, body string, more func(*ticket.Work) error) (ticket.Ticket, mailer.Message) {
	t.Helper()
	before := len(r.sent)
	of = r.Change(of, agent(), func(w *ticket.Work) error {
		w.Say(ticket.Message{Body: body})
		if more != nil {
			return more(w)
		}
		return nil
	})
	if len(r.sent) != before+1 {
		t.Fatalf("%d letters left for one answer", len(r.sent)-before)
	}
	return of, r.sent[before]
}

func TestAMailBecomesARequestAndItsAnswersComeBack(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		lina := campustest.Lina()
		r.post(t, lina.Mail, queue, written("Lina <"+lina.Mail+">", queue, "Wifi en panne", "Bonjour,\n\nje ne peux plus me connecter.\n\n-- \nLina"))
		outcome, asked := r.last(t)
		if outcome != "opened" || asked.Requester != lina.Person || asked.Queue != r.Queue.ID || asked.Channel != ticket.ByMail || asked.Campus != "rives" || !asked.ProvedAt.IsZero() {
			t.Fatalf("%s, %+v", outcome, asked)
		}
		if m := r.said(t, asked); m.Body != "Bonjour,\n\nje ne peux plus me connecter." || m.MailID == "" || !strings.Contains(m.Folded, "Lina") {
			t.Errorf("said %+v", m)
		}
		if len(r.sent) != 1 {
			t.Fatalf("%d letters", len(r.sent))
		}
		receipt := r.sent[0]
		if receipt.To != lina.Mail || receipt.Talk == nil || receipt.Talk.Written || len(receipt.Talk.References) != 1 || !strings.Contains(receipt.Text, ticket.Spoken(asked.Number)) ||
			!strings.HasPrefix(receipt.Talk.ReplyTo, "comptes+"+asked.Number+"-") || !strings.Contains(receipt.Text, "Bonjour,") {
			t.Errorf("acknowledged by %+v\n%s", receipt.Talk, receipt.Text)
		}

		asked, letter := r.say(t, asked, "Redémarrez le poste.", func(w *ticket.Work) error { return w.Wait() })
		if !letter.Talk.Written || !slices.Contains(letter.Talk.References, r.firstMail(t, asked)) || !strings.Contains(letter.Text, "Nous attendons votre réponse") || !strings.Contains(letter.Subject, "[#"+ticket.Spoken(asked.Number)+"] Wifi en panne") {
			t.Errorf("answered by %+v %s\n%s", letter.Talk, letter.Subject, letter.Text)
		}
		r.post(t, lina.Mail, letter.Talk.ReplyTo, written(lina.Mail, letter.Talk.ReplyTo, "Re: "+letter.Subject, "Merci, toujours pas.\n\n> Redémarrez le poste."))
		outcome, now := r.last(t)
		if outcome != "followed" || now.ID != asked.ID || now.State != ticket.Open {
			t.Errorf("%s, %+v", outcome, now)
		}
		if m := r.said(t, now); m.By.Role != ticket.Requester || m.By.Person != lina.Person || m.Body != "Merci, toujours pas." {
			t.Errorf("said %+v", m)
		}
		if len(r.sent) != 2 {
			t.Errorf("an answer was acknowledged: %d letters", len(r.sent))
		}
	})
}

// firstMail is the name of the mail that opened a ticket.
func (r *room) firstMail(t *testing.T, of ticket.Ticket) string {
	t.Helper()
	thread, err := r.Tickets.Thread(t.Context(), of.ID)
	if err != nil {
		t.Fatal(err)
	}
	return thread.Messages[0].MailID
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
