// Package post is the post office of the browser stories: a real SMTP server and
// a gateway for short messages, on loopback, that keep what they get.
package post

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// patience is how long a message may take from the program to us.
const patience = 20 * time.Second

// Message is what somebody got, by mail or on their phone.
type Message struct {
	To      string // address or number
	Subject string // of a mail
	Text    string
	ReplyTo string // where answers to a mail go
	ID      string // the name of a mail, as answers refer to it
}

// Office receives messages. It is safe for concurrent use.
type Office struct {
	mu      sync.Mutex
	got     []Message
	smtp    int
	gateway string
}

// Open starts an office and closes it after the test.
func Open(t testing.TB) *Office {
	t.Helper()
	o := &Office{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.smtp = listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{office: o}, nil }))
	server.Domain, server.ErrorLog = "mail.test", log.New(io.Discard, "", 0)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	gateway := httptest.NewServer(http.HandlerFunc(o.sms))
	o.gateway = gateway.URL
	t.Cleanup(func() {
		gateway.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return o
}

// Environment makes the program send its messages here.
func (o *Office) Environment() []string {
	return []string{
		"AMPHI_MAILER__TRANSPORT=smtp", "AMPHI_MAILER__SMTP__HOST=127.0.0.1", fmt.Sprintf("AMPHI_MAILER__SMTP__PORT=%d", o.smtp),
		"AMPHI_MAILER__SMTP__TLS=none", "AMPHI_MAILER__SMS__TRANSPORT=http", "AMPHI_MAILER__SMS__URL=" + o.gateway,
		`AMPHI_MAILER__SMS__BODY={"to":"{to}","text":"{text}"}`, "AMPHI_MAILER__SMS__PER_HOUR=50",
	}
}

// Next waits for a message to somebody (an address, or a number with its +) that
// was not read yet, and reads it: each is given once, oldest first.
func (o *Office) Next(t testing.TB, to string) Message {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(30 * time.Millisecond) {
		if m, ok := o.take(to); ok {
			return m
		}
		if time.Now().After(deadline) {
			o.mu.Lock()
			defer o.mu.Unlock()
			t.Fatalf("nothing came for %s; unread are %+v", to, o.got)
		}
	}
}

// About waits for the next message to somebody whose subject or text holds a
// word, and drops what came before it.
func (o *Office) About(t testing.TB, to, word string) Message {
	t.Helper()
	for {
		if m := o.Next(t, to); strings.Contains(m.Subject+"\n"+m.Text, word) {
			return m
		}
	}
}

// Unread counts what came for somebody and was not read yet.
func (o *Office) Unread(to string) (count int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.got {
		if strings.EqualFold(m.To, to) {
			count++
		}
	}
	return count
}

func (o *Office) take(to string) (Message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, m := range o.got {
		if strings.EqualFold(m.To, to) {
			o.got = append(o.got[:i:i], o.got[i+1:]...)
			return m, true
		}
	}
	return Message{}, false
}

var (
	code = regexp.MustCompile(`(?m)\b(\d{3})[ \x{00A0}\x{202F}]?(\d{3})\b`)
	link = regexp.MustCompile(`http://[^\s<>"]+`)
)

// Code is the six-digit code that the message holds.
func (m Message) Code(t testing.TB) string {
	t.Helper()
	found := code.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no code in %q", m.Text)
	}
	return found[1] + found[2]
}

// Link is the first address that the message holds.
func (m Message) Link(t testing.TB) string {
	t.Helper()
	found := link.FindString(m.Text)
	if found == "" {
		t.Fatalf("no link in %q", m.Text)
	}
	return strings.TrimRight(found, ".,;)")
}

func (o *Office) keep(m Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.got = append(o.got, m)
}

func (o *Office) sms(w http.ResponseWriter, r *http.Request) {
	var m Message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.keep(m)
	w.WriteHeader(http.StatusAccepted)
}

// session is one visit of a mail program.
type session struct {
	office *Office
	to     []string
}

func (s *session) Reset()                               { s.to = nil }
func (s *session) Logout() error                        { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	m, err := read(r)
	if err != nil {
		return err
	}
	for _, m.To = range s.to {
		s.office.keep(m)
	}
	return nil
}

// read takes the subject and the plain text out of a mail (RFC 5322, RFC 2045).
func read(r io.Reader) (Message, error) {
	letter, err := mail.ReadMessage(r)
	if err != nil {
		return Message{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil {
		return Message{}, err
	}
	text, err := plain(letter.Header.Get("Content-Type"), letter.Header.Get("Content-Transfer-Encoding"), letter.Body)
	return Message{Subject: subject, Text: text, ReplyTo: strings.Trim(letter.Header.Get("Reply-To"), "<>"), ID: strings.Trim(letter.Header.Get("Message-ID"), "<>")}, err
}

func plain(kind, encoding string, body io.Reader) (string, error) {
	media, parameters, err := mime.ParseMediaType(kind)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, parameters["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return "", err
			}
			if text, err := plain(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err == nil {
				return text, nil
			}
		}
	}
	if media != "text/plain" {
		return "", fmt.Errorf("%s is no text", media)
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	return string(text), err
}
