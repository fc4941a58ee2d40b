package reach

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// e164 is a number in international form (ITU-T E.164).
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// overseas are the French mobile prefixes of departments with a country code of
// their own: the network does not know them under +33.
var overseas = map[string]string{
	"690": "590", "691": "590", // Guadeloupe, Saint-Martin, Saint-Barthélemy
	"694": "594",               // Guyane
	"696": "596", "697": "596", // Martinique
	"692": "262", "693": "262", "639": "262", // La Réunion, Mayotte
}

// fiction are the metropolitan mobile numbers that the regulator keeps for films
// and demonstrations, in the middle of those of Mayotte.
const fiction = "63998"

// france is the country whose numbers are known well enough to tell mobiles.
const france = "33"

// Mobile is a mobile number, typed in whichever way, in international form such
// as +33612345678. A number without a country is one of the given country (its
// code without +, such as "33"). Its errors are [NumberForm] and [Landline].
func Mobile(typed, country string) (string, error) {
	var b strings.Builder
	for _, r := range norm.NFKC.String(typed) {
		switch {
		case r >= '0' && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), strings.ContainsRune("./()", r):
		default:
			return "", NumberForm
		}
	}
	digits := b.String()
	if abroad, ok := strings.CutPrefix(digits, "00"); ok {
		digits = "+" + abroad
	}
	switch {
	case strings.HasPrefix(digits, "+"):
		digits = digits[1:]
	case strings.HasPrefix(digits, "0"):
		digits = country + digits[1:]
	case country == france && len(digits) == 11 && strings.HasPrefix(digits, france):
	default: // a table that took the first 0 for nothing
		digits = country + digits
	}
	if national, ok := strings.CutPrefix(digits, france); ok {
		return frenchMobile(strings.TrimPrefix(national, "0")) // +33 (0)6 …
	}
	if number := "+" + digits; e164.MatchString(number) {
		return number, nil
	}
	return "", NumberForm
}

// frenchMobile takes the nine digits after the country code or the first 0.
func frenchMobile(national string) (string, error) {
	switch {
	case len(national) != 9 || national[0] == '0' || national[0] == '8':
		return "", NumberForm
	case national[0] != '6' && national[0] != '7':
		return "", Landline
	}
	if code := overseas[national[:3]]; code != "" && !strings.HasPrefix(national, fiction) {
		return "+" + code + national, nil
	}
	return "+" + france + national, nil
}

// unbroken keeps a number on one line.
var unbroken = strings.NewReplacer(" ", "\u00a0")

// MaskMobile shows enough of a number for its owner to know it:
// +33 6 •• •• •• 12. Its blanks do not break.
func MaskMobile(number string) string {
	if len(number) < 8 {
		return "••"
	}
	last := number[len(number)-2:]
	if national, ok := strings.CutPrefix(number, "+"+france); ok && len(national) == 9 {
		return unbroken.Replace("+33 " + national[:1] + " •• •• •• " + last)
	}
	if len(number) == 13 && overseas[number[4:7]] == number[1:4] {
		return unbroken.Replace(number[:4] + " •••• " + last)
	}
	return unbroken.Replace(number[:3] + " •••• " + last)
}

// SpelledMobile is a number in the groups in which people say it:
// +33 6 12 34 56 78. Its blanks do not break.
func SpelledMobile(number string) string {
	national, ok := strings.CutPrefix(number, "+"+france)
	if !ok || len(national) != 9 {
		return number
	}
	parts := []string{"+33", national[:1]}
	for i := 1; i < len(national); i += 2 {
		parts = append(parts, national[i:i+2])
	}
	return strings.Join(parts, "\u00a0")
}
