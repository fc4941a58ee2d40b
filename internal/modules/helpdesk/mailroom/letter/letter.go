// Package letter reads mails as people wrote them: whose they are, to what they
// answer, what is new in them, and what a program sent by itself. It does no input
// or output, and believes nothing: every size, depth and count has an end.
package letter

import (
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mails come in every encoding
	mimemail "github.com/emersion/go-message/mail"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Kind says what sort of mail it is.
type Kind string

// The kinds of mail.
const (
	Written Kind = "written" // by somebody
	Auto    Kind = "auto"    // an answer by a program, such as that somebody is away (RFC 3834)
	Bulk    Kind = "bulk"    // to many: a list, a newsletter
	Bounce  Kind = "bounce"  // a report that a mail could not be delivered (RFC 3464)
)

// Letter is a mail that was read.
type Letter struct {
	Kind       Kind
	MessageID  string   // without brackets; empty when it has none
	References []string // the mails it answers to, the nearest last
	From       mail.Address
	// Author is who wrote what was forwarded; From otherwise.
	Author    mail.Address
	Forwarded bool
	Above     string   // what stands above a forwarded mail: of who forwarded it
	To        []string // addresses of To and Cc, lower case
	Subject   string
	Date      time.Time // zero when it says none
	Text      string    // what is new in it
	Folded    string    // quotations and signature
	Files     []File
	// Left says how many files and parts were left out, because there are too many or
	// they lie too deep.
	Left int
	// Failed is the address that a bounce is about, and Again that of a delay: nothing
	// is lost yet.
	Failed string
	Again  bool
}

// File is something attached.
type File struct {
	Name      string
	MediaType string // as the mail claims
	Data      []byte
	Inline    bool // stands in the text: a picture of a signature, a screenshot
}

// How far a mail is read.
const (
	deepest   = 8
	mostParts = 200
	mostFiles = 20
	mostText  = 200 << 10 // bytes
	longest   = 300       // of a subject

	mostRecipients = 200
	mostReferences = 50
)

// ErrMalformed is a mail that cannot be read at all.
var ErrMalformed = errors.New("letter: not a mail")

// Read reads a mail of at most so many bytes; what is behind them is missing.
func Read(r io.Reader, most int64) (*Letter, error) { return read(r, most, 0) }

// read reads a mail that lies so deep in another one: each is kept whole beside the
// others, so that a chain of them has to end.
func read(r io.Reader, most int64, depth int) (*Letter, error) {
	e, err := message.Read(io.LimitReader(r, most))
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) || e == nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	h := mimemail.Header{Header: e.Header}
	l := &Letter{Kind: kindOf(h), Subject: subjectOf(h)}
	if l.From = firstAddress(h, "From"); l.From.Address == "" {
		l.From = firstAddress(h, "Sender")
	}
	l.Author = l.From
	if id, err := h.MessageID(); err == nil {
		l.MessageID = id
	}
	l.References = references(h)
	for _, field := range []string{"To", "Cc", "Delivered-To", "X-Original-To"} {
		for _, a := range addresses(h, field) {
			if to := strings.ToLower(a.Address); len(l.To) < mostRecipients && !slices.Contains(l.To, to) {
				l.To = append(l.To, to)
			}
		}
	}
	if at, err := h.Date(); err == nil {
		l.Date = at
	}
	p := &parts{letter: l}
	p.take(e, depth)
	text := p.text()
	if l.Kind != Bounce {
		l.unwrap(text, p)
	} else {
		l.Text = text
	}
	l.Text, l.Folded, l.Above = clip(l.Text), clip(l.Folded), clip(l.Above)
	return l, nil
}

// unwrap tells what is new from what is quoted, and finds the author of what was
// forwarded.
func (l *Letter) unwrap(text string, p *parts) {
	if p.enclosed != nil && looksForwarded(l.Subject, text) {
		l.Author, l.Forwarded, l.Above = p.enclosed.Author, true, strings.TrimSpace(text)
		l.Text, l.Folded = p.enclosed.Text, joined(p.enclosed.Folded, text)
		l.Subject = campus.OneLine(firstOf(p.enclosed.Subject, l.Subject))
		l.Files = append(l.Files, p.enclosed.Files...)
		return
	}
	if before, original, ok := splitForward(text); ok {
		l.Forwarded, l.Above = true, before
		if original.from.Address != "" {
			l.Author = original.from
		}
		l.Text, l.Folded = Fold(original.body)
		l.Folded = joined(l.Folded, before)
		l.Subject = campus.OneLine(firstOf(original.subject, l.Subject))
		return
	}
	l.Text, l.Folded = Fold(text)
}

func firstOf(a, b string) string {
	if strings.TrimSpace(a) != "" {
		return a
	}
	return b
}

func joined(a, b string) string {
	return strings.TrimSpace(strings.TrimSpace(a) + "\n\n" + strings.TrimSpace(b))
}

func clip(text string) string {
	if len(text) > mostText {
		return strings.ToValidUTF8(text[:mostText], "") + "\n[…]"
	}
	return text
}

// subjectOf is the subject on one line, however it is encoded.
func subjectOf(h mimemail.Header) string {
	text, err := h.Subject()
	if err != nil {
		text = h.Get("Subject")
	}
	text = campus.OneLine(strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// addresses reads a field; one that is malformed is read as far as it can be.
func addresses(h mimemail.Header, field string) []*mail.Address {
	list, err := h.AddressList(field)
	if err == nil {
		return list
	}
	raw := h.Get(field)
	if i, j := strings.LastIndexByte(raw, '<'), strings.LastIndexByte(raw, '>'); i >= 0 && j > i {
		raw = raw[i+1 : j]
	}
	if a, err := mail.ParseAddress(strings.TrimSpace(raw)); err == nil {
		return []*mail.Address{a}
	}
	return nil
}

func firstAddress(h mimemail.Header, field string) mail.Address {
	if list := addresses(h, field); len(list) > 0 {
		return mail.Address{Name: campus.OneLine(strings.ToValidUTF8(list[0].Name, "")), Address: strings.ToLower(list[0].Address)}
	}
	return mail.Address{}
}

// references are the mails before this one (RFC 5322 §3.6.4), the nearest last. A
// field that is malformed is read by its brackets.
func references(h mimemail.Header) (list []string) {
	for _, field := range []string{"References", "In-Reply-To"} {
		ids, err := h.MsgIDList(field)
		if err != nil {
			ids = nil
			for _, piece := range strings.Split(h.Get(field), "<")[1:] {
				if id, _, ok := strings.Cut(piece, ">"); ok {
					ids = append(ids, strings.TrimSpace(id))
				}
			}
		}
		for _, id := range ids[max(0, len(ids)-mostReferences):] {
			if i := slices.Index(list, id); i >= 0 {
				list = slices.Delete(list, i, i+1)
			}
			list = append(list, id)
		}
	}
	return list[max(0, len(list)-mostReferences):]
}
