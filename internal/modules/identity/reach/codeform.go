package reach

import (
	"context"
	"errors"
	"time"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// DemoPhoneURL is where the demo shows the messages that it sent.
const DemoPhoneURL = "/identity/demo-phone"

// CodeField is the name of the field that [CodeForm] posts.
const CodeField = "code"

// Sent is what is known of the newest code that was sent to a point.
type Sent struct {
	// To is masked. Empty where a stranger must not learn whether anything was
	// sent; the page then speaks in general.
	To  string
	SMS bool
	// At is when it was asked for, zero for never or for what a stranger must
	// not learn.
	At time.Time
	// ResendAt is from when it may be sent again.
	ResendAt time.Time
	// State is one of the mailer's states, or "". Tries counts attempts to hand
	// it over; ChangedAt is the last one.
	State     string
	Tries     int
	ChangedAt time.Time
}

// CodeProps describes a [CodeForm].
type CodeProps struct {
	Action string // where the code is posted, in the field [CodeField]
	Resend string // where "Send it again" is posted; empty for no such button
	// Hidden is put into both forms: entry.Here, a token.
	Hidden templ.Component
	// More stands between the field and its button, such as a box to tick.
	More templ.Component
	Sent Sent
	// Digits is the length, 6 when zero; Letters is for relayed codes.
	Digits  int
	Letters bool
	Lasts   time.Duration // zero says nothing about it
	Submit  string        // label of the button; a general one when empty
	// Ways are other ways, for who has not got the message: a link each.
	Ways []ui.Link
	// Value is what was typed before, unless it was wrong.
	Value string
	// Refused is what [code.Store.Check] said of the last code. Where only a new
	// one helps, the help is open.
	Refused error
	// Stopped says why the code could not be sent, see [Unsent].
	Stopped *web.Failure
}

// Problem turns the refusal of a code into a problem at the field of a
// [CodeForm]; ok is false for an error that is none of [code]'s refusals.
func Problem(err error) (problems web.Problems, ok bool) {
	for _, reason := range []*fault.Reason{code.Wrong, code.Expired, code.Used, code.Exhausted, code.Superseded, code.Missing} {
		if errors.Is(err, reason) {
			problems.Add(CodeField, reason.Code()+".message", web.Pairs(fault.Of(err).Args)...)
			return problems, true
		}
	}
	return nil, false
}

// Unsent words why a code could not be sent, for the page on which it is typed.
// ok is false for an error that a person can do nothing about.
func Unsent(ctx context.Context, err error) (f *web.Failure, ok bool) {
	for _, reason := range []*fault.Reason{TooSoon, code.TooMany, mailer.SMSOff, mailer.TooManySMS} {
		if errors.Is(err, reason) {
			said := web.Explain(ctx, fault.Of(err))
			return &said, true
		}
	}
	return nil, false
}

// over reports whether waiting for the message, or typing its code, does not
// help any more.
func (p CodeProps) over() bool {
	for _, reason := range []*fault.Reason{code.Expired, code.Used, code.Exhausted, code.Missing} {
		if errors.Is(p.Refused, reason) {
			return true
		}
	}
	return p.Stopped != nil || p.Sent.State == mailer.StateGivenUp
}

func (p CodeProps) digits() int {
	if p.Digits <= 0 {
		return code.DefaultDigits
	}
	return p.Digits
}

// field describes the one field. Its keyboard is the phone's, and phones offer
// the code of the message that just came.
func (p CodeProps) field(label, help string) ui.FieldProps {
	f := ui.FieldProps{
		Name: CodeField, Label: label, Help: help, Value: p.Value, Autocomplete: "one-time-code", InputMode: "numeric",
		Exact: true, Required: true, Short: true, Autofocus: true, MaxLength: 4 * p.digits(), // blanks and hyphens are welcome
	}
	if p.Letters {
		f.Autocomplete, f.InputMode = "off", "text"
	}
	return f
}

func (p CodeProps) label(ctx context.Context) string {
	return i18n.T(ctx, "identity.reach.form.label")
}

func (p CodeProps) help(ctx context.Context) string {
	if p.Letters {
		return i18n.T(ctx, "identity.reach.form.help_letters", "count", p.digits())
	}
	return i18n.T(ctx, "identity.reach.form.help_digits", "count", p.digits())
}

func (p CodeProps) button(ctx context.Context) string {
	if p.Submit != "" {
		return p.Submit
	}
	return i18n.T(ctx, "identity.reach.form.submit")
}

// words say what became of the message, as honestly as the mailer knows: that a
// server took it does not mean that it has arrived.
func (s Sent) words(ctx context.Context) string {
	key, facts := "identity.reach.form.state."+s.State, []any{"to", s.To, "time", i18n.Date(ctx, s.ChangedAt, i18n.Clock)}
	switch {
	case s.State == "" || s.To == "":
		return ""
	case s.State == mailer.StateWaiting && s.Tries > 0:
		key, facts = key+"_again", append(facts, "count", s.Tries)
	case s.State == mailer.StateSent && s.SMS:
		key += "_sms"
	}
	return i18n.T(ctx, key, facts...)
}

// countdown lets a script hold the button back until the message may be sent
// again. Without one the server says how long to wait.
func (s Sent) countdown(ctx context.Context) templ.Attributes {
	if s.ResendAt.IsZero() {
		return nil
	}
	return templ.Attributes{"data-resend-at": s.ResendAt.UTC().Format(time.RFC3339), "data-resend-wait": i18n.T(ctx, "identity.reach.form.resend_in", "seconds", "{}")}
}
