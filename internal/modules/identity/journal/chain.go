package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
)

// form names the encoding below. A change to it is a new form.
const form = "amphi.identity.journal.1"

// purposeHead keeps the signature of the ends apart from every other signature.
const purposeHead = "identity.journal.head"

// message writes values one after another in exactly one way: numbers as eight
// bytes, big end first, and texts behind their length, so that no two rows have
// the same bytes.
type message []byte

func (m message) number(n int64) message { return binary.BigEndian.AppendUint64(m, uint64(n)) }

func (m message) text(s string) message { return append(m.number(int64(len(s))), s...) }

// hashOf is the SHA-256 of a row and of the hash before it, in hexadecimal.
func hashOf(row sqlgen.IdentityJournal) string {
	m := message(nil).text(form).number(row.Seq).number(int64(row.At)).text(row.PersonID).text(row.ActorID).text(row.Kind).
		text(row.Address).text(row.Agent).text(row.Facts).text(row.Previous)
	sum := sha256.Sum256(m)
	return hex.EncodeToString(sum[:])
}

// ends are the two ends of the chain: the newest row, and the last row that was
// forgotten.
type ends struct {
	seq       int64
	hash      string
	startSeq  int64
	startHash string
}

func (e ends) message() []byte {
	return message(nil).text(form).number(e.seq).text(e.hash).number(e.startSeq).text(e.startHash)
}

// sign makes the signature of the ends. Its key is not in the database, so who
// can only write there cannot shorten the chain or begin it anew.
func (j *Journal) sign(e ends) string {
	return hex.EncodeToString(j.keys.MAC(purposeHead, e.message()))
}

// signed reports whether mac is the signature of the ends.
func (j *Journal) signed(e ends, mac string) bool {
	if e == (ends{}) && mac == "" {
		return true // nothing was ever written
	}
	b, err := hex.DecodeString(mac)
	return err == nil && j.keys.VerifyMAC(purposeHead, e.message(), b)
}
