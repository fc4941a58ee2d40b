// Package mailroom is where mail to the help desk comes in and answers go out. A
// mail is kept as it came before its sender hears that it was taken; what becomes
// of it is decided in a job, once.
package mailroom

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Deps is what the mailroom needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Texts    *i18n.Catalogue
	Files    files.Store
	Keys     *crypt.Keyring
	Base     *url.URL
	Tickets  *ticket.Tickets
	Attached *attached.Attached
	Register contract.Register
	Mailer   Mailer
	// LetterURL and RatingURL lead the requester of a ticket to it, without signing in.
	LetterURL, RatingURL func(ticket.Ticket) string
	// InstitutionFrench and InstitutionEnglish sign letters.
	InstitutionFrench, InstitutionEnglish string
}

// Mailer puts mail in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Mailroom is the alcove.
type Mailroom struct {
	Deps
	config Config
	boxes  []*mailbox
}

// New opens it.
func New(d Deps, c Config) *Mailroom {
	m := &Mailroom{Deps: d, config: c}
	for _, box := range c.IMAP {
		m.boxes = append(m.boxes, newMailbox(m, box))
	}
	return m
}

// The ways by which mail comes in.
const (
	viaSMTP = "smtp"
	viaLMTP = "lmtp"
	viaIMAP = "imap"
)

// readMail is the job that decides what becomes of a mail.
type readMail struct {
	ID string `json:"id"`
}

// JobName implements jobs.Args.
func (readMail) JobName() string { return "helpdesk.read_mail" }

// Jobs registers the alcove's jobs.
func (m *Mailroom) Jobs(r *jobs.Registry) {
	jobs.Handle(r, m.read, jobs.Policy{Timeout: 2 * time.Minute})
	jobs.Handle(r, m.letMailsGo, jobs.Policy{})
	r.Every("helpdesk.forget_mails", 24*time.Hour, m.forget)
}

// take keeps a mail as it came, and sees to it that it is read. When it returns
// without an error the mail survives a power cut; one that was handed over already
// is not kept twice.
func (m *Mailroom) take(ctx context.Context, via, from, to string, mail io.Reader) error {
	from, to = clipped(strings.ToLower(from), 254), clipped(strings.ToLower(to), 254)
	sum, size := sha256.New(), counter(0)
	fmt.Fprintf(sum, "%s\n", to)
	ref, err := m.Files.Put(ctx, io.TeeReader(io.LimitReader(mail, m.config.MaxSize+1), io.MultiWriter(sum, &size)), files.Meta{Name: "mail.eml"})
	if err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	kept := false
	if int64(size) > m.config.MaxSize {
		err = TooLarge
	} else {
		err = m.DB.InTx(ctx, func(tx db.Tx) error {
			name := id.New()
			n, err := sqlgen.New(tx).Keep(ctx, sqlgen.KeepParams{
				ID: name, ReceivedAt: tx.Now(), Via: via, EnvelopeFrom: from, EnvelopeTo: to, SameKey: hex.EncodeToString(sum.Sum(nil)), Size: int64(size), FileRef: string(ref),
			})
			if kept = err == nil && n > 0; !kept {
				return err
			}
			return jobs.Enqueue(ctx, tx, readMail{ID: name})
		})
	}
	if err != nil || !kept {
		if dropErr := m.Files.Delete(ctx, ref); dropErr != nil {
			m.Log.ErrorContext(ctx, "a mail that was not taken stays in the file store", "ref", ref, "error", dropErr)
		}
	}
	if err != nil {
		return fmt.Errorf("take a mail: %w", err)
	}
	return nil
}

// counter counts the bytes that are written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// queueFor is the queue that a recipient stands for: its own address, or the one that
// answers to its letters go to. ok is false for an address that is none of ours.
func (m *Mailroom) queueFor(ctx context.Context, to string) (q ticket.Queue, ok bool, err error) {
	queues, err := m.Tickets.Queues(ctx)
	if err != nil {
		return q, false, err
	}
	q, ok = queueAmong(queues, to)
	return q, ok, nil
}

// queueAmong finds the open queue that a recipient stands for.
func queueAmong(queues []ticket.Queue, to string) (ticket.Queue, bool) {
	plain, _ := splitReply(strings.ToLower(to))
	for _, q := range queues {
		if q.Mail != "" && q.Mail == plain && q.ClosedAt.IsZero() {
			return q, true
		}
	}
	return ticket.Queue{}, false
}

// replyQueue is the address that answers to a ticket's letters go to: that of its
// queue, or else of any, since the mark leads to the ticket. It is empty when no
// queue has one.
func (m *Mailroom) replyQueue(ctx context.Context, queue string) (string, error) {
	queues, err := m.Tickets.Queues(ctx)
	if err != nil {
		return "", err
	}
	any := ""
	for _, q := range queues {
		if q.Mail == "" || !q.ClosedAt.IsZero() {
			continue
		}
		if q.ID == queue {
			return q.Mail, nil
		}
		if any == "" || q.Mail < any {
			any = q.Mail
		}
	}
	return any, nil
}

// mail reads one, or answers [MailMissing].
func (m *Mailroom) mail(ctx context.Context, name string) (sqlgen.HelpdeskMail, error) {
	row, err := sqlgen.New(m.DB.Read()).Mail(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return row, MailMissing
	}
	if err != nil {
		return row, fmt.Errorf("read a mail: %w", err)
	}
	return row, nil
}

// forget lets mails and answers go whose time is over. One that waits stays.
func (m *Mailroom) forget(ctx context.Context) error {
	before := m.DB.Now().Add(-m.config.Keep)
	for {
		old, err := sqlgen.New(m.DB.Read()).Old(ctx, before)
		if err != nil {
			return fmt.Errorf("list old mails: %w", err)
		}
		for _, row := range old {
			if err := m.deleteFile(ctx, row.FileRef); err != nil {
				return err
			}
			if err := m.DB.InTx(ctx, func(tx db.Tx) error { return sqlgen.New(tx).Forget(ctx, row.ID) }); err != nil {
				return fmt.Errorf("let a mail go: %w", err)
			}
		}
		if len(old) == 0 {
			break
		}
	}
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).ForgetAnswers(ctx, tx.Now().Add(-answersWithin))
		return err
	})
}

func (m *Mailroom) deleteFile(ctx context.Context, ref string) error {
	if ref == "" {
		return nil
	}
	if err := m.Files.Delete(ctx, files.Ref(ref)); err != nil && !errors.Is(err, files.NotFound) {
		return fmt.Errorf("let a mail go: %w", err)
	}
	return nil
}

// personOf finds who has an institutional address; nobody for others.
func (m *Mailroom) personOf(ctx context.Context, address string) (contract.Known, error) {
	found, err := m.Register.FindPeople(ctx, contract.FieldMail, []string{address})
	if err != nil {
		return contract.Known{}, fmt.Errorf("find the author of a mail: %w", err)
	}
	who := found[address]
	if who == "" {
		return contract.Known{}, nil
	}
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return contract.Known{}, fmt.Errorf("read the author of a mail: %w", err)
	}
	return known[who], nil
}
