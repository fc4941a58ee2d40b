package mailroom_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// box is a mail server in memory with one mailbox.
type box struct {
	user    *imapmemserver.User
	address string
}

func openBox(t *testing.T, wrap ...func(imapserver.Session) imapserver.Session) *box {
	t.Helper()
	b := &box{user: imapmemserver.NewUser("aide", "secret")}
	if err := b.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(b.user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			session := mem.NewSession()
			for _, w := range wrap {
				session = w(session)
			}
			return session, nil, nil
		},
		InsecureAuth: true, Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapMove: {}, imap.CapUIDPlus: {}}, Logger: log.New(io.Discard, "", 0),
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Addr().String()
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() {
		if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Log(err)
		}
	})
	return b
}

// literal is a mail as the server takes it.
type literal struct{ *bytes.Reader }

func (b *box) drop(t *testing.T, raw string) {
	t.Helper()
	if _, err := b.user.Append("INBOX", literal{bytes.NewReader([]byte(raw))}, &imap.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
}

// count is how many mails lie in a folder; -1 when there is none.
func (b *box) count(folder string) int {
	status, err := b.user.Status(folder, &imap.StatusOptions{NumMessages: true})
	if err != nil {
		return -1
	}
	return int(*status.NumMessages)
}

func TestAMailboxIsEmptiedAndEachMailFindsItsQueue(t *testing.T) {
	for _, done := range []string{"", "Traité"} {
		b := openBox(t)
		set := func(c *mailroom.Config) {
			c.MaxSize = 1 << 20
			c.IMAP = []mailroom.IMAPConfig{{Address: b.address, TLS: "none", User: "aide", Password: "secret", Done: done, Queue: queue}}
		}
		each(t, set, func(t *testing.T, r *room) {
			moved := max(0, b.count(done))
			b.drop(t, written(guest, "assistance@valmont.example", "Pour personne", "?"))
			b.drop(t, written(guest, reseau, "Pour le réseau", "?"))
			b.drop(t, written(guest, "liste@valmont.example", "Remis au réseau", "?", "Delivered-To", reseau))
			b.drop(t, written(guest, queue, "Trop", strings.Repeat("a long line of text\n", 60_000)))
			for range 2 { // the second visit finds nothing new
				if err := r.mail.Visit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.mail.ReadWaiting(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := r.mail.Listed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			to := map[string]string{}
			for _, row := range rows {
				to[row.Subject] = row.EnvelopeTo + " " + row.Outcome
			}
			if len(rows) != 4 || to["Pour personne"] != queue+" opened" || to["Pour le réseau"] != reseau+" opened" || to["Remis au réseau"] != reseau+" opened" || to["Trop"] != "aide too_big" {
				t.Errorf("%v", to)
			}
			if left := b.count("INBOX"); left != 1 && left != 2 { // the large one of each database stays
				t.Errorf("%d mails lie in the box", left)
			}
			if done != "" && b.count(done)-moved != 3 {
				t.Errorf("%d mails were moved", b.count(done)-moved)
			}
		})
	}
}

// modest says of every mail that it is small.
type modest struct{ imapserver.SessionIMAP4rev2 }

// Fetch implements imapserver.Session for a box with one mail.
func (m modest) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	if !options.RFC822Size {
		return m.SessionIMAP4rev2.Fetch(w, set, options)
	}
	answer := w.CreateMessage(1)
	uids, _ := set.(imap.UIDSet).Nums()
	answer.WriteUID(uids[0])
	answer.WriteRFC822Size(10)
	return answer.Close()
}

func TestAMailThatIsLargerThanItsServerSaysHoldsUpNoOthers(t *testing.T) {
	b := openBox(t, func(s imapserver.Session) imapserver.Session { return modest{s.(imapserver.SessionIMAP4rev2)} })
	set := func(c *mailroom.Config) {
		c.MaxSize = 1 << 20
		c.IMAP = []mailroom.IMAPConfig{{Address: b.address, TLS: "none", User: "aide", Password: "secret", Queue: queue}}
	}
	each(t, set, func(t *testing.T, r *room) {
		b.drop(t, written(guest, queue, "Trop", strings.Repeat("a long line of text\n", 60_000)))
		if err := r.mail.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows, err := r.mail.Listed(t.Context()); err != nil || len(rows) != 1 || rows[0].Outcome != "too_big" || rows[0].Size < 1<<20 {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestAFieldToThousandsIsNotLookedThrough(t *testing.T) {
	b := openBox(t)
	set := func(c *mailroom.Config) {
		c.IMAP = []mailroom.IMAPConfig{{Address: b.address, TLS: "none", User: "aide", Password: "secret", Queue: queue}}
	}
	each(t, set, func(t *testing.T, r *room) {
		var to strings.Builder
		for i := range 5_000 {
			fmt.Fprintf(&to, "p%05d@a.example,\r\n ", i)
		}
		b.drop(t, written(guest, to.String()+reseau, "À tous", "?"))
		if err := r.mail.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows, err := r.mail.Listed(t.Context()); err != nil || len(rows) != 1 || rows[0].EnvelopeTo != queue {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestAMailStaysInItsBoxUntilItIsKept(t *testing.T) {
	b := openBox(t)
	set := func(c *mailroom.Config) {
		c.IMAP = []mailroom.IMAPConfig{{Address: b.address, TLS: "none", User: "aide", Password: "secret", Queue: queue}}
	}
	each(t, set, func(t *testing.T, r *room) {
		b.drop(t, written(guest, queue, "Wifi", "?"))
		whole := r.mail.Files
		r.mail.Files = full{whole}
		if err := r.mail.Visit(t.Context()); err == nil {
			t.Error("a mail was taken that could not be kept")
		}
		if checks := r.mail.Health(t.Context()); checks[1].OK {
			t.Error("nobody is told")
		}
		if b.count("INBOX") != 1 {
			t.Fatal("the mail is lost")
		}
		r.mail.Files = whole
		if err := r.mail.Visit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows, err := r.mail.Listed(t.Context()); err != nil || len(rows) != 1 || b.count("INBOX") != 0 {
			t.Errorf("%d mails here, %d there, %v", len(rows), b.count("INBOX"), err)
		}
		if checks := r.mail.Health(t.Context()); !checks[1].OK {
			t.Errorf("%+v", checks[1])
		}
	})
}

func TestAMailboxThatRefusesOrIsAwaySaysWhich(t *testing.T) {
	b := openBox(t)
	cases := []struct {
		name string
		box  mailroom.IMAPConfig
		want error
	}{
		{"a wrong password", mailroom.IMAPConfig{Address: b.address, TLS: "none", User: "aide", Password: "wrong"}, mailroom.MailboxRefused},
		{"a folder that is not there", mailroom.IMAPConfig{Address: b.address, TLS: "none", User: "aide", Password: "secret", Folder: "Nowhere"}, mailroom.MailboxFolder},
		{"nobody listens", mailroom.IMAPConfig{Address: "127.0.0.1:1", TLS: "none", User: "aide", Password: "secret"}, mailroom.MailboxAway},
		{"a server without encryption is not told the password", mailroom.IMAPConfig{Address: b.address, User: "aide", Password: "secret"}, mailroom.MailboxAway},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(config *mailroom.Config) { config.IMAP = []mailroom.IMAPConfig{c.box} }, func(t *testing.T, r *room) {
				if err := r.mail.Visit(t.Context()); !errors.Is(err, c.want) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestTheConfigurationKeepsPasswordsOutOfTheClear(t *testing.T) {
	wrong := func(change func(*mailroom.Config)) []config.Problem {
		c := mailroom.Defaults()
		change(&c)
		return c.Check()
	}
	box := func(b mailroom.IMAPConfig) func(*mailroom.Config) {
		return func(c *mailroom.Config) { c.IMAP = []mailroom.IMAPConfig{b} }
	}
	for name, c := range map[string]struct {
		change func(*mailroom.Config)
		ok     bool
	}{
		"the defaults":                     {func(*mailroom.Config) {}, true},
		"a mailbox over the network":       {box(mailroom.IMAPConfig{Address: "imap.univ.fr:993", User: "a", Password: "b"}), true},
		"in clear on this machine":         {box(mailroom.IMAPConfig{Address: "127.0.0.1:143", TLS: "none", User: "a", Password: "b"}), true},
		"in clear over the network":        {box(mailroom.IMAPConfig{Address: "imap.univ.fr:143", TLS: "none", User: "a", Password: "b"}), false},
		"a mailbox without a password":     {box(mailroom.IMAPConfig{Address: "imap.univ.fr:993", User: "a"}), false},
		"a protocol that nobody speaks":    {func(c *mailroom.Config) { c.Protocol = "uucp" }, false},
		"a network that is none":           {func(c *mailroom.Config) { c.From = []string{"everywhere"} }, false},
		"a certificate without its key":    {func(c *mailroom.Config) { c.TLSCertificate = "/x" }, false},
		"an address without a port":        {func(c *mailroom.Config) { c.Listen = "127.0.0.1" }, false},
		"mails that are forgotten at once": {func(c *mailroom.Config) { c.Keep = 0 }, false},
	} {
		if problems := wrong(c.change); (len(problems) == 0) != c.ok {
			t.Errorf("%s: %v", name, problems)
		}
	}
}
