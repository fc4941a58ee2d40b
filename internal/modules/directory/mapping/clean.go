package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Clean makes raw bytes of a source one line of readable text: broken UTF-8 is read as
// Windows-1252, UTF-8 that was encoded twice is decoded once more, letters and their
// accents are joined (NFC), spaces of every kind become one, characters that nobody
// sees are left out. It fails with [ValueUnreadable].
func Clean(raw string) (string, error) {
	text := raw
	if !utf8.ValidString(text) {
		decoded, ok := fromWindows(text)
		if !ok {
			return "", ValueUnreadable
		}
		text = decoded
	} else if once, ok := encodedTwice(text); ok {
		text = once
	}
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range norm.NFC.String(text) {
		switch {
		case unicode.IsSpace(r) || r == '\u200b':
			space = true
		case r == utf8.RuneError:
			return "", ValueUnreadable // somebody before us could not read it
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	// What stood between two characters may have kept them from being one.
	return norm.NFC.String(b.String()), nil
}

// fromWindows reads text as Windows-1252, of which Latin-1 is the printable part. ok is
// false when there are bytes that no text has.
func fromWindows(text string) (decoded string, ok bool) {
	decoded, err := charmap.Windows1252.NewDecoder().String(text)
	if err != nil || strings.ContainsFunc(decoded, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) && !unicode.IsSpace(r)
	}) {
		return "", false
	}
	return decoded, true
}

// encodedTwice undoes "AmÃ©lie": UTF-8 that somebody took for Windows-1252 and encoded
// again. Text that means what it says hardly ever decodes.
func encodedTwice(text string) (string, bool) {
	if !strings.ContainsAny(text, "ÂÃÄÅ") {
		return "", false
	}
	bytes, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil || !utf8.ValidString(bytes) || len(bytes) == utf8.RuneCountInString(bytes) {
		return "", false
	}
	return bytes, true
}

// shown is a value as a report may show it: short, and readable whatever it is.
func shown(value string) fault.Private {
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(value, "�"))
	if runes := []rune(value); len(runes) > 80 {
		value = string(runes[:79]) + "…"
	}
	return fault.Private(value)
}
