package mailroom

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// How a mailbox is emptied. What lies in its folder is what is still to be taken, so
// that nothing has to be remembered from one visit to the next: a folder that was made
// anew, with other numbers (UIDVALIDITY, RFC 9051 §2.3.1.1), is read like any other.
const (
	lookEvery    = time.Minute
	longestPause = 15 * time.Minute // after failures
	visitLasts   = 10 * time.Minute // at most
	mostOfVisit  = 200              // mails; the next visit takes the next
	dialWithin   = 30 * time.Second
)

// mailbox is a box that is emptied by one goroutine.
type mailbox struct {
	room   *Mailroom
	config IMAPConfig

	mu      sync.Mutex
	problem error // of the last visit
	seen    bool  // there was one
}

func newMailbox(m *Mailroom, c IMAPConfig) *mailbox {
	if c.Folder == "" {
		c.Folder = "INBOX"
	}
	if c.Every == 0 {
		c.Every = lookEvery
	}
	return &mailbox{room: m, config: c}
}

// watch empties the box from time to time until the context ends. It waits longer
// after each failure.
func (b *mailbox) watch(ctx context.Context) {
	pause := b.config.Every
	for ctx.Err() == nil {
		more, err := b.visit(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			b.room.Log.ErrorContext(ctx, "a mailbox of the help desk could not be emptied", "address", b.config.Address, "error", err)
			pause = min(2*pause, max(longestPause, b.config.Every))
		case more:
			pause = 0
		default:
			pause = b.config.Every
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
		pause = max(pause, b.config.Every)
	}
}

// visit empties the box once, and notes how it went. More is set when something is
// left for another visit.
func (b *mailbox) visit(ctx context.Context) (more bool, err error) {
	ctx, done := context.WithTimeout(ctx, visitLasts)
	defer done()
	more, err = b.empty(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problem, b.seen = err, true
	return more, err
}

// state is how the last visit went.
func (b *mailbox) state() (seen bool, problem error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen, b.problem
}

func (b *mailbox) empty(ctx context.Context) (more bool, err error) {
	c, err := b.connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		// What was taken is kept: how the connection ends changes nothing.
		if err := c.Close(); err != nil {
			b.room.Log.DebugContext(ctx, "the connection to a mailbox ended badly", "error", err)
		}
	}()
	if err := c.Login(b.config.User, b.config.Password).Wait(); err != nil {
		return false, refusal(err, MailboxRefused.From(err))
	}
	folder, err := c.Select(b.config.Folder, nil).Wait()
	if err != nil {
		return false, refusal(err, MailboxFolder.From(err))
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted, imap.FlagFlagged}}, nil).Wait()
	if err != nil {
		return false, MailboxAway.From(err)
	}
	list := found.AllUIDs()
	if more = len(list) > mostOfVisit; more {
		list = list[:mostOfVisit]
	}
	for _, uid := range list {
		if err := b.one(ctx, c, folder.UIDValidity, uid); err != nil {
			return false, err
		}
	}
	if err := c.Logout().Wait(); err != nil {
		b.room.Log.DebugContext(ctx, "the mailbox hung up first", "error", err)
	}
	return more, nil
}

// refusal tells a server that says no from one that is gone.
func refusal(err, no error) error {
	var said *imap.Error
	if errors.As(err, &said) {
		return no
	}
	return MailboxAway.From(err)
}

func (b *mailbox) connect(ctx context.Context) (*imapclient.Client, error) {
	conn, err := (&net.Dialer{Timeout: dialWithin}).DialContext(ctx, "tcp", b.config.Address)
	if err != nil {
		return nil, MailboxAway.From(err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() }) // closed already when all went well
	trust, err := b.trust()
	if err != nil {
		return nil, errors.Join(MailboxAway.From(err), conn.Close())
	}
	switch b.config.encryption() {
	case tlsNever:
		return imapclient.New(conn, nil), nil
	case tlsFromStart:
		secure := tls.Client(conn, trust)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(MailboxAway.From(err), conn.Close())
		}
		return imapclient.New(secure, nil), nil
	}
	c, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: trust})
	if err != nil {
		return nil, errors.Join(MailboxAway.From(err), conn.Close())
	}
	return c, nil
}

// trust says who vouches for the server.
func (b *mailbox) trust() (*tls.Config, error) {
	host, _, err := net.SplitHostPort(b.config.Address)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if b.config.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(b.config.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read helpdesk.mail.imap.ca_file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("read helpdesk.mail.imap.ca_file: there is no certificate in it")
	}
	return c, nil
}

// one takes a mail, and only then lets the box forget it.
func (b *mailbox) one(ctx context.Context, c *imapclient.Client, validity uint32, uid imap.UID) error {
	which := imap.UIDSetNum(uid)
	about, err := c.Fetch(which, &imap.FetchOptions{UID: true, RFC822Size: true, Envelope: true}).Collect()
	if err != nil {
		return MailboxAway.From(err)
	}
	if len(about) == 0 {
		return nil // somebody else took it away
	}
	if about[0].RFC822Size > b.room.config.MaxSize {
		return b.leave(ctx, c, validity, about[0])
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	got, err := c.Fetch(which, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil {
		return MailboxAway.From(err)
	}
	if len(got) == 0 || len(got[0].BodySection) == 0 {
		return nil
	}
	raw := got[0].BodySection[0].Bytes
	from, to, err := b.envelope(ctx, raw)
	if err != nil {
		return err
	}
	err = b.room.take(ctx, viaIMAP, from, to, bytes.NewReader(raw))
	if errors.Is(err, TooLarge) { // servers guess the size, and some guess badly
		about[0].RFC822Size = int64(len(raw))
		return b.leave(ctx, c, validity, about[0])
	}
	if err != nil {
		return err
	}
	return b.forget(c, which)
}

// forget moves a mail that was taken to the folder of those, or deletes it.
func (b *mailbox) forget(c *imapclient.Client, which imap.UIDSet) error {
	if b.config.Done != "" {
		_, err := c.Move(which, b.config.Done).Wait()
		var said *imap.Error
		if errors.As(err, &said) { // most likely there is no such folder yet
			if err := c.Create(b.config.Done, nil).Wait(); err != nil {
				return refusal(err, MailboxFolder.From(err))
			}
			_, err = c.Move(which, b.config.Done).Wait()
		}
		if err != nil {
			return refusal(err, MailboxFolder.From(err))
		}
		return nil
	}
	if err := c.Store(which, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}, nil).Close(); err != nil {
		return MailboxAway.From(err)
	}
	gone := c.Expunge // all that is marked, where the server knows no other way
	if c.Caps().Has(imap.CapUIDPlus) || c.Caps().Has(imap.CapIMAP4rev2) {
		gone = func() *imapclient.ExpungeCommand { return c.UIDExpunge(which) }
	}
	if err := gone().Close(); err != nil {
		return MailboxAway.From(err)
	}
	return nil
}

// leave flags a mail that is too large, so that people see it in the box, and says so
// in the list of mails.
func (b *mailbox) leave(ctx context.Context, c *imapclient.Client, validity uint32, about *imapclient.FetchMessageBuffer) error {
	key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%d", b.config.Address, b.config.User, b.config.Folder, validity, about.UID))
	from, subject := "", ""
	if e := about.Envelope; e != nil {
		subject = clipped(e.Subject, 300)
		if len(e.From) > 0 {
			from = clipped(strings.ToLower(e.From[0].Addr()), 254)
		}
	}
	if err := b.room.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).KeepNotice(ctx, sqlgen.KeepNoticeParams{
			ID: id.New(), ReceivedAt: tx.Now(), Via: viaIMAP, EnvelopeTo: clipped(strings.ToLower(b.config.User), 254), SameKey: hex.EncodeToString(key[:]),
			Size: about.RFC822Size, Outcome: tooBig, FromMail: from, Subject: subject,
		})
		return err
	}); err != nil {
		return fmt.Errorf("note a mail that is too large: %w", err)
	}
	if err := c.Store(imap.UIDSetNum(about.UID), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged}, Silent: true}, nil).Close(); err != nil {
		return MailboxAway.From(err)
	}
	return nil
}

// deliveredTo are the fields that say whom a mail was delivered to, those that servers
// write before those that senders write.
var deliveredTo = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc"}

// longestField bounds a field that is looked through for our addresses, in bytes:
// nobody writes to thousands by hand.
const longestField = 64 << 10

// envelope is what a mail server would have said of a mail that lies in a box: who
// sent it, and which of our addresses it is for. A marked address goes before others.
func (b *mailbox) envelope(ctx context.Context, raw []byte) (from, to string, err error) {
	to = b.config.Queue
	if to == "" {
		to = b.config.User
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", to, nil // the decision says that it is none
	}
	queues, err := b.room.Tickets.Queues(ctx)
	if err != nil {
		return "", "", err
	}
	from = strings.Trim(campus.OneLine(m.Header.Get("Return-Path")), "<> ")
	plain := ""
	for _, field := range deliveredTo {
		for _, value := range m.Header[field] {
			if len(value) > longestField {
				continue
			}
			list, err := mail.ParseAddressList(value)
			if err != nil {
				list = []*mail.Address{{Address: strings.Trim(campus.OneLine(value), "<> ")}}
			}
			for _, a := range list {
				if _, ours := queueAmong(queues, a.Address); !ours {
					continue
				}
				if _, mark := splitReply(a.Address); mark != "" {
					return from, a.Address, nil
				}
				if plain == "" {
					plain = a.Address
				}
			}
		}
	}
	if plain != "" {
		to = plain
	}
	return from, to, nil
}
