package mailroom_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// talk is a request by mail that an agent has answered.
type talk struct {
	asked  ticket.Ticket
	letter mailer.Message
	marked string // where answers to the letter go
	name   string // of the letter
	first  string // name of the mail that opened it
}

// talking opens one for Lina.
func (r *room) talking(t *testing.T, state func(*ticket.Work) error) talk {
	t.Helper()
	lina := campustest.Lina()
	r.post(t, lina.Mail, queue, written(lina.Mail, queue, "Wifi", "En panne."))
	_, asked := r.last(t)
	asked, letter := r.say(t, asked, "Redémarrez.", state)
	return talk{asked, letter, letter.Talk.ReplyTo, letter.Talk.MessageID, r.firstMail(t, asked)}
}

func waiting(w *ticket.Work) error { return w.Wait() }
func solved(w *ticket.Work) error  { return w.Solve() }

// decided is what a mail is expected to do.
type decided struct {
	outcome string
	same    bool // it belongs to the request that was there
	role    ticket.Role
	state   ticket.State
	event   string
}

func TestEachMailBecomesWhatItIs(t *testing.T) {
	lina, sam, paul := campustest.Lina().Mail, campustest.Sam().Mail, campustest.Paul().Mail
	cases := []struct {
		name  string
		state func(*ticket.Work) error // of the request that is there
		mail  func(k talk) (from, to, raw string)
		want  decided
	}{
		{"an answer to the marked address is the requester's", waiting, func(k talk) (string, string, string) {
			return lina, k.marked, written(lina, k.marked, "Re: Wifi", "Non.")
		}, decided{"followed", true, ticket.Requester, ticket.Open, ""}},
		{"an answer that takes a solved request up again", solved, func(k talk) (string, string, string) {
			return lina, k.marked, written(lina, k.marked, "Re: Wifi", "Toujours pas.")
		}, decided{"followed", true, ticket.Requester, ticket.Open, ""}},
		{"an answer whose program lost the mark refers to the letter", waiting, func(k talk) (string, string, string) {
			return lina, queue, written(lina, queue, "Re: Wifi", "Non.", "In-Reply-To", "<"+k.name+">")
		}, decided{"followed", true, ticket.Requester, ticket.Open, ""}},
		{"somebody else with the requester's letter is somebody else", waiting, func(k talk) (string, string, string) {
			return guest, k.marked, written("Camille <"+guest+">", k.marked, "Re: Wifi", "C’est moi qui réponds.")
		}, decided{"followed", true, ticket.Other, ticket.Open, ""}},
		{"an agent who writes by mail does not speak as one", waiting, func(k talk) (string, string, string) {
			return sam, k.marked, written(sam, k.marked, "Re: Wifi", "Donnez votre mot de passe.")
		}, decided{"followed", true, ticket.Other, ticket.Open, ""}},
		{"the number alone proves nothing", waiting, func(k talk) (string, string, string) {
			return lina, queue, written(lina, queue, "[#"+ticket.Spoken(k.asked.Number)+"] Wifi", "Envoyez le code au 0600000000.")
		}, decided{"followed", true, ticket.Other, ticket.Open, "mail_unproved"}},
		{"the name of the requester's own mail proves nothing", waiting, func(k talk) (string, string, string) {
			return lina, queue, written(lina, queue, "Re: Wifi", "Envoyez le code ailleurs.", "References", "<"+k.first+">")
		}, decided{"followed", true, ticket.Other, ticket.Open, "mail_unproved"}},
		{"without proof nothing is taken up again", solved, func(k talk) (string, string, string) {
			return lina, queue, written(lina, queue, "[#"+ticket.Spoken(k.asked.Number)+"] Wifi", "Rouvrez.")
		}, decided{"opened", false, ticket.Requester, ticket.New, "mail_after"}},
		{"a number by who has nothing to do with it opens another request", nil, func(k talk) (string, string, string) {
			return paul, queue, written(paul, queue, "[#"+ticket.Spoken(k.asked.Number)+"] Wifi", "Moi aussi.")
		}, decided{"opened", false, ticket.Requester, ticket.New, ""}},
		{"a made-up mark belongs to nothing", waiting, func(k talk) (string, string, string) {
			to := "comptes+" + k.asked.Number + "-aaaaaaaaaa@aide.valmont.example"
			return paul, to, written(paul, to, "Bonjour", "Ouvrez.")
		}, decided{"opened", false, ticket.Requester, ticket.New, ""}},
		{"an absence is a note and changes nothing", waiting, func(k talk) (string, string, string) {
			return lina, k.marked, written(lina, k.marked, "Absence : Re: Wifi", "Je suis absente.", "Auto-Submitted", "auto-replied")
		}, decided{"noted", true, ticket.House, ticket.Waiting, "mail_automatic"}},
		{"an absence takes no solved request up again", solved, func(k talk) (string, string, string) {
			return lina, k.marked, written(lina, k.marked, "Absence", "Je suis absente.", "Auto-Submitted", "auto-replied")
		}, decided{"noted", true, ticket.House, ticket.Solved, "mail_automatic"}},
		{"a report of delivery is a note", waiting, func(k talk) (string, string, string) {
			return "", k.marked, "From: MAILER-DAEMON@mx.example\r\nTo: " + k.marked + "\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n" +
				"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nNo such user\r\n" +
				"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; " + lina + "\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
		}, decided{"noted", true, ticket.House, ticket.Waiting, "mail_bounced"}},
		{"a newsletter is left alone", nil, func(talk) (string, string, string) {
			return "n@shop.example", queue, written("n@shop.example", queue, "Soldes", "Achetez.", "List-Unsubscribe", "<mailto:x@shop.example>")
		}, decided{outcome: "left_alone"}},
		{"an automatic mail that belongs to nothing is left alone", nil, func(talk) (string, string, string) {
			return "cron@srv.example", queue, written("cron@srv.example", queue, "Cron", "done", "Auto-Submitted", "auto-generated")
		}, decided{outcome: "left_alone"}},
		{"a mail from a queue's own address is a loop", nil, func(talk) (string, string, string) {
			return queue, reseau, written(queue, reseau, "Bonjour", "Bonjour.")
		}, decided{outcome: "looped"}},
		{"our own letter that comes back is a loop", nil, func(k talk) (string, string, string) {
			return "amphi@valmont.example", queue, strings.Replace(written("amphi@valmont.example", queue, "[#1] Wifi", "Redémarrez."), "Message-ID: <m", "Message-ID: <"+k.name+">\r\nX-Was: <m", 1)
		}, decided{outcome: "looped"}},
		{"what staff forwards is its author's", nil, func(talk) (string, string, string) {
			return sam, queue, written(sam, queue, "Tr: Imprimante", "Pour vous.\n\n---------- Forwarded message ---------\nFrom: Camille <"+guest+">\nDate: Mon, 23 Nov 2026\nSubject: Imprimante\nTo: <"+sam+">\n\nElle ne marche plus.")
		}, decided{"opened", false, ticket.Requester, ticket.New, "mail_forwarded"}},
		{"no mail at all", nil, func(talk) (string, string, string) { return guest, queue, ": : :\r\n\x00\xff\r\n" }, decided{outcome: "unreadable"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			each(t, nil, func(t *testing.T, r *room) {
				k := r.talking(t, c.state)
				from, to, raw := c.mail(k)
				r.post(t, from, to, raw)
				outcome, of := r.last(t)
				if outcome != c.want.outcome {
					t.Fatalf("it became %s, not %s", outcome, c.want.outcome)
				}
				if c.want.role == "" {
					return
				}
				if same := of.ID == k.asked.ID; same != c.want.same {
					t.Errorf("the same request: %v", same)
				}
				if m := r.said(t, of); m.By.Role != c.want.role || m.By.Role != ticket.Requester && m.By.Person != "" || m.Internal != (outcome == "noted") {
					t.Errorf("said by %+v, internal %v", m.By, m.Internal)
				}
				if of.State != c.want.state {
					t.Errorf("it is %s", of.State)
				}
				if c.want.event != "" && !r.happened(t, of, c.want.event) {
					t.Errorf("nothing says %s", c.want.event)
				}
			})
		})
	}
}

func TestOnlyStaffIsBelievedAboutWhoWroteWhatTheyForward(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		forwarded := "Est-ce un hameçonnage ?\n\n---------- Forwarded message ---------\nFrom: Le service <paul.durand@valmont.example>\nDate: Mon, 23 Nov 2026\nSubject: Votre compte\nTo: <x@y.example>\n\nCliquez ici."
		r.post(t, guest, queue, written(guest, queue, "Fwd: Votre compte", forwarded))
		_, of := r.last(t)
		if m := r.said(t, of); of.RequesterMail != guest || of.Requester != "" || m.Body != "Est-ce un hameçonnage ?" || !strings.Contains(m.Folded, "Cliquez ici.") {
			t.Errorf("%+v said %q, folded %q", of, m.Body, m.Folded)
		}
		r.post(t, campustest.Nadia().Mail, queue, written(campustest.Nadia().Mail, queue, "Fwd: Votre compte", forwarded))
		_, of = r.last(t)
		if of.RequesterMail != campustest.Paul().Mail || of.Requester != campustest.Paul().Person || r.said(t, of).Body != "Cliquez ici." {
			t.Errorf("%+v", of)
		}
		if to := r.sent[len(r.sent)-1].To; to != campustest.Paul().Mail {
			t.Errorf("the acknowledgement went to %s", to)
		}
	})
}

func TestAnAnswerFindsTheRequestThatItsOwnWasMergedInto(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := r.talking(t, nil)
		other := r.Open(campustest.Paul(), "Panne", "Tout est en panne.")
		r.Change(k.asked, agent(), func(w *ticket.Work) error { return w.MergeInto(other.ID) })
		r.post(t, campustest.Lina().Mail, k.marked, written(campustest.Lina().Mail, k.marked, "Re: Wifi", "Et maintenant ?"))
		outcome, of := r.last(t)
		if m := r.said(t, of); outcome != "followed" || of.ID != other.ID || m.By.Role != ticket.Other || m.By.Mail != campustest.Lina().Mail {
			t.Errorf("%s, %+v", outcome, m.By)
		}
	})
}

func TestLongAfterItsEndAnAnswerOpensAnotherRequest(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := r.talking(t, solved)
		r.Clock.Advance(31 * 24 * time.Hour)
		r.post(t, campustest.Lina().Mail, k.marked, written(campustest.Lina().Mail, k.marked, "Re: Wifi", "De nouveau."))
		outcome, of := r.last(t)
		if outcome != "opened" || of.ID == k.asked.ID || !r.happened(t, of, "mail_after") {
			t.Errorf("%s, %+v", outcome, of)
		}
	})
}

func TestOneMailIsOneRequestHoweverOftenItArrives(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		raw := written(guest, queue+", "+reseau, "Wifi", "En panne.")
		if err := r.hand(guest, raw, queue, reseau); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.hand(guest, raw, queue), r.mail.ReadWaiting(t.Context()), r.mail.ReadWaiting(t.Context())); err != nil {
			t.Fatal(err)
		}
		r.post(t, guest, queue, "Received: by another.example\r\n"+raw)
		rows, err := r.mail.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, row := range rows {
			count[row.Outcome]++
			if err := r.mail.ReadOne(t.Context(), row.ID); err != nil { // a job may run twice
				t.Error(err)
			}
		}
		if list, err := r.Tickets.OfMail(t.Context(), guest); err != nil || len(list) != 1 || count["opened"] != 1 || count["repeated"] != 2 || len(rows) != 3 {
			t.Errorf("%d requests of %v, %v", len(list), count, err)
		}
		if len(r.sent) != 1 {
			t.Errorf("%d acknowledgements", len(r.sent))
		}
	})
}

func TestAnAddressOpensSoManyRequestsADayAndHearsSo(t *testing.T) {
	each(t, func(c *mailroom.Config) { c.PerDay = 2 }, func(t *testing.T, r *room) {
		for i := range 3 {
			r.post(t, guest, queue, written(guest, queue, fmt.Sprint("Question ", i), "?"))
		}
		outcome, _ := r.last(t)
		list, err := r.Tickets.OfMail(t.Context(), guest)
		if err != nil || outcome != "too_many" || len(list) != 2 || len(r.sent) != 3 || r.sent[2].Kind != "helpdesk.mail_enough" {
			t.Errorf("%s, %d requests, %d letters, %v", outcome, len(list), len(r.sent), err)
		}
		r.Clock.Advance(25 * time.Hour)
		r.post(t, guest, queue, written(guest, queue, "Demain", "?"))
		if outcome, _ := r.last(t); outcome != "opened" {
			t.Errorf("the next day it became %s", outcome)
		}
	})
}

func TestTwoProgramsDoNotAnswerOneAnotherForEver(t *testing.T) {
	each(t, func(c *mailroom.Config) { c.PerDay = 1000 }, func(t *testing.T, r *room) {
		for i := range 3 * mailroom.MostAnswers { // it does not say that it is a program, and starts anew each time
			r.post(t, "robot@shop.example", queue, written("robot@shop.example", queue, fmt.Sprint("Your case ", i), "We received your message."))
		}
		if len(r.sent) != mailroom.MostAnswers {
			t.Errorf("%d letters", len(r.sent))
		}
	})
}

func TestByPolicyMailLeadsToTheWorkspaceAndAnswersStillArrive(t *testing.T) {
	each(t, func(c *mailroom.Config) { c.Policy = mailroom.PolicyRedirect }, func(t *testing.T, r *room) {
		r.post(t, guest, queue, written(guest, queue, "Wifi", "En panne."))
		outcome, _ := r.last(t)
		if outcome != "redirected" || len(r.sent) != 1 || !strings.Contains(r.sent[0].Text, "https://ent.valmont.example/helpdesk") || !strings.Contains(r.sent[0].Text, "was not read by anybody") {
			t.Fatalf("%s, %+v", outcome, r.sent)
		}
		asked := r.Open(campustest.Lina(), "Wifi", "En panne.")
		_, letter := r.say(t, asked, "Redémarrez.", nil)
		r.post(t, campustest.Lina().Mail, letter.Talk.ReplyTo, written(campustest.Lina().Mail, letter.Talk.ReplyTo, "Re", "Non."))
		if outcome, of := r.last(t); outcome != "followed" || of.ID != asked.ID {
			t.Errorf("an answer became %s", outcome)
		}
	})
}

func TestAPasswordInAMailIsHiddenAndItsAuthorTold(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		r.post(t, guest, queue, written(guest, queue, "Compte", "Bonjour,\nmon mot de passe : Tr0ub4dor&3x\nmerci"))
		_, of := r.last(t)
		if body := r.said(t, of).Body; strings.Contains(body, "Tr0ub4dor") {
			t.Errorf("said %q", body)
		}
		if !strings.Contains(r.sent[0].Text, "contenait un mot de passe") {
			t.Errorf("told %s", r.sent[0].Text)
		}
	})
}

func TestFilesThatAreNotKeptAreNamedWithTheirReason(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		part := func(name string, size int) string {
			line := strings.Repeat("QUJD", 19) + "\n"
			return "--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"" + name + "\"\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat(line, size/57) + "\n"
		}
		body := "--b\nContent-Type: text/plain\n\nVoir les fichiers.\n" + part("petit.bin", 1000) + part("enorme.bin", 21<<20) + "--b--\n"
		raw := written(guest, queue, "Fichiers", body, "MIME-Version", "1.0", "Content-Type", "multipart/mixed; boundary=b")
		if len(raw) < 28<<20 {
			t.Fatalf("%d bytes", len(raw))
		}
		r.post(t, guest, queue, raw)
		outcome, of := r.last(t)
		kept := r.said(t, of).Files
		if outcome != "opened" || len(kept) != 2 || kept[0].Ref == "" || kept[1].Ref != "" || kept[1].Refused == "" {
			t.Fatalf("%s, %+v", outcome, kept)
		}
		if !strings.Contains(r.sent[0].Text, "«\u202fenorme.bin\u202f»") {
			t.Errorf("acknowledged by %s", r.sent[0].Text)
		}
	})
}

func TestTheMailServerIsToldWhatIsNotTaken(t *testing.T) {
	each(t, func(c *mailroom.Config) { c.MaxSize = 1 << 20 }, func(t *testing.T, r *room) {
		code := func(err error) int {
			var said *smtp.SMTPError
			if !errors.As(err, &said) {
				return 0
			}
			return said.Code
		}
		if err := r.hand(guest, written(guest, "x@aide.valmont.example", "?", "?"), "inconnu@aide.valmont.example"); code(err) != 550 {
			t.Errorf("an unknown address: %v", err)
		}
		if err := r.hand(guest, written(guest, queue, "?", strings.Repeat("long line of text\n", 70_000)), queue); code(err) != 552 {
			t.Errorf("a mail that is too large: %v", err)
		}
		if rows, err := r.mail.Listed(t.Context()); err != nil || len(rows) != 0 {
			t.Errorf("%d mails were kept, %v", len(rows), err)
		}
	})
}

// TestTheWholeCorpusGoesThroughTheDecision posts every awkward mail: each is settled,
// and nothing in a request loads anything from elsewhere.
func TestTheWholeCorpusGoesThroughTheDecision(t *testing.T) {
	mails, err := filepath.Glob("letter/testdata/*.eml")
	if err != nil || len(mails) < 40 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	each(t, func(c *mailroom.Config) { c.PerDay = 1000 }, func(t *testing.T, r *room) {
		for _, file := range mails {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
			r.post(t, "envelope@client.example", queue, string(raw))
			outcome, of := r.last(t)
			name := filepath.Base(file)
			automatic := slices.ContainsFunc([]string{"away-", "bounce", "delayed", "list", "newsletter", "empty-return-path"}, func(p string) bool { return strings.HasPrefix(name, p) })
			if automatic != (outcome == "left_alone") {
				t.Errorf("%s became %s", name, outcome)
			}
			if of.ID != "" {
				if body := r.said(t, of).Body; strings.Contains(body, "<img") || strings.Contains(body, "pixel") {
					t.Errorf("%s says %q", name, body)
				}
			}
		}
	})
}

func TestOnlyTheInstitutionsOwnServersHandOverMail(t *testing.T) {
	for peer, want := range map[string]bool{
		"127.0.0.1:4000": true, "[::1]:4000": true, "10.0.3.9:4000": true, "[::ffff:10.0.3.9]:4000": true, "[2001:db8:1::5]:4000": true,
		"10.0.4.9:4000": false, "203.0.113.5:4000": false, "[2001:db8:2::5]:4000": false,
	} {
		at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer))
		if got := mailroom.Admits([]string{"10.0.3.0/24", "2001:db8:1::/48"}, at); got != want {
			t.Errorf("%s: %v", peer, got)
		}
		if got := mailroom.Admits(nil, at); got != at.IP.IsLoopback() {
			t.Errorf("%s without any network: %v", peer, got)
		}
	}
}

// far is a listener whose callers come from elsewhere.
type far struct{ net.Listener }

type farConn struct{ net.Conn }

// RemoteAddr implements net.Conn.
func (farConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("203.0.113.5:4000"))
}

// Accept implements net.Listener.
func (f far) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	return farConn{c}, err
}

func TestAServerFromElsewhereIsRefused(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.mail.Serve(ctx, far{listener}) }()
		r.server = listener.Addr().String()
		err = r.hand(guest, written(guest, queue, "?", "?"), queue)
		stop()
		if err == nil || !strings.Contains(err.Error(), "554") {
			t.Errorf("got %v", err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestALetterOfAMergedRequestDoesNotSpeakAsAnotherRequester(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		paul := campustest.Paul()
		k := r.talking(t, nil) // Lina has its letter
		other := r.Open(paul, "Panne", "Tout est en panne.")
		r.Change(k.asked, agent(), func(w *ticket.Work) error { return w.MergeInto(other.ID) })
		other = r.Change(other, agent(), func(w *ticket.Work) error { return w.Solve() })
		r.post(t, campustest.Lina().Mail, k.marked, written(paul.Mail, k.marked, "Re: Wifi", "Envoyez-moi un nouveau mot de passe."))
		for _, m := range r.thread(t, other) {
			if m.By.Role == ticket.Requester && strings.Contains(m.Body, "mot de passe") {
				t.Errorf("somebody else speaks as %s", m.By.Name)
			}
		}
	})
}

func TestWhatIsRedactedGoesFromTheMailAsItCameToo(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		r.post(t, guest, queue, written(guest, queue, "Carte", "Mon numéro est le 1 85 05 78 006 084 36."))
		_, asked := r.last(t)
		r.post(t, guest, queue, written(guest, queue, "Autre chose", "Rien à cacher."))
		_, other := r.last(t)
		said := r.said(t, asked)
		r.Change(asked, agent(), func(w *ticket.Work) error { w.Happened("redacted", "message", said.ID); return nil })
		if err := r.mail.LetMailsGo(t.Context(), asked.ID); err != nil {
			t.Fatal(err)
		}
		rows, err := r.mail.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if (row.FileRef == "") != (row.TicketID == asked.ID) || row.TicketID != asked.ID && row.TicketID != other.ID {
				t.Errorf("the mail of %s is kept as %q", row.Subject, row.FileRef)
			}
		}
		var jobs int
		if err := r.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM jobs WHERE name = 'helpdesk.let_mails_go'").Scan(&jobs); err != nil || jobs != 1 {
			t.Errorf("%d jobs let mails go, %v", jobs, err)
		}
	})
}
