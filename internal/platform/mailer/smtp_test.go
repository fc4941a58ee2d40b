package mailer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// mailServer is a real SMTP server that keeps what it gets.
type mailServer struct {
	port   int
	caFile string

	mu      sync.Mutex
	got     []string // recipient, a blank, the message
	secure  []bool   // whether each came encrypted
	user    string
	pass    string
	rcpt    func(to string) error // what to answer to RCPT; nil takes everybody
	data    func() error
	dataGot int
}

func (s *mailServer) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	to     string
	known  bool
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != s.server.user || pass != s.server.pass {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }
func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if s.server.user != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.server.rcpt != nil {
		return s.server.rcpt(to)
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.dataGot++
	if s.server.data != nil {
		if err := s.server.data(); err != nil {
			return err
		}
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.server.got = append(s.server.got, s.to+" "+string(text))
	s.server.secure = append(s.server.secure, encrypted)
	return nil
}

// serveMail starts a server on loopback. With way "starttls" or "tls" it has a certificate of its
// own, which caFile vouches for.
func serveMail(t *testing.T, way string) *mailServer {
	t.Helper()
	s := &mailServer{}
	backend := smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{server: s, conn: c}, nil })
	server := smtp.NewServer(backend)
	server.Domain, server.ReadTimeout, server.WriteTimeout = "mail.test", 10*time.Second, 10*time.Second
	server.ErrorLog = quiet{}
	if way != "none" {
		var certificate tls.Certificate
		certificate, s.caFile = selfSigned(t)
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	} else {
		server.AllowInsecureAuth = true
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	if way == "tls" {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	facts := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, facts, facts, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func smtpConfig(s *mailServer, way string) Config {
	c := Defaults()
	c.Transport, c.From, c.FromName = TransportSMTP, "amphi@valmont.example", "Université de Valmont"
	c.SMTP = SMTPConfig{Host: "127.0.0.1", Port: s.port, TLS: way, CAFile: s.caFile, User: s.user, Password: s.pass, Timeout: 5 * time.Second, Hello: "amphi.test"}
	return c
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newServer(t *testing.T, c Config) *smtpServer {
	t.Helper()
	if problems := c.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	s, err := newSMTP(c, clock.At(noon))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func aMail() Message {
	letter := Letter{
		Locale: "fr", Greeting: "Bonjour Éléonore,", Before: []string{"Voici votre code <provisoire>."}, Code: "482 913",
		Label: "Ouvrir", URL: "https://ent.valmont.example/reset?a=1&b=2", After: []string{"À bientôt\u202f!"}, Signature: "Université de Valmont",
	}
	return letter.Message("identity.reset", "eleonore@valmont.example", "Votre mot de passe, étape 2")
}

func TestMailArrivesWholeByEveryKindOfConnection(t *testing.T) {
	for _, way := range []string{"starttls", "tls", "none"} {
		t.Run(way, func(t *testing.T) {
			server := serveMail(t, way)
			server.user, server.pass = "amphi", "pass"
			sender := newServer(t, smtpConfig(server, way))
			if detail, err := sender.check(t.Context()); err != nil || detail == "" {
				t.Fatalf("health: %q, %v", detail, err)
			}
			if _, err := sender.deliver(t.Context(), "018f-id", aMail()); err != nil {
				t.Fatal(err)
			}
			got := server.messages()
			if len(got) != 1 || server.secure[0] != (way != "none") {
				t.Fatalf("%d messages, encrypted %v", len(got), server.secure)
			}
			to, text, _ := strings.Cut(got[0], " ")
			if to != "eleonore@valmont.example" {
				t.Fatalf("sent to %q", to)
			}
			checkMail(t, text)
		})
	}
}

// checkMail reads a message as a mail program does.
func checkMail(t *testing.T, text string) {
	t.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	decode := func(name string) string {
		plain, err := (&mime.WordDecoder{}).DecodeHeader(parsed.Header.Get(name))
		if err != nil {
			t.Fatal(err)
		}
		return plain
	}
	for name, want := range map[string]string{
		"Subject": "Votre mot de passe, étape 2", "To": "<eleonore@valmont.example>", "Message-ID": "<018f-id@valmont.example>",
		"Auto-Submitted": "auto-generated", "From": `"Université de Valmont" <amphi@valmont.example>`, "User-Agent": "", "X-Mailer": "",
	} {
		if got := decode(name); got != want && strings.ReplaceAll(got, `"`, "") != strings.ReplaceAll(want, `"`, "") {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if at, err := parsed.Header.Date(); err != nil || !at.Equal(noon) {
		t.Errorf("dated %v, %v", at, err)
	}
	_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	var kinds []string
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, strings.SplitN(part.Header.Get("Content-Type"), ";", 2)[0])
		if !strings.Contains(string(body), "482 913") || !strings.Contains(string(body), "À bientôt\u202f!") {
			t.Errorf("part %s: %s", kinds[len(kinds)-1], body)
		}
	}
	if len(kinds) != 2 || kinds[0] != "text/plain" || kinds[1] != "text/html" { // the richest last (RFC 2046, 5.1.4)
		t.Errorf("parts: %v", kinds)
	}
}

func TestAFailedMailSaysWhichKindOfFailureItWas(t *testing.T) {
	permanent := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user eleonore@valmont.example"}
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	for _, c := range []struct {
		name string
		set  func(*mailServer, *Config)
		want error
		last bool
	}{
		{"the address does not exist", func(s *mailServer, _ *Config) { s.rcpt = func(string) error { return permanent } }, Refused, true},
		{"the text is refused", func(s *mailServer, _ *Config) { s.data = func() error { return permanent } }, Refused, true},
		{"come back later", func(s *mailServer, _ *Config) { s.rcpt = func(string) error { return busy } }, Unreachable, false},
		{"a wrong password", func(_ *mailServer, c *Config) { c.SMTP.Password = "wrong" }, LoginRefused, false},
		{"nobody there", func(_ *mailServer, c *Config) { c.SMTP.Port = freePort(t) }, Unreachable, false},
		{"a certificate that nobody vouches for", func(_ *mailServer, c *Config) { c.SMTP.CAFile = "" }, Unreachable, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serveMail(t, "starttls")
			server.user, server.pass = "amphi", "pass"
			config := smtpConfig(server, "starttls")
			c.set(server, &config)
			_, err := newServer(t, config).deliver(t.Context(), "id", aMail())
			if !errors.Is(err, c.want) || hopeless(err) != c.last {
				t.Fatalf("%v, hopeless %v", err, hopeless(err))
			}
			if strings.Contains(err.Error(), "eleonore@") {
				t.Fatalf("the log would tell who it was for: %v", err)
			}
			if len(server.messages()) != 0 {
				t.Fatal("it arrived nevertheless")
			}
		})
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // only its number mattered
	return listener.Addr().(*net.TCPAddr).Port
}

func TestMailNeverFallsBackToAnOpenConnection(t *testing.T) {
	server := serveMail(t, "none") // offers no STARTTLS
	_, err := newServer(t, smtpConfig(server, "starttls")).deliver(t.Context(), "id", aMail())
	if err == nil || len(server.messages()) != 0 {
		t.Fatalf("%d messages in clear, %v", len(server.messages()), err)
	}
}

func TestAServerThatNeverAnswersIsLeftAfterTheTimeout(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test is over
	config := smtpConfig(&mailServer{port: listener.Addr().(*net.TCPAddr).Port}, "none")
	config.SMTP.Timeout = 200 * time.Millisecond
	began := time.Now()
	_, err = newServer(t, config).deliver(t.Context(), "id", aMail())
	if !errors.Is(err, Unreachable) || time.Since(began) > 3*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	ended, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	config.SMTP.Timeout = time.Minute
	began = time.Now()
	if _, err := newServer(t, config).deliver(ended, "id", aMail()); err == nil || time.Since(began) > 3*time.Second {
		t.Fatalf("a stopping program waits %v: %v", time.Since(began), err)
	}
}
