package activation

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// What is written here goes to one address and holds a secret, so it does not
// take the way of the other letters, which also leave a notice in the portal.

// address is a local path as people outside the portal can follow it.
func (x *Activation) address(path string) string {
	return strings.TrimSuffix(x.Base.String(), "/") + path
}

// words are the sentences in somebody's language; in French for those who have
// not chosen, as letters of the institution are.
func (x *Activation) words(l campus.Locale) *i18n.Printer {
	if l == "" {
		l = campus.French
	}
	return x.Texts.For(l)
}

// institution is its name in a language.
func (x *Activation) institution(p *i18n.Printer) string {
	if p.Locale() == campus.English && x.NameEnglish != "" {
		return x.NameEnglish
	}
	return x.NameFrench
}

// paragraphs parts a text where it has an empty line.
func paragraphs(text string) []string { return strings.Split(text, "\n\n") }

// mailLink sends the link that goes on with an activation elsewhere.
func (x *Activation) mailLink(ctx context.Context, tx db.Tx, to account.Person, at reach.Point, link string, until time.Time) error {
	p := x.words(to.Locale)
	facts := []any{"until", p.Date(until, i18n.Moment), "link", link, "institution", x.institution(p)}
	if at.SMS() {
		return x.Mailer.SendSMS(ctx, tx, mailer.SMS{Kind: "identity.activation_link", To: at.Value, Text: p.T("identity.activation.letter.link.sms", facts...)})
	}
	l := mailer.Letter{
		Locale: p.Locale(), Greeting: p.T("identity.activation.letter.greeting", "name", to.DisplayName()),
		Before: paragraphs(p.T("identity.activation.letter.link.text", facts...)),
		Label:  p.T("identity.activation.letter.link.action"), URL: link,
		After: paragraphs(p.T("identity.activation.letter.link.after")), Signature: x.institution(p),
	}
	return x.Mailer.Send(ctx, tx, l.Message("identity.activation_link", at.Value, p.T("identity.activation.letter.link.subject")))
}

// mailInvitation sends the letter that opens an account.
func (x *Activation) mailInvitation(ctx context.Context, tx db.Tx, to account.Person, at, link, code string, until time.Time) error {
	p := x.words(to.Locale)
	facts := []any{"until", p.Date(until, i18n.Moment), "institution", x.institution(p), "page", x.address("/activate/invitation")}
	l := mailer.Letter{
		Locale: p.Locale(), Greeting: p.T("identity.activation.letter.greeting", "name", to.DisplayName()),
		Before: paragraphs(p.T("identity.activation.letter.invitation.text", facts...)),
		Code:   code,
		Label:  p.T("identity.activation.letter.invitation.action"), URL: link,
		After: paragraphs(p.T("identity.activation.letter.invitation.after", facts...)), Signature: x.institution(p),
	}
	return x.Mailer.Send(ctx, tx, l.Message("identity.invitation", at, p.T("identity.activation.letter.invitation.subject", facts...)))
}
