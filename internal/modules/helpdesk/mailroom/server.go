package mailroom

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"
)

// Limits of the listener: the institution's own servers speak to it.
const (
	mostConnections = 50
	mostRecipients  = 50
	patience        = 2 * time.Minute
)

// Listen implements contract.Listener: mail servers of the institution hand over mail,
// by SMTP (RFC 5321) or LMTP (RFC 2033), and mailboxes are emptied.
func (m *Mailroom) Listen(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var listener net.Listener
	if m.config.Listen != "" {
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", m.config.Listen); err != nil {
			return fmt.Errorf("listen for mail on %s: %w", m.config.Listen, err)
		}
	}
	for _, box := range m.boxes {
		watching.Go(func() { box.watch(ctx) })
	}
	if listener != nil {
		return m.Serve(ctx, listener)
	}
	watching.Wait()
	return nil
}

// Serve answers mail servers on a listener until the context ends.
func (m *Mailroom) Serve(ctx context.Context, listener net.Listener) error {
	from, err := networks(m.config.From)
	if err != nil {
		return err
	}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if !admits(from, c.Conn().RemoteAddr()) {
			return nil, notHere
		}
		return &session{room: m, ctx: ctx}, nil
	}))
	s.LMTP = m.config.Protocol == viaLMTP
	s.Domain, s.MaxRecipients, s.MaxMessageBytes = m.Base.Hostname(), mostRecipients, m.config.MaxSize
	s.ReadTimeout, s.WriteTimeout, s.EnableSMTPUTF8 = patience, patience, true
	s.ErrorLog = slog.NewLogLogger(m.Log.Handler(), slog.LevelWarn)
	if m.config.TLSCertificate != "" {
		pair, err := tls.LoadX509KeyPair(m.config.TLSCertificate, m.config.TLSKey)
		if err != nil {
			return fmt.Errorf("read helpdesk.mail.tls_certificate: %w", err)
		}
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() }) // Serve says what ended it
	defer stop()
	if err := s.Serve(netutil.LimitListener(listener, mostConnections)); err != nil && ctx.Err() == nil {
		return fmt.Errorf("answer mail servers: %w", err)
	}
	return nil
}

func networks(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("read helpdesk.mail.from: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// admits reports whether a machine may hand over mail: the whole world's goes through
// the institution's own servers, which filter it.
func admits(from []netip.Prefix, peer net.Addr) bool {
	at, err := netip.ParseAddrPort(peer.String())
	if err != nil {
		return false
	}
	address := at.Addr().Unmap()
	if address.IsLoopback() {
		return true
	}
	for _, p := range from {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

// What mail servers are told (RFC 3463).
var (
	notHere  = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "This server takes mail from the institution's own servers only (helpdesk.mail.from)"}
	noQueue  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No queue of the help desk has this address"}
	notNow   = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The mail could not be kept; try again"}
	tooLarge = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "The mail is larger than helpdesk.mail.max_size"}
)

// session is one conversation with a mail server.
type session struct {
	room *Mailroom
	ctx  context.Context
	from string
	to   []string
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt implements smtp.Session: what is for none of the queues is refused at once, so
// that its sender hears of it.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	_, ok, err := s.room.queueFor(s.ctx, to)
	if err != nil {
		s.room.Log.ErrorContext(s.ctx, "look for the queue of a mail", "error", err)
		return notNow
	}
	if !ok {
		return noQueue
	}
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session. One mail to several queues is taken once for each.
func (s *session) Data(r io.Reader) error {
	if len(s.to) == 1 {
		return s.take(s.to[0], r)
	}
	mail, err := io.ReadAll(io.LimitReader(r, s.room.config.MaxSize+1))
	if err != nil {
		return err
	}
	for _, to := range s.to {
		if err := s.take(to, strings.NewReader(string(mail))); err != nil {
			return err
		}
	}
	return nil
}

// LMTPData implements smtp.LMTPSession: each recipient has an answer of its own.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	mail, err := io.ReadAll(io.LimitReader(r, s.room.config.MaxSize+1))
	if err != nil {
		return err
	}
	for _, to := range s.to {
		status.SetStatus(to, s.take(to, strings.NewReader(string(mail))))
	}
	return nil
}

func (s *session) take(to string, mail io.Reader) error {
	via := viaSMTP
	if s.room.config.Protocol == viaLMTP {
		via = viaLMTP
	}
	err := s.room.take(s.ctx, via, s.from, to, mail)
	var told *smtp.SMTPError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, TooLarge):
		return tooLarge
	case errors.As(err, &told): // the connection's own limit
		return told
	}
	s.room.Log.ErrorContext(s.ctx, "a mail could not be kept; its server will try again", "error", err)
	return notNow
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }
