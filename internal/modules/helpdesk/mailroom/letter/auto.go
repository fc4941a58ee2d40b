package letter

import (
	"strings"

	mimemail "github.com/emersion/go-message/mail"
)

// kindOf tells by its header what sent a mail. Whoever answers what a program sent
// gets an answer back, and so on (RFC 3834 §2).
func kindOf(h mimemail.Header) Kind {
	has := func(field string) bool { return strings.TrimSpace(h.Get(field)) != "" }
	value := func(field string) string {
		v, _, _ := strings.Cut(strings.ToLower(h.Get(field)), ";")
		return strings.TrimSpace(v)
	}
	kind, params, _ := h.ContentType()
	returned := h.Get("Return-Path")
	from := firstAddress(h, "From").Address
	local, _, _ := strings.Cut(from, "@")
	switch {
	case kind == "multipart/report" && params["report-type"] == "delivery-status", has("X-Failed-Recipients"):
		return Bounce
	case local == "mailer-daemon" || local == "postmaster" && strings.TrimSpace(returned) == "<>":
		return Bounce
	case has("List-Id"), has("List-Unsubscribe"), has("List-Post"), value("Precedence") == "list":
		return Bulk
	case has("Feedback-ID") && value("Precedence") == "bulk", value("Precedence") == "junk":
		return Bulk
	case has("Auto-Submitted") && value("Auto-Submitted") != "no",
		has("X-Autoreply"), has("X-Autorespond"), has("X-Autoresponse"), has("X-Auto-Reply-From"), value("X-POST-MessageClass") == "9",
		value("Precedence") == "auto_reply", value("Precedence") == "bulk", value("X-Precedence") == "auto_reply",
		kind == "multipart/report", strings.TrimSpace(returned) == "<>", value("X-FC-MachineGenerated") == "true":
		return Auto
	}
	return Written
}

// MayAnswer reports whether a program may answer a mail by itself (RFC 3834 §2):
// somebody wrote it, did not ask for silence, and has an address.
func (l *Letter) MayAnswer() bool { return l.Kind == Written && Answerable(l.From.Address) }

// Answerable reports whether somebody may read what a program sends to an address.
func Answerable(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	switch {
	case address == "":
		return false
	case strings.HasPrefix(local, "no-reply"), strings.HasPrefix(local, "noreply"), strings.HasPrefix(local, "ne-pas-repondre"), strings.HasPrefix(local, "nepasrepondre"),
		strings.HasPrefix(local, "owner-"), strings.HasSuffix(local, "-request"), strings.HasSuffix(local, "-bounces"):
		return false
	}
	return true
}
