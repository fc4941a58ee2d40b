package activation

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NormalNumber is a student number as numbers are compared: in capitals, without
// blanks and signs, and with the letters that look like digits read as digits.
func NormalNumber(typed string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(norm.NFKC.String(typed)) {
		switch {
		case r == 'O':
			b.WriteByte('0')
		case r == 'I' || r == 'L':
			b.WriteByte('1')
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// nationalForm tells a national student number (INE: ten characters and a
// letter, or nine and two), which stands on the same certificate and is typed in
// place of the institution's.
func nationalForm(number string) bool {
	return len(number) == 11 && number[10] >= 'A' && number[10] <= 'Z' && strings.ContainsAny(number[:10], "0123456789")
}

// same compares in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// letterAlphabet has no letter that looks like a digit or another letter
// (Crockford's base 32).
const letterAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// letterCodeLength gives 60 random bits: the code of an invitation lasts for
// days, is looked up by its hash, and need not be tied to an address.
const letterCodeLength = 12

// newLetterCode makes the code that a letter of invitation carries for those who
// cannot follow its link.
func newLetterCode() string {
	raw := make([]byte, letterCodeLength)
	rand.Read(raw) // never fails
	for i, b := range raw {
		raw[i] = letterAlphabet[b%byte(len(letterAlphabet))]
	}
	return string(raw)
}

// shownLetterCode is the code in groups that can be read out: "7KQ2-M4XD-9R3T".
func shownLetterCode(plain string) string {
	var groups []string
	for ; len(plain) > 4; plain = plain[4:] {
		groups = append(groups, plain[:4])
	}
	return strings.Join(append(groups, plain), "-")
}

// normalLetterCode is what somebody typed, as the code was made.
func normalLetterCode(typed string) string { return NormalNumber(typed) }
