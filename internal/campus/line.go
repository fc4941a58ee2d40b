package campus

import (
	"strings"
	"unicode"
)

// OneLine is a text that somebody typed, or that a source says, on one line and
// without a space around it. It keeps a name from turning the words around it: line
// breaks become spaces; control characters, those that change the direction of
// writing and bytes that are no text are gone. Letters of every script stay; the
// sentences around them keep their own direction.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar:
			return -1
		default:
			return r
		}
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
