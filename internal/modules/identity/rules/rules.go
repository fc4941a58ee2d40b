// Package rules says what a password must be, in rules that the browser can tick
// while somebody types and that the server repeats with the same words. It does
// no input or output.
package rules

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/amphi-campus/amphi/internal/campus"
)

// MaxBytes is the longest password that can be chosen, in bytes of its normal
// form. It is there to be told before a server's own bound cuts anything.
const MaxBytes = 256

// Rules are what an institution asks of a password.
type Rules struct {
	MinLength int // characters
	// LettersAndDigits, Upper and Special ask for classes of characters. A
	// password of Passphrase characters or more need not have them, because
	// length is worth more; 0 asks them of every password.
	LettersAndDigits, Upper, Special bool
	Passphrase                       int
	// NotYou refuses what everybody knows of a person: login, name, mail.
	NotYou bool
	// NotSimple refuses runs and repetitions such as azertyuiop and 12341234.
	NotSimple bool
	// Breached refuses what is in the filter of known passwords, and History the
	// last so many passwords of the person. Both need more than the text, so
	// [Rules.Check] leaves them to its caller, who reports them by their keys.
	Breached bool
	History  int
}

// About is what a password must not be made of.
type About struct {
	Login, GivenName, FamilyName, Mail, StudentNumber string
}

// Where a rule can be checked.
type Where int

// The places. What the browser asks is asked of the server again.
const (
	Live   Where = iota // in the browser, as one types
	Asked               // by the server, when one pauses
	OnSave              // by the server, with everything else
)

// Rule is one line of the list beside the field. Key words the label of its tick,
// and [Broken] of it what the server answers: the same words as a sentence.
type Rule struct {
	Key   string
	Pairs []any // facts for the sentence
	Where Where
}

// The keys of the rules.
const (
	KeyLength    = "identity.rules.length"
	KeyClasses   = "identity.rules.letters_and_digits"
	KeyUpper     = "identity.rules.upper"
	KeySpecial   = "identity.rules.special"
	KeyNotYou    = "identity.rules.not_you"
	KeyNotSimple = "identity.rules.not_simple"
	KeyBreached  = "identity.rules.breached"
	KeyHistory   = "identity.rules.history"
	KeyTooLong   = "identity.rules.too_long"
)

// Broken is the key of the sentence that says that a rule is not kept.
func Broken(key string) string {
	const room = "identity.rules."
	return room + "broken." + strings.TrimPrefix(key, room)
}

// relaxed is added to the key of a rule that long passwords are spared.
const relaxed = "_or_long"

// List is the rules in the order in which they are shown.
func (r Rules) List() []Rule {
	list := []Rule{{Key: KeyLength, Pairs: []any{"length", r.MinLength}}}
	class := func(on bool, key string) {
		switch {
		case !on:
		case r.Passphrase > 0:
			list = append(list, Rule{Key: key + relaxed, Pairs: []any{"length", r.Passphrase}})
		default:
			list = append(list, Rule{Key: key})
		}
	}
	class(r.LettersAndDigits, KeyClasses)
	class(r.Upper, KeyUpper)
	class(r.Special, KeySpecial)
	if r.NotYou {
		list = append(list, Rule{Key: KeyNotYou})
	}
	if r.NotSimple {
		list = append(list, Rule{Key: KeyNotSimple})
	}
	if r.Breached {
		list = append(list, Rule{Key: KeyBreached, Where: Asked})
	}
	if r.History > 0 {
		list = append(list, Rule{Key: KeyHistory, Pairs: []any{"count", r.History}, Where: OnSave})
	}
	return list
}

// Check returns the rules that a password breaks, in the order of [Rules.List].
// A password beyond [MaxBytes] breaks that one alone.
func (r Rules) Check(plain string, about About) []Rule {
	plain = Normal(plain)
	if len(plain) > MaxBytes {
		return []Rule{{Key: KeyTooLong, Pairs: []any{"limit", MaxBytes}}}
	}
	var broken []Rule
	for _, rule := range r.List() {
		if !r.keeps(strings.TrimSuffix(rule.Key, relaxed), plain, about) {
			broken = append(broken, rule)
		}
	}
	return broken
}

// keeps reports whether a password in normal form keeps the rule of a key.
func (r Rules) keeps(key, plain string, about About) bool {
	length := utf8.RuneCountInString(plain)
	long := r.Passphrase > 0 && length >= r.Passphrase
	has := func(class func(rune) bool) bool { return strings.IndexFunc(plain, class) >= 0 }
	switch key {
	case KeyLength:
		return length >= r.MinLength
	case KeyClasses:
		return long || has(unicode.IsLetter) && has(unicode.IsDigit)
	case KeyUpper:
		return long || has(unicode.IsUpper)
	case KeySpecial:
		return long || has(func(c rune) bool { return unicode.IsPunct(c) || unicode.IsSymbol(c) })
	case KeyNotYou:
		return !about.in(plain)
	case KeyNotSimple:
		return !simple(plain)
	default: // checked elsewhere
		return true
	}
}

// Normal is the form of a password that is checked, hashed and compared: every
// space is a plain one and characters are composed, so that é is the same from a
// Mac and from a PC. It is the mapping of the OpaqueString profile (RFC 8265
// §4.2.2) without its refusals, which would take emoji of several code points
// away from those who like them.
func Normal(plain string) string {
	return norm.NFC.String(strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Zs, c) {
			return ' '
		}
		return c
	}, plain))
}

// shortestPart is how long a part of somebody's name must be to be looked for:
// shorter ones are inside too many words.
const shortestPart = 4

// Parts are the pieces of somebody's identity that a password may not hold, in
// the form that [Fold] gives to both sides.
func (a About) Parts() []string {
	local, _, _ := strings.Cut(a.Mail, "@")
	var parts []string
	for _, whole := range []string{a.Login, a.GivenName, a.FamilyName, local, a.StudentNumber} {
		for _, part := range append(strings.Fields(campus.Fold(whole)), Fold(whole)) {
			if utf8.RuneCountInString(part) >= shortestPart && !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

func (a About) in(plain string) bool {
	folded := Fold(plain)
	for _, part := range a.Parts() {
		if strings.Contains(folded, part) {
			return true
		}
	}
	return false
}

// Fold drops what does not make a word another one: case, accents, and all that
// is neither letter nor digit.
func Fold(s string) string { return strings.ReplaceAll(campus.Fold(s), " ", "") }

// rows are the runs that hands and minds produce.
const rows = "abcdefghijklmnopqrstuvwxyz 01234567890 azertyuiop qsdfghjklm wxcvbn qwertyuiop asdfghjkl zxcvbnm"

// enoughSurprises is how many characters of a password must not follow from the
// one before.
const enoughSurprises = 5

// simple reports whether a password is little more than a run or a repetition.
func simple(plain string) bool {
	text := []rune(strings.ToLower(unit(plain)))
	surprises := 0
	for i, c := range text {
		if i == 0 || !follows(text[i-1], c) {
			surprises++
		}
	}
	return surprises < enoughSurprises
}

// follows reports whether c repeats or continues what b began.
func follows(b, c rune) bool {
	return b == c || strings.Contains(rows, string([]rune{b, c})) || strings.Contains(rows, string([]rune{c, b}))
}

// unit is the shortest text that plain repeats: "azerty" for "azertyazerty".
func unit(plain string) string {
	text := []rune(plain)
	for n := 1; n <= len(text)/2; n++ {
		if len(text)%n == 0 && strings.Repeat(string(text[:n]), len(text)/n) == plain {
			return string(text[:n])
		}
	}
	return plain
}

// longestTail is how many digits and signs around a known password still leave
// it known: Password2026! is the first thing that guessers try.
const longestTail = 8

// Known are the forms of a password under which a list of known passwords may
// hold it: as it is, in lower case, without its repetitions, and without the
// digits and signs around it.
func Known(plain string) []string {
	plain = Normal(plain)
	forms := []string{plain}
	add := func(form string) {
		if form != "" && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	lower := norm.NFC.String(strings.ToLower(plain))
	add(lower)
	add(unit(lower))
	core := strings.TrimFunc(lower, func(c rune) bool { return !unicode.IsLetter(c) })
	if utf8.RuneCountInString(core) >= shortestPart && utf8.RuneCountInString(lower)-utf8.RuneCountInString(core) <= longestTail {
		add(core)
	}
	return forms
}
