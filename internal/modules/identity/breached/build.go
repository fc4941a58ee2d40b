package breached

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/FastFilter/xorfilter"

	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Format is how a list is written down.
type Format string

// The formats.
const (
	Plain Format = "plain" // one password a line
	HIBP  Format = "hibp"  // "SHA1:count" a line, as Have I Been Pwned gives it out
)

// Recipe says how to build a filter.
type Recipe struct {
	Format Format
	Source string // what the list is, for the header
	Date   time.Time
	// Seen leaves out what a list of format HIBP counts fewer times.
	Seen int
	// Size is the length of the list in bytes, from which the number of shards
	// follows; 0 when it is not known.
	Size int64
	// Told is called now and then with the bytes read, and with 0 at the end of
	// reading; nil for silence.
	Told func(read int64)
}

const (
	// shardEntries is about how many entries a shard holds. Building one takes
	// some 40 bytes an entry, so a build stays under 200 MB.
	shardEntries = 4 << 20
	// shortPlain and shortHIBP are the shortest that the lines of a long list are
	// on average.
	shortPlain, shortHIBP = 8, 42
	// maxLine is the longest line that is read, in bytes.
	maxLine = 1 << 16
	// tellEvery is how many lines are read between two looks at the context.
	tellEvery = 1 << 18
)

// Build reads a list and writes its filter to path, which is replaced only once
// the new file is whole. Beside it, it needs room for 8 bytes an entry until it
// is done. Its errors are ListMalformed, ListEmpty and Unwritable, or what
// reading the list fails with.
func Build(ctx context.Context, list io.Reader, recipe Recipe, path string) (h Header, err error) {
	h = Header{Version: version, Source: recipe.Source, Date: recipe.Date.Format(time.DateOnly), FalsePositives: FalsePositives}
	h.ShardBits = recipe.shardBits()
	unwritable := func(cause error) error { return Unwritable.Because(cause, fault.Args{"file": path}) }
	folder, err := os.MkdirTemp(filepath.Dir(path), ".breached-*")
	if err != nil {
		return h, unwritable(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	shards, err := openSpools(folder, 1<<h.ShardBits)
	if err != nil {
		return h, unwritable(err)
	}
	defer func() { err = errors.Join(err, shards.close()) }()
	if err := spool(ctx, list, recipe, h.ShardBits, shards); err != nil {
		return h, err
	}

	body, err := os.Create(filepath.Join(folder, "body"))
	if err != nil {
		return h, unwritable(err)
	}
	defer body.Close() // its bytes are copied and counted before
	sum := sha256.New()
	if h.Entries, err = writeShards(ctx, io.MultiWriter(body, sum), shards); err != nil {
		return h, unwritable(err)
	}
	if h.Entries == 0 {
		return h, ListEmpty
	}
	h.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := publish(h, body, filepath.Join(folder, "filter"), path); err != nil {
		return h, unwritable(err)
	}
	return h, nil
}

// shardBits makes so many shards that none holds many more than shardEntries.
func (r Recipe) shardBits() (bits int) {
	lines := r.Size / shortPlain
	if r.Format == HIBP {
		lines = r.Size / shortHIBP
	}
	for bits < maxShardBits && lines>>bits > shardEntries {
		bits++
	}
	return bits
}

// spool reads the list and sorts its entries by shard, on disk.
func spool(ctx context.Context, list io.Reader, recipe Recipe, bits int, shards spools) error {
	lines := bufio.NewScanner(list)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	var number, read int64
	for lines.Scan() {
		number++
		line := lines.Bytes()
		read += int64(len(line)) + 1
		if number%tellEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if recipe.Told != nil {
				recipe.Told(read)
			}
		}
		key, ok, err := entry(bytes.TrimSuffix(line, []byte("\r")), recipe)
		if err != nil {
			return ListMalformed.Because(err, fault.Args{"line": number, "format": string(recipe.Format)})
		}
		if !ok {
			continue
		}
		if err := shards.add(shardOf(key, bits), key); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return ListMalformed.Because(err, fault.Args{"line": number + 1, "format": string(recipe.Format)})
	case err != nil:
		return fmt.Errorf("read the list: %w", err)
	}
	if recipe.Told != nil {
		recipe.Told(0)
	}
	return nil
}

// entry is the key of one line; ok is false for a line to leave out.
func entry(line []byte, recipe Recipe) (key uint64, ok bool, err error) {
	if len(line) == 0 {
		return 0, false, nil
	}
	if recipe.Format == Plain {
		return keyOf(sha1.Sum([]byte(rules.Normal(string(line))))), true, nil
	}
	hash, count, found := bytes.Cut(line, []byte(":"))
	var sum [sha1.Size]byte
	if len(hash) != hex.EncodedLen(sha1.Size) {
		return 0, false, errors.New("no SHA-1 before a colon")
	}
	if _, err := hex.Decode(sum[:], hash); err != nil {
		return 0, false, err
	}
	if recipe.Seen > 1 {
		n, err := strconv.Atoi(string(bytes.TrimSpace(count)))
		if !found || err != nil {
			return 0, false, errors.New("no count after the colon")
		}
		if n < recipe.Seen {
			return 0, false, nil
		}
	}
	return keyOf(sum), true, nil
}

// writeShards makes one filter after the other and counts the entries.
func writeShards(ctx context.Context, to io.Writer, shards spools) (entries int64, err error) {
	out := bufio.NewWriterSize(to, 1<<16)
	for _, shard := range shards {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		keys, err := shard.keys()
		if err != nil {
			return 0, err
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		entries += int64(len(keys))
		if len(keys) == 0 {
			if err := out.WriteByte(0); err != nil {
				return 0, err
			}
			continue
		}
		filter, err := xorfilter.NewBinaryFuse[uint16](keys)
		if err != nil {
			return 0, fmt.Errorf("make a filter of %d entries: %w", len(keys), err)
		}
		if err := out.WriteByte(1); err != nil {
			return 0, err
		}
		if err := filter.Save(out); err != nil {
			return 0, err
		}
	}
	return entries, out.Flush()
}

// publish puts header and body together and moves them to path in one step.
func publish(h Header, body *os.File, draft, path string) error {
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if len(line) >= maxHeader {
		return errors.New("the name of the source is too long")
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.MultiReader(bytes.NewReader([]byte(magic)), bytes.NewReader(append(line, '\n')), body))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

// spools are the entries on disk, one file a shard.
type spools []*spoolFile

type spoolFile struct {
	file  *os.File
	out   *bufio.Writer
	count int
}

func openSpools(folder string, n int) (spools, error) {
	list := make(spools, n)
	for i := range list {
		file, err := os.Create(filepath.Join(folder, "shard"+strconv.Itoa(i)))
		if err != nil {
			return nil, errors.Join(err, list[:i].close())
		}
		list[i] = &spoolFile{file: file, out: bufio.NewWriterSize(file, 1<<13)}
	}
	return list, nil
}

func (s spools) add(shard, key uint64) error {
	s[shard].count++
	_, err := s[shard].out.Write(binary.LittleEndian.AppendUint64(nil, key))
	return err
}

func (s spools) close() error {
	var all []error
	for _, f := range s {
		all = append(all, f.file.Close())
	}
	return errors.Join(all...)
}

// keys reads a shard back.
func (f *spoolFile) keys() ([]uint64, error) {
	if err := f.out.Flush(); err != nil {
		return nil, err
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	keys := make([]uint64, f.count)
	if err := binary.Read(bufio.NewReaderSize(f.file, 1<<16), binary.LittleEndian, keys); err != nil {
		return nil, err
	}
	return keys, nil
}
