package log

import (
	"log/slog"
	"strings"
	"unicode/utf8"
)

// Hidden stands in the log where a secret would have been.
const Hidden = "[hidden]"

// secretWords make a key secret wherever they are part of it: a net under whoever forgot.
var secretWords = []string{"password", "passwd", "secret", "token", "cookie", "authorization", "otp", "private_key", "dsn"}

// redact hides the values of attributes whose key names a secret, at any depth of groups.
func redact(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindGroup {
		return a
	}
	key := strings.ToLower(a.Key)
	for _, word := range secretWords {
		if strings.Contains(key, word) {
			return slog.String(a.Key, Hidden)
		}
	}
	return a
}

// MaskMail keeps enough of an address for its owner to know it: m…@example.org.
func MaskMail(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok {
		return Mask(address, 1, 0)
	}
	return Mask(local, 1, 0) + "@" + domain
}

// MaskPhone keeps the last two digits of a number: …42.
func MaskPhone(number string) string { return Mask(number, 0, 2) }

// Mask keeps the first and last characters and replaces the rest, whose length it does not tell.
// A text too short to hide anything is replaced as a whole.
func Mask(text string, first, last int) string {
	runes := []rune(text)
	if utf8.RuneCountInString(text) <= first+last {
		return "…"
	}
	return string(runes[:first]) + "…" + string(runes[len(runes)-last:])
}
