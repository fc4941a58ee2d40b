// Package breached knows passwords that leaked somewhere, without a network: a
// list of any length becomes a binary fuse filter (Graf and Lemire, "Binary Fuse
// Filters", 2022) of 18 bits an entry that never misses what is in the list.
//
// An entry is the first 64 bits of the SHA-1 of the password, because that is
// the form in which the largest public list is given out. The hash protects
// nothing here: it only spreads the entries.
package breached

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/FastFilter/xorfilter"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// FalsePositives is how often a password that is not in the list passes for one
// that is: once in 2¹⁶.
const FalsePositives = 1.0 / (1 << 16)

// Header says what a filter file was made of.
type Header struct {
	Version int    `json:"version"`
	Source  string `json:"source"` // the list, in words
	Date    string `json:"date"`   // of the build, as 2026-11-22
	Entries int64  `json:"entries"`
	// ShardBits is how many leading bits of an entry choose its shard. Shards
	// bound the memory that a build needs.
	ShardBits int `json:"shard_bits"`
	// FalsePositives is [FalsePositives], for whoever reads the file.
	FalsePositives float64 `json:"false_positives"`
	SHA256         string  `json:"sha256"` // of all that follows the header
}

// magic is the first line of a filter file; the header is the second.
const magic = "amphi-breached\n"

const (
	version      = 1
	maxHeader    = 4096
	maxShardBits = 12
)

// Filter holds a list. It is safe for concurrent use.
type Filter struct {
	header Header
	shards []*xorfilter.BinaryFuse[uint16] // nil for a shard without entries
}

// Header says what the filter was made of.
func (f *Filter) Header() Header { return f.header }

// Has reports whether the list holds this very text, or, rarely, that it seems
// to. Compare forms that people vary with rules.Known.
func (f *Filter) Has(text string) bool {
	k := keyOf(sha1.Sum([]byte(text)))
	shard := f.shards[shardOf(k, f.header.ShardBits)]
	return shard != nil && shard.Contains(k)
}

func keyOf(sum [sha1.Size]byte) uint64 { return binary.BigEndian.Uint64(sum[:]) }

func shardOf(key uint64, bits int) uint64 { return key >> (64 - bits) } // bits 0 shifts all away

// shipped is built by `amphi breached build` from the lists that its header
// names; docs/passwords.md says where they come from.
//
//go:embed shipped.filter
var shipped []byte

// Shipped is the filter that comes with the product.
func Shipped() (*Filter, error) { return read(bytes.NewReader(shipped), "shipped.filter") }

// Open reads the filter file at path. Its errors are Unreadable and Damaged.
func Open(path string) (*Filter, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, Unreadable.Because(err, fault.Args{"file": path})
	}
	defer file.Close() // only read from
	return read(file, path)
}

// read reads a filter. Nothing of it is believed before its checksum holds: the
// sizes in it decide how much memory is taken and which cells are looked at.
func read(from io.ReadSeeker, name string) (*Filter, error) {
	damaged := func(cause error) error { return Damaged.Because(cause, fault.Args{"file": name}) }
	in := bufio.NewReaderSize(from, 1<<16)
	first, err := in.ReadString('\n')
	if err != nil || first != magic {
		return nil, damaged(errors.New("it does not begin like a filter"))
	}
	line, err := in.ReadSlice('\n')
	if err != nil || len(line) > maxHeader {
		return nil, damaged(errors.New("it has no header"))
	}
	var h Header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, damaged(err)
	}
	if h.Version != version || h.ShardBits < 0 || h.ShardBits > maxShardBits {
		return nil, damaged(fmt.Errorf("version %d with %d shard bits is none of ours", h.Version, h.ShardBits))
	}
	start := int64(len(first) + len(line))
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return nil, Unreadable.Because(err, fault.Args{"file": name})
	}
	if hex.EncodeToString(sum.Sum(nil)) != h.SHA256 {
		return nil, damaged(errors.New("its checksum does not hold"))
	}
	if _, err := from.Seek(start, io.SeekStart); err != nil {
		return nil, Unreadable.Because(err, fault.Args{"file": name})
	}
	in.Reset(from)
	f := &Filter{header: h, shards: make([]*xorfilter.BinaryFuse[uint16], 1<<h.ShardBits)}
	for i := range f.shards {
		filled, err := in.ReadByte()
		if err != nil {
			return nil, damaged(err)
		}
		if filled == 0 {
			continue
		}
		if f.shards[i], err = xorfilter.LoadBinaryFuse[uint16](in); err != nil {
			return nil, damaged(err)
		}
	}
	return f, nil
}
