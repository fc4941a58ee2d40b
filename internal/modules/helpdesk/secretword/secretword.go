// Package secretword finds passwords that people write into a message, and hides
// them before anybody keeps it.
package secretword

import (
	"regexp"
	"strings"
	"unicode"
)

// Hidden stands where a password stood. It has the same length for every
// password.
const Hidden = "••••••••"

// Mask hides the passwords of a text, and reports how many there were. It looks
// for words that announce one ("mot de passe : …", "my password is …"), so a text
// that merely speaks of passwords stays as it is.
func Mask(text string) (masked string, found int) {
	var out strings.Builder
	rest := text
	for {
		at := announced.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		value := announced.SubexpIndex("value")
		linked, spaced := group(rest, at, "link") != "", group(rest, at, "is") != ""
		from, until := at[2*value], at[2*value+1]
		secret := rest[from:until]
		core := strings.TrimRight(secret, trailing)
		if core == "" {
			core = secret
		}
		switch {
		case quoted(secret) && (linked || spaced), linked && credible(core), spaced && looksMade(core):
			found++
			out.WriteString(rest[:from])
			if quoted(secret) {
				first, last := firstRune(secret), lastRune(core)
				out.WriteString(first + Hidden + last)
			} else {
				out.WriteString(Hidden)
			}
			out.WriteString(secret[len(core):])
			rest = rest[until:]
		default: // a false alarm: go on behind the word that gave it
			word := announced.SubexpIndex("word")
			out.WriteString(rest[:at[2*word+1]])
			rest = rest[at[2*word+1]:]
		}
	}
	out.WriteString(rest)
	return out.String(), found
}

// announced is a word for "password", what ties it to a value, and the value: the
// next run of signs without a blank, or what stands between quotation marks.
var announced = regexp.MustCompile(`(?i)(?P<word>mots? de passe|mdp|m\.d\.p\.?|passe?words?|pass ?phrase|phrase (?:de passe|secr[eè]te)|pwd|passwd|passcode|code pin|pin code|code secret|pin)` +
	// what may stand between: "de mon compte Moodle", "for Moodle", up to four words
	`(?:[ \x{a0}]+(?:de|du|pour|for|of|actuel|current|ent|moodle|wifi|provisoire|temporaire|temporary|compte|account|mon|my|ma|le|la|the|on|nouveau|new|old|ancien)\b){0,5}` +
	`[ \x{a0}\x{202f}\t]*(?:(?P<link>[:=]+|->|→)|(?P<is>\b(?:est(?: bien)?|[eé]tait|is|was|c['’]est|it['’]?s|sera)\b[ \x{a0}\x{202f}]*:?))` +
	`[ \x{a0}\x{202f}\t]*(?:\r?\n[ \t]*)?(?P<value>"[^"\n]{2,80}"|«[^»\n]{2,80}»|“[^”\n]{2,80}”|[^\s]{2,})`)

// trailing are signs of the sentence around a password rather than of it. An
// exclamation mark stays: many passwords end in one.
const trailing = ".,;:)»”"

func group(text string, at []int, name string) string {
	i := announced.SubexpIndex(name)
	if at[2*i] < 0 {
		return ""
	}
	return text[at[2*i]:at[2*i+1]]
}

func quoted(s string) bool {
	for _, open := range []string{`"`, "«", "“"} {
		if strings.HasPrefix(s, open) {
			return true
		}
	}
	return false
}

// ordinary are words that follow "password:" in messages which hold none.
var ordinary = map[string]bool{
	"oublie": true, "oublié": true, "perdu": true, "expire": true, "expiré": true, "incorrect": true, "invalide": true, "refuse": true, "refusé": true, "errone": true, "erroné": true,
	"impossible": true, "je": true, "il": true, "le": true, "la": true, "les": true, "un": true, "une": true, "mon": true, "ma": true, "mes": true, "on": true, "elle": true, "comment": true,
	"aucun": true, "rien": true, "pas": true, "non": true, "oui": true, "ca": true, "ça": true, "cela": true, "que": true, "quand": true, "bon": true, "faux": true, "correct": true,
	"forgotten": true, "lost": true, "expired": true, "wrong": true, "invalid": true, "refused": true, "rejected": true, "i": true, "it": true, "the": true, "a": true, "my": true, "your": true,
	"no": true, "not": true, "none": true, "yes": true, "how": true, "when": true, "what": true, "unknown": true, "required": true, "field": true, "reset": true, "error": true, "erreur": true, "champ": true,
	"obligatoire": true, "inconnu": true, "identifiant": true, "utilisateur": true, "user": true, "same": true, "meme": true, "même": true, "toujours": true, "still": true, "http": true, "https": true, "...": true, "…": true,
}

// credible reports whether a value behind a colon may be a password: nearly
// everything is, apart from ordinary words and what is hidden already.
func credible(s string) bool {
	lower := strings.ToLower(strings.Trim(s, `!?.,;:()«»"'’`))
	return len([]rune(s)) >= 4 && lower != "" && !ordinary[lower] && !hiddenAlready(s) && !strings.Contains(s, "://")
}

// looksMade reports whether a word behind "is" looks like a password rather than
// like a word of the sentence: it has a digit or a sign, or capitals within.
func looksMade(s string) bool {
	if !credible(s) || len([]rune(s)) < 6 {
		return false
	}
	digits, signs, inner, letters := 0, 0, 0, 0
	for i, r := range []rune(s) {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
			if unicode.IsUpper(r) && i > 0 {
				inner++
			}
		case r == '\'' || r == '’' || r == '-':
		default:
			signs++
		}
	}
	if strings.Contains(s, "@") && strings.Contains(s[strings.Index(s, "@"):], ".") && digits == 0 { // an address
		return false
	}
	if strings.Trim(s, "0123456789/.:hH") == "" { // a date or a time
		return letters == 0 && signs == 0 && digits >= 6
	}
	return digits > 0 || signs > 0 && strings.TrimRight(s, "!?…") != strings.Map(dropSigns, s) || inner > 0 && letters > inner
}

func dropSigns(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' || r == '’' || r == '-' {
		return r
	}
	return -1
}

// hiddenAlready are stars and dots that somebody typed instead of a password.
func hiddenAlready(s string) bool { return strings.Trim(s, "*•.·xX_-…") == "" }

func firstRune(s string) string { return string([]rune(s)[0]) }

func lastRune(s string) string {
	r := []rune(s)
	switch last := r[len(r)-1]; last {
	case '"', '»', '”':
		return string(last)
	default:
		return ""
	}
}
