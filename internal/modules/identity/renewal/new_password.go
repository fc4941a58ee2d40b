package renewal

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// NewPasswordProps is what [NewPassword] shows. [Renewal.Fields] makes it.
type NewPasswordProps struct {
	Rules      []rules.Rule
	Passphrase int // from so many characters on, classes are not asked
	// Parts are what the password must not hold, folded.
	Parts []string
	// LoginField is the id of a field that is filled in on the same page and of
	// which the password must not be made either.
	LoginField string
	Problems   web.Problems
	phrases    func(ctx context.Context) string
}

// Fields prepares the two fields of a new password for somebody; the zero person
// is a stranger, who types their login in the field with that id. After an answer
// with problems, the rules that were broken are marked.
func (x *Renewal) Fields(p account.Person, loginField string, problems web.Problems) NewPasswordProps {
	list := x.rules.List()
	if p.State == account.Invited { // their first one
		list = slices.DeleteFunc(list, func(r rules.Rule) bool { return r.Key == rules.KeyHistory })
	}
	return NewPasswordProps{
		Rules: list, Passphrase: x.config.PassphraseLength, Parts: aboutOf(p).Parts(), LoginField: loginField, Problems: problems,
		phrases: func(ctx context.Context) string { return rules.Phrase(i18n.Locale(ctx), x.rules) },
	}
}

const rulesID = "new-password-rules"

// plain describes the first field: its rules stand before it.
func (p NewPasswordProps) plain(ctx context.Context) ui.FieldProps {
	by := rulesID
	if _, wrong := p.Problems.Of(PlainField); wrong {
		by += " " + ui.FieldID(PlainField) + "-wrong"
	}
	return ui.FieldProps{
		Name: PlainField, Label: i18n.T(ctx, "identity.renewal.new"), Autocomplete: "new-password", Required: true,
		Attrs: templ.Attributes{"aria-describedby": by, "passwordrules": p.hint()},
	}
}

// hint tells password managers what to make up (the "passwordrules" attribute of
// WebKit).
func (p NewPasswordProps) hint() string {
	parts := []string{}
	for _, r := range p.Rules {
		switch {
		case r.Key == rules.KeyLength:
			parts = append(parts, "minlength: "+strconv.Itoa(r.Pairs[1].(int)))
		case strings.HasPrefix(r.Key, rules.KeyClasses):
			parts = append(parts, "required: lower", "required: digit")
		case strings.HasPrefix(r.Key, rules.KeyUpper):
			parts = append(parts, "required: upper")
		case strings.HasPrefix(r.Key, rules.KeySpecial):
			parts = append(parts, "required: special")
		}
	}
	return strings.Join(parts, "; ") + ";"
}

// broken reports whether the last answer named this rule.
func (p NewPasswordProps) broken(r rules.Rule) bool {
	for _, problem := range p.Problems {
		if problem.Key == rules.Broken(r.Key) {
			return true
		}
	}
	return false
}

// tick is what the script knows of a rule: its name and its number.
func (p NewPasswordProps) tick(r rules.Rule) templ.Attributes {
	name := strings.TrimSuffix(strings.TrimPrefix(r.Key, "identity.rules."), "_or_long")
	attrs := templ.Attributes{"data-rule": name}
	if r.Key == rules.KeyLength {
		attrs["data-least"] = strconv.Itoa(r.Pairs[1].(int))
	}
	return attrs
}
