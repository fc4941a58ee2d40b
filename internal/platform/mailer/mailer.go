// Package mailer sends mail and short messages, and keeps a record of each.
//
// A message is written into the outbox in the transaction of whoever sends it, and leaves by a job:
// what is undone is never sent, what is committed is sent even if the program stops in between. The
// text waits sealed, because it may hold a code or a link that opens an account; once it has left,
// only who, what and when stay.
package mailer

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/log"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Locales holds the sentences of this package's reasons.
//
//go:embed locales/*.toml
var Locales embed.FS

// Migrations are the schema steps of the outbox.
func Migrations() db.Migrations { return db.Migrations{Name: "mailer", FS: migrations} }

// Message is one mail to one person, in their language already.
type Message struct {
	// Kind says what it is about, in the style of a reason code ("identity.reset"): it stays in the
	// record and helps to read it.
	Kind string
	// To is one plain address.
	To string
	// Subject stays readable in the record: it never holds a code or a secret.
	Subject string
	// Text is the message; HTML an alternative that says the same (see Letter), and may be empty.
	Text, HTML string
	// Talk is set of a mail that people are meant to answer.
	Talk *Talk `json:",omitempty"`
}

// Talk makes a mail part of a conversation, in which programs and people can answer.
type Talk struct {
	// From is the name shown as the sender; empty for that of the house.
	From string
	// ReplyTo is where answers go.
	ReplyTo string
	// Bounces is where reports go when it cannot be delivered; empty for the sender of
	// the house.
	Bounces string
	// MessageID names the mail, without brackets (RFC 5322 §3.6.4): the answers refer to it.
	MessageID string
	// References are the mails before it in the conversation, oldest first.
	References []string
	// Written is set when a person wrote the mail; otherwise it says that nobody did
	// (RFC 3834 §5).
	Written bool
}

// SMS is one short message to one phone.
type SMS struct {
	Kind string
	// To is a number in international form, such as +33612345678.
	To   string
	Text string
}

// Deps is what a Mailer needs.
type Deps struct {
	Config Config
	DB     *db.DB
	Keys   *crypt.Keyring
	Clock  clock.Clock
	Log    *slog.Logger
	// Count is told of each attempt: its channel ("mail", "sms") and how it ended ("sent", "kept",
	// "failed", "refused"). It may be nil.
	Count func(channel, outcome string)
}

// Mailer sends messages. It is safe for concurrent use.
type Mailer struct {
	Deps
	mail mailTransport
	sms  smsTransport
}

// mailTransport hands one mail over. The id names the delivery and is the same when it is tried again.
type mailTransport interface {
	deliver(ctx context.Context, id string, m Message) (providerRef string, err error)
	// check says whether a delivery would have a chance now.
	check(ctx context.Context) (detail string, err error)
}

// smsTransport hands one short message over.
type smsTransport interface {
	deliver(ctx context.Context, id string, m SMS) (providerRef string, err error)
}

// New makes a mailer for a configuration that Check accepts.
func New(deps Deps) (*Mailer, error) {
	m := &Mailer{Deps: deps}
	if deps.Count == nil {
		m.Count = func(string, string) {}
	}
	if deps.Config.Transport == TransportSMTP {
		server, err := newSMTP(deps.Config, deps.Clock)
		if err != nil {
			return nil, fmt.Errorf("set up outgoing mail: %w", err)
		}
		m.mail = server
	}
	if deps.Config.SMS.Transport == TransportHTTP {
		m.sms = newGateway(deps.Config.SMS)
	}
	return m, nil
}

// SendsSMS reports whether short messages can leave (or, in the demo, be kept): pages offer them
// only then.
func (m *Mailer) SendsSMS() bool { return m.Config.SMS.Transport != TransportNone }

// Send puts a mail in the outbox, in the caller's transaction.
func (m *Mailer) Send(ctx context.Context, tx db.Tx, message Message) error {
	if err := message.check(); err != nil {
		return fmt.Errorf("send a mail (%s): %w", message.Kind, err)
	}
	return m.post(ctx, tx, record{
		Channel: ChannelMail, Kind: message.Kind, To: log.MaskMail(message.To), Subject: message.Subject,
		toKey: m.key(message.To),
	}, message)
}

// SendSMS puts a short message in the outbox, in the caller's transaction. It refuses with
// TooManySMS what would be more than the configured number for one phone in an hour: short messages
// cost money, and there are those who earn it by causing them.
func (m *Mailer) SendSMS(ctx context.Context, tx db.Tx, message SMS) error {
	if !m.SendsSMS() {
		return SMSOff
	}
	if err := message.check(); err != nil {
		return fmt.Errorf("send a short message (%s): %w", message.Kind, err)
	}
	toKey := m.key(message.To)
	if err := m.admitSMS(ctx, tx, toKey); err != nil {
		return fmt.Errorf("send a short message (%s): %w", message.Kind, err)
	}
	return m.post(ctx, tx, record{
		Channel: ChannelSMS, Kind: message.Kind, To: log.MaskPhone(message.To), toKey: toKey,
	}, message)
}

// post seals the message, writes its record and enqueues its delivery.
func (m *Mailer) post(ctx context.Context, tx db.Tx, r record, message any) error {
	plain, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("post %s: %w", r.Kind, err)
	}
	if r.sealed, err = m.Keys.SealText(sealPurpose, string(plain)); err != nil {
		return fmt.Errorf("post %s: %w", r.Kind, err)
	}
	if r.ID, err = insert(ctx, tx, r); err != nil {
		return fmt.Errorf("post %s: %w", r.Kind, err)
	}
	if err := jobs.Enqueue(ctx, tx, Delivery{ID: r.ID}); err != nil {
		return fmt.Errorf("post %s: %w", r.Kind, err)
	}
	return nil
}

const (
	sealPurpose = "mailer.outbox"
	keyPurpose  = "mailer.recipient"
)

// key recognises a recipient without telling who it is.
func (m *Mailer) key(to string) string {
	return fmt.Sprintf("%x", m.Keys.MAC(keyPurpose, []byte(strings.ToLower(to)))[:16])
}

const (
	maxSubject = 200
	maxAddress = 254 // RFC 5321, 4.5.3.1.3
	maxMail    = 256 << 10
	maxSMS     = 600 // about four parts on the network
)

// messageID is the shape of a Message-ID without its brackets that no header breaks on. It
// is wider than RFC 5322 allows: programs invent their own.
var messageID = regexp.MustCompile(`^[!-;=?-~]{1,250}$`)

// check refuses what could become another header, another recipient, or a second message.
func (m Message) check() error {
	if err := checkAddress(m.To); err != nil {
		return err
	}
	if !oneLine(m.Subject) || m.Subject == "" || utf8.RuneCountInString(m.Subject) > maxSubject {
		return SubjectMalformed
	}
	if m.Text == "" || !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML) || len(m.Text)+len(m.HTML) > maxMail {
		return TextMalformed
	}
	if m.Talk == nil {
		return nil
	}
	if err := checkAddress(m.Talk.ReplyTo); err != nil {
		return err
	}
	if m.Talk.Bounces != "" {
		if err := checkAddress(m.Talk.Bounces); err != nil {
			return err
		}
	}
	if !oneLine(m.Talk.From) || !messageID.MatchString(m.Talk.MessageID) {
		return AddressMalformed
	}
	for _, r := range m.Talk.References {
		if !messageID.MatchString(r) {
			return AddressMalformed
		}
	}
	return nil
}

func checkAddress(address string) error {
	if !oneLine(address) || len(address) > maxAddress {
		return AddressMalformed
	}
	parsed, err := mail.ParseAddress(address)
	// Only the bare form: "Somebody <a@b>" or a comment would put words of a stranger in our header.
	if err != nil || parsed.Address != address {
		return AddressMalformed
	}
	return nil
}

var phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // E.164

func (m SMS) check() error {
	if !phoneShape.MatchString(m.To) {
		return PhoneMalformed
	}
	if m.Text == "" || !utf8.ValidString(m.Text) || utf8.RuneCountInString(m.Text) > maxSMS {
		return TextMalformed
	}
	return nil
}

func oneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) && !strings.ContainsAny(text, "\u2028\u2029")
}
