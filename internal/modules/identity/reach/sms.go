package reach

import (
	"net"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// gsm are the letters beyond ASCII that a text message carries at no cost
// (3GPP TS 23.038 §6.2.1).
const gsm = "£¥èéùìòÇØøÅåÆæßÉÄÖÑÜ§äöñüà¡¿€"

// plainer replaces what typography wants and the alphabet of text messages
// lacks.
var plainer = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "« ", `"`, " »", `"`, "«", `"`, "»", `"`, "–", "-", "—", "-", "…", "...", "•", "*", "œ", "oe", "Œ", "OE")

// economical spells a text with the letters that text messages carry, 160 to a
// message: a single other one would make it 70, so one code would cost three
// messages. A text in another script stays as it is.
func economical(text string) string {
	blanks := strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, text)
	var b strings.Builder
	for _, r := range plainer.Replace(blanks) {
		if r < 0x80 || strings.ContainsRune(gsm, r) {
			b.WriteRune(r)
			continue
		}
		if first := []rune(norm.NFD.String(string(r)))[0]; first < 0x80 { // without its accent
			b.WriteRune(first)
			continue
		}
		if !unicode.Is(unicode.Mn, r) { // a mark of its own belongs to the letter before
			b.WriteRune(r)
		}
	}
	return b.String()
}

// boundTo is the last line of a text message with a code. Phones then offer the
// code on our pages alone, not on those of an impostor (WICG, "Origin-bound
// one-time codes delivered via SMS").
func boundTo(base *url.URL, plain string) string {
	host := base.Hostname()
	if !strings.Contains(host, ".") || net.ParseIP(host) != nil {
		return "" // a machine of one's own: there is no domain to be bound to
	}
	return "\n\n@" + host + " #" + plain
}
