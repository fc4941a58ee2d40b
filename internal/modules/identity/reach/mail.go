package reach

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxAddress is the longest mail address, in bytes (RFC 5321 §4.5.3.1.3).
const maxAddress = 254

// Address is a mail address in the form that is stored: without blanks around
// it, its domain in lower case. The error is [AddressForm].
func Address(typed string) (string, error) {
	typed = strings.TrimSpace(norm.NFKC.String(typed))
	at := strings.LastIndexByte(typed, '@')
	if at < 1 || len(typed) > maxAddress {
		return "", AddressForm
	}
	address := typed[:at] + "@" + strings.ToLower(typed[at+1:])
	parsed, err := mail.ParseAddress(address)
	// Only the bare form, and only a domain that mail can come to.
	if err != nil || parsed.Address != address || !strings.Contains(strings.Trim(address[at+1:], "."), ".") {
		return "", AddressForm
	}
	return address, nil
}

// MaskAddress shows enough of an address for its owner to know it:
// l…@gmail.com.
func MaskAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return "…"
	}
	first, _ := utf8.DecodeRuneInString(address)
	return string(first) + "…" + address[at:]
}

// sameMailbox reports whether two addresses lead to one mailbox. The part
// before the @ may tell capitals apart, and no provider does.
func sameMailbox(a, b string) bool { return strings.EqualFold(a, b) }
