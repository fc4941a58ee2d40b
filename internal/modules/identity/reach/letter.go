package reach

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Letter is something that somebody must know. Its sentences are
// identity.letter.<Kind>.subject, .text (paragraphs parted by an empty line),
// .action (the label of the button, when URL is set) and .sms (when Urgent,
// with {url} where the link goes).
type Letter struct {
	Kind string
	Args []any // facts for the sentences, as i18n takes them
	// URL is a local path; what it leads to must not act on GET.
	URL string
	// Notice is where the notice in the portal leads instead of URL, where somebody
	// who is signed in has better to do. Give it when URL holds a secret: notices are kept in clear, and every session that is open
	// shows them, also the one that the letter warns of.
	Notice string
	// Urgent sends a text message as well.
	Urgent bool
	// Good news looks so in the portal, urgent or not.
	Good bool
}

// outboxKind is what the mailer's record calls a letter.
func outboxKind(kind string) string { return "identity." + kind }

// wording makes the sentences of one letter in one language.
type wording struct {
	*i18n.Printer
	kind string
	args []any
}

func (x *Reach) wording(l campus.Locale, kind string, args ...any) wording {
	texts := x.Texts.For(l)
	name := x.NameFrench
	if texts.Locale() == campus.English && x.NameEnglish != "" || name == "" {
		name = x.NameEnglish
	}
	return wording{texts, kind, append([]any{"institution", name}, args...)}
}

// say words one part of the letter, or says it in general when the kind has no
// sentence of its own.
func (w wording) say(part, general string) string {
	key := "identity.letter." + w.kind + "." + part
	if !w.Has(key) {
		key = "identity.reach.letter." + general
	}
	return w.T(key, w.args...)
}

// paragraphs are the parts of a text between empty lines.
func paragraphs(text string) []string {
	return strings.Split(strings.TrimSpace(text), "\n\n")
}

// frame is what all letters share: who it is for, and who it is from.
func (w wording) frame(to account.Person) mailer.Letter {
	name := to.GivenName
	if name == "" {
		name = to.DisplayName()
	}
	return mailer.Letter{
		Locale: w.Locale(), Greeting: w.T("identity.reach.letter.greeting", "name", name),
		Signature: w.T("identity.reach.letter.signature", w.args...),
	}
}

// SendCode sends a code to a point, in the caller's transaction. The sentences
// are identity.letter.<kind>.subject, .text and .sms with {code}, {duration} and
// {institution}; those that are missing are worded generally. Its errors,
// besides those of the database, are [TooSoon], mailer.SMSOff and
// mailer.TooManySMS, which are for people to read.
func (x *Reach) SendCode(ctx context.Context, tx db.Tx, to account.Person, at Point, kind, plain string, lasts time.Duration) error {
	if err := x.notTooSoon(ctx, tx, at, kind); err != nil {
		return err
	}
	w := x.wording(to.Locale, kind, "code", plain, "duration", lasts)
	if at.SMS() {
		text := economical(w.say("sms", "code.sms")) + boundTo(x.BaseURL, plain)
		return x.Mailer.SendSMS(ctx, tx, mailer.SMS{Kind: outboxKind(kind), To: at.Value, Text: text})
	}
	letter := w.frame(to)
	letter.Before = paragraphs(w.say("text", "code.text"))
	letter.Code = code.Shown(plain)
	letter.After = []string{w.T("identity.reach.letter.code.lasts", w.args...), w.T("identity.reach.letter.code.never", w.args...)}
	return x.Mailer.Send(ctx, tx, letter.Message(outboxKind(kind), at.Value, w.say("subject", "code.subject")))
}

// notTooSoon keeps impatience from filling a phone with codes of which only the
// last works.
func (x *Reach) notTooSoon(ctx context.Context, tx db.Tx, at Point, kind string) error {
	sent, err := x.Mailer.Latest(ctx, tx, at.outboxChannel(), outboxKind(kind), at.Value)
	if errors.Is(err, mailer.MessageNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if wait := sent.Created.Add(x.config.ResendAfter).Sub(tx.Now().Time()); wait > 0 {
		return TooSoon.With(fault.Args{"wait": wait})
	}
	return nil
}

func (p Point) outboxChannel() string {
	if p.SMS() {
		return mailer.ChannelSMS
	}
	return mailer.ChannelMail
}

// Sent tells what became of the newest message of a kind (as given to
// [Reach.SendCode]) to a point.
func (x *Reach) Sent(ctx context.Context, at Point, kind string) (Sent, error) {
	s := Sent{To: at.Masked, SMS: at.SMS()}
	r, err := x.Mailer.Latest(ctx, x.DB.Read(), at.outboxChannel(), outboxKind(kind), at.Value)
	if errors.Is(err, mailer.MessageNotFound) {
		return s, nil
	}
	if err != nil {
		return Sent{}, err
	}
	s.At, s.ResendAt, s.State, s.Tries, s.ChangedAt = r.Created, r.Created.Add(x.config.ResendAfter), r.State, r.Attempts, r.Changed
	if !x.Clock.Now().Before(s.ResendAt) {
		s.ResendAt = time.Time{}
	}
	return s, nil
}

// Tell sends a letter by mail to the institutional address and to every recovery
// address that counts, by text message to the phones that count when it is
// urgent, and as a notice in the portal. What the record gave counts before its
// owner confirms it: the institution vouches for it, codes go there too, and for
// many people it is the only place that a thief of the mailbox does not read. A
// phone that has had its share of messages is passed over: the mail says the same.
func (x *Reach) Tell(ctx context.Context, tx db.Tx, to account.Person, l Letter) error {
	points, err := x.counting(ctx, tx, to, "")
	if err != nil {
		return err
	}
	return x.tell(ctx, tx, to, l, points)
}

// counting are the points of somebody that count now, without one.
func (x *Reach) counting(ctx context.Context, tx db.Tx, to account.Person, but string) ([]Point, error) {
	known, err := x.pointsOf(ctx, tx, to)
	if err != nil {
		return nil, err
	}
	now := tx.Now().Time()
	return slices.DeleteFunc(known, func(p Point) bool { return p.ID == but || !p.Usable(now) }), nil
}

// tell sends a letter to the given points, and the notice.
func (x *Reach) tell(ctx context.Context, tx db.Tx, to account.Person, l Letter, points []Point) error {
	w := x.wording(to.Locale, l.Kind, l.Args...)
	letter := w.frame(to)
	letter.Before = paragraphs(w.say("text", "told.text"))
	if l.URL != "" {
		letter.Label, letter.URL = w.say("action", "told.action"), x.absolute(l.URL)
	}
	for _, p := range points {
		var err error
		switch {
		case p.SMS() && l.Urgent:
			short := w
			short.args = append(append([]any{}, w.args...), "url", x.absolute(l.URL))
			err = x.Mailer.SendSMS(ctx, tx, mailer.SMS{Kind: outboxKind(l.Kind), To: p.Value, Text: economical(short.say("sms", "told.sms"))})
		case !p.SMS():
			err = x.Mailer.Send(ctx, tx, letter.Message(outboxKind(l.Kind), p.Value, w.say("subject", "told.subject")))
		}
		if errors.Is(err, mailer.TooManySMS) || errors.Is(err, mailer.SMSOff) {
			x.Log.InfoContext(ctx, "a letter went by mail only", "kind", l.Kind, "person", to.ID, "reason", fault.Of(err).Reason.Code())
		} else if err != nil {
			return fmt.Errorf("tell %s: %w", l.Kind, err)
		}
	}
	return x.notice(ctx, tx, to, l)
}

// notice says the letter's first paragraph in the portal.
func (x *Reach) notice(ctx context.Context, tx db.Tx, to account.Person, l Letter) error {
	if x.Notices == nil {
		return nil
	}
	french, english := x.wording(campus.French, l.Kind, l.Args...), x.wording(campus.English, l.Kind, l.Args...)
	n := contract.Notice{
		Room: "identity", Icon: "shield", URL: l.URL,
		TitleFrench: french.say("subject", "told.subject"), TitleEnglish: english.say("subject", "told.subject"),
		DetailFrench: paragraphs(french.say("text", "told.text"))[0], DetailEnglish: paragraphs(english.say("text", "told.text"))[0],
	}
	if l.Notice != "" {
		n.URL = l.Notice
	}
	switch {
	case l.Good:
		n.Tone = "good"
	case l.Urgent:
		n.Tone = "warn"
	}
	if err := x.Notices.Notify(ctx, tx, to.ID, n); err != nil {
		return fmt.Errorf("tell %s: %w", l.Kind, err)
	}
	return nil
}

// absolute is a local path as a letter writes it; "" stays empty.
func (x *Reach) absolute(path string) string {
	if path == "" {
		return ""
	}
	return strings.TrimSuffix(x.BaseURL.String(), "/") + path
}
