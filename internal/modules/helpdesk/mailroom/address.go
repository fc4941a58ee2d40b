package mailroom

import (
	"encoding/base32"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
)

// An answer to a letter of ours goes to the queue's address with a mark behind a
// plus (RFC 5233): the tracking number, and a sum under our key over the number and
// the address that the letter went to. Nobody makes one up, and who answers from
// another address is seen to be somebody else.

// replyPurpose names the key of the sum.
const replyPurpose = "helpdesk.reply_address"

// alphabet is lower case, because addresses lose their case on the way.
var alphabet = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// sumLength is ten signs of five bits.
const sumLength = 10

func replySum(keys *crypt.Keyring, number, recipient string) string {
	return alphabet.EncodeToString(keys.Name(replyPurpose, []byte(number+"|"+strings.ToLower(recipient))))[:sumLength]
}

// replyAddress is where the answers of a recipient to a ticket go.
func replyAddress(keys *crypt.Keyring, queue, number, recipient string) string {
	local, domain, _ := strings.Cut(queue, "@")
	return local + "+" + number + "-" + replySum(keys, number, recipient) + "@" + domain
}

// splitReply takes the mark off an address.
func splitReply(address string) (plain, mark string) {
	local, domain, _ := strings.Cut(address, "@")
	local, mark, _ = strings.Cut(local, "+")
	return local + "@" + domain, mark
}

// readMark is the tracking number of a mark, and whether the mark was given to this sender.
func readMark(keys *crypt.Keyring, mark, sender string) (number string, theirs bool) {
	number, sum, ok := strings.Cut(mark, "-")
	if !ok || len(sum) != sumLength {
		return "", false
	}
	number, ok = ticket.ParseNumber(number)
	if !ok {
		return "", false
	}
	return number, sum == replySum(keys, number, sender)
}
