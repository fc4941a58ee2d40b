package register

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"

	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// spool keeps the entries of a reading that changed outside memory, in a file that
// has no name and ends with the process.
type spool struct {
	file *os.File
	out  *bufio.Writer
	enc  *gob.Encoder
	n    int
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "amphi-directory-")
	if err != nil {
		return nil, fmt.Errorf("make room for a reading: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("make room for a reading: %w", err), f.Close())
	}
	out := bufio.NewWriterSize(f, 1<<16)
	return &spool{file: f, out: out, enc: gob.NewEncoder(out)}, nil
}

// add keeps an entry. Pictures are not kept: they are read again when they are
// taken over.
func (s *spool) add(e mapping.Entry) error {
	s.n++
	if err := s.enc.Encode(e); err != nil {
		return fmt.Errorf("keep an entry: %w", err)
	}
	return nil
}

// each hands the entries over again, in pieces.
func (s *spool) each(piece int, do func([]mapping.Entry) error) error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("keep entries: %w", err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read kept entries: %w", err)
	}
	in := gob.NewDecoder(bufio.NewReaderSize(s.file, 1<<16))
	for left := s.n; left > 0; {
		list := make([]mapping.Entry, min(piece, left))
		for i := range list {
			if err := in.Decode(&list[i]); err != nil {
				return fmt.Errorf("read kept entries: %w", err)
			}
		}
		left -= len(list)
		if err := do(list); err != nil {
			return err
		}
	}
	return nil
}

func (s *spool) close() error { return s.file.Close() }

// mark is what a run remembers of a record: enough to see that it is unchanged, and
// to find those that were not handed over. A hundred thousand take a few megabytes.
type mark struct {
	digest uint64 // of the digest
	gone   bool
	seen   bool
}

// index is the marks of a source by record.
type index struct {
	seed  maphash.Seed
	marks map[[2]uint64]mark
	other maphash.Seed
	said  map[uint64]uint8 // how often an identifying value was said
}

func newIndex() *index {
	return &index{seed: maphash.MakeSeed(), other: maphash.MakeSeed(), marks: map[[2]uint64]mark{}, said: map[uint64]uint8{}}
}

func (x *index) id(k source.Kind, key string) [2]uint64 {
	text := string(k) + "|" + key
	return [2]uint64{maphash.String(x.seed, text), maphash.String(x.other, text)}
}

func (x *index) sum(digest string) uint64 { return maphash.String(x.seed, digest) }

// hear counts the identifying values of somebody.
func (x *index) hear(v mapping.Values) {
	for _, f := range identifying {
		if text := v.One(f); text != "" {
			h := maphash.String(x.seed, string(f)+"|"+text)
			if x.said[h] < 255 {
				x.said[h]++
			}
		}
	}
}

// times is how often a value was said.
func (x *index) times(f mapping.Field, value string) int {
	return int(x.said[maphash.String(x.seed, string(f)+"|"+value)])
}
