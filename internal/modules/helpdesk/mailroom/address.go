package mailroom

import (
	"encoding/base32"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
)

// An answer to a letter of ours goes to the queue's address with a mark behind a
// plus (RFC 5233): the tracking number, and a sum under our key over the number and
// the address that the letter went to. The name of the letter (its Message-ID) ends
// with the same mark, for programs that answer to another address. Nobody makes a mark
// up: who brings one has a letter of ours, and who answers from another address than
// it went to is seen to be somebody else.

// replyPurpose names the key of the sum.
const replyPurpose = "helpdesk.reply_address"

// alphabet is lower case, because addresses lose their case on the way.
var alphabet = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// sumLength is ten signs of five bits.
const sumLength = 10

func replySum(keys *crypt.Keyring, number, recipient string) string {
	return alphabet.EncodeToString(keys.Name(replyPurpose, []byte(number+"|"+strings.ToLower(recipient))))[:sumLength]
}

// replyMark is what a letter to a recipient about a ticket bears.
func replyMark(keys *crypt.Keyring, number, recipient string) string {
	return number + "-" + replySum(keys, number, recipient)
}

// replyAddress is where the answers of a recipient to a ticket go.
func replyAddress(keys *crypt.Keyring, queue, number, recipient string) string {
	local, domain, _ := strings.Cut(queue, "@")
	return local + "+" + replyMark(keys, number, recipient) + "@" + domain
}

// letterName is the Message-ID of a letter, without its brackets.
func letterName(keys *crypt.Keyring, name, queue, number, recipient string) string {
	_, domain, _ := strings.Cut(queue, "@")
	return name + "." + replyMark(keys, number, recipient) + "@" + domain
}

// splitReply takes the mark off an address.
func splitReply(address string) (plain, mark string) {
	local, domain, _ := strings.Cut(address, "@")
	local, mark, _ = strings.Cut(local, "+")
	return local + "@" + domain, mark
}

// markOf is the mark at the end of a letter's name; empty for a mail of others.
func markOf(name string) string {
	local, _, _ := strings.Cut(name, "@")
	if i := strings.LastIndexByte(local, '.'); i >= 0 {
		return strings.ToLower(local[i+1:])
	}
	return ""
}

// readMark is the tracking number and the sum of a mark. Whose sum it is, is another
// matter.
func readMark(mark string) (number, sum string, ok bool) {
	number, sum, ok = strings.Cut(strings.ToLower(mark), "-")
	if !ok || len(sum) != sumLength {
		return "", "", false
	}
	number, ok = ticket.ParseNumber(number)
	return number, sum, ok
}
