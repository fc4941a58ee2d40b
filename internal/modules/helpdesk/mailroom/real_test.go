package mailroom_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// swaks sends a mail with Debian's program, through the server on a port.
func swaks(t *testing.T, server, from, to, subject, body string, more ...string) {
	t.Helper()
	args := append([]string{"--server", server, "--from", from, "--to", to, "--header", "Subject: " + subject, "--body", body, "--silent", "2", "--timeout", "20"}, more...)
	if out, err := exec.CommandContext(t.Context(), need.Program(t, "swaks"), args...).CombinedOutput(); err != nil {
		t.Fatalf("swaks: %v\n%s", err, out)
	}
}

// until waits for what another program is about to do.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// open reports whether somebody listens on a port.
func open(port int) bool {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	return err == nil && c.Close() == nil
}

// folder is a short one that other users may enter: sockets have short names.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "am")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Log(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run starts a server and waits for its port. The server ends with the test, and with
// the test program when that is killed: its shell reads a pipe that closes then.
func run(t *testing.T, port int, program string, args ...string) {
	t.Helper()
	var words bytes.Buffer
	server := exec.Command("sh", append([]string{"-c", `"$@" & server=$!; cat >/dev/null; kill $server; wait $server`, "sh", program}, args...)...)
	server.Stdout, server.Stderr, server.WaitDelay = &words, &words, 10*time.Second
	lifeline, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lifeline.Close(); err != nil {
			t.Log(err)
		}
		_ = server.Wait() // its exit code is that of a killed server
		if t.Failed() {
			t.Log(words.String())
		}
	})
	until(t, filepath.Base(program), func() bool { return open(port) })
}

func TestSwaksHandsOverMail(t *testing.T) {
	need.Program(t, "swaks")
	each(t, nil, func(t *testing.T, r *room) {
		file := filepath.Join(t.TempDir(), "capture.txt")
		put(t, file, "une capture")
		swaks(t, r.server, guest, queue, "Wifi", "En panne.", "--attach", "@"+file)
		if err := r.mail.ReadWaiting(t.Context()); err != nil {
			t.Fatal(err)
		}
		if outcome, of := r.last(t); outcome != "opened" || of.Subject != "Wifi" || len(r.said(t, of).Files) != 1 {
			t.Errorf("%s, %+v", outcome, of)
		}
	})
}

// inbox is a mail server of somebody elsewhere, which keeps what it gets.
type inbox struct {
	mu   sync.Mutex
	got  []string
	from []string
}

type inboxSession struct {
	*inbox
	sender string
}

func (s *inboxSession) Mail(from string, _ *smtp.MailOptions) error { s.sender = from; return nil }
func (s *inboxSession) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s *inboxSession) Reset()                                      {}
func (s *inboxSession) Logout() error                               { return nil }
func (s *inboxSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.from = append(s.got, string(raw)), append(s.from, s.sender)
	return err
}

func (b *inbox) letters() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.got...)
}

// postfix runs an instance of its own: mail for the desk goes to one server, all other
// to another.
func postfix(t *testing.T, desk, others string) (port int) {
	t.Helper()
	program := need.Program(t, "postfix")
	if os.Geteuid() != 0 {
		need.Without(t, "Postfix, which only root can start")
	}
	dir, port := folder(t), freePort(t)
	for _, sub := range []string{"queue", "data", "conf"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	put(t, filepath.Join(dir, "conf/main.cf"), fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.valmont.example
mydestination =
relay_domains = aide.valmont.example, parents.example
transport_maps = inline:{ aide.valmont.example=%[2]s, parents.example=%[3]s }
default_transport = error:outside mail is off
alias_maps =
smtp_tls_security_level = none
smtp_dns_support_level = disabled
lmtp_dns_support_level = disabled
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
message_size_limit = 41943040
maillog_file = /dev/stdout
`, dir, desk, others))
	put(t, filepath.Join(dir, "conf/master.cf"), fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`, port))
	t.Cleanup(func() { // its processes are a session of their own
		if out, err := exec.Command(program, "-c", filepath.Join(dir, "conf"), "stop").CombinedOutput(); err != nil {
			t.Logf("stop Postfix: %v %s", err, out)
		}
	})
	run(t, port, program, "-c", filepath.Join(dir, "conf"), "start-fg")
	return port
}

// TestTheWholeConversationGoesThroughPostfix is a story between somebody elsewhere and
// the desk, with a real mail server between them and the outbox of the house.
func TestTheWholeConversationGoesThroughPostfix(t *testing.T) {
	need.Program(t, "postfix")
	for _, protocol := range []string{"smtp", "lmtp"} {
		t.Run(protocol, func(t *testing.T) {
			set := func(c *mailroom.Config) { c.Protocol, c.Bounces = protocol, true }
			each(t, set, func(t *testing.T, r *room) {
				camille := &inbox{}
				elsewhere := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &inboxSession{inbox: camille}, nil }))
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				go func() { _ = elsewhere.Serve(l) }() // ends with Close
				t.Cleanup(func() { _ = elsewhere.Close() })
				host, port, _ := strings.Cut(r.server, ":")
				there, thatPort, _ := strings.Cut(l.Addr().String(), ":")
				server := postfix(t, protocol+":["+host+"]:"+port, "smtp:["+there+"]:"+thatPort)
				r.deliver(t, server)

				mx := fmt.Sprintf("127.0.0.1:%d", server)
				swaks(t, mx, guest, queue, "Wifi", "En panne.")
				until(t, "the acknowledgement", func() bool { return len(camille.letters()) == 1 })
				list, err := r.Tickets.OfMail(t.Context(), guest)
				if err != nil || len(list) != 1 {
					t.Fatalf("%d requests, %v", len(list), err)
				}
				r.Change(list[0], agent(), func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Redémarrez."}); return w.Solve() })
				until(t, "the answer", func() bool { return len(camille.letters()) == 2 })
				letter, err := mail.ReadMessage(strings.NewReader(camille.letters()[1]))
				if err != nil {
					t.Fatal(err)
				}
				reply := strings.Trim(letter.Header.Get("Reply-To"), "<>")
				if letter.Header.Get("References") == "" || letter.Header.Get("Auto-Submitted") != "" || camille.from[1] != reply || letter.Header.Get("List-Id") != "" {
					t.Errorf("answered with %v from %s", letter.Header, camille.from[1])
				}
				swaks(t, mx, guest, reply, "Re: Wifi", "Toujours pas.", "--header", "In-Reply-To: "+letter.Header.Get("Message-ID"))
				until(t, "the reply", func() bool {
					now, err := r.Tickets.ByID(t.Context(), list[0].ID)
					return err == nil && now.State == ticket.Open && now.Messages == 3
				})
				if m := r.said(t, list[0]); m.By.Role != ticket.Requester || m.Body != "Toujours pas." {
					t.Errorf("said %+v", m)
				}
			})
		})
	}
}

// deliver gives the room the outbox of the house, and runs the jobs of both.
func (r *room) deliver(t *testing.T, port int) {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "outbox"))
	if err != nil {
		t.Fatal(err)
	}
	c := mailer.Defaults()
	c.Transport, c.From, c.FromName = mailer.TransportSMTP, "amphi@valmont.example", "Valmont"
	c.SMTP.Host, c.SMTP.Port, c.SMTP.TLS = "127.0.0.1", port, "none"
	log := slog.New(slog.DiscardHandler)
	outbox, err := mailer.New(mailer.Deps{Config: c, DB: r.DB, Keys: keys, Clock: r.Clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	r.mail.Mailer = outbox
	registry := jobs.NewRegistry()
	outbox.Jobs(registry)
	r.mail.Jobs(registry)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(r.DB, registry, log, jobs.Options{Poll: 100 * time.Millisecond}).Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-ended })
}

// certificate is one for this machine, and the file of who vouches for it: itself.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var cert, private bytes.Buffer
	if err := pem.Encode(&cert, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if err := pem.Encode(&private, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}); err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put(t, certFile, cert.String())
	put(t, keyFile, private.String())
	return certFile, keyFile
}

// TestDovecotIsEmptied reads a real mailbox, encrypted in both ways.
func TestDovecotIsEmptied(t *testing.T) {
	program := need.Program(t, "dovecot")
	dir, plain, secure := folder(t), freePort(t), freePort(t)
	cert, key := certificate(t, dir)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	runs, logs, owns, ownGroup := me.Username, me.Username, me.Username, group.Name
	if os.Geteuid() == 0 { // it will not run as root
		runs, logs, owns, ownGroup = "dovecot", "dovenull", "mail", "mail"
	}
	inbox := filepath.Join(dir, "mail", "Maildir", "new")
	if err := os.MkdirAll(inbox, 0o777); err != nil {
		t.Fatal(err)
	}
	// Each database finds the three mails once more.
	filled := 0
	fill := func() {
		filled++
		for i := range 3 {
			put(t, filepath.Join(inbox, fmt.Sprintf("%d.M%dP%d.host", time.Now().Unix(), i, filled)), strings.ReplaceAll(written(guest, queue, fmt.Sprint("Question ", i), "Été ?"), "\r\n", "\n"))
		}
		if os.Geteuid() == 0 {
			if out, err := exec.Command("chown", "-R", owns+":"+ownGroup, filepath.Join(dir, "mail")).CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
		}
	}
	fill() // Dovecot wants to own the folders that it finds
	put(t, filepath.Join(dir, "users"), "aide:{PLAIN}secret::::::\n")
	put(t, filepath.Join(dir, "dovecot.conf"), fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/run
instance_name = amphi-test
protocols = imap
listen = 127.0.0.1
log_path = /dev/stderr
default_internal_user = %[2]s
default_login_user = %[3]s
mail_uid = %[4]s
mail_gid = %[5]s
first_valid_uid = 1
mail_home = %[1]s/mail
mail_location = maildir:~/Maildir
ssl = required
ssl_cert = <%[6]s
ssl_key = <%[7]s
disable_plaintext_auth = yes
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = scheme=PLAIN %[1]s/users
}
userdb {
  driver = static
  args = uid=%[4]s gid=%[5]s home=%[1]s/mail
}
namespace inbox {
  inbox = yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[8]d
  }
  inet_listener imaps {
    port = %[9]d
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`, dir, runs, logs, owns, ownGroup, cert, key, plain, secure))
	run(t, plain, program, "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	set := func(c *mailroom.Config) {
		one := mailroom.IMAPConfig{Address: fmt.Sprintf("127.0.0.1:%d", plain), User: "aide", Password: "secret", CAFile: cert, Done: "Traité", TLS: "starttls"}
		two := one
		two.Address, two.TLS, two.Done, two.Folder = fmt.Sprintf("127.0.0.1:%d", secure), "tls", "", "Traité"
		c.IMAP = []mailroom.IMAPConfig{one, two}
	}
	first := true
	each(t, set, func(t *testing.T, r *room) {
		if !first {
			fill()
		}
		first = false
		// The first box moves the mails to its folder of those that were taken, which it
		// makes; the second one is that folder, and deletes what lies there. Each mail is
		// taken once all the same.
		for range 2 {
			if err := r.mail.Visit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.mail.ReadWaiting(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := r.mail.Listed(t.Context())
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d mails, %v", len(rows), err)
		}
		list, err := r.Tickets.OfMail(t.Context(), guest)
		if err != nil || len(list) != 3 {
			t.Errorf("%d requests, %v", len(list), err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "mail/Maildir/.*/cur/*"))
		if more, globErr := filepath.Glob(filepath.Join(dir, "mail/Maildir/*/*.M*")); err != nil || globErr != nil || len(left)+len(more) != 0 {
			t.Errorf("%v %v lie in the box", left, more)
		}
	})
}
