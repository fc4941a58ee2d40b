package mailer

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/log"
)

// smtpServer hands mail to the institution's mail server, one connection per message: a job that
// fails then says what happened to exactly that message.
type smtpServer struct {
	config Config
	trust  *tls.Config
	clock  clock.Clock
}

func newSMTP(c Config, now clock.Clock) (*smtpServer, error) {
	trust := &tls.Config{ServerName: c.SMTP.Host, MinVersion: tls.VersionTLS12}
	if c.SMTP.CAFile != "" {
		pem, err := os.ReadFile(c.SMTP.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read mailer.smtp.ca_file: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("read the system's certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("mailer.smtp.ca_file %s holds no certificate", c.SMTP.CAFile)
		}
		trust.RootCAs = pool
	}
	return &smtpServer{config: c, trust: trust, clock: now}, nil
}

func (s *smtpServer) deliver(ctx context.Context, id string, m Message) (string, error) {
	letter, err := s.compose(id, m)
	if err != nil {
		return "", err
	}
	ctx, done := context.WithCancel(ctx) // whatever happens, the connection does not outlive this call
	defer done()
	client, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	err = client.Send(letter)
	// A server may hang up right after it took the message: that is no failure.
	closeErr := client.Close()
	if err != nil {
		return "", errors.Join(sendFault(err, m.To), closeErr)
	}
	return letter.GetMessageID(), nil
}

func (s *smtpServer) check(ctx context.Context) (string, error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	client, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	return client.ServerAddr(), client.Close()
}

func (s *smtpServer) dial(ctx context.Context) (*gomail.Client, error) {
	c := s.config.SMTP
	options := []gomail.Option{
		gomail.WithPort(c.Port), gomail.WithTimeout(c.Timeout), gomail.WithTLSConfig(s.trust.Clone()), gomail.WithoutNoop(),
		gomail.WithDialContextFunc(s.connect(ctx)),
	}
	switch c.TLS {
	case "tls":
		options = append(options, gomail.WithSSL())
	case "starttls":
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory)) // never falls back to clear
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if c.Hello != "" {
		options = append(options, gomail.WithHELO(c.Hello))
	}
	if c.User != "" {
		kind := gomail.SMTPAuthAutoDiscover
		if c.TLS != "starttls" {
			// go-mail cannot see that connect has encrypted already, and Check lets a password go in
			// clear to this very machine only.
			kind = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(kind), gomail.WithUsername(c.User), gomail.WithPassword(c.Password))
	}
	client, err := gomail.NewClient(c.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("set up the mail client: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return nil, dialFault(err)
	}
	return client, nil
}

// connect opens a connection that is closed when ctx ends. go-mail itself looks at a context only
// until it is connected, and would keep a stopping program waiting.
func (s *smtpServer) connect(ctx context.Context) gomail.DialContextFunc {
	return func(dialCtx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() }) // closed already when all went well
		if s.config.SMTP.TLS != "tls" {
			return conn, nil
		}
		secure := tls.Client(conn, s.trust.Clone())
		if err := secure.HandshakeContext(dialCtx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secure, nil
	}
}

func (s *smtpServer) compose(id string, m Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	talk := Talk{From: s.config.FromName}
	if m.Talk != nil {
		talk = *m.Talk
		talk.From = cmp.Or(talk.From, s.config.FromName)
	}
	if err := letter.FromFormat(talk.From, s.config.From); err != nil {
		return nil, AddressMalformed.From(err)
	}
	if err := letter.To(m.To); err != nil {
		return nil, AddressMalformed.From(err)
	}
	if talk.Bounces != "" {
		if err := letter.EnvelopeFrom(talk.Bounces); err != nil {
			return nil, AddressMalformed.From(err)
		}
	}
	if talk.ReplyTo != "" {
		if err := letter.ReplyTo(talk.ReplyTo); err != nil {
			return nil, AddressMalformed.From(err)
		}
	}
	letter.Subject(m.Subject)
	letter.SetDateWithValue(s.clock.Now())
	_, domain, _ := strings.Cut(s.config.From, "@")
	// The same for every attempt: a mailbox that got the message twice can see that it is one.
	letter.SetMessageIDWithValue(cmp.Or(talk.MessageID, id+"@"+domain))
	if n := len(talk.References); n > 0 { // RFC 5322 §3.6.4
		letter.SetGenHeader(gomail.HeaderInReplyTo, "<"+talk.References[n-1]+">")
		letter.SetGenHeader(gomail.HeaderReferences, "<"+strings.Join(talk.References, "> <")+">")
	}
	if !talk.Written {
		letter.SetGenHeader("Auto-Submitted", "auto-generated")
	}
	// RFC 3834 and its relatives: no out-of-office answers, please.
	letter.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		letter.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return letter, nil
}

// dialFault tells apart a server that does not know us from one that is not there.
func dialFault(err error) error {
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code >= 500 && answer.Code != 554 { // 554: no SMTP service here, for now
		return LoginRefused.From(err)
	}
	return Unreachable.From(err)
}

// sendFault tells apart "never" (5xx) from "not now". The server's words are kept for the
// administrator; the address in them is masked.
func sendFault(err error, to string) error {
	cause := errors.New(strings.ReplaceAll(err.Error(), to, log.MaskMail(to)))
	var sent *gomail.SendError
	if errors.As(err, &sent) && !sent.IsTemp() && sent.ErrorCode() >= 500 {
		return Refused.Because(cause, fault.Args{"answer": sent.ErrorCode()})
	}
	return Unreachable.From(cause)
}
